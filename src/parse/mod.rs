//! The grammars, one nom function per ABNF rule and named like it.
//!
//! This is the only module that names nom. Lexical rules are nom parsers over bytes whose error
//! says nothing; [`expect`] turns such an error into a [`Fault`], which says what was wanted and
//! where. What a rule means (which duplicate counts, what is required) is not decided here.

pub(crate) mod media_type;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod record;

use nom::{Parser, bytes::complete::take_while1, combinator::verify};

/// What a lexical rule yields: the rest of the input and what was read.
pub(crate) type Lexed<'a, T = &'a [u8]> = nom::IResult<&'a [u8], T, ()>;

/// What a rule that can explain itself yields.
pub(crate) type Parsed<'a, T, K> = Result<(&'a [u8], T), Fault<'a, K>>;

/// A sentence of the grammar that the input broke: which, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault<'a, K> {
    pub(crate) kind: K,
    /// The unread input, beginning with what is wrong.
    pub(crate) at: &'a [u8],
}

/// Where `rest`, an end of `input`, begins.
pub(crate) fn offset(input: &[u8], rest: &[u8]) -> usize {
    input.len().saturating_sub(rest.len())
}

/// Applies a lexical rule; its failure becomes a [`Fault`] of this kind at this place.
fn expect<'a, T, K>(
    mut rule: impl Parser<&'a [u8], Output = T, Error = ()>,
    input: &'a [u8],
    kind: K,
) -> Parsed<'a, T, K> {
    rule.parse(input).map_err(|_| Fault { kind, at: input })
}

/// Whether all of `input` is this rule.
pub(crate) fn is_all<'a, T>(
    mut rule: impl Parser<&'a [u8], Output = T, Error = ()>,
    input: &'a [u8],
) -> bool {
    matches!(rule.parse(input), Ok(([], _)))
}

/// `(ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")`: `sts-ext-name` of records and
/// `sts-policy-ext-name` of policies (whose `sta-policy-alphanum` is a slip of the RFC for
/// `sts-policy-alphanum`).
pub(crate) fn ext_name(input: &[u8]) -> Lexed<'_> {
    verify(take_while1(is_name_char), |name: &[u8]| {
        name.len() <= 32 && name.first().is_some_and(u8::is_ascii_alphanumeric)
    })
    .parse(input)
}

fn is_name_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
