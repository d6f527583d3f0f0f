//! The caches of a client, and who waits for what they answer.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use time::UtcDateTime;

use super::{
    clock::Moment,
    event::{self, Part},
    jobs::{Done, Job, Work},
    keeper::Queue,
    outputs::Outputs,
    shard::{Inside, Shard, Waiting},
    teller::Teller,
    threads::Process,
    trace::Trace,
};
use crate::{
    cache::{
        Answer, Cache, Config, Event, EventKind, Lent, Lookup, Rechecked, Restored, Room, Snapshot,
        StoreHealth, TextHash, Waiter, most_valuable,
    },
    domain::Domain,
};

/// How many caches there are, so that threads that ask for different domains seldom meet.
///
/// The bounds are those of all together, but who makes room is found in the newcomer's own cache. A
/// keyed hash chooses that, so that no attacker can fill one: of `n` entries that would go first, wherever
/// they are, none is in it with a probability of (15/16)^n (of 100, 0.2 %). Only then the least
/// valuable entry of that cache goes, or the newcomer is not kept, though another has one worth less.
const SHARDS: usize = 16;

/// With fewer domains than this for each there is only one.
const SMALL: usize = 1024;

/// What the hash of domains is for here (`TextHash`).
const SHARD: u64 = 3;

/// Many caches, each of its share of the domains. It knows nothing of sockets, clocks and threads.
#[derive(Debug)]
pub(crate) struct Hub {
    first: Shard,
    others: Box<[Shard]>,
    hash: TextHash,
    /// Where changes go, if they are kept.
    keeper: Option<Arc<Queue>>,
    /// The queue of events.
    pub(crate) teller: Teller,
}

/// Who waits, and in which cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    shard: usize,
    waiter: Waiter,
}

impl Hub {
    /// Caches that share the room of one with these settings.
    pub(crate) fn new(config: Config, keeper: Option<Arc<Queue>>, teller: Teller) -> Self {
        let config = config.with_persistence(keeper.is_some());
        let count = if config.max_entries() / SMALL < SHARDS { 1 } else { SHARDS };
        let (room, store) = (Room::default(), StoreHealth::default());
        let shard = || Shard::new(Cache::within(config, room.clone(), store.clone()));
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
        let shard = self.shard(self.place(domain));
        shard
            .read_unless_lost(self.process(), |inside| inside.cache.get(domain, now).map(take))
            .flatten()
    }

    /// The answer, or who waits for it.
    pub(crate) fn lookup(
        &self,
        domain: &Domain,
        now: Moment,
        reply: impl FnOnce(Answer) + Send + Sync + 'static,
    ) -> (Result<Answer, Ticket>, Outputs) {
        self.with(self.place(domain), now, |shard, inside| {
            match inside.cache.lookup(domain, now.date) {
                Lookup::Answer(answer) => Ok(answer.cloned()),
                Lookup::Waiting(waiter) => {
                    inside.wait(waiter, Waiting::Lookup(Box::new(reply)));
                    Err(Ticket { shard, waiter })
                }
            }
        })
    }

    /// Looks for a newer policy (§5.1); `forced`: whether or not it is too early.
    pub(crate) fn recheck(
        &self,
        domain: &Domain,
        forced: bool,
        now: Moment,
        reply: impl FnOnce(Rechecked) + Send + Sync + 'static,
    ) -> (Ticket, Outputs) {
        self.with(self.place(domain), now, |shard, inside| {
            let waiter = if forced {
                inside.cache.refresh(domain, now.date)
            } else {
                inside.cache.recheck(domain, now.date)
            };
            inside.wait(waiter, Waiting::Recheck(Box::new(reply)));
            Ticket { shard, waiter }
        })
    }

    /// Whoever has waited does not any more.
    pub(crate) fn cancel(&self, ticket: Ticket, now: Moment) -> Outputs {
        let (waiting, outputs) = self.with(ticket.shard, now, |_, inside| {
            inside.cache.cancel(ticket.waiter);
            inside.waiting.remove(&ticket.waiter)
        });
        let _ = self.teller.guard(Part::Waker, || drop(waiting));
        outputs
    }

    /// Nobody waits any more: what they would have been told by is dropped.
    pub(crate) fn hang_up(&self) {
        for place in 0..=self.others.len() {
            let waiting = self.shard(place).write(|inside| {
                inside.is_closed = true;
                core::mem::take(&mut inside.waiting)
            });
            // Not under the lock: whoever waits may do anything when told.
            for waiting in waiting.into_values() {
                let _ = self.teller.guard(Part::Waker, || drop(waiting));
            }
        }
    }

    /// Has all saved that could not be: once more, before the end.
    pub(crate) fn retry_unsaved(&self, now: Moment) {
        for place in 0..=self.others.len() {
            let _ = self.with(place, now, |_, inside| inside.cache.retry_unsaved(now.date));
        }
    }

