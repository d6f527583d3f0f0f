//! The `_mta-sts` TXT record (RFC 8461 §3.1).
//!
//! ```abnf
//! sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
//! ```

use nom::{
    Parser,
    combinator::value,
    sequence::{delimited, preceded},
};
use thiserror::Error;

use super::{
    bytes::{Class, literal, run1},
    fault::{Fault, Parsed, expect},
    lexical::{Lexed, ext_name, is_all, wsp0},
};

/// The kind of an error of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RecordErrorKind {
    /// The record does not begin with `sts-version`.
    #[error("the record must begin with `v=STSv1`")]
    Version,
    /// Something other than `sts-field-delim` or the end follows a field.
    #[error("expected `;` between fields")]
    Delimiter,
    /// White space ends the record without a `;` before it.
    #[error("white space at the end needs a `;` before it")]
    TrailingSpace,
    /// Two delimiters follow each other.
    #[error("a field between two `;` is empty")]
    EmptyField,
    /// A field's name is not an `sts-ext-name`.
    #[error(
        "a field name is 1 to 32 letters, digits, `_`, `-` or `.`, the first a letter or digit"
    )]
    FieldName,
    /// No `=` follows a field's name.
    #[error("a field is `name=value`, without white space around `=`")]
    MissingEquals,
    /// A field's value is empty or contains a byte that `sts-ext-value` does not allow.
    #[error("a field value is one or more printable ASCII characters other than `=` and `;`")]
    FieldValue,
    /// The first `id` is not an `sts-id`.
    #[error("`id` must be 1 to 32 letters and digits")]
    Id,
    /// There is no `id`.
    #[error("the record has no `id`")]
    MissingId,
}

/// A field after the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    /// The first `id`: 1 to 32 letters and digits.
    Id(&'a [u8]),
    /// Any other field: an extension, or a repetition of `v` or `id`.
    /// `at` is the unread input from its name on.
    Other { at: &'a [u8], name: &'a [u8], value: &'a [u8] },
}

/// A reader of the fields after `sts-version`, in order. It stops after the first fault.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    id_known: bool,
}

/// Reads `sts-version`, and returns a reader of the fields after it.
pub(crate) fn sts_text_record(input: &[u8]) -> Result<Fields<'_>, Fault<'_, RecordErrorKind>> {
    let (rest, ()) = expect(sts_version, input, RecordErrorKind::Version)?;
    Ok(Fields { rest, id_known: false })
}

impl RecordErrorKind {
    /// Returns a stable identifier of the error, which is also the code of its diagnostic.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Version => "record-version",
            Self::Delimiter => "record-delimiter",
            Self::TrailingSpace => "record-trailing-space",
            Self::EmptyField => "record-empty-field",
            Self::FieldName => "record-field-name",
            Self::MissingEquals => "record-no-equals",
            Self::FieldValue => "record-field-value",
            Self::Id => "record-id",
            Self::MissingId => "record-no-id",
        }
    }
}

impl<'a> Fields<'a> {
    /// Parses `sts-field-delim sts-field`, or the end of the record, before which one
    /// `sts-field-delim` is allowed. The grammar requires a field before that; a record without an
    /// `id` is refused anyway, so this needs no check.
    #[expect(
        clippy::inline_always,
        reason = "handing the field on in memory takes half as long again"
    )]
    #[inline(always)]
    fn next_field(&mut self) -> Parsed<'a, Option<Field<'a>>, RecordErrorKind> {
        if self.rest.is_empty() {
            return Ok((self.rest, None));
        }
        let (rest, ()) = sts_field_delim(self.rest).map_err(|_| self.no_delimiter())?;
        if rest.is_empty() {
            return Ok((rest, None));
        }
        let (rest, field) = sts_field(rest, self.id_known)?;
        Ok((rest, Some(field)))
    }

    #[cold]
    fn no_delimiter(&self) -> Fault<'a, RecordErrorKind> {
        let kind = if is_all(wsp0, self.rest) {
            RecordErrorKind::TrailingSpace
        } else {
            RecordErrorKind::Delimiter
        };
        Fault { kind, at: self.rest }
    }

    /// Continues at the next `;` after a fault, to find all faults.
    pub(crate) fn recover(self, fault: &Fault<'a, RecordErrorKind>) -> Self {
        // An empty field is an extra `;`, so the `;` after it is the delimiter of the next field.
        let stop = fault.at.iter().position(|&byte| byte == b';').unwrap_or(fault.at.len());
        Self { rest: fault.at.get(stop..).unwrap_or_default(), id_known: self.id_known }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Fault<'a, RecordErrorKind>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.next_field() {
            Ok((rest, field)) => {
                self.rest = rest;
                self.id_known |= matches!(field, Some(Field::Id(_)));
                field.map(Ok)
            }
            Err(fault) => {
                self.rest = &[];
                Some(Err(fault))
            }
        }
    }
}

