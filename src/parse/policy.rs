//! The policy file, `mta-sts.txt` (RFC 8461 §3.2).
//!
//! ```abnf
//! sts-policy-record = sts-policy-field *WSP
//!                     *(sts-policy-term sts-policy-field *WSP)
//!                     [sts-policy-term]
//! ```
//!
//! These are lines, each with a field and optional white space; the last line end is optional.
//! Lines are read one at a time: a parser stops at the first fault, a linter continues after it.
#![expect(
    clippy::inline_always,
    reason = "handing the fields on in memory nearly doubles the time"
)]

use nom::{
    Parser,
    branch::alt,
    bytes::complete::take,
    combinator::{map, value, verify},
    sequence::{preceded, terminated},
};
use thiserror::Error;

use super::{
    bytes::{Class, literal, run1, span},
    fault::{Fault, Parsed, expect, offset},
    lexical::{Lexed, WSP, ext_name, wsp0},
    name::sts_policy_mx_value,
};
use crate::{mode::Mode, tolerances::Tolerances};

/// The kind of an error of a policy file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// The file is empty.
    #[error("the policy is empty")]
    Empty,
    /// The file is larger than [`Policy::MAX_LEN`](crate::Policy::MAX_LEN), and was not parsed.
    #[error("the policy is larger than 65536 bytes")]
    TooLarge,
    /// The file is not UTF-8.
    #[error("the policy is not UTF-8 text")]
    NotUtf8,
    /// The file has a deviation from the grammar (exactly one) that is not among the given
    /// [`Tolerances`].
    #[error("{0} is not allowed")]
    Deviation(Tolerances),
    /// A line does not begin with an `sts-policy-ext-name`.
    #[error(
        "a line begins with a field name: 1 to 32 letters, digits, `_`, `-` or `.`, \
         the first a letter or digit"
    )]
    FieldName,
    /// No `:` follows a field's name.
    #[error("a line is `name: value`, but no `:` follows the name")]
    MissingColon,
    /// The value of an extension field is empty, or contains a control character.
    #[error("a field value is one or more characters, none of them a control character")]
    FieldValue,
    /// The first `version` is not `STSv1`.
    #[error("`version` must be `STSv1`")]
    Version,
    /// The first `mode` is not one of the three.
    #[error("`mode` must be `enforce`, `testing` or `none`")]
    Mode,
    /// The first `max_age` is not 1 to 10 digits.
    #[error("`max_age` must be a number of seconds of 1 to 10 digits")]
    MaxAge,
    /// An `mx` is not a host name, nor `*.` and a host name.
    #[error("`mx` must be one host name, or `*.` and a host name")]
    Mx,
    /// There is no `version`.
    #[error("the policy has no `version`")]
    MissingVersion,
    /// There is no `mode`.
    #[error("the policy has no `mode`")]
    MissingMode,
    /// There is no `max_age`.
    #[error("the policy has no `max_age`")]
    MissingMaxAge,
    /// There is no `mx`, and the mode is not `none`.
    #[error("the policy has no `mx`, which only `mode: none` may leave out")]
    MissingMx,
}

impl PolicyErrorKind {
    /// Returns a stable identifier of the error: the `failure-reason-code` of a report, and the
    /// code of a diagnostic.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "policy-empty",
            Self::TooLarge => "policy-too-large",
            Self::NotUtf8 => "policy-not-utf8",
            Self::Deviation(which) => deviation_code(which),
            Self::FieldName => "policy-field-name",
            Self::MissingColon => "policy-no-colon",
            Self::FieldValue => "policy-field-value",
            Self::Version => "policy-version",
            Self::Mode => "policy-mode",
            Self::MaxAge => "policy-max-age",
            Self::Mx => "policy-mx",
            Self::MissingVersion => "policy-no-version",
            Self::MissingMode => "policy-no-mode",
            Self::MissingMaxAge => "policy-no-max-age",
            Self::MissingMx => "policy-no-mx",
        }
    }
}

fn deviation_code(which: Tolerances) -> &'static str {
    match which {
        Tolerances::BLANK_LINES => "policy-blank-line",
        Tolerances::LEADING_SPACE => "policy-leading-space",
        Tolerances::SPACE_BEFORE_COLON => "policy-space-before-colon",
        Tolerances::BYTE_ORDER_MARK => "policy-byte-order-mark",
        _ => "policy-mx-trailing-dot",
    }
}

/// The field of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Version,
    Mode(Mode),
    /// The `max_age` in seconds. It has up to ten digits, so it may be over the RFC's limit.
    MaxAge(u64),
    /// An `mx` pattern: its start and its length in bytes, without a trailing dot.
    Mx {
        at: &'a [u8],
        len: usize,
    },
    /// Any other field: an extension, or the repetition of one of the first three.
    Other {
        name: &'a [u8],
        value: &'a [u8],
    },
}

/// A callback for each deviation from the grammar, with its place. If it returns `false`, the
/// deviation is a fault.
pub(crate) type Tolerate<'f, 'a> = &'f mut dyn FnMut(Tolerances, &'a [u8]) -> bool;

