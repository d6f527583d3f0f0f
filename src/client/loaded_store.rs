//! The caches of a client, restored from its store.

use alloc::{boxed::Box, string::ToString, sync::Arc};
use std::thread;

use super::{
    clock::Moment, event::Part, event_queue::EventQueue, hub::ShardedCache, log,
    restore_report::RestoreReport, save_queue::SaveQueue, store_writer::WriterSettings,
};
use crate::{
    cache::Config,
    store::{Loaded, Store, StoreError},
};

/// The restored caches, and the parts that save their changes.
pub(crate) struct LoadedStore {
    pub(crate) hub: ShardedCache,
    pub(crate) restore_report: RestoreReport,
    pub(crate) writer: Option<WriterSettings>,
}

impl LoadedStore {
    pub(crate) fn new(
        config: Config,
        store: Option<Box<dyn Store>>,
        events: EventQueue,
        now: Moment,
    ) -> Result<Self, StoreError> {
        let Some(store) = store else {
            let hub = ShardedCache::new(config, None, events);
            return Ok(Self { hub, restore_report: RestoreReport::default(), writer: None });
        };
        let (store, Loaded { snapshots, damaged }) = load(store, events.clone())?;
        let _ = events.guard(Part::Subscriber, || log::damaged(&damaged));
        let queue = Arc::new(SaveQueue::new(config.max_entries()));
        let hub = ShardedCache::new(config, Some(Arc::clone(&queue)), events.clone());
        let kept = RestoreReport { policies: hub.restore(snapshots, now), damaged };
        let _ = events.guard(Part::Subscriber, || log::damaged(&kept.policies.damaged));
        Ok(Self {
            hub,
            restore_report: kept,
            writer: Some(WriterSettings::new(store, queue, events)),
        })
    }
}

/// Loads a store, and drops it if that fails, in a new thread. The thread of the caller may belong
/// to an async runtime, in which a store that uses another runtime can neither wait nor be dropped.
fn load(store: Box<dyn Store>, events: EventQueue) -> Result<(Box<dyn Store>, Loaded), StoreError> {
    let panicked = || StoreError::new("it has panicked");
    let load = move || match events.guard(Part::Store, || store.load()) {
        Ok(Ok(loaded)) => Ok((store, loaded)),
        failed => {
            let _ = events.guard(Part::Store, || drop(store));
            Err(failed.ok().and_then(Result::err).unwrap_or_else(panicked))
        }
    };
    let thread = thread::Builder::new().name("mta-sts store".to_string()).spawn(load);
    let thread = thread.map_err(|error| StoreError::new(error.to_string()))?;
    thread.join().unwrap_or_else(|_| Err(panicked()))
}
