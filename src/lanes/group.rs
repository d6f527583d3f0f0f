//! Which requests count as one: those to names of one registrable domain, or to addresses of one
//! network.

use alloc::boxed::Box;
use core::net::IpAddr;

use crate::domain::Domain;

/// What an attacker has to pay for to look like somebody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Name(Box<str>),
    V4([u8; 4]),
    V6([u8; 6]),
}

impl Group {
    /// Returns the registrable domain, or what is most likely to be it: the last two labels, or the
    /// last three where the second one is short and stands below a country (`example.co.uk`). A
    /// list of public suffixes would be exact and a hundred times as large as this crate; a mistake
    /// costs a request a place in the queue, and nothing when no queue has formed.
    pub(super) fn of_domain(domain: &Domain) -> Self {
        let mut labels = domain.as_str().rsplitn(4, '.');
        let (top, second, third) = (labels.next(), labels.next(), labels.next());
        let len = |label: Option<&str>| label.map_or(0, str::len);
        let is_suffix = len(top) == 2 && len(second) <= 3 && third.is_some();
        let dots = domain.as_str().rmatch_indices('.').nth(if is_suffix { 2 } else { 1 });
        let start = dots.map_or(0, |(at, dot)| at.saturating_add(dot.len()));
        Self::Name(domain.as_str().get(start..).unwrap_or(domain.as_str()).into())
    }

    /// Returns the network of an address: IPv4 /24, IPv6 /48, which is what one customer of a
    /// provider has; on this machine and in private networks, where each address is another host,
    /// the address.
    pub(super) fn of_address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                let is_near = v4.is_loopback() || v4.is_private() || v4.is_link_local();
                Self::V4([a, b, c, if is_near { d } else { 0 }])
            }
            IpAddr::V6(v6) => {
                let [network @ .., _, _, _, _, _, _, _, _, _, _] = v6.octets();
                Self::V6(network)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
mod tests {
    use super::*;

    #[test]
    fn registrable_domains() {
        for (name, expected) in [
            ("example.com", "example.com"),
            ("a.b.example.com", "example.com"),
            ("mail.example.co.uk", "example.co.uk"),
            ("example.co.uk", "example.co.uk"),
            ("x.example.de", "example.de"),
            ("co.uk", "co.uk"),
        ] {
            let domain = Domain::parse(name).unwrap();
            assert_eq!(Group::of_domain(&domain), Group::Name(expected.into()), "{name}");
        }
    }

    #[test]
    fn networks_of_addresses() {
        let same = |a: &str, b: &str| {
            Group::of_address(a.parse().unwrap()) == Group::of_address(b.parse().unwrap())
        };
        assert!(same("192.0.2.1", "192.0.2.254") && !same("192.0.2.1", "192.0.3.1"));
        assert!(same("2001:db8:1::1", "2001:db8:1:ffff::1"));
        assert!(!same("2001:db8:1::1", "2001:db8:2::1"));
        assert!(!same("127.0.0.1", "127.0.0.2") && same("::ffff:192.0.2.1", "192.0.2.9"));
    }
}