/// A reader of the lines of a policy, one at a time.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    /// The input from the last requested field on.
    field: &'a [u8],
    /// The fields that count only once and have been read.
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    version: bool,
    mode: bool,
    max_age: bool,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { rest: input, field: input, seen: Seen::default() }
    }

    /// Returns the input from the last requested field on, even if that is faulty.
    pub(crate) fn field(&self) -> &'a [u8] {
        self.field
    }

    /// Reads a byte order mark, which the grammar does not allow but may be tolerated.
    pub(crate) fn byte_order_mark(
        &mut self,
        tolerate: Tolerate<'_, 'a>,
    ) -> Result<(), Fault<'a, PolicyErrorKind>> {
        if let Some(rest) = self.rest.strip_prefix(b"\xEF\xBB\xBF") {
            deviation(Tolerances::BYTE_ORDER_MARK, self.rest, tolerate)?;
            self.rest = rest;
        }
        Ok(())
    }

    /// Reads the field of the next line, or returns `None` at the end. A line with a fault stays
    /// unread.
    #[inline(always)]
    pub(crate) fn next_field(
        &mut self,
        tolerate: Tolerate<'_, 'a>,
    ) -> Result<Option<Field<'a>>, Fault<'a, PolicyErrorKind>> {
        self.field = self.skip_blank_lines(tolerate)?;
        if self.field.is_empty() {
            return Ok(None);
        }
        let (rest, field) = sts_policy_field(self.field, self.seen, tolerate)?;
        self.rest = rest;
        self.note(&field);
        Ok(Some(field))
    }

    /// Skips the next line.
    pub(crate) fn skip_line(&mut self) {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        self.rest = end.and_then(|end| self.rest.get(end..)?.get(1..)).unwrap_or_default();
    }

    /// Skips white space and blank lines up to the first byte of a field, or to the end.
    #[inline]
    fn skip_blank_lines(
        &mut self,
        tolerate: Tolerate<'_, 'a>,
    ) -> Result<&'a [u8], Fault<'a, PolicyErrorKind>> {
        loop {
            let line = self.rest;
            match line {
                [b' ' | b'\t' | b'\r' | b'\n', ..] => {}
                _ => return Ok(line),
            }
            let (rest, indent) = span(&WSP, line);
            if let Ok((rest, ())) = end_of_line(rest) {
                deviation(Tolerances::BLANK_LINES, line, tolerate)?;
                self.rest = rest;
            } else if indent.is_empty() {
                return Ok(line);
            } else {
                deviation(Tolerances::LEADING_SPACE, line, tolerate)?;
                return Ok(rest);
            }
        }
    }

    /// Notes a field that counts only once. "If any non-repeated field -- i.e., all fields
    /// excepting "mx" -- is duplicated, all entries except for the first SHALL be ignored." (RFC
    /// 8461 §3.2)
    #[inline]
    fn note(&mut self, field: &Field<'_>) {
        match field {
            Field::Version => self.seen.version = true,
            Field::Mode(_) => self.seen.mode = true,
            Field::MaxAge(_) => self.seen.max_age = true,
            Field::Mx { .. } | Field::Other { .. } => {}
        }
    }
}

fn deviation<'a>(
    which: Tolerances,
    at: &'a [u8],
    tolerate: Tolerate<'_, 'a>,
) -> Result<(), Fault<'a, PolicyErrorKind>> {
    if tolerate(which, at) {
        Ok(())
    } else {
        Err(Fault { kind: PolicyErrorKind::Deviation(which), at })
    }
}

/// `sts-policy-field *WSP`, and the `sts-policy-term` or the end of the file that follows.
///
/// By the grammar alone, a malformed known field (`mx: *`) would be an extension. It is still an
/// error, because the intended field is not in doubt. The repetition of a field that counts only
/// once is "ignored" (RFC 8461 §3.2), so it is read like an extension.
#[inline(always)]
fn sts_policy_field<'a>(
    line: &'a [u8],
    seen: Seen,
    tolerate: Tolerate<'_, 'a>,
) -> Parsed<'a, Field<'a>, PolicyErrorKind> {
    // Nearly all lines of a long policy.
    if let Some(rest) = line.strip_prefix(b"mx:") {
        return sts_policy_mx(span(&WSP, rest).0, tolerate);
    }
    let (rest, name) = expect(ext_name, line, PolicyErrorKind::FieldName)?;
    let rest = space_before_colon(rest, tolerate)?;
    let (input, ()) = expect(sts_policy_field_delim, rest, PolicyErrorKind::MissingColon)?;
    match name {
        b"mx" => sts_policy_mx(input, tolerate),
        b"mode" if !seen.mode => {
            whole(map(sts_policy_mode_value, Field::Mode), input, PolicyErrorKind::Mode)
        }
        b"max_age" if !seen.max_age => {
            whole(map(sts_policy_max_age_value, Field::MaxAge), input, PolicyErrorKind::MaxAge)
        }
        b"version" if !seen.version => {
            whole(value(Field::Version, sts_policy_version_value), input, PolicyErrorKind::Version)
        }
        _ => {
            let (rest, value) = expect(sts_policy_ext_value, input, PolicyErrorKind::FieldValue)?;
            let (rest, ()) = expect(end_of_field, rest, PolicyErrorKind::FieldValue)?;
            Ok((rest, Field::Other { name, value }))
        }
    }
}

