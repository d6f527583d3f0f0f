//! Values that hold more than one: no host is dropped, and no mode is changed.

use super::{
    GOOD,
    kinds::{line, shows_mx_hosts, shows_policy},
};

/// The good policy with another `mx`.
#[track_caller]
fn mx(value: &str, message: &str, mended: Option<&str>) {
    let message = format!("error[policy-mx]: {message}");
    line("mx: mail.example.com", &format!("mx: {value}"), &message, mended);
}

const SEVERAL: &str = "`mx` names several hosts: each one needs an `mx` of its own";
const COMMENT: &str = "`mx` has another host in what looks like a comment";
const MORE: &str = "`mx` has more than the name of one host";
const BOTH: Option<&str> = Some("mx: a.example\nmx: b.example");

#[test]
fn a_comment_may_hold_a_host() {
    for value in [
        "a.example (primary), b.example (backup)",
        "a.example (primary) b.example",
        "a.example (10), b.example (20)",
        "a.example, b.example (backup)",
        "\"a.example (primary), b.example (backup)\"",
        "a.example ; b.example",
    ] {
        mx(value, SEVERAL, BOTH);
    }
    for value in [
        "a.example // b.example",
        "a.example # b.example",
        "a.example -- b.example",
        "a.example – b.example",
        "a.example (was b.example)",
        "a.example (b.example)",
        "a.example # see https://docs.example.org/",
        "a.example /* or b.example */",
    ] {
        mx(value, COMMENT, None);
    }
    for value in ["a.example//b.example", "a.example (primary), mx2 (backup)"] {
        mx(value, MORE, None);
    }
    mx("https://a.example/b.example", "`mx` is a URL, not a host name", None);
    mx("a.example:25/b.example", MORE, None);
    let comment = "`mx` has a comment after its value: a policy has no comments";
    for value in ["a.example (primary)", "a.example # the first", "a.example // no. 1"] {
        mx(value, comment, Some("mx: a.example"));
    }
    shows_policy(
        GOOD.replace("mail.example.com", "a.example // b.example"),
        "
error[policy-mx]: `mx` has another host in what looks like a comment
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: a.example // b.example
  |     ^^^^^^^^^^^^^^^^^^^^^^
  = help: write a line `mx: HOST` for each host that gets mail, with nothing but its name
",
    );
    line(
        "mx: mail.example.com",
        "mx: a.example <!-- b.example -->",
        "error[policy-mx]: `mx` has another host in what looks like a comment",
        None,
    );
}

#[test]
fn preferences_of_several_hosts() {
    let message = "`mx` has preferences and several hosts: each host needs an `mx` of its own, with \
                   its name only";
    for value in [
        "10 a.example, 20 b.example",
        "10 a.example 20 b.example",
        "10 a.example; 20 b.example",
        "a.example 10, b.example 20",
        "MX 10 a.example, MX 20 b.example",
        "10 a.example | 10 b.example",
    ] {
        mx(value, message, BOTH);
    }
    mx("10 a.example, b.example", message, BOTH);
    mx("10 20 30 a.example, b.example", MORE, None);
    let zone = "`mx` has the MX record of a zone file: it is the host name only";
    mx("example.com. 300 IN MX 10 a.example", zone, Some("mx: a.example"));
}

#[test]
fn one_mode_several_times() {
    let mode = |value: &str, message: &str, mended: Option<&str>| {
        let message = format!("error[policy-mode]: {message}");
        line("mode: enforce", &format!("mode: {value}"), &message, mended);
    };
    for value in ["enforce enforce", "enforce, enforce", "Enforce/enforce", "enforce or enforce"] {
        mode(value, "`mode` names its mode twice", Some("mode: enforce"));
    }
    mode("none none", "`mode` names its mode twice", Some("mode: none"));
    mode("testing testing testing", "`mode` names its mode 3 times", Some("mode: testing"));
    let several = "`mode` names several modes: choose one of them";
    for value in ["enforce testing", "none, not enforce", "none none enforce"] {
        mode(value, several, None);
    }
    mode(
        "not none none",
        "`not none none` is no `mode`: it must be `enforce`, `testing` or `none`",
        None,
    );
}

#[test]
fn addresses_in_place_of_hosts() {
    let address = "`mx` is an IP address, which matches no MX host";
    for value in [
        "192.0.2.1.",
        "*.192.0.2.1.",
        "::1",
        "::",
        "fe80::1%eth0",
        "[::1]:25",
        "192.0.2.1:25",
        "<::1>",
        "[IPv6:2001:db8::1]",
        "ipv6:2001:db8::1",
        "https://[::1]/",
    ] {
        mx(value, address, None);
    }
    let range = "`mx` is a range of IP addresses, which matches no MX host";
    for value in ["192.0.2.0/24", "192.0.2.1/32", "2001:db8::1/64", "2001:db8::/32"] {
        mx(value, range, None);
    }
    let number = "`mx` is a number, not a host name";
    for value in ["0.", "10.", "1.2.3."] {
        mx(value, number, None);
    }
    mx("-a.example", "`mx` has a label that begins or ends with `-`", None);
    shows_policy(
        GOOD.replace("mail.example.com", "192.0.2.1."),
        "
error[policy-mx]: `mx` is an IP address, which matches no MX host
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: 192.0.2.1.
  |     ^^^^^^^^^^
  = help: name the MX host: an `mx` is a host name, as in the MX record (RFC 5321 §5.1)
",
    );
}

