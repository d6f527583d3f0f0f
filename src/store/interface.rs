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
    /// Passes each snapshot of the store to `each`, in any order. It is called once, before any
    /// other method, which `each` does not call.
    ///
    /// A client restores each snapshot at once: a store that reads its rows one by one needs no
    /// memory for all of them.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read at all. Damaged entries are no error; report
    /// them in [`Loaded::damaged`].
    fn load(&self, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError>;

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
            fn load(&self, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
                (**self).load(each)
            }

            fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
                (**self).save(changes)
            }
        }
    )*};
}

forward!(&T, Arc<T>, Box<T>);

/// The outcome of loading a store.
#[derive(Debug, Default)]
pub struct Loaded {
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
