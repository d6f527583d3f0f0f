//! What the linter says, code by code.

mod ages;
mod aliases;
mod cascades;
mod codes;
mod disguise;
mod example;
mod extras;
mod foreign;
mod generators;
mod hosts;
mod hosts_in_words;
mod inputs;
mod kinds;
mod layouts;
mod lines;
mod long;
mod meaning;
mod media_types;
mod mx_hosts;
mod names;
mod other_lines;
mod prefixes;
mod records;
mod records_apart;
mod records_in_words;
mod rules;
mod strays;
mod values;
mod values_apart;
mod wildcards;
mod wrapped;

use mta_sts::{
    Domain, Policy,
    lint::{self, Diagnostic, Severity},
};

const GOOD: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n";

/// The source that a diagnostic is about, its code and its severity.
fn found<'a>(source: &'a [u8], list: &[Diagnostic]) -> Vec<(&'a str, &'static str, Severity)> {
    let text = |one: &Diagnostic| std::str::from_utf8(&source[one.span()]).unwrap_or("not UTF-8");
    list.iter().map(|one| (text(one), one.code(), one.severity())).collect()
}

#[track_caller]
fn in_record(source: &str, expected: &[(&str, &str, Severity)]) {
    let list = lint::record(source.as_bytes());
    assert_eq!(found(source.as_bytes(), &list), expected, "{source:?}");
}

#[track_caller]
fn in_policy(source: impl AsRef<[u8]>, expected: &[(&str, &str, Severity)]) {
    let source = source.as_ref();
    assert_eq!(found(source, &lint::policy(source)), expected, "{}", source.escape_ascii());
}

use Severity::{Advice, Error, Warning};

#[test]
fn records() {
    in_record("v=STSv1; id=1;", &[]);
    in_record("v=STSv2; id=1;", &[("v=STSv2", "record-version", Error)]);
    in_record(
        "v=STSv1, id=1; x",
        &[(", id=1", "record-delimiter", Error), ("x", "record-no-equals", Error)],
    );
    in_record(
        "v=STSv1 ; id=1 ",
        &[(" ", "record-space-before-delimiter", Warning), (" ", "record-trailing-space", Error)],
    );
    in_record(
        "v=STSv1;; id=2024-01-01; id=2;; _a=b; c=; id=3; Id=4; v=x; d=e",
        &[
            (";", "record-empty-field", Error),
            ("id=2024-01-01", "record-id", Error),
            (";", "record-empty-field", Error),
            ("_a=b", "record-field-name", Error),
            (";", "record-field-value", Error),
            ("id", "record-duplicate-field", Warning),
            ("Id", "record-field-misspelt", Warning),
            ("v", "record-duplicate-field", Warning),
            ("d", "record-extension", Advice),
        ],
    );
}

const HEAD: &str = "version: STSv1\r\nmode: enforce\r\n";
const TAIL: &str = "mx: mx.example.com\r\nmax_age: 1209600\r\n";

#[test]
fn a_policy_without_a_flaw() {
    in_policy(format!("{HEAD}{TAIL}"), &[]);
    in_policy("version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n", &[]);
}

#[test]
fn deviations_are_errors() {
    in_policy(
        format!("\u{feff}{HEAD}\t\r\n{TAIL}\r\n"),
        &[("\u{feff}", "policy-byte-order-mark", Error), ("\t", "policy-blank-line", Error)],
    );
    in_policy(
        format!("{HEAD} mx : a.example.\r\n{TAIL}"),
        &[
            (" ", "policy-leading-space", Error),
            (" ", "policy-space-before-colon", Error),
            (".", "policy-mx-trailing-dot", Error),
        ],
    );
}

