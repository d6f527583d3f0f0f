//! Corrections of findings.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

/// A machine-readable correction: a span of the source and the text to put there.
///
/// Applying it removes its diagnostic, adds no error, and keeps the meaning of what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Suggestion {
    pub(super) span: Range<usize>,
    pub(super) replacement: String,
    /// The part of the help that remains if the replacement cannot be offered.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) reason: Option<String>,
}

impl Suggestion {
    /// Returns the bytes of the source to replace; empty where text is only inserted.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the text to put there; empty if text is only removed.
    #[must_use]
    pub fn replacement(&self) -> &str {
        &self.replacement
    }

    /// Returns `source`, which is the text that was linted, with the correction applied.
    #[must_use]
    pub fn apply(&self, source: &[u8]) -> Vec<u8> {
        let before = source.get(..self.span.start).unwrap_or(source);
        let after = source.get(self.span.end..).unwrap_or_default();
        [before, self.replacement.as_bytes(), after].concat()
    }
}
