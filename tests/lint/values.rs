//! Kinds K5 and K7: the fault, and the policy that comes of the corrections.

use super::{
    GOOD,
    kinds::{line, policy, shows_policy},
};

#[test]
fn k5_lines_not_separated_as_lines() {
    let breaks = |message: &str| format!("error[policy-line-breaks]: {message}");
    let ends = breaks("the lines end in a bare CR: they must end in LF or CRLF");
    let literal = breaks("the two characters `\\` and `n` stand where the lines should end");
    let both = breaks("the four characters `\\r\\n` stand where the lines should end");
    let spaces = breaks("several fields stand on one line: each one needs a line of its own");
    let doubled =
        breaks("each line ends in CR CR LF: a text with CRLF was written through a text-mode file");
    let crlf = GOOD.replace('\n', "\r\n");
    policy(GOOD.replace('\n', "\\n"), &[&literal], Some(GOOD));
    policy(GOOD.replace('\n', "\\r\\n"), &[&both], Some(&crlf));
    policy(GOOD.replace('\n', "\r\r\n"), &[&doubled], Some(&crlf));
    policy(GOOD.replace('\n', "\r"), &[&ends], Some(&crlf));
    policy(GOOD.trim_end().replace('\n', "  "), &[&spaces], Some(GOOD.trim_end()));
    policy(GOOD.trim_end().replace('\n', ", "), &[&spaces], Some(GOOD.trim_end()));
    policy(
        GOOD.replace('\n', "<br>"),
        &[&breaks("HTML tags stand where the lines should end")],
        Some(GOOD),
    );
    // What is wrong besides is mended with it.
    policy(GOOD.replace('\n', "\\n").replace("enforce", "Enforced"), &[&literal], Some(GOOD));
}

#[test]
fn k7_a_good_value_with_something_around_it() {
    let mx = "mx: mail.example.com";
    for (bad, message) in [
        ("mx: mail.example.com:25", "`mx` has a port, which is no part of a host name"),
        ("mx: <mail.example.com>", "`mx` has `<` and `>` around its value"),
        ("mx: \"mail.example.com\"", "`mx` has quotes around its value"),
        ("mx: mail.example.com;", "`mx` has a `;` after its value"),
        (
            "mx: mail.example.com # primary",
            "`mx` has a comment after its value: a policy has no comments",
        ),
        ("mx: https://mail.example.com/", "`mx` is a URL, not a host name"),
        ("mx: smtp://mail.example.com:25", "`mx` is a URL, not a host name"),
        ("mx: 10 mail.example.com", "`mx` has a preference: it is the host name only"),
        ("mx = mail.example.com", "`=` stands after `mx`, where `:` must"),
        ("\"mx\": mail.example.com", "`\"` stands around the field name `mx`"),
    ] {
        let code = match bad {
            _ if bad.starts_with("mx = ") => "policy-no-colon",
            _ if bad.starts_with('"') => "policy-field-name",
            _ => "policy-mx",
        };
        line(mx, bad, &format!("error[{code}]: {message}"), Some(mx));
    }
    let several = "error[policy-mx]: `mx` names several hosts: each one needs an `mx` of its own";
    for bad in ["mx: a.example, b.example", "mx: a.example b.example", "mx: a.example;b.example."] {
        line(mx, bad, several, Some("mx: a.example\nmx: b.example"));
    }
    line(
        mx,
        "mx: mail.example.com.",
        "error[policy-mx-trailing-dot]: a dot at the end of an `mx` is not allowed",
        Some(mx),
    );
    line(
        mx,
        "mx: postmaster@example.com",
        "error[policy-mx]: `mx` is a mail address, not a host name",
        None,
    );
    line(
        mx,
        "mx: [192.0.2.1]",
        "error[policy-mx]: `mx` is an IP address, which matches no MX host",
        None,
    );
    #[cfg(feature = "idna")]
    line(
        mx,
        "mx: b\u{fc}cher.example",
        "error[policy-mx]: `mx` has letters that are not ASCII: DNS and MX records have the A-label",
        Some("mx: xn--bcher-kva.example"),
    );
    let mode = "mode: enforce";
    for bad in ["enforced", "enforcing", "enfore", "efnorce"] {
        let message = format!("error[policy-mode]: `{bad}` is no `mode`: did you mean `enforce`?");
        line(mode, &format!("mode: {bad}"), &message, Some(mode));
    }
    let message = "error[policy-mode]: `test` is no `mode`: did you mean `testing`?";
    line(mode, "mode: test", message, Some("mode: testing"));
    let comment =
        "error[policy-mode]: `mode` has a comment after its value: a policy has no comments";
    line(mode, "mode: enforce # comment", comment, Some(mode));
    let max_age = "max_age: 604800";
    line(
        max_age,
        "max_age: 604800;",
        "error[policy-max-age]: `max_age` has a `;` after its value",
        Some(max_age),
    );
    for (good, name, known) in [
        (mx, "mxs", "mx"),
        (mx, "nmx", "mx"),
        (max_age, "max-age", "max_age"),
        (max_age, "maxage", "max_age"),
    ] {
        let bad = good.replace(known, name);
        let message = format!(
            "error[policy-field-misspelt]: `{name}` is not `{known}`: did you mean `{known}`?"
        );
        line(good, &bad, &message, Some(good));
    }
    policy(
        format!("\"{}\"", GOOD.trim_end()),
        &["error[policy-other-text]: quotes stand around the whole policy"],
        Some(GOOD.trim_end()),
    );
}

