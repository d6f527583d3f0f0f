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

/// The number of changes up to which there is room for removals in any queue.
const LEAST_ROOM: usize = 65_536;

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
    /// The changes, with those numbers.
    rows: BTreeMap<Domain, (u64, PendingSave)>,
    /// The thread ends once the queue is empty.
    is_closed: bool,
    /// The domains of the changes that were removed after that.
    last: BTreeSet<Domain>,
    /// The queue was empty after that: no change is taken any more.
    is_over: bool,
    has_ended: bool,
}

impl SaveQueue {
    /// Creates a queue with room for removals until it has twice this many domains, and more in a small
    /// cache, whose store is no slower.
    pub(super) fn new(domains: usize) -> Self {
        let (state, most) = (Mutex::default(), domains.saturating_mul(2).max(LEAST_ROOM));
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
        if state.is_over || state.last.contains(&domain) {
            return;
        }
        let earlier = state.rows.remove(&domain).map(|(number, _)| number);
        // A removal that is dropped leaves an old row, which a store that hangs does too. The save that
        // it replaces is dropped with it: the rows of a flood of names would never be fewer.
        if state.rows.len() >= self.most && saving.change.snapshot.is_none() {
            earlier.and_then(|number| state.order.remove(&number));
            return;
        }
        let number = earlier.unwrap_or_else(|| {
            state.number = state.number.saturating_add(1);
            self.changed.notify_one();
            state.number
        });
        state.order.insert(number, domain.clone());
        state.rows.insert(domain, (number, saving));
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
        next.filter_map(|domain| rows.remove(&domain)).map(|(_, saving)| saving).collect()
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]
mod tests {
    use alloc::sync::Arc;

    use time::UtcDateTime;

    use super::*;
    use crate::{
        cache::{Cache, Config, PolicyAnswer, Request, TxtAnswer},
        policy::Policy,
    };

    const FILE: &[u8] = b"version: STSv1\nmode: none\nmax_age: 604800\n";

    /// Creates the save of a domain, as its cache asks for it.
    fn save(name: &str) -> PendingSave {
        let mut cache = Cache::new(Config::new(1).with_persistence(true));
        let now = UtcDateTime::UNIX_EPOCH;
        let _ = cache.lookup(&Domain::parse(name).unwrap(), now);
        loop {
            match cache.poll_request().unwrap() {
                Request::Txt { id, .. } => {
                    let found =
                        TxtAnswer::Found { id: "1".parse().unwrap(), ttl: Duration::from_secs(60) };
                    cache.handle_txt(id, found, now);
                }
                Request::Fetch { id, .. } => {
                    let policy = Arc::new(Policy::parse(FILE).unwrap());
                    cache.handle_policy(id, PolicyAnswer::Valid(policy), now);
                }
                Request::Persist { id, domain, snapshot } => {
                    return PendingSave { shard: 0, id, change: Change { domain, snapshot } };
                }
            }
        }
    }

    fn removal(name: &str) -> PendingSave {
        let mut saving = save(name);
        saving.change.snapshot = None;
        saving
    }

    /// Takes changes, and returns the domain of each and whether it is saved.
    fn taken(queue: &SaveQueue) -> Vec<(Domain, bool)> {
        let taken = queue.take().into_iter().map(|saving| saving.change);
        taken.map(|change| (change.domain, change.snapshot.is_some())).collect()
    }

    fn names(expected: &[(&str, bool)]) -> Vec<(Domain, bool)> {
        expected.iter().map(|&(name, is_save)| (Domain::parse(name).unwrap(), is_save)).collect()
    }

    #[test]
    fn a_small_cache_has_room_for_removals() {
        let queue = SaveQueue::new(0);
        queue.push(save("a.example"));
        queue.push(removal("b.example"));
        assert_eq!(taken(&queue), names(&[("a.example", true), ("b.example", false)]));
    }

    #[test]
    fn a_removal_without_room_is_dropped_with_the_save_that_it_replaces() {
        let queue = SaveQueue { most: 3, ..SaveQueue::new(0) };
        for name in ["a.example", "b.example", "c.example", "d.example"] {
            queue.push(save(name));
        }
        queue.push(removal("d.example"));
        queue.push(removal("e.example"));
        queue.push(removal("a.example"));
        let expected = [("a.example", false), ("b.example", true), ("c.example", true)];
        assert_eq!(taken(&queue), names(&expected));
    }
}
