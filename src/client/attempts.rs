//! The attempts of one fetch, at each address of a Policy Host.

use alloc::collections::VecDeque;
use core::net::IpAddr;

use super::addresses::{Addresses, graver, no_address};
use crate::{
    domain::Domain,
    fetch::{AddressFilter, FetchError},
};

/// The addresses to try in one fetch, and the failure of those that have been tried.
#[derive(Debug)]
pub(crate) struct Attempts {
    queue: VecDeque<IpAddr>,
    /// There may be further addresses, which have not been looked up.
    lacks_rest: bool,
    /// The last address that has used up its share of the time.
    cut: Option<IpAddr>,
    failed: Option<FetchError>,
}

impl Attempts {
    /// Creates the attempts at the addresses that are known. Those that the filter refuses have failed.
    pub(crate) fn new(domain: &Domain, filter: &AddressFilter, known: &Addresses) -> Self {
        let lacks_rest = known.unknown.is_some();
        let mut new = Self { queue: VecDeque::new(), lacks_rest, cut: None, failed: None };
        new.add(domain, filter, &known.list);
        new
    }

    /// Returns whether the other addresses are to be looked up, because the known ones have failed.
    pub(crate) fn needs_rest(&self) -> bool {
        self.lacks_rest && self.queue.is_empty()
    }

    /// Adds the other addresses.
    pub(crate) fn add_rest(&mut self, domain: &Domain, filter: &AddressFilter, rest: &[IpAddr]) {
        self.lacks_rest = false;
        self.add(domain, filter, rest);
    }

    fn add(&mut self, domain: &Domain, filter: &AddressFilter, addresses: &[IpAddr]) {
        for &address in addresses {
            match filter.check(domain, address) {
                Ok(()) => self.queue.push_back(address),
                Err(error) => self.add_failure(FetchError::Refused(error)),
            }
        }
    }

    /// Returns the next address, and the number of addresses that share the time that is left. If
    /// there is no other address, one that has used up its share is tried once more with all of it.
    pub(crate) fn next(&mut self) -> Option<(IpAddr, usize)> {
        let others = usize::from(self.lacks_rest);
        match self.queue.pop_front() {
            Some(address) => {
                let shares = self.queue.len().saturating_add(others).saturating_add(1);
                Some((address, shares))
            }
            None => self.cut.take().map(|address| (address, 1)),
        }
    }

    /// Takes the failure of an address. `is_cut` says that it has used up its share of the time, and
    /// not all of it.
    pub(crate) fn fail(&mut self, address: IpAddr, error: FetchError, is_cut: bool) {
        if is_cut {
            self.cut = Some(address);
        }
        self.add_failure(error);
    }

    fn add_failure(&mut self, error: FetchError) {
        self.failed = Some(match self.failed.take() {
            Some(failed) => graver(failed, error),
            None => error,
        });
    }

    /// Returns the failure of the fetch, if no address is left.
    pub(crate) fn into_error(self) -> FetchError {
        self.failed.unwrap_or_else(no_address)
    }

    /// Returns the failure of the fetch, if it ends before the next address is tried. A proxy that has
    /// used up the time, or a wrong source address, is not the fault of the Policy Host.
    pub(crate) fn into_late_error(self) -> FetchError {
        match self.failed {
            Some(error @ (FetchError::Proxy(_) | FetchError::SourceAddress { .. })) => error,
            Some(error) => graver(error, FetchError::Deadline),
            None => FetchError::Deadline,
        }
    }

    /// Returns the failure of the addresses that have been tried.
    #[cfg(feature = "tokio")]
    pub(crate) fn failed(&self) -> Option<&FetchError> {
        self.failed.as_ref()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;
    use crate::{
        dns::QueryType,
        fetch::{HttpsProxy, ProxyError, ProxyErrorKind},
    };

    const FIRST: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(8, 8, 8, 8));
    const SECOND: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(8, 8, 4, 4));
    const REFUSED: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 1));

    fn domain() -> Domain {
        Domain::parse("example.com").unwrap()
    }

    /// Creates the attempts at these addresses, of one family or both.
    fn attempts(list: Vec<IpAddr>, unknown: Option<QueryType>) -> Attempts {
        Attempts::new(&domain(), &AddressFilter::default(), &Addresses { list, unknown })
    }

    #[test]
    fn the_only_address_has_all_the_time_once_the_others_are_known() {
        for rest in [vec![], vec![REFUSED]] {
            let mut attempts = attempts(vec![FIRST], Some(QueryType::Aaaa));
            assert!(!attempts.needs_rest());
            assert_eq!(attempts.next(), Some((FIRST, 2)));
            attempts.fail(FIRST, FetchError::Deadline, true);
            assert!(attempts.needs_rest());
            attempts.add_rest(&domain(), &AddressFilter::default(), &rest);
            assert!(!attempts.needs_rest());
            assert_eq!(attempts.next(), Some((FIRST, 1)));
            attempts.fail(FIRST, FetchError::Deadline, false);
            assert_eq!(attempts.next(), None);
            assert_eq!(attempts.into_error(), FetchError::Deadline);
        }
    }

    #[test]
    fn an_address_that_is_refused_has_no_share() {
        let mut one = attempts(vec![REFUSED, FIRST, REFUSED, SECOND, REFUSED], None);
        assert_eq!([one.next(), one.next()], [Some((FIRST, 2)), Some((SECOND, 1))]);
        assert_eq!(one.next(), None);
        let mut none = attempts(vec![REFUSED], None);
        assert_eq!(none.next(), None);
        assert!(matches!(none.into_error(), FetchError::Refused(_)));
        assert_eq!(attempts(vec![], None).into_error(), no_address());
    }

    #[test]
    fn a_proxy_that_is_late_is_no_failure_of_the_domain() {
        let proxy = HttpsProxy::new((FIRST, 3128).into());
        let late = FetchError::Proxy(ProxyError::new(&proxy, ProxyErrorKind::Timeout));
        let failed = |error: Option<FetchError>| {
            let mut attempts = attempts(vec![FIRST, SECOND], None);
            if let Some(error) = error {
                attempts.fail(FIRST, error, false);
            }
            attempts.into_late_error()
        };
        assert_eq!(failed(Some(late.clone())), late);
        assert_eq!(failed(Some(FetchError::Connection("lost".into()))), FetchError::Deadline);
        assert_eq!(failed(None), FetchError::Deadline);
    }
}
