//! The thread that saves changes to the store.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use std::io;

use super::{
    clock::Time,
    event::Part,
    event_queue::EventQueue,
    job_result::JobResult,
    save_queue::{PendingSave, SaveQueue},
    threads::Threads,
    time_outs::SHUTDOWN_TIMEOUT,
};
use crate::store::{Change, Store, StoreError};

/// The running thread that saves changes to the store.
#[derive(Debug)]
pub(crate) struct StoreWriter(Arc<SaveQueue>, Threads);

/// A guard that notes the end of the thread, however it ends.
struct End(Arc<SaveQueue>);

/// A store whose thread has not been started yet.
pub(crate) struct WriterSettings {
    store: Box<dyn Store>,
    queue: Arc<SaveQueue>,
    events: EventQueue,
}

impl WriterSettings {
    pub(super) fn new(store: Box<dyn Store>, queue: Arc<SaveQueue>, events: EventQueue) -> Self {
        Self { store, queue, events }
    }

    /// Starts the thread, which saves changes and passes on the result of each. It drops `report` at
    /// its end.
    pub(crate) fn start(
        self,
        time: Arc<Time>,
        report: impl Fn(usize, JobResult) + Send + 'static,
    ) -> io::Result<StoreWriter> {
        let Self { store, queue, events } = self;
        let end = End(Arc::clone(&queue));
        let threads = events.threads();
        threads.spawn("mta-sts store", move || {
            let End(changes) = &end;
            keep(&*store, changes, &time, &report, &events);
            // A caller that waits for the end may then open the same file.
            let _ = events.guard(Part::Store, || drop(store));
            // It may have the last reference to the parts of a user.
            let _ = events.guard(Part::Other, || drop(report));
        })?;
        Ok(StoreWriter(queue, threads))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl StoreWriter {
    /// Ends the thread once all queued changes are saved.
    pub(crate) fn stop(&self) {
        self.0.close();
    }

    /// Waits until the thread has ended, up to a time-out, after which a store that hangs is
    /// abandoned.
    pub(crate) fn wait(&self) {
        if self.1.has_current() {
            return;
        }
        self.0.wait_for_end(SHUTDOWN_TIMEOUT);
    }
}

fn keep(
    store: &dyn Store,
    queue: &SaveQueue,
    time: &Time,
    report: &dyn Fn(usize, JobResult),
    events: &EventQueue,
) {
    loop {
        let taken = queue.take();
        if taken.is_empty() {
            return;
        }
        let begun = time.date();
        let (mut changes, mut waiting) = (Vec::new(), Vec::new());
        for PendingSave { shard, mut id, change } in taken {
            id.started(begun);
            changes.push(change);
            waiting.push((shard, id));
        }
        let report = |shard, done| {
            let _ = events.guard(Part::Other, || report(shard, done));
        };
        let mut saved = save(store, &changes, events);
        if let (Err(lost), Some(change)) = (&saved, changes.first())
            && lost.is_lost()
        {
            report(0, JobResult::Lost(change.domain.clone(), lost.to_string()));
            saved = save(store, &changes, events);
        }
        for (shard, id) in waiting {
            let result = saved.as_ref().copied().map_err(ToString::to_string);
            report(shard, JobResult::Persisted(id, result));
        }
    }
}

fn save(store: &dyn Store, changes: &[Change], events: &EventQueue) -> Result<(), StoreError> {
    events
        .guard(Part::Store, || store.save(changes))
        .unwrap_or_else(|_| Err(StoreError::new("it has panicked")))
}
