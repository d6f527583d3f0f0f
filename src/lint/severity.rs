//! The severity of a finding.

use core::fmt;

/// The severity of a [`Diagnostic`](super::Diagnostic).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Severity {
    /// Legal and harmless; there is a better way.
    Advice,
    /// Legal, but it does not do what was probably meant, or weakens the policy.
    Warning,
    /// A fault for which senders that conform to the RFC find no policy.
    Error,
}

impl Severity {
    /// Returns `advice`, `warning` or `error`.
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
