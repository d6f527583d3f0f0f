//! Keeping policies over a restart.
//!
//! A client with a [`Store`] gives out no answer that depends on a change before the change is durable:
//! who has sent mail under a policy goes on to do so, whatever happens to the process. Without one,
//! every restart is a first contact with every domain (§10.1).
//!
//! A client that is shut down or dropped saves all that it was given, and waits 5 s for that; a save that
//! takes longer continues in its thread, unless the process ends. In a runtime of tokio a dropped client
//! waits for nothing. A process that ends without either loses what was not durable yet: no answer was
//! given out that depends on it, unless an [event](crate::cache::EventKind::NotPersisted) told so.
//!
//! All calls come from threads of the client's, outside of any runtime. A store over an async database
//! has a runtime of its own and waits in it: the client's may be waiting for the store, or have ended.
//!
//! ```
//! # #[cfg(feature = "tokio")] {
//! use mta_sts::{
//!     cache::Snapshot,
//!     store::{Change, Loaded, Store, StoreError},
//! };
//!
//! /// Stands for an async database.
//! struct Database;
//!
//! impl Database {
//!     async fn rows(&self) -> Vec<Snapshot> {
//!         Vec::new()
//!     }
//!
//!     async fn write(&self, changes: &[Change]) -> Result<(), &'static str> {
//!         if changes.is_empty() { Err("nothing to write") } else { Ok(()) }
//!     }
//! }
//!
//! struct Blocking {
//!     runtime: tokio::runtime::Runtime,
//!     database: Database,
//! }
//!
//! impl Store for Blocking {
//!     fn load(&self) -> Result<Loaded, StoreError> {
//!         let snapshots = self.runtime.block_on(self.database.rows());
//!         Ok(Loaded { snapshots, damaged: Vec::new() })
//!     }
//!
//!     fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
//!         self.runtime.block_on(self.database.write(changes)).map_err(StoreError::new)
//!     }
//! }
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! let store = Blocking { runtime, database: Database };
//! assert!(store.load().unwrap().snapshots.is_empty());
//! assert!(store.save(&[]).is_err());
//! # }
//! ```
//!
//! Bring your own for a database you have; with the feature `redb` there is [`Redb`], a file, which also
//! says what it does with damage and with files of others.

#[cfg(feature = "redb")]
mod redb;

use alloc::{boxed::Box, vec::Vec};

use thiserror::Error;

#[cfg(feature = "redb")]
pub use self::redb::Redb;
use crate::{cache::Snapshot, domain::Domain};

/// Where policies are kept.
///
/// It is used in a thread of its own, and may take its time: answers that are at hand do not wait for
/// it, and others no longer than [`Config::with_persist_timeout`](crate::cache::Config) says.
pub trait Store: Send + Sync {
    /// All that is kept. It is called once, before anything else.
    ///
    /// # Errors
    ///
    /// If it cannot be read at all. What is damaged in part is no error, but told of.
    fn load(&self) -> Result<Loaded, StoreError>;

    /// Makes these changes durable, in this order, and only then returns.
    ///
    /// # Errors
    ///
    /// If they are not durable; also [`StoreError::lost`] if those that were saved before are not any
    /// more. A client then saves these once again, and after them all that it holds.
    fn save(&self, changes: &[Change]) -> Result<(), StoreError>;
}

impl<T: Store + ?Sized> Store for Box<T> {
    fn load(&self) -> Result<Loaded, StoreError> {
        (**self).load()
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        (**self).save(changes)
    }
}

/// What was kept.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What can be read.
    pub snapshots: Vec<Snapshot>,
    /// What cannot be, and why, in a sentence each; also that a damaged file was set aside, and where.
    pub damaged: Vec<Box<str>>,
}

/// What is known of a domain has changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// The domain.
    pub domain: Domain,
    /// What to put in the place of what is kept; `None` to remove that.
    pub snapshot: Option<Snapshot>,
}

/// What a store could not do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the store: {what}")]
pub struct StoreError {
    what: Box<str>,
    is_lost: bool,
}

impl StoreError {
    /// Says what has happened.
    pub fn new(what: impl Into<Box<str>>) -> Self {
        Self { what: what.into(), is_lost: false }
    }

    /// Creates the error of a [`Store::save`] that finds that what was saved before is lost: the file
    /// is gone, or an older one is in its place.
    pub fn lost(what: impl Into<Box<str>>) -> Self {
        Self { what: what.into(), is_lost: true }
    }

    /// Returns whether what was saved before is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }
}
