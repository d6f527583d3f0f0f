//! MX hosts as people give them to the linter.

use mta_sts::{
    Policy,
    lint::{self, Severity},
};

use super::{GOOD, kinds::shows_mx_hosts};

/// The message and the help about a host that is none; nothing more is said.
#[track_caller]
fn is_no_host(policy: &str, host: &str, message: &str, help: &str) {
    let policy: Policy = policy.parse().unwrap();
    let found = lint::mx_hosts(&policy, [host]);
    let said: Vec<_> = found.iter().map(|one| (one.message(), one.help().unwrap())).collect();
    assert_eq!(said, [(message, help)], "{host}");
    assert_eq!((found[0].code(), found[0].severity()), ("mx-not-covered", Severity::Error));
    assert_eq!(found[0].suggestion(), None);
}

#[test]
fn what_dig_and_host_print_names_the_host() {
    for host in [
        "10 mail.example.com.",
        "10\tMAIL.example.com.",
        " mail.example.com. ",
        "example.com. 300 IN MX 10 mail.example.com.",
        "example.com mail is handled by 10 mail.example.com.",
    ] {
        assert_eq!(lint::mx_hosts(&GOOD.parse().unwrap(), [host]), [], "{host}");
    }
    shows_mx_hosts(
        GOOD,
        &["10 mail.example.com.", "20 mx2.example.com."],
        r#"
error[mx-not-covered]: no `mx` allows the MX host "mx2.example.com"
  --> at the end (RFC 8461 §4.1)
  = help: add the line `mx: mx2.example.com`
"#,
    );
}

#[cfg(feature = "idna")]
#[test]
fn a_u_label_is_read_as_its_a_label() {
    let policy = GOOD.replace("mail.example.com", "xn--mil-qla.example.com");
    assert_eq!(lint::mx_hosts(&policy.parse().unwrap(), ["mäil.example.com"]), []);
}

#[test]
fn what_is_no_host_is_no_reason_to_change_the_policy() {
    // A wildcard does not allow what is no host name.
    for policy in [GOOD.to_owned(), GOOD.replace("mail.", "*.")] {
        for (host, message, help) in [
            (
                "*.example.com",
                "`*.example.com` is a pattern, not an MX host",
                "give the hosts of the MX records: patterns are what the policy has",
            ),
            (
                "https://mail.example.com/",
                "`https://mail.example.com/` is no MX host: it is a URL, not a host name",
                "give the host alone: `mail.example.com`",
            ),
            (
                "mail.example.com:25",
                "`mail.example.com:25` is no MX host: it has a port, which is no part of a host name",
                "give the host alone: `mail.example.com`",
            ),
            (
                "a@mail.example.com",
                "`a@mail.example.com` is no MX host: it is a mail address, not a host name",
                "correct the MX record: it names a host",
            ),
            (
                "[192.0.2.1]",
                "`[192.0.2.1]` is an IP address, not an MX host",
                "correct the MX record: it names a host, not an address (RFC 5321 §5.1)",
            ),
            (
                "mail_1.example.com",
                "`mail_1.example.com` is no MX host: it has `_`, which no host name has",
                "correct the MX record: it names a host",
            ),
            (
                "a.example.com,b.example.com",
                "`a.example.com,b.example.com` names several MX hosts",
                "give one host at a time",
            ),
            (
                "ten mail.example.com",
                "`ten mail.example.com` is no MX host: it has other words before its host name",
                "correct the MX record: it names a host",
            ),
            (
                "mail",
                "`mail` has one label, which is no host of the public DNS",
                "give the whole name of the host, with its domain",
            ),
            (
                "0 .",
                "the MX record is a null MX (RFC 7505): the domain accepts no mail",
                "publish `mode: none`, or name MX hosts in DNS",
            ),
        ] {
            is_no_host(&policy, host, message, help);
        }
    }
}
