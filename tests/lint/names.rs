//! K1: names that have to be copied or compared stand whole.

use super::{
    GOOD,
    kinds::{shows_media_type, shows_mx_hosts, shows_policy, shows_record},
};

#[test]
fn hosts() {
    shows_mx_hosts(
        GOOD,
        &["example-com.mail.protection.outlook.com"],
        r#"
warning[mx-pattern-unused]: "mail.example.com" allows no MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: mail.example.com
  |     ^^^^^^^^^^^^^^^^
error[mx-not-covered]: no `mx` allows the MX host "example-com.mail.protection.outlook.com"
  --> at the end (RFC 8461 §4.1)
  = help: add the line `mx: example-com.mail.protection.outlook.com`
"#,
    );
    shows_mx_hosts(
        &GOOD.replace("mail.example.com", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"),
        &["mail.example.com"],
        r#"
warning[mx-pattern-unused]: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" allows no MX host
  --> line 3, column 5 (RFC 8461 §4.1)
  | mx: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbb…
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
error[mx-not-covered]: no `mx` allows the MX host "mail.example.com"
  --> at the end (RFC 8461 §4.1)
  = help: add the line `mx: mail.example.com`
"#,
    );
}

#[test]
fn media_types() {
    shows_media_type(
        "application/vnd.example.policy-of-a-very-long-name+octet-stream; charset=utf-8",
        r#"
error[media-type-not-text-plain]: the media type is "application/vnd.example.policy-of-a-very-long-name+octet-stream; charset=utf-8", not `text/plain`
  --> line 1, column 1 (RFC 8461 §3.2)
  | application/vnd.example.policy-of-a-very-long-name+octet-stream; charset=utf-8
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: serve the file as `text/plain`
"#,
    );
}

#[test]
fn extensions() {
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 604800\nextension-with-thirty-two-letter: x"),
        r#"
advice[policy-extension]: "extension-with-thirty-two-letter" is no field of RFC 8461: senders ignore it
  --> line 5, column 1 (RFC 8461 §3.2)
  | extension-with-thirty-two-letter: x
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    );
    shows_record(
        "v=STSv1; id=1; extension-with-thirty-two-letter=x",
        r#"
advice[record-extension]: "extension-with-thirty-two-letter" is no field of RFC 8461: senders ignore it
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; extension-with-thirty-two-letter=x
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn urls() {
    shows_policy(
        GOOD.replace(
            "mx: mail.example.com",
            "mx: https://mail.example.com/.well-known/mta-sts.txt",
        ),
        r"
error[policy-mx]: `mx` is a URL, not a host name
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: https://mail.example.com/.well-known/mta-sts.txt
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_record(
        "https://mta-sts.example.com/.well-known/mta-sts.txt",
        r"
error[record-other-text]: this is a URL, not the TXT record
  --> line 1, column 1 (RFC 8461 §3.1)
  | https://mta-sts.example.com/.well-known/mta-sts.txt
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: senders make the URL of the policy from the domain; the TXT record of `_mta-sts` is `v=STSv1; id=…`
",
    );
}
