use alloc::{format, string::String, vec::Vec};
use core::ops::Range;

use super::{Diagnostic, Severity};

/// What makes one kind of finding: its code, its weight and its source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    code: &'static str,
    severity: Severity,
    clause: &'static str,
}

impl Rule {
    pub(super) const fn error(code: &'static str, clause: &'static str) -> Self {
        Self { code, severity: Severity::Error, clause }
    }

    pub(super) const fn warning(code: &'static str, clause: &'static str) -> Self {
        Self { code, severity: Severity::Warning, clause }
    }

    pub(super) const fn advice(code: &'static str, clause: &'static str) -> Self {
        Self { code, severity: Severity::Advice, clause }
    }
}

/// A value that was read, and where.
pub(super) type Placed<T> = (T, Range<usize>);

/// The diagnostics so far, no more than [`MAX`] of them whatever the input.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
    /// How many more there were, and the gravest of them.
    omitted: usize,
    gravest: Option<Severity>,
}

const MAX: usize = 100;

impl Findings {
    pub(super) fn add(
        &mut self,
        rule: Rule,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let Rule { code, severity, clause } = rule;
        if self.list.len() == MAX {
            self.omitted = self.omitted.saturating_add(1);
            self.gravest = self.gravest.max(Some(severity));
            return;
        }
        let message = message.into();
        self.list.push(Diagnostic { code, severity, clause, span, message, help });
    }

    /// The diagnostics in the order of the source; if there were too many, a last one says so.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|found| found.span.start);
        if let Some(severity) = self.gravest {
            let end = self.list.last().map_or(0, |found| found.span.end);
            self.list.push(Diagnostic {
                code: "more",
                severity,
                clause: "RFC 8461 §3",
                span: end..end,
                message: format!("{} more, not listed", self.omitted),
                help: None,
            });
        }
        self.list
    }
}
