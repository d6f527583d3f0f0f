//! K6: a text of another kind, and what stands around a policy.

use super::{
    GOOD,
    kinds::{shows_policy, shows_record},
};

#[test]
fn front_matter() {
    shows_policy(
        GOOD.replace("version: STSv1", "---\nlayout: none\n---\nversion: STSv1"),
        r"
error[policy-front-matter]: the file begins with the front matter of a site generator (`---`)
  --> line 1, column 1 (RFC 8461 §3.2)
  | ---
  | ^^^
  = help: leave it out, and have the generator copy the file as it is
",
    );
}

#[test]
fn pages() {
    shows_policy(
        "<!DOCTYPE html><title>Log in</title>",
        r#"
error[policy-other-text]: the file is a login page, titled "Log in", not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | <!DOCTYPE html><title>Log in</title>
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: serve the policy file itself, as `text/plain`
"#,
    );
    shows_policy(
        "<html><title>example.com is for sale</title></html>",
        r#"
error[policy-other-text]: the file is the page of a parked domain, titled "example.com is for sale", not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | <html><title>example.com is for sale</title></html>
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: serve the policy file itself, as `text/plain`
"#,
    );
    shows_policy(
        "<html>\n<title>404 Not Found</title>\n</html>",
        r#"
error[policy-other-text]: the file is the page for a file that was not found, titled "404 Not Found", not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | <html>
  | ^^^^^^
  = help: serve the policy file itself, as `text/plain`
"#,
    );
}

#[test]
fn json() {
    shows_policy(
        "{\"error\": \"not found\"}",
        r#"
error[policy-other-text]: the file is JSON, not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | {"error": "not found"}
  | ^^^^^^^^^^^^^^^^^^^^^^
  = help: a policy is plain text, with one line `name: value` for each field
"#,
    );
}

