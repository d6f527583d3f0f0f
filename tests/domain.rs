//! Names (RFC 5321 §§4.1.2, 4.5.3.1; RFC 1035 §2.3.4; RFC 8461 §§3.1–3.4).

use mta_sts::{Domain, error::DomainError};

#[track_caller]
fn reads(text: &str, name: &str) {
    let domain = Domain::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(domain.as_str(), name, "{text:?}");
    assert_eq!(Domain::parse(name).as_ref(), Ok(&domain), "reading it again changes it");
}

#[track_caller]
fn refuses(text: &str, message: &str) -> DomainError {
    let error = Domain::parse(text).expect_err(text);
    assert_eq!(error.to_string(), message, "{text:?}");
    error
}

#[test]
fn names_are_lowered_and_lose_their_trailing_dot() {
    reads("example.com", "example.com");
    reads("Example.COM.", "example.com");
    reads("a-b.c--d.example", "a-b.c--d.example");
    reads("3com.example", "3com.example");
    reads("1.2.3.4.example", "1.2.3.4.example");
    reads("0x.example", "0x.example");
    reads("localhost", "localhost");
    reads("xn--bcher-kva.example", "xn--bcher-kva.example");
    reads("r3---sn-x.example", "r3---sn-x.example");
}

#[test]
fn what_is_no_name_is_refused_with_its_place() {
    refuses("", "the domain name is empty");
    refuses(".", "the domain name is empty");
    refuses("example.com..", "a label of the domain name is empty, at byte 12");
    refuses(".example.com", "a label of the domain name is empty, at byte 0");
    refuses("a..b", "a label of the domain name is empty, at byte 2");
    refuses("-a.example", "the label \"-a\" at byte 0 begins or ends with a hyphen");
    refuses("b.a-.example", "the label \"a-\" at byte 2 begins or ends with a hyphen");
    for (text, found, at) in [
        ("my_host.example", "_host", 2),
        ("user@example.com", "@example", 4),
        ("a b.example", " b", 1),
        ("a.b/../c", "/", 3),
        ("a\r\nHost: x", "\\r", 1),
        ("a.b:443", ":443", 3),
        ("nul\0.example", "\\x00", 3),
        ("*.example.com", "*", 0),
    ] {
        let error = Domain::parse(text).unwrap_err();
        let DomainError::InvalidCharacter { found: shown, at: place } = &error else {
            panic!("{text:?}: {error}")
        };
        assert!(shown.starts_with(&format!("\"{found}")), "{text:?}: {shown}");
        assert_eq!(*place, at, "{text:?}");
    }
}

#[test]
fn s3_4_02_addresses_have_errors_of_their_own() {
    for text in ["[192.0.2.1]", "[IPv6:2001:db8::1]", "[x]", "["] {
        assert!(matches!(Domain::parse(text), Err(DomainError::AddressLiteral { .. })), "{text}");
    }
    // S3.3-16: also what a resolver or a URL parser would take for an address.
    for text in
        ["192.0.2.1", "192.0.2.1.", "2001:db8::1", "::1", "127.1", "2130706433", "a.0x7f", "0x.0X"]
    {
        assert!(matches!(Domain::parse(text), Err(DomainError::IpAddress { .. })), "{text}");
    }
    refuses("[192.0.2.1]", "\"[192.0.2.1]\" is an address literal, which has no policy");
    refuses("192.0.2.1", "\"192.0.2.1\" is an IP address, not a domain name");
}

/// A name of this many bytes, with labels of 63 at the most.
fn name_of(len: usize) -> String {
    let mut name = "a".repeat(len);
    for dot in (0..len).skip(60).step_by(60) {
        name.replace_range(dot..=dot, ".");
    }
    if name.ends_with('.') {
        name.replace_range(len - 1.., "a");
    }
    name
}