    /// Takes up what was kept.
    pub(crate) fn restore(&self, snapshots: Vec<Snapshot>, now: Moment) -> Restored {
        let config = self.first.read(|inside| *inside.cache.config());
        let (snapshots, refused) =
            most_valuable(snapshots, &config, now.date, |domain| self.place(domain));
        let mut shares: Vec<Vec<Snapshot>> = (0..=self.others.len()).map(|_| Vec::new()).collect();
        for snapshot in snapshots {
            let place = snapshot.domain().map_or(0, |domain| self.place(domain));
            shares.get_mut(place).unwrap_or(&mut Vec::new()).push(snapshot);
        }
        let mut all =
            Restored { refused: refused.total(), refused_by_class: refused, ..Restored::default() };
        for (place, share) in shares.into_iter().enumerate() {
            let (report, _) =
                self.with(place, now, |_, inside| inside.cache.restore(share, now.date));
            all.restored = all.restored.saturating_add(report.restored);
            all.ended = all.ended.saturating_add(report.ended);
            all.outdated = all.outdated.saturating_add(report.outdated);
            all.refused = all.refused.saturating_add(report.refused);
            all.refused_by_class.add(report.refused_by_class);
            all.damaged.extend(report.damaged);
        }
        all
    }

    /// Notes that a job is begun. Returns whether the cache still waits for it. The outputs may be the
    /// next portion of answers to others.
    pub(crate) fn starts(&self, job: &Job, now: Moment) -> (bool, Outputs) {
        self.with(job.shard, now, |_, inside| match &job.work {
            Work::Txt(id) => inside.cache.txt_started(id, now.date),
            Work::Fetch(id) => inside.cache.fetch_started(id, now.date),
        })
    }

    /// Takes what came of a job; what else is to be done for its domain belongs to the same discovery.
    pub(crate) fn after(&self, shard: usize, done: Done, trace: &Trace, now: Moment) -> Outputs {
        trace.done(&done);
        let mut outputs = self.done(shard, done, now);
        outputs.jobs.iter_mut().for_each(|job| job.trace = Some(trace.clone()));
        outputs
    }

    /// Takes what came of something.
    pub(crate) fn done(&self, shard: usize, done: Done, now: Moment) -> Outputs {
        if let Done::Lost(domain, error) = done {
            return self.save_all(domain, error, now);
        }
        let taken = self.with(shard, now, |_, inside| match done {
            Done::Txt(id, answer) => inside.cache.handle_txt(id, answer, now.date),
            Done::Fetch(id, answer) => inside.cache.handle_policy(id, answer, now.date),
            Done::Persisted(id, result) => {
                let result = result.as_ref().copied().map_err(String::as_str);
                inside.cache.handle_persisted(id, result, now.date);
            }
            Done::Lost(..) => {}
        });
        taken.1
    }

    /// Has all saved again that is held.
    fn save_all(&self, domain: Domain, error: String, now: Moment) -> Outputs {
        let kind = EventKind::StoreLost { error: error.into() };
        self.teller.tell(event::EventKind::Cache(Event { domain, kind }));
        let mut all = Outputs::default();
        for place in 0..=self.others.len() {
            all.add(self.with(place, now, |_, inside| inside.cache.save_all(now.date)).1);
        }
        all
    }

    /// Has all caches do what is due, and tells them if the calendar was set.
    pub(crate) fn wake(&self, now: Moment) -> Outputs {
        let mut all = Outputs::default();
        for shard in 0..=self.others.len() {
            let (due, is_set) = self
                .shard(shard)
                .read(|inside| (inside.cache.poll_timeout(), inside.step(now).is_some()));
            if is_set || due.is_some_and(|due| due <= now.date) {
                let woken =
                    self.with(shard, now, |_, inside| inside.cache.handle_timeout(now.date));
                all.add(woken.1);
            } else {
                all.wake_by(due.map(|due| now.instant_of(due)));
            }
        }
        all
    }

    /// The next portion of the answers of these caches.
    pub(super) fn more(&self, shards: &[usize], now: Moment) -> Option<Outputs> {
        shards.iter().fold(None, |all: Option<Outputs>, &shard| {
            let mut all = all.unwrap_or_default();
            all.add(self.with(shard, now, |_, _| ()).1);
            Some(all)
        })
    }

    /// How many domains are known.
    pub(crate) fn len(&self) -> usize {
        let len = |place| {
            let len = |inside: &Inside| inside.cache.len();
            self.shard(place).read_unless_lost(self.process(), len).unwrap_or(0)
        };
        (0..=self.others.len()).map(len).sum()
    }

    fn process(&self) -> Process {
        self.teller.threads().process
    }

    fn place(&self, domain: &Domain) -> usize {
        let hash = self.hash.of(domain.as_str());
        let count = self.others.len().saturating_add(1) as u64;
        usize::try_from(hash.checked_rem(count).unwrap_or(0)).unwrap_or(0)
    }

    fn shard(&self, place: usize) -> &Shard {
        self.others.get(place).unwrap_or(&self.first)
    }

    fn with<T>(
        &self,
        place: usize,
        now: Moment,
        step: impl FnOnce(usize, &mut Inside) -> T,
    ) -> (T, Outputs) {
        self.shard(place).write(|inside| {
            inside.sync(now);
            let result = step(place, inside);
            (result, inside.drain(place, now, self.keeper.as_deref(), &self.teller))
        })
    }
}

#[cfg(test)]
mod tests;
