//! K7: a host with something around it, or with a wrong sign in its name.

use super::{GOOD, kinds::shows_policy};

#[test]
fn a_null_mx() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: ."),
        r"
error[policy-mx]: `mx` is a null MX (RFC 7505), which names no host
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: .
  |     ^
  = help: a domain that accepts no mail has `mode: none` and no `mx`, or no policy
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: 0 ."),
        r"
error[policy-mx]: `mx` is a null MX (RFC 7505), which names no host
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: 0 .
  |     ^^^
  = help: a domain that accepts no mail has `mode: none` and no `mx`, or no policy
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "0 ."),
        r"
error[policy-no-colon]: `mx` is a null MX (RFC 7505), which names no host
  --> line 3, column 2 (RFC 8461 §3.2)
  | 0 .
  |  ^^
  = help: a domain that accepts no mail has `mode: none` and no `mx`, or no policy
",
    );
}

#[test]
fn marks_around_a_host() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: **mail.example.com**"),
        r"
error[policy-mx]: `mx` has marks of Markdown, `**`, around its value
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: **mail.example.com**
  |     ^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: _mail.example.com_"),
        r"
error[policy-mx]: `mx` has marks of Markdown, `_`, around its value
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: _mail.example.com_
  |     ^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: [mail.example.com](http://mail.example.com)"),
        r"
error[policy-mx]: `mx` has a link of Markdown around its value
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: [mail.example.com](http://mail.example.com)
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: <mailto:mail.example.com>"),
        r"
error[policy-mx]: `mx` has `mailto:` before the host name
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: <mailto:mail.example.com>
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: smtp:mail.example.com"),
        r"
error[policy-mx]: `mx` has `smtp:` before the host name
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: smtp:mail.example.com
  |     ^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example.com:smtp"),
        r"
error[policy-mx]: `mx` has a port, which is no part of a host name
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.example.com:smtp
  |     ^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
}

#[test]
fn a_sign_in_place_of_a_dot() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example,com"),
        r"
error[policy-mx]: `mx` has another sign where a dot must be
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.example,com
  |     ^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example:com"),
        r"
error[policy-mx]: `mx` has another sign where a dot must be
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.example:com
  |     ^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail. example.com"),
        r"
error[policy-mx]: `mx` has white space in the name of its host
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail. example.com
  |     ^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail..example.com"),
        r"
error[policy-mx]: `mx` has a dot too many: a label is empty
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail..example.com
  |     ^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example.com.."),
        r"
error[policy-mx]: `mx` has a dot too many: a label is empty
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.example.com..
  |     ^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example.com,mx"),
        r"
error[policy-mx]: `mx` has more than the name of one host
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.example.com,mx
  |     ^^^^^^^^^^^^^^^^^^^
  = help: write a line `mx: HOST` for each host, with nothing but its name
",
    );
}

#[test]
fn placeholders() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: *.yourdomain.com"),
        r"
warning[policy-mx-placeholder]: `*.yourdomain.com` looks like a placeholder for an MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: *.yourdomain.com
  |     ^^^^^^^^^^^^^^^^
  = help: name the MX host, as in the MX record
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.your-domain.com"),
        r"
warning[policy-mx-placeholder]: `mail.your-domain.com` looks like a placeholder for an MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: mail.your-domain.com
  |     ^^^^^^^^^^^^^^^^^^^^
  = help: name the MX host, as in the MX record
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.domain.tld"),
        r"
warning[policy-mx-placeholder]: `mail.domain.tld` looks like a placeholder for an MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: mail.domain.tld
  |     ^^^^^^^^^^^^^^^
  = help: name the MX host, as in the MX record
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mx1.your_domain.com"),
        r"
error[policy-mx]: `mx1.your_domain.com` looks like a placeholder for an MX host
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mx1.your_domain.com
  |     ^^^^^^^^^^^^^^^^^^^
  = help: name the MX host, as in the MX record
",
    );
}
