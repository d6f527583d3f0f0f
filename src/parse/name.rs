//! Host names and the patterns made of them (RFC 5321 §4.1.2, RFC 8461 §3.2).

use nom::{
    Parser,
    combinator::{opt, verify},
    sequence::preceded,
};

use super::{
    bytes::{Class, literal, run1},
    lexical::Lexed,
};

/// `sts-policy-mx-value = ["*."] Domain`
#[inline]
pub(crate) fn sts_policy_mx_value(input: &[u8]) -> Lexed<'_, ()> {
    preceded(opt(literal(b"*.")), domain).parse(input)
}

/// `Domain = sub-domain *("." sub-domain)`
#[inline]
pub(crate) fn domain(input: &[u8]) -> Lexed<'_, ()> {
    let (mut rest, _) = sub_domain(input)?;
    while let [b'.', label @ ..] = rest
        && let Ok((after, _)) = sub_domain(label)
    {
        rest = after;
    }
    Ok((rest, ()))
}

/// `sub-domain = Let-dig [Ldh-str]` where `Let-dig = ALPHA / DIGIT` and
/// `Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig`: letters, digits and hyphens, with no hyphen at
/// either end.
#[inline]
pub(crate) fn sub_domain(input: &[u8]) -> Lexed<'_> {
    verify(run1(&LET_DIG_HYP), |label: &[u8]| {
        label.first() != Some(&b'-') && label.last() != Some(&b'-')
    })
    .parse(input)
}

pub(crate) fn is_let_dig_hyp(byte: u8) -> bool {
    LET_DIG_HYP.contains(byte)
}

static LET_DIG_HYP: Class = Class::of(&[b'0'..=b'9', b'A'..=b'Z', b'a'..=b'z', b'-'..=b'-']);
