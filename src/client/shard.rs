//! One of the caches of a client, and who waits for what it answers.

use alloc::boxed::Box;
use core::{fmt, time::Duration};
use std::{
    collections::HashMap,
    sync::{PoisonError, TryLockError},
};

use crossbeam_utils::sync::ShardedLock;
use time::UtcDateTime;

use super::{
    clock::{Moment, Offset},
    event,
    jobs::{Job, Work},
    keeper::{Queue, Saving},
    outputs::Outputs,
    teller::Teller,
    threads::Process,
};
use crate::{
    cache::{Answer, Cache, EventKind, Rechecked, Request, Waiter},
    store::Change,
};

/// The number of events that are drained under one hold of the lock, so that others get it, too.
/// Few in the tests beside it, which try every order of what happens between two portions.
pub(super) const PORTION: usize = if cfg!(test) { 3 } else { 2048 };

/// Threads that read it do not even write to the same memory, as they would with a plain lock.
#[derive(Debug)]
pub(super) struct Shard(ShardedLock<Inside>);

pub(super) struct Inside {
    pub(super) cache: Cache,
    /// The difference between wall clock and monotonic clock when the wall clock was last set.
    offset: Option<Offset>,
    pub(super) waiting: HashMap<Waiter, Waiting>,
    /// `true` once the client is shut down: no lookup is pending any more.
    pub(super) is_closed: bool,
}

type Callback<T> = Box<dyn FnOnce(T) + Send + Sync>;

/// Somebody who waits.
pub(super) enum Waiting {
    Lookup(Callback<Answer>),
    Recheck(Callback<Rechecked>),
}

impl Shard {
    pub(super) fn new(cache: Cache) -> Self {
        let waiting = HashMap::new();
        Self(ShardedLock::new(Inside { cache, offset: None, waiting, is_closed: false }))
    }

    pub(super) fn read<T>(&self, step: impl FnOnce(&Inside) -> T) -> T {
        step(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads it, unless it was locked when this process was forked from that of the client: then it stays
    /// so.
    pub(super) fn read_unless_lost<T>(
        &self,
        process: Process,
        step: impl FnOnce(&Inside) -> T,
    ) -> Option<T> {
        match self.0.try_read() {
            Ok(inside) => Some(step(&inside)),
            Err(TryLockError::WouldBlock) if process.is_another() => None,
            Err(_) => Some(self.read(step)),
        }
    }

    pub(super) fn write<T>(&self, step: impl FnOnce(&mut Inside) -> T) -> T {
        step(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inside {
    /// Returns how far the wall clock was set since the cache last noted it.
    pub(super) fn step(&self, now: Moment) -> Option<time::Duration> {
        self.offset.and_then(|offset| offset.step_to(now.offset()))
    }

    /// Notes a step of the wall clock in the cache, before any input with the new time. A thread that
    /// read the clocks before the step and comes here after it is handled, too.
    pub(super) fn sync(&mut self, now: Moment) {
        if let Some(by) = self.step(now) {
            self.cache.clock_set(by, now.date);
        } else if self.offset.is_some() {
            return;
        }
        self.offset = Some(now.offset());
    }

    /// Has somebody wait, unless the client is shut down: then what they would be told by is
    /// dropped, which tells them.
    pub(super) fn wait(&mut self, waiter: Waiter, waiting: Waiting) {
        if !self.is_closed {
            self.waiting.insert(waiter, waiting);
        }
    }

    /// Drains the requests and events of the cache. Events are queued under its lock, so that those of
    /// a domain keep the order in which they happened.
    pub(super) fn drain(
        &mut self,
        shard: usize,
        now: Moment,
        keeper: Option<&Queue>,
        teller: &Teller,
    ) -> Outputs {
        let mut out = Outputs::default();
        let replies = &mut out.replies;
        for _ in 0..PORTION {
            let Some(event) = self.cache.poll_event() else { break };
            match event.kind {
                EventKind::Answered { waiter, answer } => {
                    if let Some(Waiting::Lookup(reply)) = self.waiting.remove(&waiter) {
                        replies.replies.push(Box::new(|| reply(answer)));
                    }
                }
                EventKind::Rechecked { waiter, result } => {
                    if let Some(Waiting::Recheck(reply)) = self.waiting.remove(&waiter) {
                        replies.replies.push(Box::new(|| reply(result)));
                    }
                }
                _ => teller.tell(event::EventKind::Cache(event)),
            }
        }
        if self.cache.has_events() {
            replies.more.push(shard);
        }
        while let Some(request) = self.cache.poll_request() {
            let (domain, work) = match request {
                Request::Txt { id, domain } => (domain, Work::Txt(id)),
                Request::Fetch { id, domain } => (domain, Work::Fetch(id)),
                Request::Persist { id, domain, snapshot } => {
                    // While the cache is locked: of changes to a domain the last one counts.
                    let saving = Saving { shard, id, change: Change { domain, snapshot } };
                    if let Some(keeper) = keeper {
                        keeper.push(saving);
                    }
                    continue;
                }
            };
            let view = self.cache.view(&domain);
            let ends_at = view.and_then(|view| {
                // A policy of the operator's list has no end.
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

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut inside = f.debug_struct("Inside");
        inside.field("cache", &self.cache).field("is_closed", &self.is_closed);
        inside.field("offset", &self.offset).field("waiting", &self.waiting.len()).finish()
    }
}