#[test]
fn every_faulty_line_is_told() {
    in_policy(
        "version: STSv2\r\n<html>\r\nhello\r\nmode: on\r\nmax_age: 1d\r\nmx: *\r\nfoo:\r\n",
        &[
            ("STSv2", "policy-version", Error),
            ("<html>", "policy-field-name", Error),
            ("", "policy-no-colon", Error),
            ("on", "policy-mode", Error),
            ("1d", "policy-max-age", Error),
            ("*", "policy-mx", Error),
            ("", "policy-field-value", Error),
        ],
    );
    in_policy(
        "mx: a.example\r\nfoo: bar\r\n",
        &[
            ("foo", "policy-extension", Advice),
            ("", "policy-no-version", Error),
            ("", "policy-no-mode", Error),
            ("", "policy-no-max-age", Error),
        ],
    );
    in_policy("foo: bar\r\n", &[("foo: bar\r\n", "policy-other-text", Error)]);
    in_policy(format!("{HEAD}mx: *\r\nmax_age: 1209600\r\n"), &[("*", "policy-mx", Error)]);
    in_policy(HEAD, &[("", "policy-no-max-age", Error), ("", "policy-no-mx", Error)]);
    in_policy("", &[("", "policy-empty", Error)]);
    in_policy(
        format!("{HEAD}{TAIL}x: \u{e9}").replace('\u{e9}', "\u{e9}").into_bytes(),
        &[("x", "policy-extension", Advice)],
    );
    let latin1 = [HEAD.as_bytes(), TAIL.as_bytes(), b"x: \xE9"].concat();
    in_policy(
        latin1,
        &[("x", "policy-extension", Advice), ("not UTF-8", "policy-not-utf8", Error)],
    );
}

#[test]
fn risky_but_legal_choices() {
    in_policy(
        format!("{HEAD}{TAIL}mode: none\r\nMaxAge: 1\r\nsince: today\r\n"),
        &[
            ("mode", "policy-duplicate-field", Warning),
            ("MaxAge", "policy-field-misspelt", Warning),
            ("since", "policy-extension", Advice),
        ],
    );
    in_policy(format!("{TAIL}{HEAD}"), &[("version: STSv1", "policy-version-not-first", Advice)]);
    let mixed = format!("{HEAD}mx: a.example\nmx: b.example\n{TAIL}");
    in_policy(&mixed, &[]);
    let ends = lint::line_ends(mixed.as_bytes());
    assert_eq!(found(mixed.as_bytes(), &ends), [("\n", "policy-line-ends", Advice)]);
    assert_eq!(ends[0].start().line, 3);
    let testing = HEAD.replace("enforce", "testing");
    in_policy(format!("{testing}{TAIL}"), &[("testing", "policy-testing", Advice)]);
    let none = HEAD.replace("enforce", "none");
    in_policy(format!("{none}{TAIL}"), &[("none", "policy-none-with-mx", Advice)]);
    let with_max_age = |max_age| format!("{HEAD}{}", TAIL.replace("1209600", max_age));
    for (max_age, code, severity) in [
        ("0", "policy-max-age-zero", Warning),
        ("86399", "policy-max-age-short", Warning),
        ("86400", "policy-max-age-under-weeks", Advice),
        ("604799", "policy-max-age-under-weeks", Advice),
        ("31557601", "policy-max-age-over-limit", Warning),
    ] {
        in_policy(with_max_age(max_age), &[(max_age, code, severity)]);
    }
    for max_age in ["604800", "31557600"] {
        in_policy(with_max_age(max_age), &[]);
    }
}

#[test]
fn risky_or_vain_patterns() {
    let long = "a".repeat(64);
    let file = format!(
        "{HEAD}mx: *.com\r\nmx: 192.0.2.1\r\nmx: localhost\r\nmx: {long}.example\r\n\
         mx: *.example.net\r\nmx: MX.example.net\r\nmx: MX.Example.com\r\n{TAIL}",
    );
    in_policy(
        file,
        &[
            ("*.com", "policy-mx-top-level", Warning),
            ("192.0.2.1", "policy-mx-ip-address", Warning),
            ("localhost", "policy-mx-single-label", Warning),
            (&format!("{long}.example"), "policy-mx-too-long", Warning),
            ("MX.example.net", "policy-redundant-mx", Advice),
            ("mx.example.com", "policy-duplicate-mx", Warning),
        ],
    );
}

