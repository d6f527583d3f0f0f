//! The list of findings, sorted and limited.

use alloc::{collections::BTreeMap, format, string::ToString, vec::Vec};
use core::ops::Range;

use super::{
    Code, Diagnostic, Severity,
    position::{Cursor, Position},
};
use crate::parse::policy::PolicyErrorKind;

/// A value that was read, and where.
pub(super) type Placed<T> = (T, Range<usize>);

/// The diagnostics so far, at most [`MAX`] whatever the input.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
    /// The number of diagnostics that were not kept, and the highest severity among them.
    omitted: usize,
    gravest: Option<Severity>,
}

const MAX: usize = 100;

impl Findings {
    pub(super) fn push(&mut self, found: Diagnostic) {
        if self.list.len() < MAX {
            self.list.push(found);
        } else {
            self.omitted = self.omitted.saturating_add(1);
            self.gravest = self.gravest.max(Some(found.severity));
        }
    }

    /// Returns whether the list is full: further diagnostics are counted and not kept.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX
    }

    /// Removes the last diagnostic if it has this code and begins at or after `start`: the correction
    /// of the whole line covers it.
    pub(super) fn take_back(&mut self, code: Code, start: usize) {
        self.list.pop_if(|last| last.code == code.as_str() && last.span.start >= start);
    }

    /// Removes the diagnostics with this code within a line whose correction covers them.
    pub(super) fn remove_within(&mut self, code: Code, line: &Range<usize>) {
        self.list.retain(|one| one.code != code.as_str() || !line.contains(&one.span.start));
    }

    /// Returns the diagnostics in the order of the source; if there were too many, a last one says
    /// so.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|found| found.span.start);
        if let Some(severity) = self.gravest {
            let end = self.list.last().map_or(0, |found| found.span.end);
            let message = format!("{} more, not listed", self.omitted);
            self.list.push(Diagnostic::new(Code::MORE, end..end, message).with_severity(severity));
        }
        self.list
    }
}

/// Sets the lines and columns of the diagnostics.
pub(super) fn sort_and_limit(mut list: Vec<Diagnostic>, source: &[u8]) -> Vec<Diagnostic> {
    let spans = list.iter().map(|found| &found.span);
    let mut offsets: Vec<usize> = spans.flat_map(|span| [span.start, span.end]).collect();
    offsets.sort_unstable();
    let mut cursor = Cursor::new(source);
    let positions: BTreeMap<usize, Position> =
        offsets.into_iter().map(|offset| (offset, cursor.position(offset))).collect();
    let position = |offset| positions.get(&offset).copied().unwrap_or_default();
    for found in &mut list {
        found.start = position(found.span.start);
        found.end = position(found.span.end);
        found.multiline = found.start.line != found.end.line;
    }
    list
}

/// Creates the finding of a fault that the parser knows.
pub(super) fn error(kind: PolicyErrorKind, span: Range<usize>) -> Diagnostic {
    let code = Code::from_name(kind.code()).unwrap_or(Code::POLICY_FIELD_NAME);
    Diagnostic::new(code, span, kind.to_string())
}
