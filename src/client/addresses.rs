//! In which order the addresses of a Policy Host are tried, and for how long each.

use alloc::vec::Vec;
use core::{net::IpAddr, time::Duration};

/// How long a connection to one address may take, if there are others.
const MOST: Duration = Duration::from_secs(5);

/// Both families in turn, IPv6 first, so that one that leads nowhere costs one attempt (RFC 8305 §4).
pub(crate) fn in_turn(addresses: impl IntoIterator<Item = IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.into_iter().partition(IpAddr::is_ipv6);
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