#[test]
fn s3_1_01_every_name_made_of_a_domain_fits_into_dns() {
    let longest = Domain::parse(&name_of(Domain::MAX_LEN)).unwrap();
    assert_eq!(longest.txt_name().len(), 253);
    assert_eq!(longest.policy_host().len(), 252);
    assert_eq!(longest.tlsrpt_name(), None, "`_smtp._tls.` is longer than `_mta-sts.`");
    assert_eq!(Domain::parse(&name_of(242)).unwrap().tlsrpt_name().unwrap().len(), 253);
    refuses(
        &name_of(245),
        "the domain name has 245 bytes, over the limit of 244 that `_mta-sts.` leaves",
    );
    assert!(Domain::parse(&format!("{}.", name_of(244))).is_ok(), "the dot does not count");

    let label = "a".repeat(63);
    reads(&format!("{label}.example"), &format!("{label}.example"));
    let error = Domain::parse(&format!("b.{label}a.example")).unwrap_err();
    assert!(matches!(error, DomainError::LabelTooLong { at: 2, len: 64, .. }), "{error}");
}

#[test]
fn names_of_ten_thousand_characters_are_refused_in_few_words() {
    for text in ["a".repeat(10_000), "a.".repeat(5_000), ".".repeat(10_000), "ü".repeat(10_000)] {
        let error = Domain::parse(&text).unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
    }
}

#[test]
fn the_names_that_are_made_of_it() {
    let domain = Domain::parse("Example.com").unwrap();
    assert_eq!(domain.txt_name(), "_mta-sts.example.com");
    assert_eq!(domain.policy_host(), "mta-sts.example.com");
    assert_eq!(domain.policy_url(), "https://mta-sts.example.com/.well-known/mta-sts.txt");
    assert_eq!(domain.tlsrpt_name().unwrap(), "_smtp._tls.example.com");
}

#[test]
fn a_domain_is_a_key() {
    let map = std::collections::HashMap::from([(Domain::parse("EXAMPLE.com").unwrap(), 1)]);
    assert_eq!(map.get("example.com"), Some(&1));
}

#[cfg(feature = "idna")]
#[test]
fn c_07_u_labels_become_a_labels() {
    reads("Bücher.example.", "xn--bcher-kva.example");
    reads("BÜCHER.example", "xn--bcher-kva.example");
    reads("straße.example", "xn--strae-oqa.example");
    reads("例え。テスト", "xn--r8jz45g.xn--zckzah");
    reads("\u{212A}.example", "k.example");
    // What is mapped to ASCII is held to the same rules.
    assert!(matches!(Domain::parse("１２７.0.0.1"), Err(DomainError::IpAddress { .. })));
    assert!(matches!(Domain::parse("a＿b.example"), Err(DomainError::InvalidCharacter { .. })));
    assert!(matches!(Domain::parse("\u{ad}"), Err(DomainError::Empty)));
    for text in ["\u{fffd}.example", "-b\u{fc}cher.example", "b\u{fc}cher-.example", "xn--\u{fc}"] {
        assert!(matches!(Domain::parse(text), Err(DomainError::Idna { .. })), "{text}");
    }
    reads("a--b\u{fc}cher.example", "xn--a--bcher-95a.example");
    // Characters that are mapped to nothing are read up to a bound.
    let padded = |end: &str| format!("a{}{end}", "\u{ad}".repeat(504));
    assert_eq!(padded(".com").len(), 1_013);
    reads(&padded(".com"), "a.com");
    assert_eq!(Domain::parse(&padded(".info")), Err(DomainError::TooLong { len: 1_014 }));
    let long = format!("{}.example", "ü".repeat(64));
    assert!(matches!(Domain::parse(&long), Err(DomainError::LabelTooLong { .. })));
}

#[cfg(not(feature = "idna"))]
#[test]
fn without_idna_u_labels_are_refused() {
    refuses(
        "bücher.example",
        "\"b\\xc3\\xbccher.example\" is not ASCII: give A-labels, \
         or switch on the feature `idna` of `mta-sts`",
    );
}
