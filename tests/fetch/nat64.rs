//! Policy Hosts behind a NAT64 (RFC 6052, RFC 7050, RFC 8215).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mta_sts::fetch::{AddressError, AddressFilter, Nat64Prefix, Network};
use proptest::prelude::*;

use crate::world::domain;

fn prefix(text: &str) -> Nat64Prefix {
    text.parse().unwrap()
}

fn check(filter: &AddressFilter, address: &str) -> Option<AddressError> {
    filter.check(&domain(), address.parse().unwrap()).err()
}

/// The table of RFC 6052 §2.4.
#[test]
fn the_examples_of_the_rfc() {
    let inner = Ipv4Addr::new(192, 0, 2, 33);
    for (text, embedded) in [
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
        ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
    ] {
        let address: Ipv6Addr = embedded.parse().unwrap();
        assert_eq!(prefix(text).embed(inner), address, "{text}");
        assert_eq!(prefix(text).extract(address), Some(inner), "{text}");
        assert_eq!(prefix(text).to_string(), text);
    }
}

#[test]
fn what_is_no_prefix() {
    for text in [
        "64:ff9b:1::/80",
        "64:ff9b:1::/47",
        "64:ff9b:1::/128",
        "64:ff9b:1::",
        "::/0",
        "10.0.0.0/32",
        // The octet "u" is not zero.
        "2001:db8:122:344:100::/96",
        "x",
    ] {
        let error = text.parse::<Nat64Prefix>().unwrap_err().to_string();
        assert!(error.contains("32, 40, 48, 56, 64 or 96 bits"), "{text}: {error}");
    }
    assert!(Nat64Prefix::try_from("fd00::/32".parse::<Network>().unwrap()).is_ok());
}

