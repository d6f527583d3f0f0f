//! The policy file (RFC 8461 §3.2).

use std::time::Duration;

use mta_sts::{Domain, Mode, Policy, ResultType, Tolerances, error::PolicyErrorKind as Kind};

const HEAD: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\n";
const WEEK: &str = "max_age: 604800";

/// A policy whose last line is this.
fn ending(line: &str) -> String {
    format!("{HEAD}{WEEK}\n{line}")
}

#[track_caller]
fn reads(file: impl AsRef<[u8]>) -> Policy {
    let file = file.as_ref();
    Policy::parse(file).unwrap_or_else(|error| panic!("{}: {error}", file.escape_ascii()))
}

#[track_caller]
fn refuses(file: impl AsRef<[u8]>, kind: Kind, line: usize, offset: usize) {
    let file = file.as_ref();
    let shown = file.get(..200).unwrap_or(file).escape_ascii();
    let error = Policy::parse(file).expect_err("a faulty policy");
    assert_eq!((error.kind(), error.line(), error.offset()), (kind, line, offset), "{shown}");
}

#[test]
fn s3_2_11_line_ends() {
    for file in [
        format!("{HEAD}{WEEK}"),
        format!("{HEAD}{WEEK}\n"),
        format!("{HEAD}{WEEK}\r\n"),
        format!("{HEAD}{WEEK}").replace('\n', "\r\n"),
        format!("version: STSv1\r\nmode: enforce\nmx: a.example\r\n{WEEK} \t"),
        format!("version:STSv1\nmode:\t \tenforce \t\nmx:a.example\t\n{WEEK}"),
    ] {
        reads(file);
    }
    refuses(format!("{HEAD}{WEEK}").replace('\n', "\r"), Kind::Version, 1, 9);
    refuses(format!("{HEAD}{WEEK}\r"), Kind::MaxAge, 4, 59);
    refuses(format!("{HEAD}{WEEK}\r\r\n"), Kind::MaxAge, 4, 59);
    refuses(format!("{HEAD}\n{WEEK}"), Kind::Deviation(Tolerances::BLANK_LINES), 4, 50);
    refuses(format!("{HEAD}{WEEK}\n\n"), Kind::Deviation(Tolerances::BLANK_LINES), 5, 66);
    refuses(format!("{HEAD}{WEEK}\n "), Kind::Deviation(Tolerances::BLANK_LINES), 5, 66);
    refuses(format!("\r\n{HEAD}{WEEK}"), Kind::Deviation(Tolerances::BLANK_LINES), 1, 0);
    refuses(format!("{HEAD} {WEEK}"), Kind::Deviation(Tolerances::LEADING_SPACE), 4, 50);
    refuses(format!("{HEAD}max_age : 1"), Kind::Deviation(Tolerances::SPACE_BEFORE_COLON), 4, 57);
}

#[test]
fn s3_2_12_fields_come_in_any_order() {
    let policy =
        reads(format!("{WEEK}\nmx: b.example\nmode: testing\nmx: a.example\nversion: STSv1"));
    let mx: Vec<_> = policy.mx().map(|mx| mx.to_string()).collect();
    assert_eq!(mx, ["b.example", "a.example"]);
    assert_eq!((policy.mode(), policy.max_age().as_secs()), (Mode::Testing, 604_800));
}

#[test]
fn s3_2_05_06_keys_and_values_are_case_sensitive_and_required() {
    refuses(format!("version: STSV1\nmode: enforce\nmx: a.b\n{WEEK}"), Kind::Version, 1, 9);
    refuses(format!("version: STSv1x\nmode: enforce\nmx: a.b\n{WEEK}"), Kind::Version, 1, 9);
    for mode in ["Enforce", "report", "enforcex", "enforce testing", "", "none,", "\u{212A}"] {
        refuses(format!("version: STSv1\nmode: {mode}\nmx: a.b\n{WEEK}"), Kind::Mode, 2, 21);
    }
    refuses(format!("mode: enforce\nmx: a.b\n{WEEK}"), Kind::MissingVersion, 3, 37);
    refuses(format!("version: STSv1\nMode: enforce\nmx: a.b\n{WEEK}"), Kind::MissingMode, 4, 52);
    refuses(HEAD, Kind::MissingMaxAge, 4, 50);
}

