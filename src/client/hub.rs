//! The caches of a client, with the lookups that wait for them.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::{
    mem,
    ops::RangeInclusive,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    clock::{Moment, Time},
    event::{self, Part},
    event_queue::EventQueue,
    job::{Job, JobKind},
    job_result::JobResult,
    outputs::{Outputs, Replies},
    save_queue::SaveQueue,
    shard::{Shard, ShardState, Waiting},
    threads::Process,
    trace::Trace,
};
use crate::{
    cache::{
        Answer, AppliedPolicyRef, Cache, Config, Event, EventKind, HashPurpose, Lookup, LookupId,
        RecheckResult, Restoration, Restored, SharedRoom, Snapshot, StoreHealth, TextHash,
    },
    domain::Domain,
};

/// The number of caches, so that threads that look up different domains seldom wait for each other.
///
/// All caches share the bounds, but a new domain evicts an entry of its own cache only. A keyed
/// hash chooses the cache of a domain, so that no attacker can fill one: the probability that none
/// of the `n` least valuable entries of all caches is in it is (15/16)^n (for 100, 0.2 %). Only
/// then is a more valuable entry evicted, or the new domain not kept, although another cache has a
/// less valuable entry.
const SHARDS: usize = 16;

/// The number of domains for each cache below which there is only one cache.
const SMALL: usize = 1024;

/// Many caches, each for a part of the domains. It uses no sockets, clocks or threads.
#[derive(Debug)]
pub(crate) struct ShardedCache {
    first: Shard,
    others: Box<[Shard]>,
    /// The hash of domains, which is that of each cache, too.
    hash: TextHash,
    store: StoreHealth,
    /// The queue of changes to save, if there is a store.
    keeper: Option<Arc<SaveQueue>>,
    /// The queue of events.
    pub(crate) events: EventQueue,
    /// `true` from the last retry of failed saves on.
    is_ending: AtomicBool,
}

/// The id of a pending lookup, and its cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    shard: usize,
    waiter: LookupId,
}

impl ShardedCache {
    /// Creates caches that together have the bounds of these settings.
    pub(crate) fn new(config: Config, keeper: Option<Arc<SaveQueue>>, events: EventQueue) -> Self {
        let config = config.with_persistence(keeper.is_some());
        let count = if config.max_entries() / SMALL < SHARDS { 1 } else { SHARDS };
        let (room, store) = (SharedRoom::default(), StoreHealth::default());
        let shard = || Shard::new(Cache::within(config, room.clone(), store.clone()));
        let others = core::iter::repeat_with(shard).take(count.saturating_sub(1)).collect();
        let hash = TextHash::new(config.seed(), HashPurpose::Domains);
        let is_ending = AtomicBool::new(false);
        Self { first: shard(), others, hash, keeper, events, is_ending, store }
    }

