//! One of the caches of a client, with the lookups that wait for it.

use alloc::{boxed::Box, collections::BTreeMap};
use core::{fmt, time::Duration};
use std::sync::{PoisonError, TryLockError};

use crossbeam_utils::sync::ShardedLock;
use time::UtcDateTime;

use super::{
    clock::{Moment, Offset},
    event,
    event_queue::EventQueue,
    job::{Job, JobKind},
    outputs::Outputs,
    save_queue::{PendingSave, SaveQueue},
    threads::Process,
};
use crate::{
    cache::{Answer, Cache, EventKind, LookupId, RecheckResult, Request},
    store::Change,
};

/// The number of events that are drained while the lock is held once, so that other threads can
/// take it in between. It is small in the unit tests, which try every order of operations between
/// two portions.
pub(crate) const PORTION: usize = if cfg!(test) { 3 } else { 2048 };

/// A cache behind a lock. Threads that read it do not write to the same memory, as they would with
/// a plain lock.
#[derive(Debug)]
pub(super) struct Shard(ShardedLock<ShardState>);

pub(super) struct ShardState {
    pub(super) cache: Cache,
    /// The difference between wall clock and monotonic clock when the wall clock was last set.
    offset: Option<Offset>,
    pub(super) waiting: BTreeMap<LookupId, Waiting>,
    /// `true` once the client is shut down. No lookup is pending then.
    pub(super) is_closed: bool,
}

type Callback<T> = Box<dyn FnOnce(T) + Send + Sync>;

/// The reply to a pending lookup or recheck.
pub(super) enum Waiting {
    Lookup(Callback<Answer>),
    Recheck(Callback<RecheckResult>),
}

impl Shard {
    pub(super) fn new(cache: Cache) -> Self {
        let waiting = BTreeMap::new();
        Self(ShardedLock::new(ShardState { cache, offset: None, waiting, is_closed: false }))
    }

    pub(super) fn read<T>(&self, step: impl FnOnce(&ShardState) -> T) -> T {
        step(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the cache of a shard that is not shared yet.
    pub(super) fn cache_mut(&mut self) -> &mut Cache {
        &mut self.0.get_mut().unwrap_or_else(PoisonError::into_inner).cache
    }

    /// Reads the cache, unless it was locked when this process was forked from that of the client:
    /// then it stays locked.
    pub(super) fn read_unless_lost<T>(
        &self,
        process: Process,
        step: impl FnOnce(&ShardState) -> T,
    ) -> Option<T> {
        let inside = match self.0.try_read() {
            Ok(inside) => inside,
            Err(TryLockError::Poisoned(inside)) => inside.into_inner(),
            Err(TryLockError::WouldBlock) if process.is_another() => return None,
            Err(TryLockError::WouldBlock) => self.0.read().unwrap_or_else(PoisonError::into_inner),
        };
        Some(step(&inside))
    }

    pub(super) fn write<T>(&self, step: impl FnOnce(&mut ShardState) -> T) -> T {
        step(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ShardState {
    /// Returns the step of the wall clock since the cache last noted it.
    pub(super) fn step(&self, now: Moment) -> Option<time::Duration> {
        self.offset.and_then(|offset| offset.step_to(now.offset()))
    }

    /// Notes a step of the wall clock in the cache, before any input with the new time. This
    /// includes a thread that reads the clocks before the step and comes here after it.
    pub(super) fn sync(&mut self, now: Moment) {
        if let Some(by) = self.step(now) {
            self.cache.clock_set(by, now.date);
        } else if self.offset.is_some() {
            return;
        }
        self.offset = Some(now.offset());
    }

    /// Adds a pending lookup or recheck. If the client is shut down, its reply is dropped, which
    /// notifies the caller.
    pub(super) fn wait(&mut self, waiter: LookupId, waiting: Waiting) {
        if !self.is_closed {
            self.waiting.insert(waiter, waiting);
        }
    }

    /// Drains the requests and events of the cache. Events are queued under its lock, so that those
    /// of a domain keep their order.
    pub(super) fn drain(
        &mut self,
        shard: usize,
        now: Moment,
        keeper: Option<&SaveQueue>,
        events: &EventQueue,
    ) -> Outputs {
        let mut out = Outputs::default();
        let replies = &mut out.replies;
        for _ in 0..PORTION {
            let Some(event) = self.cache.poll_event() else { break };
            match event.kind {
                EventKind::Answered { id: waiter, answer } => {
                    if let Some(Waiting::Lookup(reply)) = self.waiting.remove(&waiter) {
                        replies.replies.push(Box::new(|| reply(answer)));
                    }
                }
                EventKind::Rechecked { id: waiter, result } => {
                    if let Some(Waiting::Recheck(reply)) = self.waiting.remove(&waiter) {
                        replies.replies.push(Box::new(|| reply(result)));
                    }
                }
                _ => events.emit(event::EventKind::Cache(event)),
            }
        }
        if self.cache.has_events() {
            replies.more.push(shard);
        }
        while let Some(request) = self.cache.poll_request() {
            let (domain, work) = match request {
                Request::Txt { id, domain } => (domain, JobKind::Txt(id)),
                Request::Fetch { id, domain } => (domain, JobKind::Fetch(id)),
                Request::Persist { id, domain, snapshot } => {
                    // While the cache is locked, because the last change of a domain counts.
                    let saving = PendingSave { shard, id, change: Change { domain, snapshot } };
                    if let Some(keeper) = keeper {
                        keeper.push(saving);
                    }
                    continue;
                }
            };
            let view = self.cache.entry(&domain);
            let ends_at = view.as_ref().and_then(|view| {
                // A policy of the operator's list does not expire.
                view.policy().map(|_| view.ends_at().unwrap_or(UtcDateTime::MAX))
            });
            let failures = view.map_or(0, |view| view.failures_in_a_row());
            let (addresses, spent, trace) = (None, Duration::ZERO, None);
            out.jobs.push(Job { shard, domain, work, ends_at, failures, addresses, spent, trace });
        }
        out.wake_at = self.cache.poll_timeout().map(|due| now.instant_of(due));
        out
    }
}

impl fmt::Debug for ShardState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut inside = f.debug_struct("Inside");
        inside.field("cache", &self.cache).field("is_closed", &self.is_closed);
        inside.field("offset", &self.offset).field("waiting", &self.waiting.len()).finish()
    }
}
