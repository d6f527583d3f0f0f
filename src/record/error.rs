use alloc::string::String;

use thiserror::Error;

use super::RecordErrorKind;
use crate::{
    excerpt::excerpt,
    parse::{Fault, offset},
};

/// What is wrong with a record, and where.
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

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> RecordErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the record; its length if something is missing.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}
