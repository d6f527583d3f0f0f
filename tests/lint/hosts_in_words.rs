//! An `mx` with preferences, addresses, remarks or negations beside its host, or with no host at all.

use mta_sts::lint::{self, Severity};

use super::{
    GOOD,
    kinds::{policy, shows_policy},
};

/// One error, and the lines that mend it, or this help without any.
#[track_caller]
fn mx(value: &str, message: &str, mended: &[&str]) {
    let error = format!("error[policy-mx]: {message}");
    let source = GOOD.replace("mail.example.com", value);
    let lines: Vec<String> = mended.iter().map(|host| format!("mx: {host}")).collect();
    let mended = GOOD.replace("mx: mail.example.com", &lines.join("\n"));
    policy(source, &[&error], (!lines.is_empty()).then_some(&mended));
}

#[track_caller]
fn helps(value: &str, message: &str, help: &str) {
    mx(value, message, &[]);
    let source = GOOD.replace("mail.example.com", value);
    let found = lint::policy(source.as_bytes());
    let errors: Vec<_> = found.iter().filter(|one| one.severity() == Severity::Error).collect();
    assert_eq!(errors[0].help(), Some(help), "{value}");
}

#[test]
fn preferences() {
    let one = "`mx` has a preference: it is the host name only";
    for value in [
        "10:mail.example.com",
        "10=mail.example.com",
        "10/mail.example.com",
        "10|mail.example.com",
        "[10] mail.example.com",
        "(10) mail.example.com",
        "<10> mail.example.com",
        "10. mail.example.com",
        "10 - mail.example.com",
        "mail.example.com [10]",
        "priority 10 mail.example.com",
        "pri=10 mail.example.com",
        "mail.example.com pref=10",
        "mail.example.com priority: 10",
    ] {
        mx(value, one, &["mail.example.com"]);
    }
    let several = "`mx` has preferences and several hosts: each host needs an `mx` of its own, with \
                   its name only";
    for value in [
        "10:a.example, 20:b.example",
        "[10] a.example, [20] b.example",
        "10=a.example 20=b.example",
        "a.example [10] b.example [20]",
        "[10] a.example, b.example",
        "a.example prio 10, b.example prio 20",
    ] {
        mx(value, several, &["a.example", "b.example"]);
    }
    // A number behind the name is a port.
    let port = "`mx` has a port, which is no part of a host name";
    mx("mail.example.com:25", port, &["mail.example.com"]);
}

#[test]
fn addresses_among_hosts() {
    let address = "`mx` has an IP address, `192.0.2.1`, among its hosts";
    let one = "write `mx: a.example`: an address matches no MX host (RFC 5321 §5.1)";
    for value in [
        "a.example, 192.0.2.1",
        "192.0.2.1, a.example",
        "a.example 192.0.2.1",
        "a.example -> 192.0.2.1",
        "192.0.2.1 - a.example (backup)",
    ] {
        helps(value, address, one);
    }
    let two =
        "write `mx: a.example`, `mx: b.example`: an address matches no MX host (RFC 5321 §5.1)";
    helps("a.example, 192.0.2.1, b.example", address, two);
    let address = "`mx` has an IP address, `2001:db8::1`, among its hosts";
    helps("a.example; 2001:db8::1", address, one);
    let none = "name the MX hosts: an `mx` is a host name, as in the MX record (RFC 5321 §5.1)";
    helps("192.0.2.1, 192.0.2.2", "`mx` has IP addresses, which match no MX host", none);
}

#[test]
fn remarks_beside_a_host() {
    for value in [
        "mail.example.com - backup",
        "mail.example.com - see the wiki",
        "mail.example.com backup",
        "mail.example.com is the primary",
        "mail.example.com, backup",
        "mail.example.com = primary",
        "mail.example.com: backup",
    ] {
        let message = "`mx` has other words after its host name";
        mx(value, message, &["mail.example.com"]);
    }
    for value in ["primary: mail.example.com", "our mail server mail.example.com"] {
        let message = "`mx` has other words before its host name";
        mx(value, message, &["mail.example.com"]);
    }
    helps(
        "intranet mail.example.com",
        "`mx` has other words before its host name",
        "write `mx: mail.example.com`, if that is the host, with nothing but its name",
    );
}

#[test]
fn negations() {
    for (value, word) in [
        ("not mail.example.com", "not"),
        ("!mail.example.com", "!"),
        ("except mail.example.com", "except"),
        ("mail.example.com - not in use", "not"),
        ("mail.example.com, disabled", "disabled"),
    ] {
        helps(
            value,
            &format!("`mx` has `{word}` beside its host name"),
            "leave the line out, or write `mx: mail.example.com` to allow that host: a policy names \
             the hosts that are allowed, and cannot exclude one",
        );
    }
}

#[test]
fn signs_before_a_domain() {
    let both = "write `mx: example.com` for the host of that name, or `mx: *.example.com` for those \
                right under it";
    for value in [".example.com", ".example.com."] {
        helps(value, "`mx` begins with a dot", both);
    }
    let at = "`mx` has `@`, which stands for the domain in zone files only";
    helps("@.example.com", at, both);
    for sign in ["%", "?", "#"] {
        let message = format!("`mx` has `{sign}`, which no host name has");
        helps(&format!("{sign}.example.com"), &message, both);
    }
}

#[test]
fn words_for_no_host() {
    for word in ["none", "null", "Nil", "nothing"] {
        let lower = word.to_ascii_lowercase();
        shows_policy(
            GOOD.replace("mail.example.com", word),
            &format!(
                "
warning[policy-mx-single-label]: `{lower}` is taken for the name of a host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: {word}
  |     {}
  = help: a domain that accepts no mail has `mode: none` and no `mx`, or no policy
",
                "^".repeat(word.len())
            ),
        );
    }
    let help = "a domain that accepts no mail has `mode: none` and no `mx`, or no policy";
    for word in ["N/A", "n/a", "-", "no mail", "NULL MX", "not set"] {
        helps(word, &format!("`{word}` is no host name"), help);
    }
    helps("none.", "`none` is no host name", help);
    helps("\"null\"", "`null` is no host name", help);
    helps("(none)", "`none` is no host name", help);
    // With `mode: none`, the same is said once.
    let source = GOOD.replace("enforce", "none").replace("mail.example.com", "none");
    assert_eq!(lint::policy(source.as_bytes()).len(), 1);
}

#[test]
fn names_that_end_in_a_number() {
    for name in ["192.0.2", "192.0.2.1-192.0.2.9", "mail.10"] {
        shows_policy(
            GOOD.replace("mail.example.com", name),
            &format!(
                "
warning[policy-mx-ip-address]: a name whose last label is a number is no host of the public DNS
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: {name}
  |     {}
  = help: name the MX host, as in the MX record (RFC 5321 §5.1)
",
                "^".repeat(name.len())
            ),
        );
    }
}
