//! The errors of a record.

use alloc::string::String;

use thiserror::Error;

use super::RecordErrorKind;
use crate::{
    excerpt::excerpt,
    parse::{Fault, offset},
};

/// An error of a record: its kind and its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}, at byte {offset}: found {found}")]
pub struct RecordError {
    kind: RecordErrorKind,
    offset: usize,
    found: String,
}

impl RecordError {
    #[cold]
    pub(super) fn new(fault: Fault<'_, RecordErrorKind>, input: &[u8]) -> Self {
        Self { kind: fault.kind, offset: offset(input, fault.at), found: excerpt(fault.at) }
    }

    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> RecordErrorKind {
        self.kind
    }

    /// Returns the place of the error, in bytes from the start of the record. If something is
    /// missing, returns the length of the record.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}
