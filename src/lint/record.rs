//! Findings about a record.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::{ops::Range, str};

use super::{
    Code, Diagnostic,
    findings::{Findings, sort_and_limit},
    foreign_record, record_fault, record_id,
    record_repeat::{self, Repeated},
    record_text::{self, canonical},
    repair,
    spelling::is_placeholder,
};
use crate::{
    excerpt::quoted_name,
    parse::{
        Fault, offset,
        record::{Field, Fields, RecordErrorKind, sts_text_record},
    },
};

/// Returns all that is wrong or risky with one `_mta-sts` TXT record: its character-strings joined
/// with nothing between.
#[must_use]
pub fn record(input: &[u8]) -> Vec<Diagnostic> {
    sort_and_limit(repair::verify(diagnose(input), input, diagnose), input)
}

/// Returns diagnostics whose corrections are not verified yet.
fn diagnose(input: &[u8]) -> Vec<Diagnostic> {
    if let Some(found) = foreign_record::find(input) {
        return vec![found];
    }
    let mut lint = Lint { input, ..Lint::default() };
    lint.space_before_delimiter();
    match sts_text_record(input) {
        Ok(fields) => lint.fields(fields),
        Err(fault) => lint.fault(fault),
    }
    lint.findings.finish()
}

/// The state of the `id`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Id<'a> {
    #[default]
    Missing,
    /// A faulty piece may have been meant for it.
    Possible,
    /// The value of the first one.
    Valid(&'a [u8]),
}

impl Id<'_> {
    fn or_possible(self) -> Self {
        if self == Id::Missing { Id::Possible } else { self }
    }
}

#[derive(Default)]
struct Lint<'a> {
    input: &'a [u8],
    findings: Findings,
    id: Id<'a>,
    /// Set if a second record is written behind the first.
    has_second: bool,
    /// The names of the fields so far.
    names: BTreeSet<&'a [u8]>,
    /// Fields that may be meant for the `id`, judged once all names are known.
    misspelt: Vec<(Range<usize>, &'a [u8])>,
    /// Set if an error suggests the whole record.
    is_corrected: bool,
    /// Set if there is an error for `:` in place of `=`.
    has_colon: bool,
}

impl<'a> Lint<'a> {
    fn fields(&mut self, mut fields: Fields<'a>) {
        self.names.insert(b"v");
        while let Some(field) = fields.next() {
            match field {
                Ok(Field::Id(id)) => self.id(id),
                Ok(Field::Other { at, name, value }) => self.other(at, name, value),
                Err(fault) => {
                    self.fault(fault);
                    fields = fields.recover(&fault);
                }
            }
        }
        for (span, name) in core::mem::take(&mut self.misspelt) {
            self.misspelt_id(span, name);
        }
        if self.id == Id::Missing {
            self.fault(Fault { kind: RecordErrorKind::MissingId, at: &[] });
        }
    }

    fn fault(&mut self, fault: Fault<'a, RecordErrorKind>) {
        let Fault { kind, at } = fault;
        if kind != RecordErrorKind::MissingId && self.is_version_alone() {
            return;
        }
        let end = at.iter().position(|&byte| byte == b';').unwrap_or(at.len());
        let piece = at.get(..end).unwrap_or_default().trim_ascii_end();
        // An empty field and white space at the end have nothing but themselves to show.
        let len = if piece.is_empty() { at.len().min(1) } else { piece.len() };
        let span = self.span(at, len);
        if kind != RecordErrorKind::Version && record_text::may_be_id(self.input, span.clone()) {
            self.id = self.id.or_possible();
        }
        if str::from_utf8(self.input).is_ok_and(|text| record_text::other_version(text).is_some()) {
            // What follows another version is no concern of this one.
            self.id = self.id.or_possible();
        }
        let before = self.input.get(..span.start).unwrap_or_default();
        let before = before.rsplit(|&byte| byte == b';').next().unwrap_or_default();
        if record_repeat::begins_in(kind, before, at, piece) {
            self.has_second = true;
            let code = Code::from_name(kind.code()).unwrap_or(Code::RECORD_VERSION);
            let found = Diagnostic::new(code, span, record_repeat::SECOND);
            return self.push_error(found, Some(record_repeat::ONE_OF_THEM.into()));
        }
        let code = Code::from_name(kind.code()).unwrap_or(Code::RECORD_VERSION);
        let is_line_end = at.trim_ascii().is_empty() && at.contains(&b'\n');
        if is_line_end && kind != RecordErrorKind::Version && !before.ends_with(b"=") {
            let message = "a line end stands at the end of the record";
            return self.push_error(Diagnostic::new(code, span, message), None);
        }
        let stray = record_fault::stray(kind, self.input, span.clone());
        let (message, help) =
            stray.unwrap_or_else(|| record_fault::explain(kind, before, piece, self.input));
        let message = message.unwrap_or_else(|| kind.to_string());
        let is_whole = kind == RecordErrorKind::MissingEquals && piece.is_empty();
        let span = if is_whole { self.field_span(before, span.start) } else { span };
        self.push_error(Diagnostic::new(code, span, message), help);
    }

    /// Returns the span of the text of a field that ends here.
    fn field_span(&self, before: &[u8], end: usize) -> Range<usize> {
        let len = before.trim_ascii_start().len();
        end.saturating_sub(len)..end.min(self.input.len())
    }

