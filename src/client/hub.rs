//! The caches of a client, and who waits for what they answer.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;
use std::{collections::HashMap, sync::PoisonError};

use crossbeam_utils::sync::ShardedLock;
use time::UtcDateTime;

use super::{
    event::{self, Part},
    jobs::{Done, Job, Work},
    keeper::{Queue, Saving},
    outputs::Outputs,
    teller::Teller,
    trace::Trace,
};
use crate::{
    cache::{
        Answer, Cache, Config, EventKind, Lent, Lookup, Rechecked, Request, Restored, Room,
        Snapshot, TextHash, Waiter, most_valuable,
    },
    domain::Domain,
    store::Change,
};

/// How many caches there are, so that threads that ask for different domains seldom meet.
const SHARDS: usize = 16;

/// With fewer domains than this for each there is only one.
const SMALL: usize = 1024;

/// What the hash of domains is for here (`TextHash`).
const SHARD: u64 = 3;

/// How many answers are given out under the lock of a cache: others want to ask it, too.
const PORTION: usize = 2048;

/// Many caches, each of its share of the domains. It knows nothing of sockets, clocks and threads.
#[derive(Debug)]
pub(crate) struct Hub {
    first: Shard,
    others: Box<[Shard]>,
    hash: TextHash,
    /// Where changes go, if they are kept.
    keeper: Option<Queue>,
    /// Where events go.
    pub(crate) teller: Teller,
}

/// Threads that read it do not even write to the same memory, as they would with a plain lock.
#[derive(Debug)]
struct Shard(ShardedLock<Inside>);

struct Inside {
    cache: Cache,
    waiting: HashMap<Waiter, Waiting>,
    /// Whether the client is shut down: nobody waits any more.
    is_closed: bool,
}

type Callback<T> = Box<dyn FnOnce(T) + Send + Sync>;

/// Somebody who waits.
enum Waiting {
    Lookup(Callback<Answer>),
    Recheck(Callback<Rechecked>),
}

/// Who waits, and in which cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    shard: usize,
    waiter: Waiter,
}

impl Hub {
    /// Caches that share the room of one with these settings.
    pub(crate) fn new(config: Config, keeper: Option<Queue>, teller: Teller) -> Self {
        let config = config.with_persistence(keeper.is_some());
        let count = if config.max_entries() / SMALL < SHARDS { 1 } else { SHARDS };
        let room = Room::default();
        let shard = || {
            let inside = Inside {
                cache: Cache::within(config, room.clone()),
                waiting: HashMap::new(),
                is_closed: false,
            };
            Shard(ShardedLock::new(inside))
        };
        let others = core::iter::repeat_with(shard).take(count.saturating_sub(1)).collect();
        let hash = TextHash::new(config.seed(), SHARD);
        Self { first: shard(), others, hash, keeper, teller }
    }