#[test]
fn s3_2_07_mx_is_required_unless_the_mode_is_none() {
    refuses(format!("version: STSv1\nmode: enforce\n{WEEK}"), Kind::MissingMx, 3, 44);
    refuses(format!("version: STSv1\nmode: testing\n{WEEK}"), Kind::MissingMx, 3, 44);
    assert_eq!(reads(format!("version: STSv1\nmode: none\n{WEEK}")).mx().len(), 0);
    assert_eq!(reads(format!("version: STSv1\nmode: none\nmx: a.b\n{WEEK}")).mx().len(), 1);
}

#[test]
fn s3_2_09_max_age_is_1_to_10_digits() {
    for (text, seconds) in [
        ("0", 0),
        ("1", 1),
        ("0000604800", 604_800),
        ("31557600", 31_557_600),
        // A-05: lowered to the limit, never raised.
        ("31557601", 31_557_600),
        ("9999999999", 31_557_600),
    ] {
        let policy = reads(format!("{HEAD}max_age: {text}"));
        assert_eq!(policy.max_age(), Duration::from_secs(seconds), "{text}");
    }
    for text in [
        "",
        "10000000000",
        "9223372036854775807",
        "18446744073709551617",
        "-1",
        "+1",
        "1.5",
        "604,800",
        "86400s",
        "0x10",
        "1 2",
        "\u{661}",
    ] {
        refuses(format!("{HEAD}max_age: {text}"), Kind::MaxAge, 4, 59);
    }
}

#[test]
fn s3_2_08_13_14_mx_is_one_host_name_or_a_wildcard() {
    for mx in [
        "a",
        "a.b",
        "*.a",
        "*.a.b",
        "MAIL.Example.COM",
        "xn--mil-qla.example.com",
        "192.0.2.1",
        "a--b.c",
        "1.2",
        &"a".repeat(64),
    ] {
        assert_eq!(reads(ending(&format!("mx: {mx}"))).mx().nth(1).unwrap().as_str(), mx);
    }
    for mx in [
        "",
        "*",
        "*.",
        "*.*.a.b",
        "mail*.a.b",
        "mail.*.a.b",
        "**.a.b",
        ".a.b",
        "a..b",
        "-a.b",
        "a-.b",
        "my_mx.a.b",
        "m\u{e4}il.a.b",
        "[192.0.2.1]",
        "a.b, c.d",
        "a.b c.d",
        "a.b..",
        "*a.b",
        "\u{212A}.b",
        "match=:",
        "}{",
        "a.b;c",
        "a.b\0",
    ] {
        refuses(ending(&format!("mx: {mx}")), Kind::Mx, 5, 70);
    }
    refuses(ending("mx: a.b."), Kind::Deviation(Tolerances::MX_TRAILING_DOT), 5, 73);
}

#[test]
fn s3_2_15_extensions() {
    let policy = reads(ending("foo: bar baz:qux\r\nb.-_: \u{e4}\u{85}: \nfoo: 2"));
    assert_eq!(
        policy.extensions().collect::<Vec<_>>(),
        [("foo", "bar baz:qux"), ("b.-_", "\u{e4}\u{85}:"), ("foo", "2")],
    );
    assert_eq!(policy.extension("foo"), Some("bar baz:qux"));
    assert_eq!(policy.extension("mx"), None);

    refuses(ending("foo:"), Kind::FieldValue, 5, 70);
    refuses(ending("foo: \t\n"), Kind::FieldValue, 5, 72);
    refuses(ending("foo: a\tb"), Kind::FieldValue, 5, 72);
    refuses(ending("foo: a\x7f"), Kind::FieldValue, 5, 72);
    refuses(ending("foo: a\rb"), Kind::FieldValue, 5, 72);
    refuses(ending("hello"), Kind::MissingColon, 5, 71);
    refuses(ending("# hello"), Kind::FieldName, 5, 66);
    refuses(ending("_k: v"), Kind::FieldName, 5, 66);
    refuses(ending(": v"), Kind::FieldName, 5, 66);
    reads(ending(&format!("{}: v", "k".repeat(32))));
    refuses(ending(&format!("{}: v", "k".repeat(33))), Kind::FieldName, 5, 66);
}

