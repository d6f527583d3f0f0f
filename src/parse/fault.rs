//! The place at which an input violates its grammar.

use nom::Parser;

/// The result of a rule with error information: the rest of the input and the value, or a
/// [`Fault`].
pub(crate) type Parsed<'a, T, K> = Result<(&'a [u8], T), Fault<'a, K>>;

/// A violation of the grammar, with its kind and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault<'a, K> {
    pub(crate) kind: K,
    /// The unread input, which begins at the violation.
    pub(crate) at: &'a [u8],
}

/// Returns the offset at which `rest`, a suffix of `input`, begins.
#[inline]
pub(crate) fn offset(input: &[u8], rest: &[u8]) -> usize {
    input.len().saturating_sub(rest.len())
}

/// Applies a lexical rule, and converts its failure to a [`Fault`] of this kind at this place.
#[inline]
pub(super) fn expect<'a, T, K>(
    mut rule: impl Parser<&'a [u8], Output = T, Error = ()>,
    input: &'a [u8],
    kind: K,
) -> Parsed<'a, T, K> {
    rule.parse(input).map_err(|_| Fault { kind, at: input })
}
