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
        let queue = Arc::new(SaveQueue::new(config.max_entries()));
        let mut hub = ShardedCache::new(config, Some(Arc::clone(&queue)), events.clone());
        let (store, kept) = restore(store, &mut hub, &events, now)?;
        let _ = events.guard(Part::Subscriber, || log::damaged(&kept.damaged));
        let _ = events.guard(Part::Subscriber, || log::damaged(&kept.policies.damaged));
        Ok(Self {
            hub,
            restore_report: kept,
            writer: Some(WriterSettings::new(store, queue, events)),
        })
    }
}

/// Restores the caches from a store, and drops it if that fails, in a new thread. The thread of the
/// caller may belong to an async runtime, in which a store that uses another runtime can neither
/// wait nor be dropped.
fn restore(
    store: Box<dyn Store>,
    hub: &mut ShardedCache,
    events: &EventQueue,
    now: Moment,
) -> Result<(Box<dyn Store>, RestoreReport), StoreError> {
    let panicked = || StoreError::new("it has panicked");
    let load = || {
        let load = |each: &mut dyn FnMut(_)| events.guard(Part::Store, || store.load(each));
        match hub.restore(now, load) {
            (Ok(Ok(Loaded { damaged })), policies) => {
                Ok((store, RestoreReport { policies, damaged }))
            }
            (failed, _) => {
                let _ = events.guard(Part::Store, || drop(store));
                Err(failed.ok().and_then(Result::err).unwrap_or_else(panicked))
            }
        }
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("mta-sts store".to_string());
        let thread = thread.spawn_scoped(scope, load);
        let thread = thread.map_err(|error| StoreError::new(error.to_string()))?;
        thread.join().unwrap_or_else(|_| Err(panicked()))
    })
}
