//! K7: names that are no field, and the field that they stand for.

use super::{GOOD, kinds::shows_policy};

#[test]
fn names_of_lifetimes() {
    shows_policy(
        GOOD.replace("max_age: 604800", "ttl: 604800"),
        r"
error[policy-field-misspelt]: `ttl` is no field of RFC 8461: `max_age` is meant
  --> line 4, column 1 (RFC 8461 §3.2)
  | ttl: 604800
  | ^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "expires: 604800"),
        r"
error[policy-field-misspelt]: `expires` is no field of RFC 8461: `max_age` is meant
  --> line 4, column 1 (RFC 8461 §3.2)
  | expires: 604800
  | ^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "lifetime: one week"),
        r"
error[policy-field-misspelt]: `lifetime` is no field of RFC 8461: `max_age` is meant
  --> line 4, column 1 (RFC 8461 §3.2)
  | lifetime: one week
  | ^^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "TTL = 604800"),
        r"
error[policy-no-colon]: `TTL` is no field of RFC 8461: `max_age` is meant
  --> line 4, column 4 (RFC 8461 §3.2)
  | TTL = 604800
  |    ^^^^^^^^^
  = help: write `max_age: 604800`
",
    );
}

#[test]
fn names_of_hosts_modes_and_versions() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "host: mail.example.com"),
        r"
error[policy-field-misspelt]: `host` is no field of RFC 8461: `mx` is meant
  --> line 3, column 1 (RFC 8461 §3.2)
  | host: mail.example.com
  | ^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx_host: mail.example.com:25"),
        r"
error[policy-field-misspelt]: `mx_host` is no field of RFC 8461: `mx` is meant
  --> line 3, column 1 (RFC 8461 §3.2)
  | mx_host: mail.example.com:25
  | ^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "hosts: mail.example.com, mx.example.com"),
        r"
error[policy-field-misspelt]: `hosts` is no field of RFC 8461: `mx` is meant
  --> line 3, column 1 (RFC 8461 §3.2)
  | hosts: mail.example.com, mx.example.com
  | ^^^^^
  = help: write these lines
  + mx: mail.example.com
  + mx: mx.example.com
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "policy: enforced"),
        r"
error[policy-field-misspelt]: `policy` is no field of RFC 8461: `mode` is meant
  --> line 2, column 1 (RFC 8461 §3.2)
  | policy: enforced
  | ^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "v: STSv1"),
        r"
error[policy-field-misspelt]: `v` is no field of RFC 8461: `version` is meant
  --> line 1, column 1 (RFC 8461 §3.2)
  | v: STSv1
  | ^
  = help: write `version: STSv1`
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "v: STSv2"),
        r"
error[policy-field-misspelt]: `v` is no field of RFC 8461: `version` is meant
  --> line 1, column 1 (RFC 8461 §3.2)
  | v: STSv2
  | ^
  = help: write `version: STSv1`: there is no other version
",
    );
}

#[test]
fn a_name_before_the_field_name() {
    shows_policy(
        GOOD.replace("mode: enforce", "policy: mode: enforce"),
        r"
error[policy-field-misspelt]: `policy:` stands before the field name `mode`
  --> line 2, column 1 (RFC 8461 §3.2)
  | policy: mode: enforce
  | ^^^^^^
  = help: write `mode: enforce`
",
    );
}

#[test]
fn extensions_beside_the_field() {
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 604800\nttl: 604800"),
        r#"
advice[policy-extension]: "ttl" is no field of RFC 8461: senders ignore it
  --> line 5, column 1 (RFC 8461 §3.2)
  | ttl: 604800
  | ^^^
"#,
    );
}
