//! The media type of a policy file (RFC 8461 §3.2, by the grammar of RFC 9110 §§5.6, 8.3.1).

use nom::{
    Parser,
    branch::alt,
    bytes::complete::{escaped, tag, take_while1},
    character::complete::{anychar, char, space0},
    combinator::{opt, success, value},
    multi::fold_many0,
    sequence::{delimited, separated_pair},
};

use super::lexical::Lexed;

/// The parts of a `Content-Type` that concern a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MediaType<'a> {
    pub(crate) kind: &'a [u8],
    pub(crate) subtype: &'a [u8],
    pub(crate) charset: Option<&'a [u8]>,
}

impl<'a> MediaType<'a> {
    /// Returns whether the type is `text/plain`. Media types are compared without regard to case
    /// (RFC 9110 §8.3.1).
    pub(crate) fn is_text_plain(&self) -> bool {
        self.kind.eq_ignore_ascii_case(b"text") && self.subtype.eq_ignore_ascii_case(b"plain")
    }

    /// Returns the charset, if it is not compatible with a policy, which is UTF-8.
    pub(crate) fn odd_charset(&self) -> Option<&'a [u8]> {
        self.charset.filter(|charset| {
            !charset.eq_ignore_ascii_case(b"utf-8") && !charset.eq_ignore_ascii_case(b"us-ascii")
        })
    }
}

/// `media-type = type "/" subtype parameters`
pub(crate) fn media_type(input: &[u8]) -> Lexed<'_, MediaType<'_>> {
    let names = delimited(space0, separated_pair(token, char('/'), token), space0);
    (names, parameters)
        .map(|((kind, subtype), charset)| MediaType { kind, subtype, charset })
        .parse(input)
}

/// `parameters = *( OWS ";" OWS [ parameter ] )`; the value of the first `charset` among them.
fn parameters(input: &[u8]) -> Lexed<'_, Option<&[u8]>> {
    let next = delimited((space0, char(';'), space0), opt(parameter), space0);
    fold_many0(
        next,
        || None,
        |charset, parameter| {
            charset.or(match parameter {
                Some((name, value)) if name.eq_ignore_ascii_case(b"charset") => Some(value),
                _ => None,
            })
        },
    )
    .parse(input)
}

/// `parameter = parameter-name "=" parameter-value`, the value without its quotes.
fn parameter(input: &[u8]) -> Lexed<'_, (&[u8], &[u8])> {
    separated_pair(token, char('='), alt((token, quoted_string))).parse(input)
}

/// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`
fn quoted_string(input: &[u8]) -> Lexed<'_> {
    let text = take_while1(|byte| !matches!(byte, b'"' | b'\\'));
    let content = alt((escaped(text, '\\', anychar), value(&b""[..], success(()))));
    delimited(char('"'), content, tag("\"")).parse(input)
}

/// `token = 1*tchar`
fn token(input: &[u8]) -> Lexed<'_> {
    take_while1(|byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        .parse(input)
}
