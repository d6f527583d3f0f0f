//! In which order the addresses of a Policy Host are tried, and for how long each.

use alloc::{string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

use crate::{dns::Outcome, fetch::FetchError};

/// How long a connection to one address may take, if there are others.
const MOST: Duration = Duration::from_secs(5);

/// The addresses that were found of both families. If there are none because a question failed, that
/// is why.
pub(crate) fn found(v6: &Outcome, v4: &Outcome) -> Result<Vec<IpAddr>, FetchError> {
    let outcomes = [v6, v4];
    let addresses = in_turn(outcomes.into_iter().flat_map(|outcome| match outcome {
        Outcome::Found(found) => found.addresses(),
        _ => &[],
    }));
    let failed = outcomes.into_iter().find_map(|outcome| match outcome {
        Outcome::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    match failed {
        _ if !addresses.is_empty() => Ok(addresses),
        Some(error) => Err(FetchError::NoAddress(error.into())),
        None => Err(FetchError::NoAddress("it has none".into())),
    }
}

/// Both families in turn, IPv6 first, so that one that leads nowhere costs one attempt (RFC 8305 §4).
fn in_turn<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.partition(|it| it.is_ipv6());
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [v6.next(), v4.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

/// How long the first of so many addresses may take of the time that is left: the last one all of it.
pub(crate) fn share(left: Duration, addresses: usize) -> Duration {
    match u32::try_from(addresses).unwrap_or(u32::MAX) {
        0 | 1 => left,
        several => left.checked_div(several).unwrap_or(left).min(MOST),
    }
}
