//! Findings about fields that are given again, and records that are written twice.

use alloc::{format, string::String, vec::Vec};
use core::str;

use super::{Code, Diagnostic, known_record::known_record, record_text::is_version, shown::Shown};
use crate::{
    excerpt::quoted_name,
    parse::{offset, record::RecordErrorKind},
};

/// A field that is given again.
pub(super) struct Repeated<'a> {
    pub(super) input: &'a [u8],
    /// The input from its name on.
    pub(super) at: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// The `id` that counts.
    pub(super) id: &'a [u8],
}

pub(super) const SECOND: &str = "a second record begins in the text of the first";
pub(super) const ONE_OF_THEM: &str =
    "publish one of them: with two records, senders find no policy";

/// Returns whether a second record begins in the faulty field, or after the faulty `;`. `before` is the
/// part of the field before the fault.
pub(super) fn begins_in(kind: RecordErrorKind, before: &[u8], at: &[u8], piece: &[u8]) -> bool {
    let text = match kind {
        RecordErrorKind::EmptyField => {
            let is_record = |byte: &u8| !matches!(byte, b';' | b' ' | b'\t');
            let start = at.iter().position(is_record).unwrap_or(at.len());
            at.get(start..start.saturating_add(5)).unwrap_or_default().to_vec()
        }
        RecordErrorKind::Delimiter => piece.to_vec(),
        RecordErrorKind::MissingEquals | RecordErrorKind::FieldName | RecordErrorKind::Id => {
            [before, piece].concat()
        }
        _ => return false,
    };
    let text: Vec<u8> = text.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
    text.windows(5).any(|five| five.eq_ignore_ascii_case(b"v=sts"))
}

/// Returns whether a field begins a second record.
pub(super) fn is_record(name: &[u8], value: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"v") && is_version(&String::from_utf8_lossy(value))
}

impl Repeated<'_> {
    pub(super) fn diagnose(&self) -> Diagnostic {
        let start = offset(self.input, self.at);
        let end = start.saturating_add(self.name.len());
        let found = |message| Diagnostic::new(Code::RECORD_DUPLICATE, start..end, message);
        if is_record(self.name, self.value) {
            return self.second_record(found(
                "a second record is written behind the first: senders read both as one, and use its \
                 first `id`"
                    .into(),
            ));
        }
        let rest = str::from_utf8(self.at).unwrap_or_default().to_ascii_lowercase();
        if let Some((kind, place)) = known_record(&rest).filter(|_| self.name == b"v") {
            let found = found(format!("{kind} record is written behind this one"));
            return found.with_help(Some(format!("publish it {place}")));
        }
        if self.name != b"id" {
            return found(format!(
                "{} is given again: only the first one counts",
                quoted_name(self.name)
            ));
        }
        let (id, other) = (String::from_utf8_lossy(self.id), String::from_utf8_lossy(self.value));
        if id == other {
            return self.without(found(format!("`id={}` is given twice", Shown(&id))));
        }
        found(format!(
            "`id` is given twice, as `{}` and `{}`: senders use the first one",
            Shown(&id),
            Shown(&other)
        ))
        .with_help(Some("leave out the one that is not meant".into()))
    }

    /// Suggests one of several equal records, or the one that is more than a version.
    fn second_record(&self, found: Diagnostic) -> Diagnostic {
        let text = String::from_utf8_lossy(self.input);
        let is_end = |c: char| c == ';' || c.is_ascii_whitespace();
        let is_more = |record: &&str| !record.trim_end_matches(is_end).is_empty();
        let mut records = text.rsplit("v=STSv1").filter(is_more);
        let Some(last) = records.next() else { return found };
        let one = last.trim_end_matches(is_end);
        let record = format!("v=STSv1{}", last.trim_ascii_end());
        let is_more_than_one = record.len() < text.len();
        if is_more_than_one && records.all(|record| record.trim_end_matches(is_end) == one) {
            return found.with_suggestion(0..self.input.len(), record, None);
        }
        found.with_help(Some("publish one record, that with the `id` that is meant".into()))
    }

    /// Suggests to leave out the field, and the `;` before it.
    fn without(&self, found: Diagnostic) -> Diagnostic {
        let before = self.input.get(..found.span.start).unwrap_or_default();
        let before = before.trim_ascii_end();
        let before = before.strip_suffix(b";").unwrap_or(before).trim_ascii_end();
        let end = found.span.end.saturating_add(1).saturating_add(self.value.len());
        found.with_suggestion(before.len()..end, "", Some("leave out one of them".into()))
    }
}