/// `sts-version = %s"v=STSv1"`
pub(crate) fn sts_version(input: &[u8]) -> Lexed<'_, ()> {
    literal(b"v=STSv1").parse(input)
}

/// `sts-field-delim = *WSP ";" *WSP`
pub(crate) fn sts_field_delim(input: &[u8]) -> Lexed<'_, ()> {
    value((), delimited(wsp0, literal(b";"), wsp0)).parse(input)
}

/// `sts-field = sts-id / sts-extension`
///
/// By the grammar alone, a malformed `id` would be an extension. It is still an error, because `id`
/// is required and the intended field is not in doubt. A *second* `id` is "ignored" (RFC 8461 §3.2,
/// last paragraph), so it is read like any other field.
fn sts_field(input: &[u8], id_known: bool) -> Parsed<'_, Field<'_>, RecordErrorKind> {
    if !id_known && input.starts_with(b"id=") {
        let (rest, id) = expect(sts_id, input, RecordErrorKind::Id)?;
        return if ends_field(rest) {
            Ok((rest, Field::Id(id)))
        } else {
            Err(Fault { kind: RecordErrorKind::Id, at: input })
        };
    }
    sts_extension(input)
}

/// `sts-id = %s"id=" 1*32(ALPHA / DIGIT)`
fn sts_id(input: &[u8]) -> Lexed<'_> {
    preceded(literal(b"id="), sts_id_value).parse(input)
}

/// Parses the value of `sts-id`: `1*32(ALPHA / DIGIT)`
#[inline]
pub(crate) fn sts_id_value(input: &[u8]) -> Lexed<'_> {
    let (rest, id) = run1(&ALPHANUMERIC).parse(input)?;
    if id.len() <= 32 { Ok((rest, id)) } else { Err(nom::Err::Error(())) }
}

static ALPHANUMERIC: Class = Class::of(&[b'0'..=b'9', b'A'..=b'Z', b'a'..=b'z']);

/// `sts-extension = sts-ext-name "=" sts-ext-value`
fn sts_extension(input: &[u8]) -> Parsed<'_, Field<'_>, RecordErrorKind> {
    if input.first() == Some(&b';') {
        return Err(Fault { kind: RecordErrorKind::EmptyField, at: input });
    }
    let (rest, name) = expect(ext_name, input, RecordErrorKind::FieldName)?;
    let (rest, ()) = expect(literal(b"="), rest, RecordErrorKind::MissingEquals)?;
    let (rest, value) = expect(sts_ext_value, rest, RecordErrorKind::FieldValue)?;
    if ends_field(rest) {
        Ok((rest, Field::Other { at: input, name, value }))
    } else {
        Err(Fault { kind: RecordErrorKind::FieldValue, at: rest })
    }
}

/// `sts-ext-value = 1*(%x21-3A / %x3C / %x3E-7E)`: printable, but neither `;` nor `=`.
pub(crate) fn sts_ext_value(input: &[u8]) -> Lexed<'_> {
    run1(&VALUE).parse(input)
}

static VALUE: Class = Class::of(&[0x21..=0x3A, 0x3C..=0x3C, 0x3E..=0x7E]);

/// Returns whether the end of the record, white space, or a delimiter follows.
fn ends_field(rest: &[u8]) -> bool {
    matches!(rest, [] | [b' ' | b'\t' | b';', ..])
}

/// Returns whether `input` begins like a complete record: with a version, then a delimiter.
pub(crate) fn is_candidate(input: &[u8]) -> bool {
    (sts_version, sts_field_delim).parse(input).is_ok()
}