#[test]
fn an_address_of_a_set_prefix_is_judged_as_ipv4() {
    for text in ["64:ff9b:1::/48", "64:ff9b:1:fffe::/96", "2606:4700::/32", "fd00:64::/96"] {
        let filter = AddressFilter::default().with_nat64_prefix(prefix(text));
        let of = |inner| prefix(text).embed(inner).to_string();
        assert_eq!(check(&filter, &of(Ipv4Addr::new(8, 8, 8, 8))), None, "{text}");
        let private = of(Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(check(&filter, &private), Some(AddressError::Private), "{text}");
        let loopback = of(Ipv4Addr::LOCALHOST);
        assert_eq!(check(&filter, &loopback), Some(AddressError::Loopback), "{text}");
        // Exempting the IPv6 network changes nothing; exempting that of IPv4 does.
        let exempt = |network: &str| filter.clone().exempt_network(network.parse().unwrap());
        for network in [text, "::/0"] {
            assert_eq!(check(&exempt(network), &private), Some(AddressError::Private), "{text}");
        }
        assert_eq!(check(&exempt("10.0.0.0/8"), &private), None, "{text}");
    }
    // Of several prefixes, each must allow it.
    let one = AddressFilter::default().with_nat64_prefix(prefix("64:ff9b:1::/48"));
    let both = one.clone().with_nat64_prefix(prefix("64:ff9b:1:808:8:800::/96"));
    let address = "64:ff9b:1:808:8:800:a00:1";
    assert_eq!([check(&one, address), check(&both, address)], [None, Some(AddressError::Private)]);
    // No embedding.
    assert_eq!(check(&one, "64:ff9b:1:808:108:800::"), Some(AddressError::Reserved));
}

/// As long as no prefix of it is set, nobody knows which IPv4 address is embedded.
#[test]
fn no_exempt_network_allows_an_address_of_an_unknown_prefix() {
    for network in ["64:ff9b:1::/48", "64:ff9b:1::/96", "::/0", "0.0.0.0/0"] {
        let filter = AddressFilter::default().exempt_network(network.parse().unwrap());
        for address in ["64:ff9b:1::10.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:a00:0:100::"] {
            assert_eq!(check(&filter, address), Some(AddressError::Nat64), "{network} {address}");
        }
    }
    let filter = AddressFilter::default().exempt_domain(domain());
    assert_eq!(check(&filter, "64:ff9b:1::10.0.0.1"), None);
}

#[test]
fn a_discovered_prefix_refuses_more_and_allows_only_what_is_for_nat64() {
    let filter = |text| AddressFilter::default().with_discovered_nat64_prefixes([prefix(text)]);
    for (text, address, expected) in [
        // A prefix of the network's own: the embedded address counts, too.
        ("2606:4700::/96", "2606:4700::8.8.8.8", None),
        ("2606:4700::/96", "2606:4700::10.0.0.1", Some(AddressError::Private)),
        ("2606:4700::/96", "2606:4700::1:8.8.8.8", None),
        // One for local use.
        ("64:ff9b:1::/96", "64:ff9b:1::8.8.8.8", None),
        ("64:ff9b:1::/96", "64:ff9b:1::10.0.0.1", Some(AddressError::Private)),
        ("64:ff9b:1::/96", "64:ff9b:1:1::8.8.8.8", Some(AddressError::Nat64)),
        // A false one, by which a host in a private network would be a public one.
        ("fd12:3456::/32", "fd12:3456:808:808::1", Some(AddressError::Private)),
        ("fd00:64::/96", "fd00:64::8.8.8.8", Some(AddressError::Private)),
        ("fe80::/64", "fe80::8:808:800:0", Some(AddressError::LinkLocal)),
        ("::/96", "::8.8.8.8", Some(AddressError::Reserved)),
        // It is wider than the network for local use.
        ("64:ff9b::/40", "64:ff9b:1:808:8::", Some(AddressError::Nat64)),
        ("::/32", "::1", Some(AddressError::Unspecified)),
        // Nor does it make a translated address another one.
        ("64:ff9b::/32", "64:ff9b::10.0.0.1", Some(AddressError::Private)),
    ] {
        assert_eq!(check(&filter(text), address), expected, "{text} {address}");
    }
    // They replace the ones before.
    let filter = filter("64:ff9b:1::/96").with_discovered_nat64_prefixes([]);
    assert_eq!(check(&filter, "64:ff9b:1::8.8.8.8"), Some(AddressError::Nat64));
}

#[test]
fn discovery() {
    let found = |addresses: &[&str]| -> Vec<String> {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        Nat64Prefix::from_ipv4only(addresses).iter().map(ToString::to_string).collect()
    };
    assert_eq!(found(&["64:ff9b::192.0.0.170", "64:ff9b::192.0.0.171"]), ["64:ff9b::/96"]);
    assert_eq!(
        found(&["64:ff9b:1:c000:0:aa00::", "2001:db8:c000:aa::", "64:ff9b:1::192.0.0.171"]),
        ["64:ff9b:1::/48", "2001:db8::/32", "64:ff9b:1::/96"],
    );
    // Neither of the addresses, or not where one can be.
    for address in ["64:ff9b::192.0.0.172", "2001:db8::c0:0:aa00:0", "::", "2001:db8:0:c0:0:aa00::"]
    {
        let expected: &[&str] =
            if address == "2001:db8::c0:0:aa00:0" { &["2001:db8::/64"] } else { &[] };
        assert_eq!(found(&[address]), expected, "{address}");
    }
    // It is ambiguous: there are two of them.
    for last in [170, 171] {
        assert_eq!(found(&[&format!("2001:db8:c000:aa::192.0.0.{last}")]), [""; 0]);
    }
    // Not at a position of a format, but it occurs.
    assert_eq!(found(&["2001:dc0:0:aa00::192.0.0.170"]), [""; 0]);
    let many: Vec<_> = (0..100).map(|n| format!("2001:db8:{n:x}::192.0.0.170")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(found(&many).len(), 8);
}

const LENS: [u8; 6] = [32, 40, 48, 56, 64, 96];

fn any_prefix() -> impl Strategy<Value = Nat64Prefix> {
    let parts = (any::<u128>(), proptest::sample::select(&LENS[..]), any::<bool>());
    parts.prop_map(|(bits, len, is_local)| {
        let mut octets = bits.to_be_bytes();
        octets[8] = 0;
        if is_local {
            octets[..6].copy_from_slice(&[0, 0x64, 0xff, 0x9b, 0, 1]);
        }
        format!("{}/{len}", Ipv6Addr::from(octets)).parse().unwrap()
    })
}

/// Half of them private.
fn any_v4() -> impl Strategy<Value = Ipv4Addr> {
    (any::<[u8; 4]>(), any::<bool>()).prop_map(|([a, b, c, d], is_private)| {
        Ipv4Addr::from([if is_private { 10 } else { a }, b, c, d])
    })
}

fn allows(filter: &AddressFilter, address: impl Into<IpAddr>) -> bool {
    filter.check(&domain(), address.into()).is_ok()
}

proptest! {
    #[test]
    fn embedding_round_trips(prefix in any_prefix(), inner in any_v4(), suffix in any::<u128>()) {
        let address = prefix.embed(inner);
        prop_assert_eq!(prefix.extract(address), Some(inner));
        prop_assert_eq!(address.octets()[8], 0);
        let again: Nat64Prefix = prefix.to_string().parse().unwrap();
        prop_assert_eq!(again, prefix);
        // The bits after it are ignored.
        let len: u32 = prefix.to_string().rsplit('/').next().unwrap().parse().unwrap();
        let used = if len < 96 { len + 40 } else { 128 };
        let suffix = suffix.checked_shr(used).unwrap_or(0);
        let changed = Ipv6Addr::from(u128::from(address) | suffix);
        prop_assert_eq!(prefix.extract(changed), Some(inner));
    }

    /// An address with a private one in it is refused, whatever IPv6 networks are exempt.
    #[test]
    fn a_set_prefix_decides_by_the_embedded_address(
        prefix in any_prefix(), inner in any_v4(), is_exempt in any::<bool>(),
    ) {
        let address = prefix.embed(inner);
        // Those that are embedded in another way, too, must be allowed in both.
        prop_assume!(!matches!(address.segments(), [0x2002, ..] | [0, 0, 0, 0, 0, 0xffff, ..]));
        let plain = AddressFilter::default();
        let mut filter = plain.clone().with_nat64_prefix(prefix);
        if is_exempt {
            filter = filter.exempt_network("::/0".parse().unwrap());
        }
        prop_assert_eq!(allows(&filter, address), allows(&plain, inner));
        let filter = filter.exempt_network("0.0.0.0/0".parse().unwrap());
        prop_assert!(allows(&filter, address));
    }

    /// Whatever DNS says of prefixes, an address is allowed only if it was before, or is one for
    /// NAT64 in which an allowed IPv4 address is embedded.
    #[test]
    fn discovered_prefixes_allow_nothing_else(
        prefixes in proptest::collection::vec(any_prefix(), 0..4),
        inner in any_v4(),
        which in any::<prop::sample::Index>(),
        other in any::<u128>(),
    ) {
        let plain = AddressFilter::default();
        let filter = plain.clone().with_discovered_nat64_prefixes(prefixes.clone());
        let mut addresses = vec![Ipv6Addr::from(other)];
        if !prefixes.is_empty() {
            addresses.push(which.get(&prefixes).embed(inner));
        }
        for address in addresses {
            let is_local = matches!(address.segments(), [0x64, 0xff9b, 1, ..]);
            let mut inners = prefixes.iter().filter_map(|prefix| prefix.extract(address));
            if allows(&filter, address) && !allows(&plain, address) {
                prop_assert!(is_local && inners.all(|inner| allows(&plain, inner)));
            } else if inners.any(|inner| !allows(&plain, inner)) {
                prop_assert!(!allows(&filter, address));
            }
        }
    }
}