#[test]
fn marks_around_values() {
    shows_policy(
        GOOD.replace("mode: enforce", "mode: **enforce**"),
        r"
error[policy-mode]: `mode` has marks of Markdown, `**`, around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: **enforce**
  |       ^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: _enforce_"),
        r"
error[policy-mode]: `mode` has marks of Markdown, `_`, around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: _enforce_
  |       ^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: *enforce*"),
        r"
error[policy-mode]: `mode` has marks of Markdown, `*`, around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: *enforce*
  |       ^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: __enforce__"),
        r"
error[policy-mode]: `mode` has marks of Markdown, `__`, around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: __enforce__
  |       ^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: <enforce>"),
        r"
error[policy-mode]: `mode` has `<` and `>` around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: <enforce>
  |       ^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: (enforce)"),
        r"
error[policy-mode]: `mode` has parentheses around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: (enforce)
  |       ^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: [enforce]"),
        r"
error[policy-mode]: `mode` has brackets around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: [enforce]
  |       ^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: {enforce}"),
        r"
error[policy-mode]: `mode` has braces around its value
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: {enforce}
  |       ^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: __MODE__"),
        r"
error[policy-mode]: `__MODE__` looks like a placeholder for the `mode`
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: __MODE__
  |       ^^^^^^^^
  = help: write `mode: testing` at first
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "version: : STSv1"),
        r"
error[policy-version]: `version` has `:` before its value
  --> line 1, column 10 (RFC 8461 §3.2)
  | version: : STSv1
  |          ^^^^^^^
  = help: write `version: STSv1`
",
    );
}

#[test]
fn numbers() {
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 604800."),
        r"
error[policy-max-age]: `max_age` has a dot after its value
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 604800.
  |          ^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 6O48OO"),
        r"
error[policy-max-age]: `max_age` has the letter `O` in place of the digit `0`
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 6O48OO
  |          ^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 6048l0"),
        r"
error[policy-max-age]: `max_age` has the letter `l` in place of the digit `1`
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 6048l0
  |          ^^^^^^
  = help: write `max_age: 604810`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 10080m"),
        r"
error[policy-max-age]: `max_age` has a unit: it is a number of seconds
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 10080m
  |          ^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 1m"),
        r"
error[policy-max-age]: `max_age` has a unit: it is a number of seconds
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 1m
  |          ^^
  = help: write `max_age: 60` for minutes, `max_age: 2592000` for months
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 00000604800"),
        r"
error[policy-max-age]: `max_age` has more than 10 digits
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 00000604800
  |          ^^^^^^^^^^^
  = help: write `max_age: 604800`: zeros before a number say nothing
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 31557601"),
        r"
warning[policy-max-age-over-limit]: `max_age` is over the limit of 31557600, and is taken for that
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 31557601
  |          ^^^^^^^^
  = help: write `max_age: 31557600`: that is what senders take it for
",
    );
}
