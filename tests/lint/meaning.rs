//! K2: a suggestion keeps the meaning of what was written.

use super::{
    GOOD,
    kinds::{shows_mx_hosts, shows_policy, shows_record},
};

#[test]
fn numbers() {
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 1209600.5"),
        r"
error[policy-max-age]: `max_age` must be a whole number of seconds, in digits only
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 1209600.5
  |          ^^^^^^^^^
  = help: write seconds, such as `max_age: 604800` for a week
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 604.800"),
        r"
error[policy-max-age]: `max_age` has `.` between its digits
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 604.800
  |          ^^^^^^^
  = help: write `max_age: 604800`: seconds are written in digits only
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 1,209,600"),
        r"
error[policy-max-age]: `max_age` has `,` between its digits
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 1,209,600
  |          ^^^^^^^^^
  = help: write `max_age: 1209600`: seconds are written in digits only
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 7d"),
        r"
error[policy-max-age]: `max_age` has a unit: it is a number of seconds
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 7d
  |          ^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 1w"),
        r"
error[policy-max-age]: `max_age` has a unit: it is a number of seconds
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 1w
  |          ^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: one week"),
        r"
error[policy-max-age]: `max_age` has a unit: it is a number of seconds
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: one week
  |          ^^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 6 months"),
        r"
error[policy-max-age]: `max_age` has a unit: it is a number of seconds
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 6 months
  |          ^^^^^^^^
  = help: write `max_age: 15552000` for 180 days
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: unlimited"),
        r"
error[policy-max-age]: `unlimited` is no number of seconds
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: unlimited
  |          ^^^^^^^^^
  = help: the limit is a year: write `max_age: 31557600`, or less
",
    );
}

#[test]
fn addresses_of_mx_records() {
    shows_mx_hosts(
        GOOD,
        &["192.0.2.1."],
        "
error[mx-not-covered]: `192.0.2.1` is an IP address, not an MX host
  --> at the end (RFC 8461 §4.1)
  = help: correct the MX record: it names a host, not an address (RFC 5321 §5.1)
",
    );
}

#[test]
fn placeholders_of_records() {
    shows_record(
        "v=STSv1; id=UNIX_TIMESTAMP",
        r"
error[record-id]: `UNIX_TIMESTAMP` looks like a placeholder for the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=UNIX_TIMESTAMP
  |          ^^^^^^^^^^^^^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
    shows_record(
        "v=STSv1; id=YYYYMMDD…",
        r"
error[record-id]: `YYYYMMDD…` looks like a placeholder for the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=YYYYMMDD…
  |          ^^^^^^^^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
    shows_record(
        "v=STSv1; id=<id>",
        r"
error[record-id]: `<id>` looks like a placeholder for the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=<id>
  |          ^^^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
    shows_record(
        "v=STSv1; id=%s",
        r"
error[record-id]: `%s` looks like a placeholder for the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=%s
  |          ^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
    shows_record(
        "v=STSv1; id={{ id }}",
        r"
error[record-id]: `{{ id }}` looks like a placeholder for the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id={{ id }}
  |          ^^^^^^^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
    shows_record(
        "v=STSv1; id=$(date)",
        r"
error[record-id]: `$(date)` looks like a placeholder for the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=$(date)
  |          ^^^^^^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
    shows_record(
        "v=STSv1; id=<timestamp>",
        r"
error[record-id]: `<timestamp>` looks like a placeholder for the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=<timestamp>
  |          ^^^^^^^^^^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
    shows_record(
        "v=STSv1; id=YYYYMMDDHHMMSS",
        r"
warning[record-id-placeholder]: `YYYYMMDDHHMMSS` looks like a placeholder for the `id`
  --> line 1, column 13 (RFC 8461 §3.1)
  | v=STSv1; id=YYYYMMDDHHMMSS
  |             ^^^^^^^^^^^^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
    );
}

#[test]
fn placeholders_of_policies() {
    shows_policy(
        GOOD.replace("mode: enforce", "mode: <mode>"),
        r"
error[policy-mode]: `<mode>` looks like a placeholder for the `mode`
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: <mode>
  |       ^^^^^^
  = help: write `mode: testing` at first
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: {{ max_age }}"),
        r"
error[policy-max-age]: `{{ max_age }}` looks like a placeholder for the `max_age`
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: {{ max_age }}
  |          ^^^^^^^^^^^^^
  = help: write `max_age: 1209600`, say: two weeks, in seconds
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: $MX"),
        r"
error[policy-mx]: `$MX` looks like a placeholder for the `mx`
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: $MX
  |     ^^^
  = help: name the MX host, as in the MX record
",
    );
}

#[test]
fn the_record_in_place_of_the_policy() {
    shows_policy(
        "v=STSv1; id=20240101;",
        r"
error[policy-other-text]: the file holds the TXT record, not the policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | v=STSv1; id=20240101;
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: publish this text in DNS, as the TXT record of `_mta-sts`; a policy is the lines `version: STSv1`, `mode: …`, `mx: …` and `max_age: …`
",
    );
}
