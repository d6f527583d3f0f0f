//! The grammars, one nom function per ABNF rule and named like it.
//!
//! This is the only module that names nom. Lexical rules are nom parsers over bytes whose error
//! says nothing; [`expect`] turns such an error into a [`Fault`], which says what was wanted and
//! where. What a rule means (which duplicate counts, what is required) is not decided here.

mod bytes;
pub(crate) mod http_date;
pub(crate) mod media_type;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod record;

use nom::{Parser, combinator::verify};

use self::bytes::{Class, run0, run1};

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
#[inline]
pub(crate) fn offset(input: &[u8], rest: &[u8]) -> usize {
    input.len().saturating_sub(rest.len())
}

/// Applies a lexical rule; its failure becomes a [`Fault`] of this kind at this place.
#[inline]
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
fn wsp0(input: &[u8]) -> Lexed<'_> {
    run0(&WSP).parse(input)
}

static WSP: Class = Class::of(&[b' '..=b' ', b'\t'..=b'\t']);
