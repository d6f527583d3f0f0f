//! Faults of the policy, which a valid host serves.

use super::scenario::{Applies, EITHER, GOOD, NO_POLICY, Page, Phase, Scenario, scenario};

type Text = &'static str;

/// A text that is not a policy.
const fn invalid(name: Text, reason: Text, rows: &'static [Text], text: Text) -> Scenario {
    scenario(name, reason, rows, Phase { page: Page::Policy(text), expected: NO_POLICY, ..GOOD })
}

/// A text that is a policy, whatever it looks like.
const fn valid(name: Text, reason: Text, rows: &'static [Text], text: Text) -> Scenario {
    scenario(name, reason, rows, Phase { page: Page::Policy(text), ..GOOD })
}

/// A text that is no policy by the grammar, but can mean only one thing, so that tolerating it is no harm.
const fn open(name: Text, reason: Text, rows: &'static [Text], text: Text) -> Scenario {
    scenario(name, reason, rows, Phase { page: Page::Policy(text), expected: EITHER, ..GOOD })
}

pub(super) const ALL: &[Scenario] = &[
    invalid(
        "policy-empty",
        "the body is empty",
        &["S3.2-06"],
        "",
    ),
    invalid(
        "policy-version-absent",
        "there is no version",
        &["S3.2-06"],
        "mode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-version-other",
        "the version is STSv2",
        &["S3.2-06"],
        "version: STSv2\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-version-lower-case",
        "the version is in lower case",
        &["S3.2-05"],
        "version: stsv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mode-absent",
        "there is no mode",
        &["S3.2-06"],
        "version: STSv1\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mode-misspelt",
        "the mode is \"enforced\"",
        &["S3.2-06"],
        "version: STSv1\nmode: enforced\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mode-upper-case",
        "the mode is \"Enforce\"",
        &["S3.2-05"],
        "version: STSv1\nmode: Enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-key-upper-case",
        "the key of the mode is \"Mode\"",
        &["S3.2-05"],
        "version: STSv1\nMode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mx-absent",
        "the mode is enforce, and there is no MX host",
        &["S3.2-07"],
        "version: STSv1\nmode: enforce\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mx-two-in-a-line",
        "a line names two MX hosts",
        &["S3.2-08"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}, mx2.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mx-star",
        "the pattern is a bare star",
        &["S3.2-13"],
        "version: STSv1\nmode: enforce\nmx: *\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mx-inner-wildcard",
        "the wildcard is not the first label",
        &["S3.2-13"],
        "version: STSv1\nmode: enforce\nmx: mx.*.{domain}\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mx-u-label",
        "the pattern is an internationalized name",
        &["S3.2-14"],
        "version: STSv1\nmode: enforce\nmx: mx.bücher.example\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mx-injection",
        "the pattern would add attributes to the answer of a daemon for Postfix",
        &["S3.2-13"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain} servername=evil.example\nmax_age: 604800\n",
    ),
    invalid(
        "policy-mx-underscore",
        "the pattern has an underscore",
        &["S3.2-13"],
        "version: STSv1\nmode: enforce\nmx: _mx.{domain}\nmax_age: 604800\n",
    ),
    open(
        "policy-mx-trailing-dot",
        "the pattern ends with a dot, which many tolerate",
        &["S3.2-13"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}.\nmax_age: 604800\n",
    ),
    invalid(
        "policy-max-age-absent",
        "there is no max_age",
        &["S3.2-06"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}\n",
    ),
    invalid(
        "policy-max-age-negative",
        "max_age is negative",
        &["S3.2-09"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: -1\n",
    ),
    invalid(
        "policy-max-age-19-digits",
        "max_age is the largest number of 64 bits",
        &["S3.2-09"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 9223372036854775807\n",
    ),
    open(
        "policy-max-age-over-limit",
        "max_age is over the limit of a year: EID 7282 leaves open what that means",
        &["S3.2-09"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 4294967297\n",
    ),
    invalid(
        "policy-max-age-with-commas",
        "max_age has a comma between thousands",
        &["S3.2-09"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604,800\n",
    ),
    invalid(
        "policy-max-age-with-unit",
        "max_age has a unit",
        &["S3.2-09"],
        "version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 7d\n",
    ),
    open(
        "policy-byte-order-mark",
        "a byte order mark precedes the text, which many tolerate",
        &["S3.2-11"],
        "\u{feff}version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    open(
        "policy-blank-lines",
        "there are blank lines, which many tolerate",
        &["S3.2-11"],
        "version: STSv1\n\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n\n",
    ),
    open(
        "policy-lone-cr",
        "lines end with CR, which some tolerate",
        &["S3.2-11"],
        "version: STSv1\rmode: enforce\rmx: mx.{domain}\rmax_age: 604800\r",
    ),
    invalid(
        "policy-line-without-colon",
        "a line is no field",
        &["S3.2-11"],
        "version: STSv1\ngarbage\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    open(
        "policy-space-before-colon",
        "a space precedes a colon, which some tolerate",
        &["S3.2-11"],
        "version: STSv1\nmode : enforce\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    valid(
        "policy-line-ends-mixed",
        "lines end with LF and CRLF, the last one with neither",
        &["S3.2-11"],
        "version: STSv1\r\nmode: enforce\nmx: mx.{domain}\r\nmax_age: 604800",
    ),
    valid(
        "policy-space-around",
        "tabs and spaces follow colons, and stand at the ends of lines",
        &["S3.2-11"],
        "version:STSv1 \nmode:\tenforce\t\nmx:   mx.{domain}\nmax_age: 604800\n",
    ),
    valid(
        "policy-order",
        "the version comes last",
        &["S3.2-12"],
        "max_age: 604800\nmx: mx.{domain}\nmode: enforce\nversion: STSv1\n",
    ),
    valid(
        "policy-unknown-fields",
        "there are unknown fields",
        &["S3.2-01", "S3.2-15"],
        "version: STSv1\na_b-c.d: x y:z\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\nmx2: evil.example\n",
    ),
    valid(
        "policy-two-modes",
        "there are two modes, of which the first counts",
        &["S3.2-02"],
        "version: STSv1\nmode: enforce\nmode: none\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    valid(
        "policy-two-modes-one-junk",
        "there are two modes; the second is `none`",
        &["S3.2-02"],
        "version: STSv1\nmode: enforce\nmode: x\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    valid(
        "policy-utf-8",
        "an unknown field has letters beyond ASCII",
        &["S3.2-15"],
        "version: STSv1\nmode: enforce\na: gr\u{fc}n\nmx: mx.{domain}\nmax_age: 604800\n",
    ),
    scenario(
        "policy-not-utf-8",
        "the text is not UTF-8",
        &["S3.2-15"],
        Phase {
            page: Page::Bytes(
                b"version: STSv1\nmode: enforce\na: \xff\nmx: mx.policy-not-utf-8.hostile.example\nmax_age: 604800\n",
            ),
            expected: NO_POLICY,
            ..GOOD
        },
    ),
    scenario(
        "policy-nul",
        "the text has a NUL",
        &["S3.2-15"],
        Phase {
            page: Page::Bytes(
                b"version: STSv1\nmode: enforce\0\nmx: mx.policy-nul.hostile.example\nmax_age: 604800\n",
            ),
            expected: NO_POLICY,
            ..GOOD
        },
    ),
    scenario(
        "policy-wildcard",
        "the pattern has a wildcard",
        &["S4.1-02"],
        Phase {
            page: Page::Policy("version: STSv1\nmode: enforce\nmx: *.{domain}\nmax_age: 604800\n"),
            expected: &[Applies::Policy(&["*.{domain}"])],
            ..GOOD
        },
    ),
    scenario(
        "policy-mx-mixed-case",
        "the pattern has upper case letters",
        &["S4.1-03"],
        Phase {
            page: Page::Policy("version: STSv1\nmode: enforce\nmx: MX.{domain}\nmax_age: 604800\n"),
            ..GOOD
        },
    ),
];
