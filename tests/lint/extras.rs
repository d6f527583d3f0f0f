//! K7: a good value with something around it.

use super::{GOOD, kinds::shows_policy};

#[test]
fn mx() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example.com:25"),
        r"
error[policy-mx]: `mx` has a port, which is no part of a host name
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.example.com:25
  |     ^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: a.example, b.example"),
        r"
error[policy-mx]: `mx` names several hosts: each one needs an `mx` of its own
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: a.example, b.example
  |     ^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + mx: a.example
  + mx: b.example
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: <mail.example.com>"),
        r"
error[policy-mx]: `mx` has `<` and `>` around its value
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: <mail.example.com>
  |     ^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example.com."),
        r"
error[policy-mx-trailing-dot]: a dot at the end of an `mx` is not allowed
  --> line 3, column 21 (RFC 8461 §3.2)
  | mx: mail.example.com.
  |                     ^
  = help: leave out the dot: `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: https://mail.example.com/"),
        r"
error[policy-mx]: `mx` is a URL, not a host name
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: https://mail.example.com/
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: 10 mail.example.com"),
        r"
error[policy-mx]: `mx` has a preference: it is the host name only
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: 10 mail.example.com
  |     ^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
}

#[test]
fn mx_of_another_kind() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: 192.0.2.1"),
        r"
warning[policy-mx-ip-address]: an IP address matches no MX record: these name hosts
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: 192.0.2.1
  |     ^^^^^^^^^
  = help: name the MX host, as in the MX record (RFC 5321 §5.1)
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: [192.0.2.1]"),
        r"
error[policy-mx]: `mx` is an IP address, which matches no MX host
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: [192.0.2.1]
  |     ^^^^^^^^^^^
  = help: name the MX host: an `mx` is a host name, as in the MX record (RFC 5321 §5.1)
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: \"mail.example.com\""),
        r#"
error[policy-mx]: `mx` has quotes around its value
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: "mail.example.com"
  |     ^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
"#,
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: a@example.com"),
        r"
error[policy-mx]: `mx` is a mail address, not a host name
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: a@example.com
  |     ^^^^^^^^^^^^^
  = help: name the host in the domain's MX record
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail_1.example.com"),
        r"
error[policy-mx]: `mx` has `_`, which no host name has
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail_1.example.com
  |     ^^^^^^^^^^^^^^^^^^
  = help: name the MX host, as in the MX record
",
    );
}

#[cfg(feature = "idna")]
#[test]
fn u_labels() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: bücher.example"),
        r"
error[policy-mx]: `mx` has letters that are not ASCII: DNS and MX records have the A-label
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: bücher.example
  |     ^^^^^^^^^^^^^^
  = help: write `mx: xn--bcher-kva.example`
",
    );
}

#[test]
fn max_age() {
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 604800;"),
        r"
error[policy-max-age]: `max_age` has a `;` after its value
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 604800;
  |          ^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: '604800'"),
        r"
error[policy-max-age]: `max_age` has quotes around its value
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: '604800'
  |          ^^^^^^^^
  = help: write `max_age: 604800`
",
    );
}

#[test]
fn mode() {
    shows_policy(
        GOOD.replace("mode: enforce", "mode: enforce # comment"),
        r"
error[policy-mode]: `mode` has a comment after its value: a policy has no comments
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: enforce # comment
  |       ^^^^^^^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: test"),
        r"
error[policy-mode]: `test` is no `mode`: did you mean `testing`?
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: test
  |       ^^^^
  = help: write `mode: testing`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: enforced"),
        r"
error[policy-mode]: `enforced` is no `mode`: did you mean `enforce`?
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: enforced
  |       ^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: enforcing"),
        r"
error[policy-mode]: `enforcing` is no `mode`: did you mean `enforce`?
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: enforcing
  |       ^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: enforce|testing"),
        r"
error[policy-mode]: `mode` names several modes: choose one of them
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: enforce|testing
  |       ^^^^^^^^^^^^^^^
  = help: write `mode: testing` at first, and `mode: enforce` once the reports are clean
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: on"),
        r"
error[policy-mode]: `on` is no `mode`: it must be `enforce`, `testing` or `none`
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: on
  |       ^^
  = help: write `mode: enforce` to have mail that is not secure refused
",
    );
}

#[test]
fn whole() {
    shows_policy(
        "\"version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\"",
        r#"
error[policy-other-text]: quotes stand around the whole policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | "version: STSv1
  | ^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
"#,
    );
}

#[test]
fn field_names() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mxs: mail.example.com"),
        r"
error[policy-field-misspelt]: `mxs` is not `mx`: did you mean `mx`?
  --> line 3, column 1 (RFC 8461 §3.2)
  | mxs: mail.example.com
  | ^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "nmx: mail.example.com"),
        r"
error[policy-field-misspelt]: `nmx` is not `mx`: did you mean `mx`?
  --> line 3, column 1 (RFC 8461 §3.2)
  | nmx: mail.example.com
  | ^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max-age: 604800"),
        r"
error[policy-field-misspelt]: `max-age` is not `max_age`: did you mean `max_age`?
  --> line 4, column 1 (RFC 8461 §3.2)
  | max-age: 604800
  | ^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "- mx: mail.example.com"),
        r"
error[policy-field-name]: `-` stands before the field name `mx`
  --> line 3, column 1 (RFC 8461 §3.2)
  | - mx: mail.example.com
  | ^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mх: mail.example.com"),
        r"
error[policy-no-colon]: the field name `mx` has letters that only look like ASCII: U+0445 is not `x`
  --> line 3, column 2 (RFC 8461 §3.2)
  | mх: mail.example.com
  |  ^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "\"version: STSv1\""),
        r#"
error[policy-field-name]: quotes stand around the line
  --> line 1, column 1 (RFC 8461 §3.2)
  | "version: STSv1"
  | ^^^^^^^^^^^^^^^^
  = help: write `version: STSv1`
"#,
    );
}
