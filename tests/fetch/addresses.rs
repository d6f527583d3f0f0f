//! Where a Policy Host may be (S3.3-16).

use std::net::IpAddr;

use mta_sts::{
    Domain,
    fetch::{AddressError, AddressFilter},
};

use crate::world::domain;

fn kind(address: &str) -> Option<AddressError> {
    AddressFilter::default().check(&domain(), address.parse().unwrap()).err()
}

/// The first and the last address of each network, and their neighbours outside.
#[test]
fn networks_and_their_edges() {
    use AddressError::{LinkLocal, Loopback, Multicast, Nat64, Private, Reserved, Unspecified};
    for (within, expected, without) in [
        (&["0.0.0.0", "0.255.255.255"][..], Unspecified, &["1.0.0.0"][..]),
        (&["10.0.0.0", "10.255.255.255"], Private, &["9.255.255.255", "11.0.0.0"]),
        (&["100.64.0.0", "100.127.255.255"], Private, &["100.63.255.255", "100.128.0.0"]),
        (
            &["127.0.0.0", "127.0.0.1", "127.255.255.255"],
            Loopback,
            &["126.255.255.255", "128.0.0.0"],
        ),
        (
            &["169.254.0.0", "169.254.169.254", "169.254.255.255"],
            LinkLocal,
            &["169.253.255.255", "169.255.0.0"],
        ),
        (&["172.16.0.0", "172.31.255.255"], Private, &["172.15.255.255", "172.32.0.0"]),
        (
            &["192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255"],
            Reserved,
            &["191.255.255.255", "192.0.1.0", "192.0.3.0"],
        ),
        (&["192.88.99.0", "192.88.99.255"], Reserved, &["192.88.98.255", "192.88.100.0"]),
        (&["192.168.0.0", "192.168.255.255"], Private, &["192.167.255.255", "192.169.0.0"]),
        (&["198.18.0.0", "198.19.255.255"], Reserved, &["198.17.255.255", "198.20.0.0"]),
        (&["198.51.100.0", "198.51.100.255"], Reserved, &["198.51.99.255", "198.51.101.0"]),
        (&["203.0.113.0", "203.0.113.255"], Reserved, &["203.0.112.255", "203.0.114.0"]),
        (&["224.0.0.0", "239.255.255.255"], Multicast, &["223.255.255.255"]),
        (&["240.0.0.0", "255.255.255.255"], Reserved, &[]),
        (&["::"], Unspecified, &[]),
        (&["::1"], Loopback, &[]),
        // Neither mapped nor public: IPv4-compatible, discarded.
        (
            &["::2", "::8.8.8.8", "64:ff9b:2::8.8.8.8", "100::1", "1fff:ffff::"],
            Reserved,
            &["2000::"],
        ),
        (&["64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::ffff"], Nat64, &[]),
        (&["2001::", "2001:0:1::", "2001:1ff:ffff::"], Reserved, &["2001:200::"]),
        (&["2001:db8::", "2001:db8:ffff::ffff"], Reserved, &["2001:db7:ffff::", "2001:db9::"]),
        (&["3fff::", "3fff:fff:ffff::"], Reserved, &["3ffe:ffff::", "3fff:1000::"]),
        (&["4000::", "5f00::1", "fbff::"], Reserved, &["3fff:ffff::"]),
        (&["fc00::", "fdff:ffff::"], Private, &[]),
        (&["fe00::1", "fe7f:ffff::"], Reserved, &[]),
        (&["fe80::", "febf:ffff::"], LinkLocal, &[]),
        (&["fec0::", "feff:ffff::"], Private, &[]),
        (&["ff00::", "ff02::1", "ffff:ffff::"], Multicast, &[]),
    ] {
        for address in within {
            assert_eq!(kind(address), Some(expected), "{address}");
        }
        for address in without {
            assert_eq!(kind(address), None, "{address}");
        }
    }
}

#[test]
fn an_address_within_another() {
    for (v4, kind_of_it) in [
        ("127.0.0.1", Some(AddressError::Loopback)),
        ("192.168.1.1", Some(AddressError::Private)),
        ("8.8.8.8", None),
    ] {
        let IpAddr::V4(inner) = v4.parse().unwrap() else { panic!() };
        let [a, b, c, d] = inner.octets();
        let six_to_four = format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1");
        for address in [format!("::ffff:{v4}"), format!("64:ff9b::{v4}"), six_to_four] {
            assert_eq!(kind(&address), kind_of_it, "{address}");
        }
    }
}

#[test]
fn exemptions() {
    let (ours, other) = (domain(), Domain::parse("example.net").unwrap());
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let filter = AddressFilter::default()
        .exempt_network("127.0.0.0/8".parse().unwrap())
        .exempt_network("fd00:1::/32".parse().unwrap());
    for (text, is_allowed) in [
        ("127.9.9.9", true),
        ("::ffff:127.0.0.1", true),
        ("::1", false),
        ("10.0.0.1", false),
        ("fd00:1::5", true),
        ("fd00:2::5", false),
        ("8.8.8.8", true),
    ] {
        assert_eq!(filter.check(&ours, address(text)).is_ok(), is_allowed, "{text}");
    }
    // An embedded IPv4 address is exempted by a network of IPv4.
    for (network, text, is_allowed) in [
        ("::/0", "fd00:2::5", true),
        ("::/0", "64:ff9b::10.0.0.1", false),
        ("64:ff9b::/96", "64:ff9b::10.0.0.1", false),
        ("10.0.0.0/8", "64:ff9b::10.0.0.1", true),
        ("0.0.0.0/0", "2002:a00:1::1", true),
        ("0.0.0.0/0", "fd00:2::5", false),
    ] {
        let filter = AddressFilter::default().exempt_network(network.parse().unwrap());
        assert_eq!(filter.check(&ours, address(text)).is_ok(), is_allowed, "{network} {text}");
    }
    let filter = AddressFilter::default().exempt_domain(ours.clone());
    assert_eq!(filter.check(&ours, address("127.0.0.1")), Ok(()));
    assert_eq!(filter.check(&other, address("127.0.0.1")), Err(AddressError::Loopback));
}

#[test]
fn what_is_told_names_no_address() {
    let filter = AddressFilter::default();
    let told = filter.check(&domain(), "127.0.0.53".parse().unwrap()).unwrap_err().to_string();
    assert_eq!(told, "the policy host has a loopback address");
}