    /// Returns the cached answer, if a lookup would not change the cache. The caches are only read.
    #[inline]
    pub(crate) fn cached<T>(
        &self,
        domain: &Domain,
        time: &Time,
        take: impl FnOnce(Answer<AppliedPolicyRef<'_>>) -> T,
    ) -> Option<T> {
        let (hash, (tick, date)) = (self.hash.of(domain.as_str()), time.this_tick());
        let now = || date.unwrap_or_else(|| time.this_second());
        self.shard(self.place_of(hash))
            .read_unless_lost(self.process(), |inside| {
                inside.cache.get_by(hash, domain, tick, now).map(take)
            })
            .flatten()
    }

    /// Returns the answer, or the ticket of a pending lookup.
    pub(crate) fn lookup(
        &self,
        domain: &Domain,
        now: Moment,
        reply: impl FnOnce(Answer) + Send + Sync + 'static,
    ) -> (Result<Answer, Ticket>, Outputs) {
        self.with(self.shard_of(domain), now, |shard, inside| {
            match inside.cache.lookup(domain, now.date) {
                Lookup::Answer(answer) => Ok(answer.cloned()),
                Lookup::Waiting(waiter) => {
                    inside.wait(waiter, Waiting::Lookup(Box::new(reply)));
                    Err(Ticket { shard, waiter })
                }
            }
        })
    }

    /// Looks for a newer policy (RFC 8461 §5.1), regardless of back-off if `forced`.
    pub(crate) fn recheck(
        &self,
        domain: &Domain,
        forced: bool,
        now: Moment,
        reply: impl FnOnce(RecheckResult) + Send + Sync + 'static,
    ) -> (Ticket, Outputs) {
        self.with(self.shard_of(domain), now, |shard, inside| {
            let waiter = if forced {
                inside.cache.force_refresh(domain, now.date)
            } else {
                inside.cache.recheck(domain, now.date)
            };
            inside.wait(waiter, Waiting::Recheck(Box::new(reply)));
            Ticket { shard, waiter }
        })
    }

    /// Cancels a pending lookup or recheck.
    pub(crate) fn cancel(&self, ticket: Ticket, now: Moment) -> Outputs {
        let (waiting, outputs) = self.with(ticket.shard, now, |_, inside| {
            inside.cache.cancel(ticket.waiter);
            inside.waiting.remove(&ticket.waiter)
        });
        let _ = self.events.guard(Part::Waker, || drop(waiting));
        outputs
    }

    /// Cancels all pending lookups and rechecks by dropping their replies.
    pub(crate) fn drop_waiters(&self) {
        for place in self.shards() {
            let waiting = self.shard(place).write(|inside| {
                inside.is_closed = true;
                mem::take(&mut inside.waiting)
            });
            // Not under the lock: dropping a reply may run any code.
            for waiting in waiting.into_values() {
                let _ = self.events.guard(Part::Waker, || drop(waiting));
            }
        }
    }

    /// Retries all failed saves, before the shutdown.
    pub(crate) fn save_rest(&self, now: Moment) {
        self.is_ending.store(true, Ordering::SeqCst);
        for place in self.shards() {
            let _ = self.with(place, now, |_, inside| inside.cache.retry_unsaved(now.date));
        }
    }

    /// Restores the snapshots that `load` passes on, before the caches are shared.
    pub(crate) fn restore<T>(
        &mut self,
        now: Moment,
        load: impl FnOnce(&mut dyn FnMut(Snapshot)) -> T,
    ) -> (T, Restored) {
        let Self { first, others, hash, .. } = self;
        let count = others.len().saturating_add(1);
        // In the order of their numbers, the last of which is the first cache's.
        let shards = others.iter_mut().chain([first]).map(Shard::cache_mut).collect();
        let mut restoration = Restoration::new(shards, now.date);
        let loaded = load(&mut |snapshot| {
            let place =
                snapshot.domain().map_or(0, |domain| place(hash.of(domain.as_str()), count));
            restoration.add(place, snapshot);
        });
        let restored = restoration.finish();
        for place in 0..count {
            let _ = self.with(place, now, |_, _| ());
        }
        (loaded, restored)
    }

    /// Notes that a job starts. Returns whether the cache still wants it. The outputs may include
    /// the next portion of answers to other lookups.
    pub(crate) fn starts(&self, job: &Job, now: Moment) -> (bool, Outputs) {
        self.with(job.shard, now, |_, inside| match &job.work {
            JobKind::Txt(id) => inside.cache.txt_started(id, now.date),
            JobKind::Fetch(id) => inside.cache.fetch_started(id, now.date),
        })
    }

    /// Processes the result of a job. Further jobs for its domain belong to the same discovery.
    pub(crate) fn complete_job(
        &self,
        shard: usize,
        done: JobResult,
        trace: &Trace,
        now: Moment,
    ) -> Outputs {
        trace.done(&done);
        let mut outputs = self.done(shard, done, now);
        outputs.jobs.iter_mut().for_each(|job| job.trace = Some(trace.clone()));
        outputs
    }

    /// Processes a result.
    pub(crate) fn done(&self, shard: usize, done: JobResult, now: Moment) -> Outputs {
        if let JobResult::Lost(domain, error) = done {
            return self.save_all(domain, error, now);
        }
        let taken = self.with(shard, now, |_, inside| match done {
            JobResult::Txt(id, answer) => inside.cache.handle_txt(id, answer, now.date),
            JobResult::Fetch(id, answer) => inside.cache.handle_policy(id, answer, now.date),
            JobResult::Persisted(id, result) => {
                let result = result.as_ref().copied().map_err(String::as_str);
                inside.cache.handle_persisted(id, result, now.date);
            }
            JobResult::Lost(..) => {}
        });
        taken.1
    }

    /// Saves all entries again.
    fn save_all(&self, domain: Domain, error: String, now: Moment) -> Outputs {
        // No cache has recovered before the others know.
        self.store.hold();
        let kind = EventKind::StoreLost { error: error.into() };
        self.events.emit(event::EventKind::Cache(Event { domain: domain.clone(), kind }));
        let mut all = Outputs::default();
        for place in self.shards() {
            all.add(self.with(place, now, |_, inside| inside.cache.save_all(now.date)).1);
        }
        for place in self.shards() {
            let retried = self.with(place, now, |_, inside| {
                // The store takes each domain once more, and no timer continues this.
                if self.is_ending.load(Ordering::SeqCst) {
                    inside.cache.retry_unsaved(now.date);
                }
            });
            all.add(retried.1);
        }
        if self.store.release() {
            let kind = EventKind::PersistRecovered;
            self.events.emit(event::EventKind::Cache(Event { domain, kind }));
        }
        all
    }

    /// Returns the numbers of the caches.
    pub(crate) fn shards(&self) -> RangeInclusive<usize> {
        0..=self.others.len()
    }

    /// Processes some of what is due in a cache, and notes a step of the wall clock. If more is due, the
    /// outputs ask to be woken at once. Returns whether anything was due.
    pub(crate) fn wake(&self, shard: usize, now: Moment) -> (bool, Outputs) {
        let (due, has_more) = self.shard(shard).read(|inside| {
            // What a portion has left, if nothing asks for the rest.
            let has_more = inside.step(now).is_some() || inside.cache.has_events();
            (inside.cache.poll_timeout(), has_more)
        });
        if has_more || due.is_some_and(|due| due <= now.date) {
            let woken = self.with(shard, now, |_, inside| inside.cache.handle_timeout(now.date));
            return (true, woken.1);
        }
        let wake_at = due.map(|due| now.instant_of(due));
        (false, Outputs { wake_at, ..Outputs::default() })
    }

    /// Returns the next portion of the answers of these caches: that of the first one.
    fn more(&self, shards: &[usize], now: Moment) -> Option<Outputs> {
        let (&first, others) = shards.split_first()?;
        let mut outputs = self.with(first, now, |_, _| ()).1;
        // The caches take turns.
        let again = mem::replace(&mut outputs.replies.more, others.to_vec());
        outputs.replies.more.extend(again);
        Some(outputs)
    }

    /// Returns the number of domains.
    pub(crate) fn len(&self) -> usize {
        self.sum(0usize, |sum, inside| sum.saturating_add(inside.cache.len()))
    }

    /// Returns the number of domains whose last change could not be saved.
    pub(crate) fn unsaved_count(&self) -> usize {
        self.sum(0usize, |sum, inside| sum.saturating_add(inside.cache.unsaved_count()))
    }

    /// Combines what the caches have, except for one that stays locked in a forked child.
    fn sum<T: Copy>(&self, start: T, add: impl Fn(T, &ShardState) -> T) -> T {
        self.shards().fold(start, |sum, place| {
            let added =
                self.shard(place).read_unless_lost(self.process(), |inside| add(sum, inside));
            added.unwrap_or(sum)
        })
    }

    fn process(&self) -> Process {
        self.events.threads().process
    }

    fn shard_of(&self, domain: &Domain) -> usize {
        self.place_of(self.hash.of(domain.as_str()))
    }

    #[inline]
    fn place_of(&self, hash: u64) -> usize {
        place(hash, self.others.len().saturating_add(1))
    }

    fn shard(&self, place: usize) -> &Shard {
        self.others.get(place).unwrap_or(&self.first)
    }

    fn with<T>(
        &self,
        place: usize,
        now: Moment,
        step: impl FnOnce(usize, &mut ShardState) -> T,
    ) -> (T, Outputs) {
        self.shard(place).write(|inside| {
            inside.sync(now);
            let result = step(place, inside);
            (result, inside.drain(place, now, self.keeper.as_deref(), &self.events))
        })
    }
}

/// Returns the cache, of this many, of the domains with this hash: by its high half, as that of the
/// index in a cache is the low one.
#[inline]
fn place(hash: u64, count: usize) -> usize {
    let scaled = (hash >> 32).wrapping_mul(count as u64);
    (scaled >> 32) as u32 as usize
}

impl Replies {
    /// Sends the answers to pending lookups. Returns the next portion, if there is one.
    pub(crate) fn deliver(self, hub: &ShardedCache, now: Moment) -> Option<Outputs> {
        for reply in self.replies {
            let _ = hub.events.guard(Part::Waker, reply);
        }
        hub.more(&self.more, now)
    }
}

mod operator;
#[cfg(test)]
mod tests;
