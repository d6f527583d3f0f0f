//! The lexical rules that records and policies share.

use nom::{Parser, combinator::verify};

use super::bytes::{Class, run0, run1};

/// The result of a lexical rule: the rest of the input and the value.
pub(crate) type Lexed<'a, T = &'a [u8]> = nom::IResult<&'a [u8], T, ()>;

/// Returns whether a rule matches all of `input`.
pub(crate) fn is_all<'a, T>(
    mut rule: impl Parser<&'a [u8], Output = T, Error = ()>,
    input: &'a [u8],
) -> bool {
    matches!(rule.parse(input), Ok(([], _)))
}

/// `(ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")`: `sts-ext-name` of records and
/// `sts-policy-ext-name` of policies (whose `sta-policy-alphanum` is a slip of the RFC for
/// `sts-policy-alphanum`).
#[inline]
pub(crate) fn ext_name(input: &[u8]) -> Lexed<'_> {
    verify(run1(&NAME), |name: &[u8]| {
        name.len() <= 32 && name.first().is_some_and(u8::is_ascii_alphanumeric)
    })
    .parse(input)
}

static NAME: Class =
    Class::of(&[b'0'..=b'9', b'A'..=b'Z', b'a'..=b'z', b'_'..=b'_', b'-'..=b'-', b'.'..=b'.']);

/// `*WSP`
#[inline]
pub(super) fn wsp0(input: &[u8]) -> Lexed<'_> {
    run0(&WSP).parse(input)
}

pub(super) static WSP: Class = Class::of(&[b' '..=b' ', b'\t'..=b'\t']);