    /// The answer, if it is at hand and nothing is due: the caches are only read.
    #[inline]
    pub(crate) fn cached<T>(
        &self,
        domain: &Domain,
        now: UtcDateTime,
        take: impl FnOnce(Answer<Lent<'_>>) -> T,
    ) -> Option<T> {
        self.shard(self.place(domain)).read(|inside| inside.cache.get(domain, now).map(take))
    }

    /// The answer, or who waits for it.
    pub(crate) fn lookup(
        &self,
        domain: &Domain,
        now: UtcDateTime,
        reply: impl FnOnce(Answer) + Send + Sync + 'static,
    ) -> (Result<Answer, Ticket>, Outputs) {
        self.with(self.place(domain), |shard, inside| match inside.cache.lookup(domain, now) {
            Lookup::Answer(answer) => Ok(answer.cloned()),
            Lookup::Waiting(waiter) => {
                inside.wait(waiter, Waiting::Lookup(Box::new(reply)));
                Err(Ticket { shard, waiter })
            }
        })
    }

    /// Looks for a newer policy (§5.1); `forced`: whether or not it is too early.
    pub(crate) fn recheck(
        &self,
        domain: &Domain,
        forced: bool,
        now: UtcDateTime,
        reply: impl FnOnce(Rechecked) + Send + Sync + 'static,
    ) -> (Ticket, Outputs) {
        self.with(self.place(domain), |shard, inside| {
            let waiter = if forced {
                inside.cache.refresh(domain, now)
            } else {
                inside.cache.recheck(domain, now)
            };
            inside.wait(waiter, Waiting::Recheck(Box::new(reply)));
            Ticket { shard, waiter }
        })
    }

    /// Whoever has waited does not any more.
    pub(crate) fn cancel(&self, ticket: Ticket) -> Outputs {
        let (waiting, outputs) = self.with(ticket.shard, |_, inside| {
            inside.cache.cancel(ticket.waiter);
            inside.waiting.remove(&ticket.waiter)
        });
        let _ = self.teller.guard(Part::Waker, || drop(waiting));
        outputs
    }

    /// Nobody waits any more: what they would have been told by is dropped.
    pub(crate) fn hang_up(&self) {
        for place in 0..=self.others.len() {
            let (waiting, outputs) = self.with(place, |_, inside| {
                inside.is_closed = true;
                core::mem::take(&mut inside.waiting)
            });
            // Not under the lock: whoever waits may do anything when told.
            for waiting in waiting.into_values() {
                let _ = self.teller.guard(Part::Waker, || drop(waiting));
            }
            // What is still to be done is not; what is known is told.
            let _ = outputs.replies.tell(self);
        }
    }

    /// Has all saved that could not be: once more, before the end.
    pub(crate) fn retry_unsaved(&self, now: UtcDateTime) {
        for place in 0..=self.others.len() {
            let _ = self.with(place, |_, inside| inside.cache.retry_unsaved(now));
        }
    }

    /// Takes up what was kept.
    pub(crate) fn restore(&self, snapshots: Vec<Snapshot>, now: UtcDateTime) -> Restored {
        let config = self.first.read(|inside| *inside.cache.config());
        let (snapshots, refused) = most_valuable(snapshots, &config, now);
        let mut shares: Vec<Vec<Snapshot>> = (0..=self.others.len()).map(|_| Vec::new()).collect();
        for snapshot in snapshots {
            let place = snapshot.domain().map_or(0, |domain| self.place(domain));
            shares.get_mut(place).unwrap_or(&mut Vec::new()).push(snapshot);
        }
        let mut all =
            Restored { refused: refused.total(), refused_by_class: refused, ..Restored::default() };
        for (place, share) in shares.into_iter().enumerate() {
            let (report, _) = self.with(place, |_, inside| inside.cache.restore(share, now));
            all.restored = all.restored.saturating_add(report.restored);
            all.outdated = all.outdated.saturating_add(report.outdated);
            all.refused = all.refused.saturating_add(report.refused);
            all.refused_by_class.add(report.refused_by_class);
            all.damaged.extend(report.damaged);
        }
        all
    }

    /// Notes that a job is begun. Whether the cache still waits for it.
    pub(crate) fn starts(&self, job: &Job, now: UtcDateTime) -> bool {
        let started = self.with(job.shard, |_, inside| match &job.work {
            Work::Txt(id) => inside.cache.txt_started(id, now),
            Work::Fetch(id) => inside.cache.fetch_started(id, now),
        });
        started.0
    }

    /// Takes what came of a job; what else is to be done for its domain belongs to the same discovery.
    pub(crate) fn after(
        &self,
        shard: usize,
        done: Done,
        trace: &Trace,
        now: UtcDateTime,
    ) -> Outputs {
        trace.done(&done);
        let mut outputs = self.done(shard, done, now);
        outputs.jobs.iter_mut().for_each(|job| job.trace = Some(trace.clone()));
        outputs
    }

    /// Takes what came of something.
    pub(crate) fn done(&self, shard: usize, done: Done, now: UtcDateTime) -> Outputs {
        let taken = self.with(shard, |_, inside| match done {
            Done::Txt(id, answer) => inside.cache.handle_txt(id, answer, now),
            Done::Fetch(id, answer) => inside.cache.handle_policy(id, answer, now),
            Done::Persisted(id, result) => {
                let result = result.as_ref().copied().map_err(String::as_str);
                inside.cache.handle_persisted(id, result, now);
            }
        });
        taken.1
    }

    /// Has all caches do what is due.
    pub(crate) fn wake(&self, now: UtcDateTime) -> Outputs {
        let mut all = Outputs::default();
        for shard in 0..=self.others.len() {
            let timeout = self.shard(shard).read(|inside| inside.cache.poll_timeout());
            if timeout.is_some_and(|due| due <= now) {
                all.add(self.with(shard, |_, inside| inside.cache.handle_timeout(now)).1);
            } else {
                all.wake_by(timeout);
            }
        }
        all
    }

    /// The next portion of the answers of these caches.
    pub(super) fn more(&self, shards: &[usize]) -> Option<Outputs> {
        shards.iter().fold(None, |all: Option<Outputs>, &shard| {
            let mut all = all.unwrap_or_default();
            all.add(self.with(shard, |_, _| ()).1);
            Some(all)
        })
    }

    /// How many domains are known.
    pub(crate) fn len(&self) -> usize {
        (0..=self.others.len()).map(|it| self.shard(it).read(|inside| inside.cache.len())).sum()
    }

    fn place(&self, domain: &Domain) -> usize {
        let hash = self.hash.of(domain.as_str());
        let count = self.others.len().saturating_add(1) as u64;
        usize::try_from(hash.checked_rem(count).unwrap_or(0)).unwrap_or(0)
    }

    fn shard(&self, place: usize) -> &Shard {
        self.others.get(place).unwrap_or(&self.first)
    }

    fn with<T>(&self, place: usize, step: impl FnOnce(usize, &mut Inside) -> T) -> (T, Outputs) {
        let mut inside = self.shard(place).0.write().unwrap_or_else(PoisonError::into_inner);
        let result = step(place, &mut inside);
        (result, inside.drain(place, self.keeper.as_ref(), &self.teller))
    }
}

impl Shard {
    fn read<T>(&self, step: impl FnOnce(&Inside) -> T) -> T {
        step(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inside {
    /// Has somebody wait, unless the client is shut down: then what they would be told by is
    /// dropped, which tells them.
    fn wait(&mut self, waiter: Waiter, waiting: Waiting) {
        if !self.is_closed {
            self.waiting.insert(waiter, waiting);
        }
    }

    /// What the cache wants done, and what it tells. Events go out under its lock: so they are told in
    /// the order in which they happened.
    fn drain(&mut self, shard: usize, keeper: Option<&Queue>, teller: &Teller) -> Outputs {
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
                        // Once the client is shut down nobody waits for it.
                        let _ = keeper.send(Some(saving));
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
            let (addresses, trace) = (None, None);
            out.jobs.push(Job { shard, domain, work, ends_at, failures, addresses, trace });
        }
        out.wake_at = self.cache.poll_timeout();
        out
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut inside = f.debug_struct("Inside");
        inside.field("cache", &self.cache).field("is_closed", &self.is_closed);
        inside.field("waiting", &self.waiting.len()).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]
mod tests {
    use alloc::sync::Arc;
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::cache::TxtAnswer;

    #[test]
    fn answers_are_given_out_in_portions() {
        let count = PORTION.saturating_mul(3).saturating_add(1);
        let hub = Hub::new(Config::new(1), None, Teller::new(false));
        let (domain, now) = (Domain::parse("example.com").unwrap(), UtcDateTime::UNIX_EPOCH);
        let told = Arc::new(AtomicUsize::new(0));
        let mut jobs = Vec::new();
        for _ in 0..count {
            let told = Arc::clone(&told);
            let reply = move |_| {
                told.fetch_add(1, Ordering::SeqCst);
            };
            let (answer, outputs) = hub.lookup(&domain, now, reply);
            assert!(answer.is_err());
            jobs.extend(outputs.jobs);
        }
        let Some(Job { shard, work: Work::Txt(id), .. }) = jobs.pop() else { panic!() };
        let done = Done::Txt(id, TxtAnswer::NoRecord { ttl: None });
        let mut next = Some(hub.done(shard, done, now));
        let mut portions = Vec::new();
        while let Some(outputs) = next {
            let before = told.load(Ordering::SeqCst);
            next = outputs.replies.tell(&hub);
            portions.push(told.load(Ordering::SeqCst).saturating_sub(before));
            // Whoever asks meanwhile does not wait for all of it.
            assert!(hub.cached(&domain, now, |_| ()).is_some());
        }
        assert_eq!(portions, [PORTION, PORTION, PORTION, 1]);
    }
}
