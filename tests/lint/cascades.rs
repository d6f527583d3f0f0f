//! K3: one cause, one error.

use super::{
    GOOD,
    kinds::{shows_policy, shows_record, utf16},
};

#[test]
fn records() {
    shows_record(
        "v=STSv1 id=021120211155",
        r"
error[record-delimiter]: white space stands where `;` must, after a field
  --> line 1, column 8 (RFC 8461 §3.1)
  | v=STSv1 id=021120211155
  |        ^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=021120211155`: a `;` ends each field
",
    );
    shows_record(
        "v=STSv1; id: 20240101",
        r"
error[record-no-equals]: `:` stands after `id`, where `=` must
  --> line 1, column 12 (RFC 8461 §3.1)
  | v=STSv1; id: 20240101
  |            ^^^^^^^^^^
  = help: write `v=STSv1; id=20240101`: `=` stands between a name and its value, without white space
",
    );
    shows_record(
        "v=STSv1; id 20240101",
        r"
error[record-no-equals]: white space stands after `id`, where `=` must
  --> line 1, column 12 (RFC 8461 §3.1)
  | v=STSv1; id 20240101
  |            ^^^^^^^^^
  = help: write `v=STSv1; id=20240101`: `=` stands between a name and its value, without white space
",
    );
    shows_record(
        "v=STSv1; id: …; mode: enforce",
        r"
error[record-no-equals]: `:` stands after `id`, where `=` must
  --> line 1, column 12 (RFC 8461 §3.1)
  | v=STSv1; id: …; mode: enforce
  |            ^^^
  = help: `=` stands between a name and its value, without white space
",
    );
    shows_record(
        "v=STSv1; id: 20240101; mode: enforce",
        r"
error[record-no-equals]: `:` stands after `id`, where `=` must
  --> line 1, column 12 (RFC 8461 §3.1)
  | v=STSv1; id: 20240101; mode: enforce
  |            ^^^^^^^^^^
  = help: write `v=STSv1; id=20240101`, without what belongs into the policy file
",
    );
    shows_record(
        "v=STSv1; id=20240101; mode: enforce; max_age: 604800",
        r"
error[record-no-equals]: `mode` is a field of the policy file, not of the record
  --> line 1, column 27 (RFC 8461 §3.1)
  | v=STSv1; id=20240101; mode: enforce; max_age: 604800
  |                           ^^^^^^^^^
  = help: write `v=STSv1; id=20240101`, without what belongs into the policy file
",
    );
    shows_record(
        "v=STSv1\\; id=1\\;",
        r"
error[record-delimiter]: a backslash stands where `;` must, after a field
  --> line 1, column 8 (RFC 8461 §3.1)
  | v=STSv1\; id=1\;
  |        ^
  = help: write `v=STSv1; id=1;`: leave out the backslash: it belongs into zone files, not into the record
",
    );
    shows_record(
        "v=STSv1; serial=20240101",
        r#"
error[record-no-id]: "serial" is not `id`: did you mean `id`?
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; serial=20240101
  |          ^^^^^^
  = help: write `v=STSv1; id=20240101`
"#,
    );
}

#[test]
fn one_line() {
    shows_policy(
        "version: STSv1 mode: enforce mx: mail.example.com max_age: 604800",
        r"
error[policy-line-breaks]: several fields stand on one line: each one needs a line of its own
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1 mode: enforce mx: mail.example.com max_age: 604800
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
}

#[test]
fn letter_case() {
    shows_policy(
        "Version: STSv1\nMode: enforce\nMX: mail.example.com\nMax_Age: 604800\n",
        r"
error[policy-field-misspelt]: `Version` is not `version`: field names are case-sensitive
  --> line 1, column 1 (RFC 8461 §3.2)
  | Version: STSv1
  | ^^^^^^^
  = help: write `version: STSv1`
error[policy-field-misspelt]: `Mode` is not `mode`: field names are case-sensitive
  --> line 2, column 1 (RFC 8461 §3.2)
  | Mode: enforce
  | ^^^^
  = help: write `mode: enforce`
error[policy-field-misspelt]: `MX` is not `mx`: field names are case-sensitive
  --> line 3, column 1 (RFC 8461 §3.2)
  | MX: mail.example.com
  | ^^
  = help: write `mx: mail.example.com`
error[policy-field-misspelt]: `Max_Age` is not `max_age`: field names are case-sensitive
  --> line 4, column 1 (RFC 8461 §3.2)
  | Max_Age: 604800
  | ^^^^^^^
  = help: write `max_age: 604800`
",
    );
}

#[test]
fn equals_signs() {
    shows_policy(
        "version=STSv1\nmode=enforce\nmx=mail.example.com\nmax_age=604800\n",
        r"
error[policy-no-colon]: `=` stands after `version`, where `:` must
  --> line 1, column 8 (RFC 8461 §3.2)
  | version=STSv1
  |        ^^^^^^
  = help: write `version: STSv1`
error[policy-no-colon]: `=` stands after `mode`, where `:` must
  --> line 2, column 5 (RFC 8461 §3.2)
  | mode=enforce
  |     ^^^^^^^^
  = help: write `mode: enforce`
error[policy-no-colon]: `=` stands after `mx`, where `:` must
  --> line 3, column 3 (RFC 8461 §3.2)
  | mx=mail.example.com
  |   ^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
error[policy-no-colon]: `=` stands after `max_age`, where `:` must
  --> line 4, column 8 (RFC 8461 §3.2)
  | max_age=604800
  |        ^^^^^^^
  = help: write `max_age: 604800`
",
    );
}

#[test]
fn names() {
    shows_policy(
        GOOD.replace("max_age: 604800", "max age: 604800"),
        r"
error[policy-no-colon]: `max age` is not `max_age`: did you mean `max_age`?
  --> line 4, column 4 (RFC 8461 §3.2)
  | max age: 604800
  |    ^^^^^^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "policy: version: STSv1"),
        r"
error[policy-field-misspelt]: `policy:` stands before the field name `version`
  --> line 1, column 1 (RFC 8461 §3.2)
  | policy: version: STSv1
  | ^^^^^^
  = help: write `version: STSv1`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "maximum_age: 604800"),
        r"
error[policy-field-misspelt]: `maximum_age` is no field of RFC 8461: `max_age` is meant
  --> line 4, column 1 (RFC 8461 §3.2)
  | maximum_age: 604800
  | ^^^^^^^^^^^
  = help: write `max_age: 604800`
",
    );
}

#[test]
fn bare_values() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mail.example.com"),
        r"
error[policy-no-colon]: `mail.example.com` stands without a field name
  --> line 3, column 17 (RFC 8461 §3.2)
  | mail.example.com
  |                 ^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        "STSv1\nenforce\nmail.example.com\n604800\n",
        r"
error[policy-no-colon]: the field names are missing: each line is `name: value`
  --> line 1, column 1 (RFC 8461 §3.2)
  | STSv1
  | ^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "STSv1 enforce mail.example.com 604800",
        r"
error[policy-no-colon]: the field names are missing: each line is `name: value`
  --> line 1, column 1 (RFC 8461 §3.2)
  | STSv1 enforce mail.example.com 604800
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
}

#[test]
fn blank_lines() {
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 604800\n\n\n"),
        r"
error[policy-blank-line]: blank lines are not allowed: there are 3
  --> line 5, column 1 (RFC 8461 §3.2)
  | 
  | ^
  = help: leave blank lines out
",
    );
}

#[test]
fn other_documents() {
    shows_policy(
        "example",
        r"
error[policy-other-text]: the file is no policy: it begins `example`, and has no field of one
  --> line 1, column 1 (RFC 8461 §3.2)
  | example
  | ^^^^^^^
  = help: a policy is the lines `version: STSv1`, `mode: …`, `mx: …` and `max_age: …`
",
    );
    shows_policy(
        "<html><head><title>Example</title></head></html>",
        r#"
error[policy-other-text]: the file is an HTML page, titled "Example", not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | <html><head><title>Example</title></head></html>
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: serve the policy file itself, as `text/plain`
"#,
    );
    shows_policy(
        "{\"version\": \"STSv1\", \"mode\": \"enforce\"}",
        r#"
error[policy-other-text]: the file is JSON, not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | {"version": "STSv1", "mode": "enforce"}
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: a policy is plain text, with one line `name: value` for each field
"#,
    );
    shows_policy(
        utf16("\u{feff}version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n"),
        r"
error[policy-not-utf8]: the file is UTF-16 text, not UTF-8
  --> line 1, column 1 (RFC 8461 §3.2)
  | \xff\xfev\0e\0r\0s\0i\0o\0n\0:\0 \0S\0T\0S\0v\01\0
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: this looks like UTF-16: save it as UTF-8
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "Not Found",
        r"
error[policy-other-text]: the file is an error message, `Not Found`, not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | Not Found
  | ^^^^^^^^^
  = help: serve the policy file itself, as `text/plain`
",
    );
}