#[test]
fn s3_2_02_the_first_of_a_repeated_field_counts() {
    let policy = reads(ending("mode: testing\nmode: junk\nmax_age: -1\nversion: STSv2"));
    assert_eq!((policy.mode(), policy.max_age().as_secs()), (Mode::Enforce, 604_800));
    assert_eq!(policy.extensions().count(), 0);
    // … but a malformed first one is not saved by the second.
    refuses(format!("mode: junk\n{HEAD}{WEEK}"), Kind::Mode, 1, 6);
    // … and what is ignored must still be a field.
    refuses(ending("mode:"), Kind::FieldValue, 5, 71);
}

#[test]
fn the_fields_of_a_garbage_line_are_not_skipped_over() {
    refuses(
        format!("version: STSv1\ngarbage\nmode: enforce\nmx: a.b\n{WEEK}"),
        Kind::MissingColon,
        2,
        22,
    );
}

#[test]
fn errors_say_what_where_and_what_was_found() {
    for (file, message) in [
        (
            format!("version: STSv1\nmode: Enforce\n{WEEK}"),
            "line 2: `mode` must be `enforce`, `testing` or `none`, at byte 21: found \"Enforce\"",
        ),
        (
            format!("{HEAD}max_age:\r\n"),
            "line 4: `max_age` must be a number of seconds of 1 to 10 digits, at byte 58: \
             found the end of the line",
        ),
        (
            "<!DOCTYPE html><html><head><title>Not found</title>".into(),
            "line 1: a line begins with a field name: 1 to 32 letters, digits, `_`, `-` or `.`, \
             the first a letter or digit, at byte 0: \
             found \"<!DOCTYPE html><html><head><title>No\"…",
        ),
        (
            format!("{HEAD}\n"),
            "line 4: a blank line is not allowed, at byte 50: found the end of the line",
        ),
        (HEAD.into(), "the policy has no `max_age`"),
        (String::new(), "the policy is empty"),
        ("a".repeat(65_537), "the policy is larger than 65536 bytes"),
    ] {
        assert_eq!(Policy::parse(file.as_bytes()).unwrap_err().to_string(), message);
    }
    assert_eq!(
        Policy::parse(b"version: STSv1\nx: \xff").unwrap_err().to_string(),
        "line 2: the policy is not UTF-8 text, at byte 18: found \"\\xff\"",
    );
}

#[test]
fn an_error_is_reportable() {
    let error = Policy::parse(HEAD.as_bytes()).unwrap_err();
    let failure = error.to_failure(&Domain::parse("example.com").unwrap());
    assert_eq!(failure.result_type(), ResultType::StsPolicyInvalid);
    assert_eq!(failure.reason_code(), "policy-no-max-age");
    assert_eq!(
        failure.to_string(),
        "mta-sts.example.com: the policy has no `max_age` (sts-policy-invalid, policy-no-max-age)",
    );
}

/// Each deviation alone, and which tolerance it needs.
const DEVIATIONS: &[(&str, Tolerances)] = &[
    ("version: STSv1\n\nmode: none\nmax_age: 1", Tolerances::BLANK_LINES),
    ("\n \r\n\t\nversion: STSv1\nmode: none\nmax_age: 1", Tolerances::BLANK_LINES),
    ("version: STSv1\nmode: none\nmax_age: 1\n\r\n\n ", Tolerances::BLANK_LINES),
    ("version: STSv1\n mode: none\n\tmax_age: 1", Tolerances::LEADING_SPACE),
    ("version : STSv1\nmode\t : none\nmax_age: 1", Tolerances::SPACE_BEFORE_COLON),
    ("\u{feff}version: STSv1\nmode: none\nmax_age: 1", Tolerances::BYTE_ORDER_MARK),
    ("version: STSv1\nmode: none\nmx: *.a.\r\nmx: b. \nmax_age: 1", Tolerances::MX_TRAILING_DOT),
];

