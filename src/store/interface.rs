//! The interface of a store.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::error::StoreError;
use crate::{cache::Snapshot, domain::Domain};

/// Persistent storage for policies.
///
/// It is used in a thread of its own, and may be slow: cached answers do not wait for it, and
/// others wait for at most
/// [`Config::with_persist_timeout`](crate::cache::Config::with_persist_timeout).
pub trait Store: Send + Sync {
    /// Returns the contents of the store. It is called once, before any other method.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read at all. Damaged entries are no error; report
    /// them in [`Loaded::damaged`].
    fn load(&self) -> Result<Loaded, StoreError>;

    /// Stores these changes in this order, and returns only when they are durable.
    ///
    /// # Errors
    ///
    /// Returns an error if the changes are not durable. Returns [`StoreError::lost`] if earlier
    /// changes are lost; a client then saves these changes again, and after them all its entries.
    fn save(&self, changes: &[Change]) -> Result<(), StoreError>;
}

/// Implements the trait for a pointer to a store.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Store + ?Sized> Store for $pointer {
            fn load(&self) -> Result<Loaded, StoreError> {
                (**self).load()
            }

            fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
                (**self).save(changes)
            }
        }
    )*};
}

forward!(&T, Arc<T>, Box<T>);

/// The contents of a store.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The snapshots that could be read.
    pub snapshots: Vec<Snapshot>,
    /// Descriptions of the entries that could not be read, and of a damaged file that was set aside
    /// with its new name. Each is a sentence.
    pub damaged: Vec<Box<str>>,
}

/// One change to persist.
#[derive(Clone, Debug)]
pub struct Change {
    /// The domain of the change.
    pub domain: Domain,
    /// The snapshot that replaces the stored one, or `None` to remove it.
    pub snapshot: Option<Snapshot>,
}
