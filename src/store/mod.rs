//! Persistent storage of policies over a restart.
//!
//! With a [`Store`], an answer that depends on a new policy waits until that is durable, so that a
//! policy that was once applied still applies after a crash. It waits for at most the time-out of
//! saving (10 s, see [`Config`](crate::cache::Config)); then it is returned, with a
//! [`NotPersisted`](crate::cache::EventKind::NotPersisted) event. Without a store, every domain is
//! a first contact again after a restart ([RFC 8461 §10.2]).
//!
//! A client that is shut down or dropped saves its remaining changes, and waits for that for up to
//! 5 s; a slower save continues in its thread, unless the process ends. In a tokio runtime,
//! dropping a client does not wait. A process that ends without shutdown loses the changes that are
//! not durable yet. No answer that depends on them was returned, unless there was a
//! [`NotPersisted`](crate::cache::EventKind::NotPersisted) event.
//!
//! All calls come from threads of the client, outside any async runtime. A store over an async
//! database needs a runtime of its own and blocks on it: that of the client may be waiting for the
//! store, or may have ended.
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
//!     fn load(&self, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
//!         self.runtime.block_on(self.database.rows()).into_iter().for_each(each);
//!         Ok(Loaded::default())
//!     }
//!
//!     fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
//!         self.runtime.block_on(self.database.write(changes)).map_err(StoreError::new)
//!     }
//! }
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! let store = Blocking { runtime, database: Database };
//! let loaded = store.load(&mut |snapshot| println!("{snapshot}")).unwrap();
//! assert!(loaded.damaged.is_empty());
//! assert!(store.save(&[]).is_err());
//! # }
//! ```
//!
//! Implement [`Store`] for your own database. With the feature `redb` there is [`Redb`], a store in
//! a file; its documentation describes how it handles damage and files of other programs.
//!
//! [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2

mod error;
mod interface;
#[cfg(feature = "redb")]
mod redb;

#[cfg(feature = "redb")]
pub use self::redb::Redb;
pub use self::{
    error::StoreError,
    interface::{Change, Loaded, Store},
};