#[test]
fn each_tolerance_allows_its_deviation_and_no_other() {
    for &(file, needed) in DEVIATIONS {
        let error = Policy::parse(file.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), Kind::Deviation(needed), "{file:?}");

        let policy = Policy::parse_with(file.as_bytes(), needed).unwrap();
        assert_eq!(policy.tolerated(), needed, "{file:?}");
        assert_eq!(policy.as_text(), file, "the text is kept as it was served");
        assert_eq!(policy.to_string().parse(), Ok(policy), "what is printed holds to the RFC");

        let others = Tolerances::IN_THE_WILD.without(needed);
        let error = Policy::parse_with(file.as_bytes(), others).unwrap_err();
        assert_eq!(error.kind(), Kind::Deviation(needed), "{file:?}");
    }
}

#[test]
fn a_tolerated_dot_is_no_part_of_the_pattern() {
    let policy = Policy::parse_with(DEVIATIONS[6].0.as_bytes(), Tolerances::IN_THE_WILD).unwrap();
    let mx: Vec<_> = policy.mx().map(|mx| mx.to_string()).collect();
    assert_eq!(mx, ["*.a", "b"]);
}

#[test]
fn nothing_that_could_change_the_meaning_is_tolerated() {
    for file in [
        "\u{feff}\u{feff}version: STSv1\nmode: none\nmax_age: 1",
        "version: STSv1\n\u{feff}mode: none\nmax_age: 1",
        "version: STSv1\nMode: none\nmax_age: 1",
        "version: STSv1\nmode: None\nmax_age: 1",
        "version: STSv1\nmode: none\nmax_age: 1s",
        "version: STSv1\nmode: none\nmax_age: 1\nmx: a..",
        "version: STSv1\nmode: none\nmax_age: 1\nmx: .",
        "version: STSv1\nmode: none\nmax_age: 1\nmx: *.",
        "version: STSv1\nmode: none\nmax_age: 1\n# note",
        "version: STSv1\nmode: none\nmax_age: 1\n\u{a0}\n",
        "version: STSv1\nmode: none\nmax_age: 1\n\x0b\n",
        "version: STSv1\nmode: none\nmax_age: 1\n\r",
        "version: STSv1\rmode: none\rmax_age: 1",
        "version STSv1\nmode: none\nmax_age: 1",
        " ",
        "\n",
        "\u{feff}",
    ] {
        let tolerant = Policy::parse_with(file.as_bytes(), Tolerances::IN_THE_WILD);
        assert!(tolerant.is_err(), "{file:?}");
    }
}

#[test]
fn tolerances_are_a_set() {
    let set = Tolerances::BLANK_LINES | Tolerances::MX_TRAILING_DOT;
    assert!(set.contains(Tolerances::BLANK_LINES) && !set.contains(Tolerances::IN_THE_WILD));
    assert!(set.without(set).is_empty() && Tolerances::IN_THE_WILD.contains(set));
    assert_eq!(Tolerances::default(), Tolerances::NONE);
    assert_eq!(Tolerances::IN_THE_WILD.iter().count(), 5);
    assert_eq!(set.to_string(), "a blank line, a dot at the end of an `mx`");
    assert_eq!(format!("{:?}", Tolerances::NONE), "Tolerances(nothing)");
    let named: Result<Tolerances, _> = set.names().map(str::parse::<Tolerances>).collect();
    assert_eq!(named, Ok(set));
    assert_eq!(
        "in-the-wild".parse::<Tolerances>().unwrap_err().to_string(),
        "a tolerance is one of `blank-lines`, `leading-space`, `space-before-colon`, \
         `byte-order-mark`, `mx-trailing-dot`",
    );
}

#[test]
fn equal_policies_mean_the_same() {
    let policy = reads(format!("{HEAD}{WEEK}\r\n"));
    assert_eq!(
        policy,
        reads(format!("mx: MAIL.example.com\nversion: STSv1\n{WEEK}\nmode: enforce"))
    );
    assert_ne!(policy, reads(ending("mx: other.example.com")));
    assert_ne!(policy, reads(ending("foo: bar")));
}
