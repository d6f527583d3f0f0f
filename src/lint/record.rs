use alloc::{collections::BTreeSet, format, string::ToString, vec::Vec};
use core::ops::Range;

use super::{
    Diagnostic,
    findings::{Findings, Rule},
    help,
};
use crate::{
    excerpt::excerpt,
    parse::{
        Fault, offset,
        record::{Field, Fields, RecordErrorKind, sts_text_record},
    },
};

const CLAUSE: &str = "RFC 8461 §3.1";
const SPACE_BEFORE_DELIMITER: Rule = Rule::warning("record-space-before-delimiter", CLAUSE);
const DUPLICATE: Rule = Rule::warning("record-duplicate-field", "RFC 8461 §3.2");
const MISSPELT: Rule = Rule::warning("record-field-misspelt", CLAUSE);
const EXTENSION: Rule = Rule::advice("record-extension", "RFC 8461 §3.2");

/// Tells all that is wrong or risky with one `_mta-sts` TXT record: its character-strings joined
/// with nothing between.
#[must_use]
pub fn record(input: &[u8]) -> Vec<Diagnostic> {
    let mut lint = Lint { input, findings: Findings::default(), names: BTreeSet::new() };
    lint.space_before_delimiter();
    match sts_text_record(input) {
        Ok(fields) => lint.fields(fields),
        Err(fault) => lint.fault(fault),
    }
    lint.findings.finish()
}

struct Lint<'a> {
    input: &'a [u8],
    findings: Findings,
    /// The names of the fields so far.
    names: BTreeSet<&'a [u8]>,
}

impl<'a> Lint<'a> {
    fn fields(&mut self, mut fields: Fields<'a>) {
        self.names.insert(b"v");
        while let Some(field) = fields.next() {
            match field {
                Ok(Field::Id(_)) => drop(self.names.insert(b"id")),
                Ok(Field::Other { at, name, .. }) => self.other(at, name),
                Err(fault) => {
                    if fault.kind == RecordErrorKind::Id {
                        self.names.insert(b"id");
                    }
                    self.fault(fault);
                    fields = fields.recover(&fault);
                }
            }
        }
        if !self.names.contains(&b"id"[..]) {
            self.fault(Fault { kind: RecordErrorKind::NoId, at: &[] });
        }
    }

    fn fault(&mut self, fault: Fault<'a, RecordErrorKind>) {
        let Fault { kind, at } = fault;
        let end = at.iter().position(|&byte| byte == b';').unwrap_or(at.len());
        let piece = at.get(..end).unwrap_or_default().trim_ascii_end();
        // An empty field and white space at the end have nothing but themselves to show.
        let len = if piece.is_empty() { at.len().min(1) } else { piece.len() };
        let rule = Rule::error(kind.code(), CLAUSE);
        self.findings.add(
            rule,
            self.span(at, len),
            kind.to_string(),
            help::record(kind, piece, self.input),
        );
    }

    fn other(&mut self, at: &'a [u8], name: &'a [u8]) {
        let span = self.span(at, name.len());
        let shown = excerpt(name);
        if !self.names.insert(name) {
            let message = format!("{shown} is given again: only the first one counts");
            self.findings.add(DUPLICATE, span, message, None);
        } else if name.eq_ignore_ascii_case(b"id") {
            let help = Some("write `id`: names are case-sensitive".into());
            self.findings.add(MISSPELT, span, format!("{shown} is not `id`"), help);
        } else {
            let message = format!("{shown} is no field of RFC 8461: senders ignore it");
            self.findings.add(EXTENSION, span, message, None);
        }
    }

    fn space_before_delimiter(&mut self) {
        let after = self.input.strip_prefix(b"v=STSv1").unwrap_or_default();
        let len = after.len().saturating_sub(after.trim_ascii_start().len());
        if len > 0 && after.get(len) == Some(&b';') {
            let message = "beside any other TXT record, senders drop this one: \
                           it does not begin with `v=STSv1;`";
            let help = Some("leave out the white space before the first `;`".into());
            self.findings.add(SPACE_BEFORE_DELIMITER, self.span(after, len), message, help);
        }
    }

    /// `len` bytes from where `rest`, an end of the input, begins.
    fn span(&self, rest: &[u8], len: usize) -> Range<usize> {
        let start = offset(self.input, rest);
        start..start.saturating_add(len)
    }
}
