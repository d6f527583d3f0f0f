//! One finding, and how it is put together.

use alloc::{format, string::String};
use core::{fmt, ops::Range};

use super::{Code, Position, Severity, Suggestion};
use crate::excerpt::Printable;

/// One finding about a record, a policy, a media type or the MX hosts of a domain.
///
/// Its span crosses lines (see [`is_multiline`](Self::is_multiline)) where the fault is one of the
/// whole text, such as `policy-other-text`, `policy-front-matter`, `policy-line-breaks` and
/// `policy-too-large`, and where a record holds a line end. All other spans lie within one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Diagnostic {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) clause: &'static str,
    pub(super) span: Range<usize>,
    pub(super) start: Position,
    pub(super) end: Position,
    pub(super) multiline: bool,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) suggestion: Option<Suggestion>,
}

/// The longest line that help shows, in bytes: a field with a DNS name takes half of it.
pub(super) const MAX_SHOWN: usize = 512;

impl Diagnostic {
    pub(super) fn new(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str(),
            severity: code.severity(),
            clause: code.clause(),
            span,
            start: Position::default(),
            end: Position::default(),
            multiline: false,
            message: message.into(),
            help: None,
            suggestion: None,
        }
    }

    pub(super) fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Adds a sentence of help and no replacement text.
    pub(super) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Adds a correction. `reason` completes "write …", or says what to leave out.
    pub(super) fn with_suggestion(
        mut self,
        span: Range<usize>,
        replacement: impl Into<String>,
        reason: Option<String>,
    ) -> Self {
        let replacement = replacement.into();
        let shown = replacement.trim();
        self.help = match (&reason, shown) {
            (_, "") => reason.clone(),
            (_, text) if text.lines().any(|line| line.len() > MAX_SHOWN) => reason.clone(),
            (_, lines) if lines.contains('\n') => Some("write these lines".into()),
            (None, line) => Some(format!("write `{}`", Printable(line))),
            (Some(reason), line) => Some(format!("write `{}`: {reason}", Printable(line))),
        };
        self.suggestion = Some(Suggestion { span, replacement, reason });
        self
    }

    /// Removes the correction and its part of the help.
    pub(super) fn withdraw_suggestion(&mut self) {
        if let Some(Suggestion { reason, .. }) = self.suggestion.take() {
            self.help = reason;
        }
    }

    /// Returns the stable code, such as `policy-mode`; see [`Code`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns how much the finding matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Returns the RFC clause, such as `RFC 8461 §3.2`.
    #[must_use]
    pub fn clause(&self) -> &'static str {
        self.clause
    }

    /// Returns the span in bytes; it is empty, and at the end, if something is missing.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the line and the column where the span begins.
    #[must_use]
    pub fn start(&self) -> Position {
        self.start
    }

    /// Returns the line and the column just after the span.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end
    }

    /// Returns whether the span crosses a line end.
    #[must_use]
    pub fn is_multiline(&self) -> bool {
        self.multiline
    }

    /// Returns what was found, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns how to correct it, in one line, where there is a way.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the correction, where one is certain to be right.
    #[must_use]
    pub fn suggestion(&self) -> Option<&Suggestion> {
        self.suggestion.as_ref()
    }
}

/// In one line, without the source.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)
    }
}
