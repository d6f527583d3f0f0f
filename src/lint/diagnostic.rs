use alloc::string::String;
use core::{fmt, ops::Range};

use super::Rendered;

/// One thing worth telling the one who publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Diagnostic {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) clause: &'static str,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// How much a [`Diagnostic`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Severity {
    /// Legal and harmless; there is a better way.
    Advice,
    /// Legal, but it does not do what was probably meant, or weakens the policy.
    Warning,
    /// Not valid: senders that hold to the RFC find no policy.
    Error,
}

impl Diagnostic {
    /// A stable word for what was found, such as `policy-mode`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The clause it comes from, such as `RFC 8461 §3.2`.
    #[must_use]
    pub fn clause(&self) -> &'static str {
        self.clause
    }

    /// Where it is, in bytes; empty, at the end, if something is missing.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What was found, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How to mend it, in one line, where there is a way.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The diagnostic as text, with the line of `source` that it is about and the span underlined.
    ///
    /// `source` is what was linted. What is not printable is shown escaped, long lines in part.
    #[must_use]
    pub fn render<'a>(&'a self, source: &'a [u8]) -> Rendered<'a> {
        Rendered::new(self, source)
    }
}

/// In one line, without the source.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)
    }
}

impl Severity {
    /// `advice`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
