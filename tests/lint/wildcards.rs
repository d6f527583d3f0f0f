//! K4: a wildcard that is one label off.

use super::{
    GOOD,
    kinds::{shows_mx_hosts, shows_policy},
};

#[test]
fn with_hosts() {
    shows_mx_hosts(
        &GOOD.replace("mail.example.com", "*.google.com"),
        &["aspmx.l.google.com"],
        r#"
warning[mx-pattern-unused]: "*.google.com" allows no MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: *.google.com
  |     ^^^^^^^^^^^^
  = help: `*` stands for exactly one label (RFC 8461 §4.1), so `*.google.com` does not match `aspmx.l.google.com`, but `*.l.google.com` would match `aspmx.l.google.com`
error[mx-not-covered]: no `mx` allows the MX host "aspmx.l.google.com"
  --> at the end (RFC 8461 §4.1)
  = help: add the line `mx: aspmx.l.google.com`: `*` stands for exactly one label (RFC 8461 §4.1), so `*.google.com` does not match `aspmx.l.google.com`, but `*.l.google.com` would match `aspmx.l.google.com`
"#,
    );
    shows_mx_hosts(
        &GOOD.replace("mail.example.com", "*.protection.outlook.com"),
        &["example-com.mail.protection.outlook.com"],
        r#"
warning[mx-pattern-unused]: "*.protection.outlook.com" allows no MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: *.protection.outlook.com
  |     ^^^^^^^^^^^^^^^^^^^^^^^^
  = help: `*` stands for exactly one label (RFC 8461 §4.1), so `*.protection.outlook.com` does not match `example-com.mail.protection.outlook.com`, but `*.mail.protection.outlook.com` would match `example-com.mail.protection.outlook.com`
error[mx-not-covered]: no `mx` allows the MX host "example-com.mail.protection.outlook.com"
  --> at the end (RFC 8461 §4.1)
  = help: add the line `mx: example-com.mail.protection.outlook.com`: `*` stands for exactly one label (RFC 8461 §4.1), so `*.protection.outlook.com` does not match `example-com.mail.protection.outlook.com`, but `*.mail.protection.outlook.com` would match `example-com.mail.protection.outlook.com`
"#,
    );
    shows_mx_hosts(
        &GOOD.replace("mail.example.com", "*.example.com"),
        &["example.com"],
        r#"
warning[mx-pattern-unused]: "*.example.com" allows no MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: *.example.com
  |     ^^^^^^^^^^^^^
  = help: `*` stands for exactly one label (RFC 8461 §4.1), so `*.example.com` does not match `example.com`, but `mx: example.com` would
error[mx-not-covered]: no `mx` allows the MX host "example.com"
  --> at the end (RFC 8461 §4.1)
  = help: add the line `mx: example.com`: `*` stands for exactly one label (RFC 8461 §4.1), so `*.example.com` does not match `example.com`, but `mx: example.com` would
"#,
    );
}

#[test]
fn in_the_policy() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: *.*.example.net"),
        r"
error[policy-mx]: `mx` has a `*` that is not the whole first label, or more than one
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: *.*.example.net
  |     ^^^^^^^^^^^^^^^
  = help: `*` stands for exactly one label (RFC 8461 §4.1): `*.example.net` would match `mx1.example.net`, and `*.b.example.net` would match `a.b.example.net`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: *.protection.outlook.com"),
        r"
warning[policy-mx-service]: `*.protection.outlook.com` matches no MX host that Microsoft 365 gives its customers
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: *.protection.outlook.com
  |     ^^^^^^^^^^^^^^^^^^^^^^^^
  = help: `*` stands for exactly one label (RFC 8461 §4.1); a pattern such as `mx: *.mail.protection.outlook.com` would match
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: *"),
        r"
error[policy-mx]: `*` stands for exactly one label, and cannot stand alone
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: *
  |     ^
  = help: name the hosts: not every host can be allowed at once
",
    );
}

/// The stars are wildcards, and no marks of Markdown around the dot of a null MX.
#[test]
fn wildcards_alone() {
    shows_policy(
        GOOD.replace("mail.example.com", "*.*"),
        r"
error[policy-mx]: `mx` has a `*` that is not the whole first label, or more than one
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: *.*
  |     ^^^
  = help: `*` stands for exactly one label and may only be the first one (RFC 8461 §4.1): name the MX hosts
",
    );
    shows_policy(
        GOOD.replace("mail.example.com", "@"),
        r"
error[policy-mx]: `mx` is `@`, which stands for the domain in zone files only
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: @
  |     ^
  = help: name the host in the domain's MX record
",
    );
}