/// Reads a value and the end of its line.
#[inline]
fn whole<'a, T>(
    rule: impl Parser<&'a [u8], Output = T, Error = ()>,
    input: &'a [u8],
    kind: PolicyErrorKind,
) -> Parsed<'a, T, PolicyErrorKind> {
    expect(terminated(rule, end_of_field), input, kind)
}

/// Skips white space between name and colon, which the grammar does not allow but may be tolerated.
#[inline]
fn space_before_colon<'a>(
    input: &'a [u8],
    tolerate: Tolerate<'_, 'a>,
) -> Result<&'a [u8], Fault<'a, PolicyErrorKind>> {
    if let [b' ' | b'\t', ..] = input
        && let (rest @ [b':', ..], _) = span(&WSP, input)
    {
        deviation(Tolerances::SPACE_BEFORE_COLON, input, tolerate)?;
        return Ok(rest);
    }
    Ok(input)
}

/// `sts-policy-mx-field sts-policy-field-delim sts-policy-mx-value`, from its value on.
#[inline(always)]
fn sts_policy_mx<'a>(
    input: &'a [u8],
    tolerate: Tolerate<'_, 'a>,
) -> Parsed<'a, Field<'a>, PolicyErrorKind> {
    let (rest, ()) = expect(sts_policy_mx_value, input, PolicyErrorKind::Mx)?;
    let field = Field::Mx { at: input, len: offset(input, rest) };
    if let Ok((rest, ())) = end_of_field(rest) {
        return Ok((rest, field));
    }
    let mut dotted = preceded(literal(b"."), end_of_field);
    let (end, ()) =
        dotted.parse(rest).map_err(|_| Fault { kind: PolicyErrorKind::Mx, at: input })?;
    deviation(Tolerances::MX_TRAILING_DOT, rest, tolerate)?;
    Ok((end, field))
}

/// `sts-policy-field-delim = ":" *WSP`
#[inline]
fn sts_policy_field_delim(input: &[u8]) -> Lexed<'_, ()> {
    value((), (literal(b":"), wsp0)).parse(input)
}

/// `sts-policy-version-value = %s"STSv1"`
fn sts_policy_version_value(input: &[u8]) -> Lexed<'_, ()> {
    literal(b"STSv1").parse(input)
}

/// `sts-policy-mode-value = %s"testing" / %s"enforce" / %s"none"`
fn sts_policy_mode_value(input: &[u8]) -> Lexed<'_, Mode> {
    alt((
        value(Mode::Enforce, literal(b"enforce")),
        value(Mode::Testing, literal(b"testing")),
        value(Mode::None, literal(b"none")),
    ))
    .parse(input)
}

/// `sts-policy-max-age-value = 1*10(DIGIT)`
fn sts_policy_max_age_value(input: &[u8]) -> Lexed<'_, u64> {
    let (rest, digits) = verify(run1(&DIGIT), |digits: &[u8]| digits.len() <= 10).parse(input)?;
    // Ten digits are less than 2^34.
    let seconds = digits.iter().fold(0, |n: u64, digit| {
        n.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    });
    Ok((rest, seconds))
}

static DIGIT: Class = Class::of(&[b'0'..=b'9']);

/// `sts-policy-ext-value = sts-policy-vchar [*(%x20 / sts-policy-vchar) sts-policy-vchar]`
///
/// It is one or more runs of `sts-policy-vchar` separated by spaces, so it neither begins nor ends
/// with a space.
pub(crate) fn sts_policy_ext_value(input: &[u8]) -> Lexed<'_> {
    let (_, value) =
        verify(run1(&SP_VCHAR), |value: &[u8]| value.first() != Some(&b' ')).parse(input)?;
    take(value.trim_ascii_end().len()).parse(input)
}

/// `%x20 / sts-policy-vchar`, where `sts-policy-vchar = %x21-7E / UTF8-2 / UTF8-3 / UTF8-4`, given
/// that the input is UTF-8.
static SP_VCHAR: Class = Class::of(&[0x20..=0x7E, 0x80..=0xFF]);

/// Parses the `*WSP` after a field, and the end of its line.
#[inline]
fn end_of_field(input: &[u8]) -> Lexed<'_, ()> {
    // Nearly all lines have no white space there.
    alt((end_of_line, preceded(wsp0, end_of_line))).parse(input)
}

/// `sts-policy-term = LF / CRLF`, or the end of the file, where the last one may be left out.
#[inline]
fn end_of_line(input: &[u8]) -> Lexed<'_, ()> {
    match input {
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] | rest @ [] => Ok((rest, ())),
        _ => Err(nom::Err::Error(())),
    }
}
