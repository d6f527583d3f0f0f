//! Host names and the patterns made of them (RFC 5321 §4.1.2, RFC 8461 §3.2).

use nom::{
    Parser,
    bytes::complete::{tag, take_while1},
    character::complete::char,
    combinator::{opt, recognize, verify},
    multi::many0_count,
    sequence::preceded,
};

use super::Lexed;

/// `sts-policy-mx-value = ["*."] Domain`
pub(crate) fn sts_policy_mx_value(input: &[u8]) -> Lexed<'_> {
    recognize((opt(tag("*.")), domain)).parse(input)
}

/// `Domain = sub-domain *("." sub-domain)`
pub(crate) fn domain(input: &[u8]) -> Lexed<'_> {
    recognize((sub_domain, many0_count(preceded(char('.'), sub_domain)))).parse(input)
}

/// `sub-domain = Let-dig [Ldh-str]` where `Let-dig = ALPHA / DIGIT` and
/// `Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig`: letters, digits and hyphens, with no hyphen at
/// either end.
pub(crate) fn sub_domain(input: &[u8]) -> Lexed<'_> {
    verify(take_while1(is_let_dig_hyp), |label: &[u8]| {
        label.first() != Some(&b'-') && label.last() != Some(&b'-')
    })
    .parse(input)
}

pub(crate) fn is_let_dig_hyp(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}
