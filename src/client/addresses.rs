//! In which order the addresses of a Policy Host are tried, and for how long each.

use alloc::{string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

use crate::{
    dns::{Kind, Outcome, Question},
    domain::Domain,
    fetch::FetchError,
};

/// How long a connection to one address may take, if there are others.
const MOST: Duration = Duration::from_secs(5);

/// The most addresses of a Policy Host that are tried.
const MAX: usize = 8;

/// The time to wait for the addresses of one family once those of the other are known (RFC 8305 §3).
pub(crate) const GRACE: Duration = Duration::from_millis(50);

/// Returns whether a connection can be made with what was found of one family.
pub(crate) fn is_enough(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Found(found)) if !found.addresses().is_empty())
}

/// The addresses of a Policy Host that are tried.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) list: Vec<IpAddr>,
    /// The family that was not waited for: it may have others.
    pub(crate) unknown: Option<Kind>,
}

/// The addresses that were found of IPv6 and IPv4; `None` is one that was not waited for. If there are
/// none because the time is over, or a question failed, that is why.
pub(crate) fn found(
    [v6, v4]: [Option<&Outcome>; 2],
    left: Duration,
) -> Result<Addresses, FetchError> {
    let unknown = match (v6, v4) {
        (None, _) => Some(Kind::Aaaa),
        (_, None) => Some(Kind::A),
        _ => None,
    };
    let outcomes = [v6, v4].into_iter().flatten();
    let addresses = in_turn(outcomes.clone().flat_map(|outcome| match outcome {
        Outcome::Found(found) => found.addresses(),
        _ => &[],
    }));
    let failed = outcomes.into_iter().find_map(|outcome| match outcome {
        Outcome::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    match failed {
        _ if left.is_zero() => Err(FetchError::Deadline),
        _ if !addresses.is_empty() => Ok(Addresses { list: addresses, unknown }),
        Some(error) => Err(FetchError::NoAddress(error.into())),
        None => Err(FetchError::NoAddress("it has none".into())),
    }
}

/// The first few of both families in turn, IPv6 first, so that one that leads nowhere costs one
/// attempt (RFC 8305 §4).
fn in_turn<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.partition(|it| it.is_ipv6());
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
    /// The question for the addresses that are not known, once those that are have been of no use.
    pub(crate) fn question(&self, domain: &Domain) -> Option<Question> {
        Some(match self.unknown? {
            Kind::A => Question::a(domain),
            _ => Question::aaaa(domain),
        })
    }
}

/// How long the first of so many addresses may take of the time that is left: the last one all of it.
pub(crate) fn share(left: Duration, addresses: usize) -> Duration {
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