#[test]
fn a_life_over_the_limit_is_not_suggested() {
    for (value, message) in [
        ("53w", "`max_age` has a unit: it is a number of seconds"),
        ("366d", "`max_age` has a unit: it is a number of seconds"),
        ("8784h", "`max_age` has a unit: it is a number of seconds"),
        ("31557601s", "`max_age` has a unit: it is a number of seconds"),
        ("99,999,999", "`max_age` has `,` between its digits"),
        ("99999999;", "`max_age` has a `;` after its value"),
        ("60*60*24*400", "`max_age` is a calculation, not a number"),
    ] {
        shows_policy(
            GOOD.replace("604800", value),
            &format!(
                "
error[policy-max-age]: {message}
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: {value}
  |          {}
  = help: the limit is a year: write `max_age: 31557600`, or less
",
                "^".repeat(value.len())
            ),
        );
    }
    let unit = "error[policy-max-age]: `max_age` has a unit: it is a number of seconds";
    line("max_age: 604800", "max_age: 31557600s", unit, Some("max_age: 31557600"));
    line("max_age: 604800", "max_age: 365 days", unit, Some("max_age: 31536000"));
}

#[test]
fn a_dash_that_is_no_hyphen() {
    let sign =
        |code: &str| format!("`mx` has signs that only look like ASCII: U+{code} is not `-`");
    for (value, code) in [("mail–1.a.example", "2013"), ("mail—1.a.example", "2014")] {
        mx(value, &sign(code), Some("mx: mail-1.a.example"));
    }
    mx("mail‑1.a.example", &sign("2011"), Some("mx: mail-1.a.example"));
    mx("mail−1.a.example", &sign("2212"), Some("mx: mail-1.a.example"));
    mx("a.example–b.example", "`mx` has `–`, which no host name has", None);
}

#[test]
fn what_is_given_as_an_mx_host() {
    let shows = |host: &str, expected: &str| {
        let expected = format!("\nerror[mx-not-covered]: {expected}\n");
        let expected = expected.replace("  =", "  --> at the end (RFC 8461 §4.1)\n  =");
        shows_mx_hosts(GOOD, &[host], &expected);
    };
    for empty in ["", " "] {
        shows(empty, "an MX host is empty\n  = help: give the names of the MX records");
    }
    for null in [".", "0 ."] {
        shows(
            null,
            "the MX record is a null MX (RFC 7505): the domain accepts no mail\n  = help: publish \
             `mode: none`, or name MX hosts in DNS",
        );
    }
    shows(
        "mаil.example.com",
        "`mаil.example.com` is no MX host: it has letters that only look like ASCII: U+0430 is not \
         `a`\n  = help: give the host alone: `mail.example.com`",
    );
    shows(
        "mail–1.example.com",
        "`mail–1.example.com` is no MX host: it has signs that only look like ASCII: U+2013 is not \
         `-`\n  = help: give the host alone: `mail-1.example.com`",
    );
    shows(
        "99999 a.example",
        "`99999` is no preference of an MX record: it is over 65535\n  = help: give the host alone: \
         `a.example`",
    );
    for record in [
        "example.com\tmail exchanger = 10 mail.example.com.",
        "example.com mail is handled by 10 mail.example.com.",
        "example.com. 300 IN MX 10 mail.example.com.",
        "example.com\tMX preference = 10, mail exchanger = mail.example.com",
        "65535 mail.example.com",
    ] {
        shows_mx_hosts(GOOD, &[record], "");
    }
}

#[test]
fn two_hosts_with_dots_between_them_stay_two() {
    let message = "`mx` has a dot too many: a label is empty";
    mx("a.example.com..b.example.com", message, None);
    mx("mail..example.com", message, Some("mx: mail.example.com"));
}

#[test]
fn a_row_of_a_table_keeps_its_host() {
    for (row, mended) in [
        ("| mx | a.example |", "mx: a.example"),
        ("| mx | a.example | b.example |", "mx: a.example\nmx: b.example"),
    ] {
        let message = "error[policy-field-name]: a line begins with a field name: 1 to 32 letters, \
                       digits, `_`, `-` or `.`, the first a letter or digit";
        line("mx: mail.example.com", row, message, Some(mended));
    }
}

#[test]
fn a_year_is_within_the_limit() {
    let unit = "error[policy-max-age]: `max_age` has a unit: it is a number of seconds";
    line("max_age: 604800", "max_age: 1y", unit, None);
}

#[test]
fn a_version_with_what_belongs_into_the_record() {
    let of_record = "error[policy-version]: `version` has the text of the TXT record, of which only \
                     the version belongs here";
    let with_name = "error[policy-version]: `version` has the name `v=` of the TXT record before its \
                     value";
    for (value, message) in [
        ("v=STSv1", with_name),
        ("v=STSv1;", with_name),
        ("v=STSv1; id=20240101", of_record),
        ("STSv1; id=1", of_record),
    ] {
        let written = format!("version: {value}");
        line("version: STSv1", &written, message, Some("version: STSv1"));
    }
}
