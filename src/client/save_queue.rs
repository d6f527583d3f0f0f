//! The queue of changes to save.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::{cache::PersistRequestId, domain::Domain, store::Change};

/// The maximum number of changes that are saved at once.
const BATCH: usize = 1000;

/// A change, and the cache that waits until it is durable.
#[derive(Debug)]
pub(crate) struct PendingSave {
    pub(crate) shard: usize,
    pub(crate) id: PersistRequestId,
    pub(crate) change: Change,
}

/// The queue of changes to save. It holds the last one of each domain.
#[derive(Debug)]
pub(crate) struct SaveQueue {
    state: Mutex<Waiting>,
    changed: Condvar,
    /// The thread has ended.
    ended: Condvar,
    most: usize,
}

/// Trees, which do not move all at once when they grow: the threads of all shards wait meanwhile.
#[derive(Debug, Default)]
struct Waiting {
    /// The domains by the number of their first change.
    order: BTreeMap<u64, Domain>,
    number: u64,
    rows: BTreeMap<Domain, PendingSave>,
    /// The thread ends once the queue is empty.
    is_closed: bool,
    /// The domains of the changes that were removed after that.
    last: BTreeSet<Domain>,
    /// The queue was empty after that: no change is taken any more.
    is_over: bool,
    has_ended: bool,
}

impl SaveQueue {
    /// Creates a queue with room for removals until it has twice this many domains.
    pub(super) fn new(domains: usize) -> Self {
        let (state, most) = (Mutex::default(), domains.saturating_mul(2));
        Self { state, changed: Condvar::new(), ended: Condvar::new(), most }
    }

    /// Adds a change. It replaces an earlier one of its domain whose save has not begun.
    ///
    /// Once the queue is closed, changes are added as long as there are others to save, such as the
    /// rest of what a store has lost; later ones are dropped. Each domain is saved once more at most:
    /// the outcome of a save may be a reason to save others, and the thread would never end.
    pub(crate) fn push(&self, saving: PendingSave) {
        let mut state = self.lock();
        let domain = saving.change.domain.clone();
        // A removal that is dropped leaves an old row, which a store that hangs does too.
        let is_too_much = state.rows.len() >= self.most && saving.change.snapshot.is_none();
        if state.is_over
            || state.last.contains(&domain)
            || (is_too_much && !state.rows.contains_key(&domain))
        {
            return;
        }
        if state.rows.insert(domain.clone(), saving).is_none() {
            state.number = state.number.saturating_add(1);
            let number = state.number;
            state.order.insert(number, domain);
            self.changed.notify_one();
        }
    }

    /// Waits for changes, and removes and returns some. Returns none only at the end.
    pub(super) fn take(&self) -> Vec<PendingSave> {
        let is_idle = |state: &mut Waiting| state.order.is_empty() && !state.is_closed;
        let waited = self.changed.wait_while(self.lock(), is_idle);
        let Waiting { order, rows, is_closed, last, is_over, .. } =
            &mut *waited.unwrap_or_else(PoisonError::into_inner);
        *is_over = order.is_empty();
        let next = core::iter::from_fn(|| order.pop_first()).take(BATCH);
        let next = next.map(|(_, domain)| domain).inspect(|domain| {
            if *is_closed {
                last.insert(domain.clone());
            }
        });
        next.filter_map(|domain| rows.remove(&domain)).collect()
    }

    /// Notes that the thread has ended.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.ended.notify_all();
    }

    /// Waits until the thread has ended, up to `patience`.
    pub(super) fn wait_for_end(&self, patience: Duration) {
        let is_there = |state: &mut Waiting| !state.has_ended;
        drop(self.ended.wait_timeout_while(self.lock(), patience, is_there));
    }

    /// Ends the thread once the queue is empty.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