#[test]
fn patterns_as_long_as_a_name_can_be() {
    let label = "a".repeat(63);
    let name = |last: usize| [&*label, &*label, &*label, &"b".repeat(last)].join(".");
    for (mx, fits) in [
        (format!("{label}.example"), true),
        (format!("{label}a.example"), false),
        (name(61), true),
        (name(62), false),
        (format!("*.{}", name(59)), true),
        (format!("*.{}", name(60)), false),
    ] {
        let file = format!("{HEAD}mx: {mx}\r\n{TAIL}");
        let too_long = [(&*mx, "policy-mx-too-long", Warning)];
        in_policy(file, if fits { &[] } else { &too_long });
    }
}

#[test]
fn s10_4_01_a_wildcard_over_the_own_domain() {
    let file =
        format!("{HEAD}mx: *.Example.com\r\n{TAIL}").replace("mx.example.com", "mx.example.net");
    let domain = Domain::parse("example.com").unwrap();
    let list = lint::policy_for_domain(&domain, file.as_bytes());
    assert_eq!(found(file.as_bytes(), &list), [("*.Example.com", "policy-mx-own-domain", Warning)]);
    assert_eq!(lint::policy(file.as_bytes()), []);
}

/// A fault in a record or in a policy, and the help that is given with it.
#[test]
fn help_is_to_the_point() {
    #[track_caller]
    fn helps(list: &[Diagnostic], help: &str) {
        let all: Vec<_> = list.iter().filter_map(Diagnostic::help).collect();
        assert!(all.contains(&help), "{all:?}");
    }

    for (record, help) in [
        (" v=STSv1; id=1", "write `v=STSv1; id=1`: leave out the white space before `v=STSv1`"),
        ("V=stsv1; id=1", "write `v=STSv1; id=1`: `v=STSv1` is case-sensitive"),
        ("id=1; v=STSv1", "write `v=STSv1; id=1`: put `v=STSv1` first"),
        (
            "\"v=STSv1; id=1\"",
            "write `v=STSv1; id=1`: publish the record without the quotes: some control panels add \
             their own",
        ),
        (
            "v=STSv1\\; id=1",
            "write `v=STSv1; id=1`: leave out the backslash: it belongs into zone files, not into \
             the record",
        ),
        (
            "v=STSv1; id=2024-01-01",
            "write `v=STSv1; id=20240101`: an `id` has letters and digits only, 32 at the most",
        ),
        (
            "v=STSv1; id = 1",
            "write `v=STSv1; id=1`: `=` stands between a name and its value, without white space",
        ),
        ("v=STSv1;", "add an `id`, such as `id=20160831085700Z;`"),
    ] {
        helps(&lint::record(record.as_bytes()), help);
    }
    for (line, help) in [
        ("mode: Testing", "write `mode: testing`: values are case-sensitive"),
        ("mode: report", "write `mode: testing`: `report` is from drafts of the RFC"),
        ("max_age: 604,800", "write `max_age: 604800`: seconds are written in digits only"),
        ("max_age: 86400s", "write `max_age: 86400`"),
        (
            "mx: .example.com",
            "write `mx: example.com` for the host of that name, or `mx: *.example.com` for those \
             right under it",
        ),
        ("mx: a.example b.example", "write these lines"),
        (
            "mx: [192.0.2.1]",
            "name the MX host: an `mx` is a host name, as in the MX record (RFC 5321 §5.1)",
        ),
        ("# hello", "leave the line out"),
        ("<p>", "this looks like HTML: serve the policy file itself"),
        ("mode=enforce", "write `mode: enforce`"),
    ] {
        helps(&lint::policy(format!("version: STSv1\n{line}").as_bytes()), help);
    }
    helps(&lint::policy(b"\xFF\xFEv\0"), "this looks like UTF-16: save it as UTF-8");
    #[cfg(feature = "idna")]
    helps(
        &lint::policy("mode: none\nmx: *.bücher.example".as_bytes()),
        "write `mx: *.xn--bcher-kva.example`",
    );
}

