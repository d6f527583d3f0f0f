//! MX host validation (RFC 8461 §4.1).

use mta_sts::{MxPattern, Policy};

#[track_caller]
fn check(pattern: &str, host: &str, expected: bool) {
    let parsed = MxPattern::parse(pattern).unwrap();
    assert_eq!(parsed.matches(host), expected, "{pattern} and {host:?}");
    let policy =
        format!("version: STSv1\nmode: enforce\nmax_age: 1\nmx: never.test\nmx: {pattern}");
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    assert_eq!(policy.matches(host), expected, "a policy with {pattern} and {host:?}");
}

#[test]
fn s4_1_02_a_wildcard_is_one_whole_left_most_label() {
    for (pattern, host, expected) in [
        ("*.example.com", "mail.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "foo.bar.example.com", false),
        ("*.example.com", ".example.com", false),
        ("*.example.com", "..example.com", false),
        ("*.example.com", "mailexample.com", false),
        ("*.example.com", "evilexample.com", false),
        ("*.example.com", "mail.example.com.example.com", false),
        ("*.example.com", "mail.example.com.evil.test", false),
        ("*.example.com", "mail\\.evil.example.com", false),
        ("*.com", "example.com", true),
        ("*.com", "com", false),
        ("*.com", "*", false),
        ("example.com", "*.com", false),
        ("*.example.com", "*.example.com", true),
    ] {
        check(pattern, host, expected);
    }
}

#[test]
fn s4_1_03_names_are_compared_without_case_and_trailing_dot() {
    for (pattern, host, expected) in [
        ("mail.example.com", "MAIL.EXAMPLE.COM.", true),
        ("MAIL.Example.Com", "mail.example.com", true),
        ("*.EXAMPLE.com", "mx1.example.COM.", true),
        ("mail.example.com", "mail.example.com..", false),
        ("*.xn--mil-qla.example", "mx.XN--mil-qla.example", true),
        ("*.xn--mil-qla.example", "mx.m\u{e4}il.example", false),
        // U+212A lower-cases to `k`, but not in ASCII.
        ("k.example", "\u{212A}.example", false),
        ("*.k.example", "mx.\u{212A}.example", false),
        ("192.0.2.1", "192.0.2.1", true),
    ] {
        check(pattern, host, expected);
    }
}

#[test]
fn s4_1_01_an_exact_pattern_is_the_whole_name() {
    for host in ["", ".", "xmail.example.com", "mail.example.com.evil.test", "mail", "mail.example"]
    {
        check("mail.example.com", host, false);
    }
}

#[test]
fn hosts_need_not_be_text() {
    let pattern = MxPattern::parse("*.example.com").unwrap();
    assert!(!pattern.matches_bytes(b"mx.ex\xFFmple.com"));
    assert!(!pattern.matches_bytes(b"mx.example.com\0"));
    let long = format!("{}.example.com", "a.".repeat(5_000));
    assert!(!pattern.matches(&long));
}

#[test]
fn a_policy_without_mx_matches_nothing() {
    let policy = Policy::parse(b"version: STSv1\nmode: none\nmax_age: 1").unwrap();
    assert!(!policy.matches("") && !policy.matches("mail.example.com"));
}

#[test]
fn s3_2_13_what_is_no_pattern() {
    for text in ["", "*", "*.", "a.", ".a", "*.*.a", "a*.b", "m\u{e4}il.a", "[::1]", "a b", "a\n"] {
        assert!(MxPattern::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(
        MxPattern::parse("*").unwrap_err().to_string(),
        "an MX pattern is one host name, or `*.` and a host name, not \"*\"",
    );
}

#[test]
fn patterns_are_equal_without_regard_to_case() {
    use std::{
        collections::{HashSet, hash_map::RandomState},
        hash::BuildHasher as _,
    };

    let patterns = ["*.Example.com", "*.example.COM", "example.com"];
    let set: HashSet<_> = patterns.iter().map(|text| MxPattern::parse(text).unwrap()).collect();
    assert_eq!(set.len(), 2);
    let [wildcard, exact] = ["*.example.com", "example.com"].map(|p| MxPattern::parse(p).unwrap());
    assert_ne!(wildcard, exact);
    let hasher = RandomState::new();
    assert_ne!(hasher.hash_one(&wildcard), hasher.hash_one(&exact));
    let pattern: MxPattern<'static> = "*.Example.com".parse().unwrap();
    assert_eq!((pattern.as_str(), pattern.wildcard_base()), ("*.Example.com", Some("Example.com")));
}
