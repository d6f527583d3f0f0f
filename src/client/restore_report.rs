//! The result of restoring a store.

use alloc::{boxed::Box, vec::Vec};

use crate::cache::Restored;

/// The result of restoring a store at the start.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The outcome for the policies.
    pub policies: Restored,
    /// The entries that could not be read, with a sentence for each.
    pub damaged: Vec<Box<str>>,
}