#[test]
fn wrapped_policies() {
    shows_policy(
        "<pre>\nversion: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n</pre>\n",
        r"
error[policy-other-text]: HTML tags stand in the policy: it is plain text
  --> line 1, column 1 (RFC 8461 §3.2)
  | <pre>
  | ^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "```\nversion: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n```\n",
        r"
error[policy-other-text]: lines of marks, such as a code fence, stand around the policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | ```
  | ^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "return 200 \"version: STSv1\\nmode: enforce\\nmx: mail.example.com\\nmax_age: 604800\\n\";",
        r#"
error[policy-other-text]: something stands before the policy, such as a statement of a web server or a shell
  --> line 1, column 1 (RFC 8461 §3.2)
  | return 200 "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n";
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
"#,
    );
    shows_policy(
        "\\f0\\fs24 \\cf0 version: STSv1\\\nmode: enforce\\\nmx: mail.example.com\\\nmax_age: 604800}",
        r"
error[policy-other-text]: the file is rich text (RTF), as a word processor saves it, not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | \f0\fs24 \cf0 version: STSv1\
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        GOOD.replace(
            "version: STSv1",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nversion: STSv1",
        ),
        r"
error[policy-other-text]: the header of an HTTP response stands before the policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | HTTP/1.1 200 OK
  | ^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
}

#[test]
fn records_in_place_of_others() {
    shows_record(
        GOOD,
        r"
error[record-other-text]: this is the policy file, not the TXT record
  --> line 1, column 1 (RFC 8461 §3.1)
  | version: STSv1
  | ^^^^^^^^^^^^^^
  = help: serve it at https://mta-sts.DOMAIN/.well-known/mta-sts.txt; the TXT record of `_mta-sts` is `v=STSv1; id=…`
",
    );
    shows_record(
        "_mta-sts.example.com. IN TXT \"v=STSv1; id=1\"",
        r#"
error[record-other-text]: this is a line of a zone file: give the text between the quotes
  --> line 1, column 1 (RFC 8461 §3.1)
  | _mta-sts.example.com. IN TXT "v=STSv1; id=1"
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`
"#,
    );
    shows_record(
        "v=STS1; mode=none;",
        r"
error[record-version]: `v=STS1` is no version: did you mean `v=STSv1`?
  --> line 1, column 1 (RFC 8461 §3.1)
  | v=STS1; mode=none;
  | ^^^^^^
  = help: a record is `v=STSv1; id=…`: `mode` and the like are fields of the policy file
",
    );
    shows_record(
        "v=STSv1",
        r"
error[record-no-id]: the record has no `id`
  --> at the end (RFC 8461 §3.1)
  = help: add an `id`, such as `id=20160831085700Z;`, and put the record in quotes in a zone file: without them `;` begins a comment there
",
    );
    shows_record(
        "v=DMARC1; p=none",
        r"
error[record-other-text]: this is a DMARC record, not an MTA-STS record
  --> line 1, column 1 (RFC 8461 §3.1)
  | v=DMARC1; p=none
  | ^^^^^^^^^^^^^^^^
  = help: publish it as the TXT record of `_dmarc`; the TXT record of `_mta-sts` is `v=STSv1; id=…`
",
    );
    shows_record(
        "v=spf1 -all",
        r"
error[record-other-text]: this is an SPF record, not an MTA-STS record
  --> line 1, column 1 (RFC 8461 §3.1)
  | v=spf1 -all
  | ^^^^^^^^^^^
  = help: publish it as a TXT record of the domain itself; the TXT record of `_mta-sts` is `v=STSv1; id=…`
",
    );
    shows_record(
        "v=TLSRPTv1; rua=mailto:a@example.com",
        r"
error[record-other-text]: this is a TLSRPT record, not an MTA-STS record
  --> line 1, column 1 (RFC 8461 §3.1)
  | v=TLSRPTv1; rua=mailto:a@example.com
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: publish it as the TXT record of `_smtp._tls`; the TXT record of `_mta-sts` is `v=STSv1; id=…`
",
    );
    shows_record(
        "_mta-sts: v=STSv1; id=1",
        r"
error[record-version]: `_mta-sts:` stands before the record
  --> line 1, column 1 (RFC 8461 §3.1)
  | _mta-sts: v=STSv1; id=1
  | ^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`: the record begins with `v=STSv1`
",
    );
}

#[test]
fn html_in_the_lines() {
    shows_policy(
        "<b>version: STSv1</b>\n<b>mode: enforce</b>\n<b>mx: mail.example.com</b>\n<b>max_age: 604800</b>\n",
        r"
error[policy-other-text]: HTML tags stand in the policy: it is plain text
  --> line 1, column 1 (RFC 8461 §3.2)
  | <b>version: STSv1</b>
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "<tr><td>version:</td><td>STSv1</td></tr>\n<tr><td>mode:</td><td>enforce</td></tr>\n<tr><td>mx:</td><td>mail.example.com</td></tr>\n<tr><td>max_age:</td><td>604800</td></tr>\n",
        r"
error[policy-other-text]: HTML tags stand in the policy: it is plain text
  --> line 1, column 1 (RFC 8461 §3.2)
  | <tr><td>version:</td><td>STSv1</td></tr>
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "version:&nbsp;STSv1\nmode:&nbsp;enforce\nmx:&nbsp;mail.example.com\nmax_age:&nbsp;604800\n",
        r"
error[policy-other-text]: HTML entities, such as `&nbsp;`, stand in the policy: it is plain text
  --> line 1, column 1 (RFC 8461 §3.2)
  | version:&nbsp;STSv1
  | ^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "<b>mode: enforce</b>"),
        r"
error[policy-field-name]: HTML tags stand in the line: a policy is plain text
  --> line 2, column 1 (RFC 8461 §3.2)
  | <b>mode: enforce</b>
  | ^^^^^^^^^^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace(
            "mx: mail.example.com",
            "mx: <a href=\"http://mail.example.com\">mail.example.com</a>",
        ),
        r#"
error[policy-mx]: HTML tags stand in the line: a policy is plain text
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: <a href="http://mail.example.com">mail.example.com</a>
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
"#,
    );
}

#[test]
fn marks_of_version_control() {
    shows_policy(
        "version: STSv1\n<<<<<<< HEAD\nmode: enforce\n=======\nmode: testing\n>>>>>>> feature\nmx: mail.example.com\nmax_age: 604800\n",
        r"
error[policy-other-text]: conflict marks of Git stand in the file: a merge was not finished
  --> line 2, column 1 (RFC 8461 §3.2)
  | <<<<<<< HEAD
  | ^^^^^^^^^^^^
  = help: choose one side, and leave out the lines that begin with `<<<<<<<`, `=======` or `>>>>>>>`
",
    );
    shows_policy(
        "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n>>>>>>> feature\n",
        r"
error[policy-other-text]: conflict marks of Git stand in the file: a merge was not finished
  --> line 5, column 1 (RFC 8461 §3.2)
  | >>>>>>> feature
  | ^^^^^^^^^^^^^^^
  = help: choose one side, and leave out the lines that begin with `<<<<<<<`, `=======` or `>>>>>>>`
",
    );
    shows_policy(
        "--- a/mta-sts.txt\n+++ b/mta-sts.txt\n@@ -1,4 +1,4 @@\n version: STSv1\n-mode: testing\n+mode: enforce\n mx: mail.example.com\n max_age: 604800\n",
        r"
error[policy-other-text]: the file is a diff, not a policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | --- a/mta-sts.txt
  | ^^^^^^^^^^^^^^^^^
  = help: publish the file that it changes
",
    );
}

#[test]
fn yaml() {
    shows_policy(
        "---\nversion: STSv1\nmode: enforce\nmx:\n  - mail.example.com\n  - mx.example.com\nmax_age: 604800\n",
        r"
error[policy-other-text]: the file is a YAML document, not a policy: a policy has no `---`
  --> line 1, column 1 (RFC 8461 §3.2)
  | ---
  | ^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + mx: mx.example.com
  + max_age: 604800
",
    );
}

#[test]
fn the_txt_record_before_the_policy() {
    shows_policy(
        "v=STSv1; id=20240101\nversion: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n",
        r"
error[policy-no-colon]: this line is the TXT record, which belongs into DNS
  --> line 1, column 2 (RFC 8461 §3.2)
  | v=STSv1; id=20240101
  |  ^^^^^^^^^^^^^^^^^^^
  = help: leave the line out: it belongs into DNS
",
    );
    shows_policy(
        "_mta-sts.example.com. IN TXT \"v=STSv1; id=20240101\"\nversion: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n",
        r#"
error[policy-field-name]: this line is the TXT record, which belongs into DNS
  --> line 1, column 1 (RFC 8461 §3.2)
  | _mta-sts.example.com. IN TXT "v=STSv1; id=20240101"
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: leave the line out: it belongs into DNS
"#,
    );
}
