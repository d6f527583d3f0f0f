//! K5: lines that are not separated as lines.

use super::{GOOD, kinds::shows_policy};

#[test]
fn line_breaks() {
    shows_policy(
        "version: STSv1\\nmode: enforce\\nmx: mail.example.com\\nmax_age: 604800\\n",
        r"
error[policy-line-breaks]: the two characters `\` and `n` stand where the lines should end
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
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
    shows_policy(
        "version: STSv1\r\r\nmode: enforce\r\r\nmx: mail.example.com\r\r\nmax_age: 604800\r\r\n",
        r"
error[policy-line-breaks]: each line ends in CR CR LF: a text with CRLF was written through a text-mode file
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1\r
  | ^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "version: STSv1\rmode: enforce\rmx: mail.example.com\rmax_age: 604800\r",
        r"
error[policy-line-breaks]: the lines end in a bare CR: they must end in LF or CRLF
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1\rmode: enforce\rmx: mail.example.com\rmax_age: 604800
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "version: STSv1<br>mode: enforce<br>mx: mail.example.com<br>max_age: 604800<br>",
        r"
error[policy-line-breaks]: HTML tags stand where the lines should end
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1<br>mode: enforce<br>mx: mail.example.com<br>max_age: 604800<br>
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
}

#[test]
fn several_policies() {
    shows_policy(
        GOOD.replace(
            "version: STSv1",
            "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800version: STSv1",
        ),
        r"
error[policy-line-breaks]: a second policy begins in the middle of a line of the first
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1
  | ^^^^^^^^^^^^^^
  = help: publish one policy, and nothing else
",
    );
}

#[test]
fn values_on_lines_of_their_own() {
    shows_policy(
        "version:\nSTSv1\nmode:\nenforce\nmx:\nmail.example.com\nmax_age:\n604800\n",
        r"
error[policy-line-breaks]: the values stand on lines of their own: each line is `name: value`
  --> line 1, column 1 (RFC 8461 §3.2)
  | version:
  | ^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx:\n  - a.example\n  - b.example"),
        r"
error[policy-mx]: `mx` is a list: each host needs an `mx` of its own
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1
  | ^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: a.example
  + mx: b.example
  + max_age: 604800
",
    );
}

#[test]
fn lf_cr() {
    shows_policy(
        "version: STSv1\n\rmode: enforce\n\rmx: mail.example.com\n\rmax_age: 604800\n\r",
        r"
error[policy-line-breaks]: the lines end in LF CR: they must end in LF or CRLF
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1
  | ^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
}

#[test]
fn blank_lines_between_the_fields() {
    shows_policy(
        "version: STSv1\n\nmode: enforce\n\nmx: mail.example.com\n\nmax_age: 604800\n\n",
        r"
error[policy-blank-line]: blank lines are not allowed: there are 4
  --> line 2, column 1 (RFC 8461 §3.2)
  | 
  | ^
  = help: leave blank lines out
",
    );
    shows_policy(
        "version: STSv1\n\nmode: Enforce\n\nmx: mail.example.com\nmax_age: 604800\n",
        r"
error[policy-blank-line]: blank lines are not allowed: there are 2
  --> line 2, column 1 (RFC 8461 §3.2)
  | 
  | ^
  = help: leave blank lines out
error[policy-mode]: `mode` must be `enforce`, `testing` or `none`
  --> line 3, column 7 (RFC 8461 §3.2)
  | mode: Enforce
  |       ^^^^^^^
  = help: write `mode: enforce`: values are case-sensitive
",
    );
}