#[test]
fn a_policy_against_mx_hosts() {
    let file = |mode: &str| {
        let file =
            format!("version: STSv1\nmode: {mode}\nmx: a.example\nmx: *.b.example\nmax_age: 1");
        Policy::parse(file.as_bytes()).unwrap()
    };
    let hosts = ["A.example.", "c.example."];
    let policy = file("enforce");
    let list = lint::mx_hosts(&policy, hosts);
    assert_eq!(
        found(policy.as_text().as_bytes(), &list),
        [("*.b.example", "mx-pattern-unused", Warning), ("", "mx-not-covered", Error),]
    );
    assert_eq!(list[1].message(), "no `mx` allows the MX host \"c.example\"");
    assert_eq!(list[1].help(), Some("add the line `mx: c.example`"));
    assert_eq!(lint::mx_hosts(&file("testing"), hosts)[1].severity(), Warning);
    assert_eq!(lint::mx_hosts(&file("none"), hosts), []);
    assert_eq!(lint::mx_hosts(&policy, ["a.example", "x.b.example"]), []);
}

#[test]
fn rendering_underlines_the_span() {
    #[track_caller]
    fn renders(source: &[u8], expected: &str) {
        assert_eq!(lint::policy(source)[0].render(source).to_string(), expected);
    }

    renders(
        b"version: STSv1\r\nmode: \x1bEnforce\r\n",
        "error[policy-mode]: `\\u{1b}Enforce` is no `mode`: did you mean `enforce`?\n\
         \x20 --> line 2, column 7 (RFC 8461 §3.2)\n\
         \x20 | mode: \\u{1b}Enforce\n\
         \x20 |       ^^^^^^^^^^^^^\n\
         \x20 = help: write `mode: enforce`\n",
    );
    renders(
        "mode: none\nnote: bücher\u{7}".as_bytes(),
        "error[policy-field-value]: a field value is one or more characters, none of them a \
         control character\n\
         \x20 --> line 2, column 13 (RFC 8461 §3.2)\n\
         \x20 | note: bücher\\u{7}\n\
         \x20 |             ^^^^^\n",
    );
    renders(
        "mode: \u{202e}gnitset".as_bytes(),
        "error[policy-mode]: `\\u{202e}gnitset` is no `mode`: it must be `enforce`, `testing` or \
         `none`\n\
         \x20 --> line 1, column 7 (RFC 8461 §3.2)\n\
         \x20 | mode: \\u{202e}gnitset\n\
         \x20 |       ^^^^^^^^^^^^^^^\n\
         \x20 = help: write `mode: testing` at first, and `mode: enforce` once the reports are clean\n",
    );
    renders(b"", "error[policy-empty]: the policy is empty\n  --> at the end (RFC 8461 §3.2)\n");
    let long = format!("mode: none\nnote: {}\u{7}{}", "ä".repeat(200), "z".repeat(500));
    let rendered = lint::policy(long.as_bytes())[0].render(long.as_bytes()).to_string();
    let lines: Vec<_> = rendered.lines().collect();
    assert_eq!(lines[1], "  --> line 2, column 207 (RFC 8461 §3.2)");
    assert_eq!(lines[2], format!("  | …{}\\u{{7}}{}…", "ä".repeat(16), "z".repeat(63)));
    assert_eq!(lines[3], format!("  | {}{}", " ".repeat(17), "^".repeat(68)));
}

#[test]
fn a_flood_of_findings_is_cut_short() {
    let file = format!("mode: none\n{}", "x\n".repeat(1_000));
    let list = lint::policy(file.as_bytes());
    assert_eq!(list.len(), 101);
    let closing = list.last().unwrap();
    assert_eq!((closing.code(), closing.severity()), ("more", Error));
    assert_eq!(closing.message(), "902 more, not listed");
}
