//! Fields of a policy with misspelt names.

use alloc::format;
use core::{ops::Range, str};

use super::{
    Code, Diagnostic, Severity, alias,
    line::{self, Reading},
    spelling::{known_name, near_name},
    value,
};
use crate::excerpt::quoted_name;

pub(super) struct Misspelt<'a> {
    name: &'a [u8],
    pub(super) known: &'static str,
    likeness: Likeness,
    /// The input from the line on.
    pub(super) at: &'a [u8],
    span: Range<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// The value shows which field it is.
    Value,
    /// One typing error.
    Near,
    /// Only letter case and punctuation differ.
    Certain,
}

impl<'a> Misspelt<'a> {
    pub(super) fn new(name: &'a [u8], at: &'a [u8], span: Range<usize>) -> Option<Self> {
        let (known, likeness) = match (known_name(name), near_name(name)) {
            (Some(known), _) => (known, Likeness::Certain),
            (None, Some(known)) => (known, Likeness::Near),
            (None, None) => (field_by_value(name, at)?, Likeness::Value),
        };
        Some(Self { name, known, likeness, at, span })
    }

    /// `needed`: the policy is not valid without the field. `is_missing`: there is none of it.
    pub(super) fn diagnose(
        self,
        needed: bool,
        is_missing: bool,
        line_span: Range<usize>,
        line_end: &str,
    ) -> Diagnostic {
        let Self { name, known, at, .. } = self;
        let is_repeated_mx = known == "mx" && self.likeness == Likeness::Near;
        if !is_missing && self.likeness != Likeness::Certain && !is_repeated_mx {
            let message =
                format!("{} is no field of RFC 8461: senders ignore it", quoted_name(name));
            return Diagnostic::new(Code::POLICY_EXTENSION, self.span, message);
        }
        let name = str::from_utf8(name).unwrap_or_default();
        let why = if self.likeness == Likeness::Value && inner_name(at) == Some(known) {
            format!("`{name}:` stands before the field name `{known}`")
        } else if self.likeness == Likeness::Value {
            format!("`{name}` is no field of RFC 8461: `{known}` is meant")
        } else if name.eq_ignore_ascii_case(known) {
            format!("`{name}` is not `{known}`: field names are case-sensitive")
        } else {
            format!("`{name}` is not `{known}`: did you mean `{known}`?")
        };
        let severity = if needed { Severity::Error } else { Severity::Warning };
        let found = Diagnostic::new(Code::POLICY_MISSPELT, self.span, why).with_severity(severity);
        // A field beside one that counts already would change what counts, or be ignored.
        if !is_missing && known != "mx" {
            return found;
        }
        let reading = read(self.name, known, at);
        match reading.lines(line_end) {
            Some(lines) => found.with_suggestion(line_span, lines, None),
            None => found.with_help(reading.meant.help.or(Some(format!("write `{known}`")))),
        }
    }

    /// Returns what the line was meant to say.
    pub(super) fn reading(&self) -> Reading {
        read(self.name, self.known, self.at)
    }
}

fn read(name: &[u8], known: &'static str, at: &[u8]) -> Reading {
    let value = value_of(at);
    let inner = line::read(value.as_bytes()).filter(|inner| inner.name == known);
    if let Some(inner) = inner {
        // `policy: version: STSv1`
        return Reading { name: known, meant: inner.meant };
    }
    let meant = alias::read(name, value).filter(|(field, _)| *field == known);
    let meant = meant.map_or_else(|| value::read(known, value), |(_, meant)| meant);
    Reading { name: known, meant }
}

/// Returns the known field name that follows an unknown one: `mode` in `policy: mode: enforce`.
fn inner_name(at: &[u8]) -> Option<&'static str> {
    let (inner, _) = value_of(at).split_once(':')?;
    known_name(inner.trim().as_bytes())
}

/// Returns what follows the colon of the first line.
fn value_of(at: &[u8]) -> &str {
    let end = at.iter().position(|&byte| byte == b'\n').unwrap_or(at.len());
    let line = str::from_utf8(at.get(..end).unwrap_or_default()).unwrap_or_default();
    line.split_once(':').unwrap_or_default().1.trim()
}

/// Returns the known field to which the value of an unknown field belongs.
fn field_by_value(name: &[u8], at: &[u8]) -> Option<&'static str> {
    inner_name(at).or_else(|| alias::read(name, value_of(at)).map(|(known, _)| known))
}
