//! Groups of requests that share turns: those to names of one registrable domain, or to addresses
//! of one network.

use alloc::boxed::Box;
use core::net::IpAddr;

use crate::domain::Domain;

/// A group of requests: a registrable domain or a network. An attacker has to pay for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Name(Box<str>),
    V4([u8; 4]),
    V6([u8; 6]),
}

impl Group {
    /// Returns the probable registrable domain: the last two labels, or the last three if the
    /// second one is short and below a country (`example.co.uk`). A list of public suffixes would
    /// be exact, and a hundred times as large as this crate. A mistake costs a request a place in
    /// the queue, and nothing while there is no queue.
    pub(super) fn of_domain(domain: &Domain) -> Self {
        let mut labels = domain.as_str().rsplitn(4, '.');
        let (top, second, third) = (labels.next(), labels.next(), labels.next());
        let len = |label: Option<&str>| label.map_or(0, str::len);
        let is_suffix = len(top) == 2 && len(second) <= 3 && third.is_some();
        let dots = domain.as_str().rmatch_indices('.').nth(if is_suffix { 2 } else { 1 });
        let start = dots.map_or(0, |(at, dot)| at.saturating_add(dot.len()));
        Self::Name(domain.as_str().get(start..).unwrap_or(domain.as_str()).into())
    }

    /// Returns the network of an address: IPv4 /24 or IPv6 /48, the usual network of one customer
    /// of a provider. For this machine and private networks, where each address is another host,
    /// returns the address.
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
            ("a.example.com.au", "example.com.au"),
            ("a.town.example.de", "example.de"),
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
