//! The addresses of a Policy Host: the order in which they are tried, and the time-out of each.

use alloc::{string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

use crate::{
    dns::{LookupOutcome, QueryType, Question},
    domain::Domain,
    fetch::FetchError,
};

/// The maximum time for the connection and the TLS handshake with one address, if there are others.
const MOST: Duration = Duration::from_secs(5);

/// The maximum number of addresses of a Policy Host that are tried.
const MAX: usize = 8;

/// The time to wait for the addresses of one family after those of the other are known (RFC 8305
/// §3).
pub(crate) const GRACE: Duration = Duration::from_millis(50);

/// The text of the error for a host without addresses.
const NONE: &str = "it has none";

/// Returns the error for a host without addresses.
pub(super) fn no_address() -> FetchError {
    FetchError::NoAddress(NONE.into())
}

/// Returns whether an error says that the host has no addresses.
pub(super) fn is_without(error: &FetchError) -> bool {
    matches!(error, FetchError::NoAddress(why) if &**why == NONE)
}

/// Returns whether the outcome for one family has an address to connect to.
pub(crate) fn is_enough(outcome: Option<&LookupOutcome>) -> bool {
    matches!(outcome, Some(LookupOutcome::Found(found)) if !found.addresses().is_empty())
}

/// The addresses of a Policy Host that are tried.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) list: Vec<IpAddr>,
    /// The family that was not waited for, which may have further addresses.
    pub(crate) unknown: Option<QueryType>,
}

/// Returns the addresses from the outcomes for IPv6 and IPv4; `None` is one that was not waited
/// for. If there are none, returns the reason: the time is over, a query failed, or the host has no
/// address.
pub(crate) fn policy_host_addresses(
    [v6, v4]: [Option<&LookupOutcome>; 2],
    left: Duration,
) -> Result<Addresses, FetchError> {
    let unknown = match (v6, v4) {
        (None, _) => Some(QueryType::Aaaa),
        (_, None) => Some(QueryType::A),
        _ => None,
    };
    let outcomes = [v6, v4].into_iter().flatten();
    let addresses = in_turn(outcomes.clone().flat_map(|outcome| match outcome {
        LookupOutcome::Found(found) => found.addresses(),
        _ => &[],
    }));
    let failed = outcomes.into_iter().find_map(|outcome| match outcome {
        LookupOutcome::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    match failed {
        _ if left.is_zero() => Err(FetchError::Deadline),
        _ if !addresses.is_empty() => Ok(Addresses { list: addresses, unknown }),
        Some(error) => Err(FetchError::NoAddress(error.into())),
        None => Err(no_address()),
    }
}

/// Returns the first addresses of both families alternately, IPv6 first, so that a family that does
/// not work costs one attempt (RFC 8305 §4).
fn in_turn<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.partition(|address| address.is_ipv6());
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [v6.next(), v4.next()];
        if pair == [None, None] || ordered.len() >= MAX {
            ordered.truncate(MAX);
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

impl Addresses {
    /// Creates the addresses that a resolver has found, of both families.
    pub(super) fn known(all: &[IpAddr]) -> Self {
        Self { list: in_turn(all.iter()), unknown: None }
    }

    /// Returns the query for the unknown addresses, for use after the known ones have failed.
    pub(crate) fn question(&self, domain: &Domain) -> Option<Question> {
        Some(match self.unknown? {
            QueryType::A => Question::a(domain),
            _ => Question::aaaa(domain),
        })
    }
}

/// Returns whether another address is worth an attempt, if there is time: with this one there was no
/// connection (but not for a reason that a proxy has for all addresses), no TLS session, or no valid
/// certificate. Any answer over HTTP is the answer of the Policy Host.
pub(crate) fn is_of_address(error: &FetchError) -> bool {
    rank(error) > 0
}

/// Returns the more informative of the errors of two addresses. Any answer over HTTP at the second one
/// is the answer of the Policy Host.
pub(crate) fn graver(first: FetchError, second: FetchError) -> FetchError {
    if !is_of_address(&second) || rank(&second) > rank(&first) { second } else { first }
}

fn rank(error: &FetchError) -> u8 {
    match error {
        FetchError::Refused(_) => 1,
        FetchError::SourceAddress { .. } | FetchError::Connection(_) => 2,
        FetchError::Proxy(error) if error.is_of_target() => 2,
        FetchError::Deadline => 3,
        FetchError::Tls { .. } => 4,
        FetchError::Certificate(_) => 5,
        _ => 0,
    }
}

/// Returns the time that the first of the remaining addresses has for the connection and the TLS
/// handshake together. The last one may take all the time that is left.
pub(crate) fn time_share(left: Duration, addresses: usize) -> Duration {
    match u32::try_from(addresses).unwrap_or(u32::MAX) {
        0 | 1 => left,
        several => left.checked_div(several).unwrap_or(left).min(MOST),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
mod tests {
    use super::*;

    #[test]
    fn eight_addresses_are_tried_of_both_families_in_turn() {
        let v4 = (1..=200).map(|n| IpAddr::from([192, 0, 2, n]));
        let v6 = (1..=200).map(|n| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n]));
        let all: Vec<IpAddr> = v4.clone().chain(v6).collect();
        let tried = in_turn(all.iter());
        assert_eq!(tried.len(), 8);
        assert!(tried.iter().step_by(2).all(IpAddr::is_ipv6));
        assert!(tried.iter().skip(1).step_by(2).all(IpAddr::is_ipv4));
        let only: Vec<IpAddr> = v4.collect();
        assert_eq!(in_turn(only.iter()), only.get(..8).unwrap());
        let few: Vec<IpAddr> = only.get(..3).unwrap().to_vec();
        assert_eq!(in_turn(few.iter()), few);
    }
}
