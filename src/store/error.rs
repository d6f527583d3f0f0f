//! The error of a store.

use alloc::boxed::Box;

use thiserror::Error;

/// An error of a store.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("store error: {what}")]
pub struct StoreError {
    what: Box<str>,
    is_lost: bool,
}

impl StoreError {
    /// Creates an error with this message.
    pub fn new(what: impl Into<Box<str>>) -> Self {
        Self { what: what.into(), is_lost: false }
    }

    /// Creates the error of a [`Store::save`](super::Store::save) which detects that the store has
    /// lost its contents: the file is gone, or was replaced by an older one.
    pub fn lost(what: impl Into<Box<str>>) -> Self {
        Self { what: what.into(), is_lost: true }
    }

    /// Returns whether the store has lost its contents.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }
}