    /// Returns whether nothing but white space and `;` follows the version: there is no `id`, and no more
    /// to say.
    fn is_version_alone(&self) -> bool {
        let rest = self.input.strip_prefix(b"v=STSv1");
        rest.is_some_and(|rest| rest.iter().all(|byte| b" \t\r\n;".contains(byte)))
    }

    /// Adds an error, unless an earlier one suggests the whole record or has the same cause.
    fn push_error(&mut self, found: Diagnostic, help: Option<String>) {
        let Some(text) = canonical(self.input) else {
            let is_same_cause = self.has_colon && found.code == Code::RECORD_NO_EQUALS.as_str();
            self.has_colon |= found.code == Code::RECORD_NO_EQUALS.as_str()
                && self.input.get(found.span.start) == Some(&b':');
            if !is_same_cause {
                let record = record_text::without_policy_fields(self.input);
                let record = record.map(|record| {
                    format!("write `{record}`, without what belongs into the policy file")
                });
                self.findings.push(found.with_help(record.or(help)));
            }
            return;
        };
        if !self.is_corrected {
            let help = help.filter(|help| !record_fault::is_vague(help));
            self.findings.push(found.with_suggestion(0..self.input.len(), text, help));
            self.is_corrected = true;
        }
    }

    fn id(&mut self, id: &'a [u8]) {
        self.names.insert(b"id");
        self.id = Id::Valid(id);
        let text = str::from_utf8(id).unwrap_or_default();
        if is_placeholder(text) {
            let message = format!("`{text}` looks like a placeholder for the `id`");
            let start = self.id_start();
            let span = start..start.saturating_add(id.len());
            let found = Diagnostic::new(Code::RECORD_ID_PLACEHOLDER, span, message);
            self.findings.push(found.with_help(Some(record_fault::FRESH_ID.into())));
        }
    }

    /// Returns where the value of the first `id` begins.
    fn id_start(&self) -> usize {
        let mut start: usize = 0;
        for field in self.input.split(|&byte| byte == b';') {
            let indent = field.len().saturating_sub(field.trim_ascii_start().len());
            if field.trim_ascii_start().starts_with(b"id=") {
                return start.saturating_add(indent).saturating_add(3);
            }
            start = start.saturating_add(field.len()).saturating_add(1);
        }
        0
    }

    fn other(&mut self, at: &'a [u8], name: &'a [u8], value: &'a [u8]) {
        let span = self.span(at, name.len());
        let is_version = record_repeat::is_record(name, value);
        if !self.names.insert(name) || is_version {
            let id = if let Id::Valid(id) = self.id { id } else { &[] };
            let repeated = Repeated { input: self.input, at, name, value, id };
            // What a second record repeats is said with its version.
            if !self.has_second {
                self.findings.push(repeated.diagnose());
            }
            self.has_second |= is_version;
        } else if is_like_id(name, value) {
            self.misspelt.push((span, name));
        } else {
            self.extension(span, name);
        }
    }

    fn extension(&mut self, span: Range<usize>, name: &[u8]) {
        let shown = quoted_name(name);
        let message = if record_text::is_policy_field(name) {
            format!("{shown} is a field of the policy file: in the record senders ignore it")
        } else {
            format!("{shown} is no field of RFC 8461: senders ignore it")
        };
        self.findings.push(Diagnostic::new(Code::RECORD_EXTENSION, span, message));
    }

    /// Judges a field such as `ID=1`: it is meant for the `id`, unless there is an `id`.
    fn misspelt_id(&mut self, span: Range<usize>, name: &[u8]) {
        let shown = quoted_name(name);
        let message = if name.eq_ignore_ascii_case(b"id") {
            format!("{shown} is not `id`: field names are case-sensitive")
        } else if self.id != Id::Missing {
            return self.extension(span, name);
        } else {
            format!("{shown} is not `id`: did you mean `id`?")
        };
        if let Id::Valid(_) = self.id {
            let found = Diagnostic::new(Code::RECORD_MISSPELT, span, message);
            self.findings.push(found.with_help(Some("leave it out".into())));
            return;
        }
        self.id = Id::Possible;
        let help = canonical(self.input).is_none().then(|| record_fault::FRESH_ID.into());
        self.push_error(Diagnostic::new(Code::RECORD_NO_ID, span, message), help);
    }

    fn space_before_delimiter(&mut self) {
        let after = self.input.strip_prefix(b"v=STSv1").unwrap_or_default();
        let len = after.len().saturating_sub(after.trim_ascii_start().len());
        if len > 0 && after.get(len) == Some(&b';') {
            let message = "beside any other TXT record, senders drop this one: \
                           it does not begin with `v=STSv1;`";
            let help = Some("leave out the white space before the first `;`".into());
            let span = self.span(after, len);
            let found = Diagnostic::new(Code::RECORD_SPACE_BEFORE_DELIMITER, span.clone(), message);
            self.findings.push(found.with_suggestion(span, "", help));
        }
    }

    /// Returns the span of `len` bytes from where `rest`, an end of the input, begins.
    fn span(&self, rest: &[u8], len: usize) -> Range<usize> {
        let start = offset(self.input, rest);
        start..start.saturating_add(len)
    }
}

/// Returns whether a field is meant for the `id`, if there is no other.
fn is_like_id(name: &[u8], value: &[u8]) -> bool {
    let (name, value) =
        (str::from_utf8(name).unwrap_or_default(), str::from_utf8(value).unwrap_or_default());
    record_id::has_word_id(name)
        || record_id::has_word_id(value)
        || !record_text::is_policy_field(name.as_bytes())
            && record_text::is_misspelt_id(name, value)
}
