//! K7: marks and statements before the field name on every line.

use super::{GOOD, kinds::shows_policy};

#[test]
fn marks_before_each_line() {
    shows_policy(
        "`version: STSv1`\n`mode: enforce`\n`mx: mail.example.com`\n`max_age: 604800`\n",
        r"
error[policy-field-name]: backticks stand around each line, and a policy has no Markdown
  --> line 1, column 1 (RFC 8461 §3.2)
  | `version: STSv1`
  | ^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "> version: STSv1\n>\n> mode: Enforce\n> mx: mail.example.com\n> max_age: 604800\n",
        r"
error[policy-field-name]: `>` stands before each field name
  --> line 1, column 1 (RFC 8461 §3.2)
  | > version: STSv1
  | ^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "* version: STSv1\n* mode: enforce\n* mx: *.example.com\n* max_age: 604800\n",
        r"
error[policy-field-name]: `*` stands before each field name
  --> line 1, column 1 (RFC 8461 §3.2)
  | * version: STSv1
  | ^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: *.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "1. version: STSv1\n2. mode: enforce\n3. mx: mail.example.com\n4. max_age: 604800\n",
        r"
error[policy-field-name]: `1.` stands before each field name
  --> line 1, column 1 (RFC 8461 §3.2)
  | 1. version: STSv1
  | ^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "**version:** STSv1\n**mode:** enforce\n**mx:** *.example.com\n**max_age:** 604800\n",
        r"
error[policy-field-name]: `**` stands before each field name
  --> line 1, column 1 (RFC 8461 §3.2)
  | **version:** STSv1
  | ^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: *.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "\"version\": \"STSv1\",\n\"mode\": \"enforce\",\n\"mx\": \"mail.example.com\",\n\"max_age\": 604800\n",
        r#"
error[policy-field-name]: quotes stand around each field name
  --> line 1, column 1 (RFC 8461 §3.2)
  | "version": "STSv1",
  | ^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
"#,
    );
}

#[test]
fn statements_of_scripts() {
    shows_policy(
        "set version: STSv1\nset mode: enforce\nset mx: mail.example.com\nset max_age: 604800\n",
        r"
error[policy-field-name]: `set` stands before each field name
  --> line 1, column 1 (RFC 8461 §3.2)
  | set version: STSv1
  | ^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "echo \"version: STSv1\" > mta-sts.txt\necho \"mode: enforce\" >> mta-sts.txt\necho \"mx: mail.example.com\" >> mta-sts.txt\necho \"max_age: 604800\" >> mta-sts.txt\n",
        r#"
error[policy-field-name]: `echo "` stands before each field name
  --> line 1, column 1 (RFC 8461 §3.2)
  | echo "version: STSv1" > mta-sts.txt
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
"#,
    );
    shows_policy(
        "location = /.well-known/mta-sts.txt {\n  return 200 \"version: STSv1\\nmode: enforce\\nmx: mail.example.com\\nmax_age: 604800\\n\";\n}\n",
        r"
error[policy-other-text]: something stands before the policy, such as a statement of a web server or a shell
  --> line 1, column 1 (RFC 8461 §3.2)
  | location = /.well-known/mta-sts.txt {
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
fn every_line_is_a_comment() {
    shows_policy(
        "# version: STSv1\n# mode: enforce\n# mx: mail.example.com\n# max_age: 604800\n",
        r"
error[policy-field-name]: every line is a comment: `#` stands before each field
  --> line 1, column 1 (RFC 8461 §3.2)
  | # version: STSv1
  | ^^^^^^^^^^^^^^^^
  = help: leave out `#` before each field
",
    );
}

#[test]
fn marks_in_one_line() {
    shows_policy(
        GOOD.replace("max_age: 604800", "`max_age: 604800`"),
        r"
error[policy-field-name]: quotes stand around the line
  --> line 4, column 1 (RFC 8461 §3.2)
  | `max_age: 604800`
  | ^^^^^^^^^^^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "**mode:** enforce"),
        r"
error[policy-field-name]: `**` stands around the field name `mode`
  --> line 2, column 1 (RFC 8461 §3.2)
  | **mode:** enforce
  | ^^^^^^^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "**mode**: enforce"),
        r"
error[policy-field-name]: `**` stands around the field name `mode`
  --> line 2, column 1 (RFC 8461 §3.2)
  | **mode**: enforce
  | ^^^^^^^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
}
