//! K7: characters that cannot be seen, and those that only look like ASCII.

use super::{GOOD, kinds::shows_policy};

#[test]
fn letters_of_other_scripts() {
    shows_policy(
        GOOD.replace("mode: enforce", "mode: enf\u{43e}rce"),
        r"
error[policy-mode]: `mode` has letters that only look like ASCII: U+043E is not `o`
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: enfоrce
  |       ^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "m\u{43e}de: enforce"),
        r"
error[policy-no-colon]: the field name `mode` has letters that only look like ASCII: U+043E is not `o`
  --> line 2, column 2 (RFC 8461 §3.2)
  | mоde: enforce
  |  ^^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "version: STSv\u{661}"),
        r"
error[policy-version]: `version` has digits that only look like ASCII: U+0661 is not `1`
  --> line 1, column 10 (RFC 8461 §3.2)
  | version: STSv١
  |          ^^^^^
  = help: write `version: STSv1`
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "version: \u{ff33}\u{ff34}\u{ff33}\u{ff56}\u{ff11}"),
        r"
error[policy-version]: `version` has letters that only look like ASCII: U+FF33 is not `S`
  --> line 1, column 10 (RFC 8461 §3.2)
  | version: ＳＴＳｖ１
  |          ^^^^^
  = help: write `version: STSv1`
",
    );
    shows_policy(
        GOOD.replace(
            "max_age: 604800",
            "max_age: \u{ff16}\u{ff10}\u{ff14}\u{ff18}\u{ff10}\u{ff10}",
        ),
        r"
error[policy-max-age]: `max_age` has digits that only look like ASCII: U+FF16 is not `6`
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: ６０４８００
  |          ^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.ex\u{430}mple.com"),
        r"
error[policy-mx]: `mx` has letters that only look like ASCII: U+0430 is not `a`
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.exаmple.com
  |     ^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail\u{3002}example\u{3002}com"),
        r"
error[policy-mx]: `mx` has signs that only look like ASCII: U+3002 is not `.`
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail。example。com
  |     ^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: \u{e9}nforce"),
        r"
error[policy-mode]: `énforce` is no `mode`: did you mean `enforce`?
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: énforce
  |       ^^^^^^^
  = help: write `mode: enforce`
",
    );
}

#[test]
fn names_of_other_scripts_stay() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: \u{441}\u{430}\u{439}\u{442}.example"),
        r"
error[policy-mx]: `mx` has letters that are not ASCII: DNS and MX records have the A-label
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: сайт.example
  |     ^^^^^^^^^^^^
  = help: write `mx: xn--80aswg.example`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: \u{3b2}-test.example"),
        r"
error[policy-mx]: `mx` has letters that are not ASCII: DNS and MX records have the A-label
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: β-test.example
  |     ^^^^^^^^^^^^^^
  = help: write `mx: xn---test-i9d.example`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.example.com\u{b9}"),
        r"
error[policy-mx]: `mx` has `¹`, which no host name has
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.example.com¹
  |     ^^^^^^^^^^^^^^^^^
  = help: name the MX host, as in the MX record
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: 604800\u{b2}"),
        r"
error[policy-max-age]: `max_age` must be a number of seconds of 1 to 10 digits
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: 604800²
  |          ^^^^^^^
  = help: write seconds, such as `max_age: 604800` for a week
",
    );
}

#[test]
fn characters_that_cannot_be_seen() {
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.\u{200b}example.com"),
        r"
error[policy-mx]: `mx` has a character that cannot be seen: U+200B (zero-width space)
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.\u{200b}example.com
  |     ^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("mx: mail.example.com", "mx: mail.ex\u{ad}ample.com"),
        r"
error[policy-mx]: `mx` has a character that cannot be seen: U+00AD (soft hyphen)
  --> line 3, column 5 (RFC 8461 §3.2)
  | mx: mail.ex\u{ad}ample.com
  |     ^^^^^^^^^^^^^^^^^^^^^^
  = help: write `mx: mail.example.com`
",
    );
    shows_policy(
        GOOD.replace("max_age: 604800", "max_age: \u{feff}604800"),
        r"
error[policy-max-age]: `max_age` has a character that cannot be seen: U+FEFF (byte order mark)
  --> line 4, column 10 (RFC 8461 §3.2)
  | max_age: \u{feff}604800
  |          ^^^^^^^^^^^^^^
  = help: write `max_age: 604800`
",
    );
    shows_policy(
        GOOD.replace("mode: enforce", "mode: en\u{2060}force"),
        r"
error[policy-mode]: `mode` has a character that cannot be seen: U+2060 (word joiner)
  --> line 2, column 7 (RFC 8461 §3.2)
  | mode: en\u{2060}force
  |       ^^^^^^^^^^^^^^^
  = help: write `mode: enforce`
",
    );
    shows_policy(
        GOOD.replace("version: STSv1", "ver\u{200b}sion: STSv1"),
        r"
error[policy-no-colon]: the field name `version` has a character that cannot be seen: U+200B (zero-width space)
  --> line 1, column 4 (RFC 8461 §3.2)
  | ver\u{200b}sion: STSv1
  |    ^^^^^^^^^^^^^^^^^^^
  = help: write `version: STSv1`
",
    );
    shows_policy(
        "version:\u{200b} STSv1\nmode:\u{200b} enforce\nmx:\u{200b} mail.example.com\nmax_age:\u{200b} 604800\n",
        r"
error[policy-other-text]: characters that cannot be seen, such as a zero-width space, stand in several lines
  --> line 1, column 1 (RFC 8461 §3.2)
  | version:\u{200b} STSv1
  | ^^^^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
    shows_policy(
        "version:\u{a0}STSv1\nmode:\u{a0}enforce\nmx:\u{a0}mail.example.com\nmax_age:\u{a0}604800\n",
        r"
error[policy-other-text]: characters that only look like spaces, such as a no-break space, stand in several lines
  --> line 1, column 1 (RFC 8461 §3.2)
  | version:\u{a0}STSv1
  | ^^^^^^^^^^^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
}
