//! Rows that could not be stored, and the health of the store.

use alloc::{collections::BTreeMap, sync::Arc};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};

use time::UtcDateTime;

use super::{
    Cache,
    bounds::is_stored,
    clock::{Deadline, Timestamp},
    config::rule,
    entry::Change,
    event::EventKind,
    outputs::Queued,
    request::PersistRequestId,
    waiting::Saving,
};
use crate::domain::Domain;

/// The domains whose last save, or removal, failed or is late, each with the number of that request.
/// The outcome of an earlier request says nothing about them.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    failed: BTreeMap<Domain, u64>,
    /// Those for which a request is out.
    tried: BTreeMap<Domain, u64>,
    /// The time at which more of those that failed are tried again.
    retry: Option<Deadline>,
    /// How many saves in a row have failed.
    failures: u32,
    store: StoreHealth,
}

/// The health of a store, shared by all caches that use it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoreHealth(Arc<Health>);

#[derive(Debug, Default)]
struct Health {
    /// The number of unsaved domains of all caches.
    unsaved: AtomicUsize,
    /// The number of time-outs in a row.
    timeouts: AtomicU32,
    is_stalled: AtomicBool,
}

/// How many are tried again when it is time to: enough to see whether the store works.
const PROBES: usize = 16;

/// How many follow each that could be saved: soon all, and none of the calls takes long.
const FOLLOWERS: usize = 64;

/// A request that is not given out yet: no outcome is that of it.
const NOT_ASKED: u64 = u64::MAX;

impl Unsaved {
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(super) fn of(store: StoreHealth) -> Self {
        Self { store, ..Self::default() }
    }

    fn len(&self) -> usize {
        self.failed.len().saturating_add(self.tried.len())
    }

    fn contains(&self, domain: &Domain) -> bool {
        self.failed.contains_key(domain) || self.tried.contains_key(domain)
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.retry.map(Deadline::due)
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        if let Some(retry) = &mut self.retry {
            retry.rearm(now);
        }
    }

    pub(super) fn shift(&mut self, by: i64) {
        if let Some(retry) = &mut self.retry {
            retry.shift(by);
        }
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.store.0.is_stalled.load(Relaxed)
    }

    /// Notes that a save is asked for. If the last one for the domain did not succeed, this one is to
    /// make it good.
    pub(super) fn asked(&mut self, domain: &Domain, number: u64) {
        if let Some(newest) = self.tried.get_mut(domain) {
            *newest = number;
        } else if let Some((domain, _)) = self.failed.remove_entry(domain) {
            self.tried.insert(domain, number);
        }
    }

    fn is_old(&self, domain: &Domain, number: u64) -> bool {
        let newest = self.tried.get(domain).or_else(|| self.failed.get(domain));
        newest.is_some_and(|newest| number < *newest)
    }

    /// Adds a domain that was not one of them. There may be `most`.
    fn add(&mut self, domain: &Domain, number: u64, is_out: bool, most: usize) {
        if self.len() < most {
            let rows = if is_out { &mut self.tried } else { &mut self.failed };
            rows.insert(domain.clone(), number);
            self.store.0.unsaved.fetch_add(1, Relaxed);
        }
    }

    /// Takes a domain out. Whether it was the last one of all caches.
    fn remove(&mut self, domain: &Domain) -> bool {
        let was_there = self.failed.remove(domain).or_else(|| self.tried.remove(domain)).is_some();
        if self.len() == 0 {
            self.failures = 0;
            self.retry = None;
        }
        was_there && self.store.0.unsaved.fetch_sub(1, Relaxed) == 1
    }

    fn retry_later(&mut self, now: UtcDateTime) {
        if self.retry.is_none() {
            let (first, longest) = rule::SAVE_RETRY;
            let wait = first.doubled(self.failures).min(longest);
            self.retry = Some(Deadline::new(Timestamp::of(now), wait));
            self.failures = self.failures.saturating_add(1);
        }
    }
}

impl StoreHealth {
    /// Notes a time-out. Whether the store is taken for one that is stalled from now on.
    fn timed_out(&self) -> bool {
        let before = self.0.timeouts.fetch_add(1, Relaxed);
        before >= rule::STALLED.saturating_sub(1) && !self.0.is_stalled.swap(true, Relaxed)
    }

    /// Notes an outcome that came in time. Whether the store was taken for one that is stalled.
    fn answered(&self) -> bool {
        self.0.timeouts.store(0, Relaxed);
        self.0.is_stalled.swap(false, Relaxed)
    }
}

impl Cache {
    /// Takes the outcome of a [`Request::Persist`](super::Request::Persist): durable, or why not.
    ///
    /// Either way the answers that waited for it are given: that a store fails is no reason to send
    /// mail without a policy.
    pub fn handle_persisted(
        &mut self,
        id: PersistRequestId,
        outcome: Result<(), &str>,
        now: UtcDateTime,
    ) {
        self.see(now);
        let PersistRequestId { domain, number, begun } = id;
        let is_late = Timestamp::of(now) >= begun.plus(self.config.persist_span());
        if !is_late && self.unsaved.store.answered() {
            self.tell(&domain, EventKind::StoreResumed);
        }
        match outcome {
            Ok(()) => self.saved(&domain, number, now),
            Err(error) => self.not_saved(&domain, number, error, now),
        }
        let Some(slot) = self.table.find(&domain) else { return };
        if is_late && self.unsaved.is_stalled() && self.unsaved.len() == 0 {
            // Nothing else will show whether the store has become faster.
            self.must_persist(slot, Change::State, None, now);
        }
        let waiting = self.waiting.get_mut(&slot);
        let answered = |saving: &mut Saving| saving.request == Some(number);
        if let Some(saving) = waiting.and_then(|waiting| waiting.saving.take_if(answered)) {
            self.release(slot, saving.answers);
            self.settle(slot, Timestamp::of(now), false);
            self.make_room(Some(slot));
        }
    }

    fn saved(&mut self, domain: &Domain, number: u64, now: UtcDateTime) {
        if !self.unsaved.is_old(domain, number) && self.unsaved.remove(domain) {
            self.tell(domain, EventKind::PersistRecovered);
        }
        if !self.unsaved.failed.is_empty() {
            // It works again: no need to wait.
            self.retry_some(FOLLOWERS, now);
        }
    }

    fn not_saved(&mut self, domain: &Domain, number: u64, error: &str, now: UtcDateTime) {
        let most = self.most_unsaved();
        let unsaved = &mut self.unsaved;
        if !unsaved.contains(domain) {
            unsaved.add(domain, number, false, most);
            self.tell(domain, EventKind::NotPersisted { error: error.into() });
        } else if unsaved.is_old(domain, number) {
            return;
        } else if let Some((domain, _)) = unsaved.tried.remove_entry(domain) {
            unsaved.failed.insert(domain, number);
        }
        self.unsaved.retry_later(now);
    }

    /// Tells that a change is given out before it is durable, unless that was told of the domain. Its
    /// save may still succeed.
    pub(super) fn not_durable(&mut self, slot: u32, request: Option<u64>, error: &str) {
        let Some(domain) = self.table.domain(slot).cloned() else { return };
        if self.unsaved.contains(&domain) {
            return;
        }
        self.tell(&domain, EventKind::NotPersisted { error: error.into() });
        if let Some(number) = request {
            let most = self.most_unsaved();
            self.unsaved.add(&domain, number, true, most);
        }
    }

    /// Returns how many domains are remembered at the most: those that are held, and as many that are
    /// not. The bound is that of the cache.
    fn most_unsaved(&self) -> usize {
        self.config.max_entries().saturating_mul(2)
    }

    pub(super) fn time_out_saving(&mut self, slot: u32, now: UtcDateTime) {
        let moment = Timestamp::of(now);
        let waiting = self.waiting.get_mut(&slot);
        let late = |saving: &mut Saving| saving.deadline.is_due(moment);
        let Some(saving) = waiting.and_then(|waiting| waiting.saving.take_if(late)) else { return };
        self.not_durable(slot, saving.request, "no answer in time");
        // Where discovery took long, the store had less than its time.
        let had_its_time = moment >= saving.since.plus(self.config.persist_span());
        if had_its_time
            && self.unsaved.store.timed_out()
            && let Some(domain) = self.table.domain(slot).cloned()
        {
            self.tell(&domain, EventKind::StoreStalled);
        }
        self.release(slot, saving.answers);
    }
}

/// Trying again.
impl Cache {
    /// Returns for how many domains a save or a removal has failed or timed out and has not been made
    /// good yet. Those that failed are tried again: after 1 s, doubling to a minute, and at once when
    /// anything can be stored again.
    #[must_use]
    pub fn unsaved(&self) -> usize {
        self.unsaved.len()
    }

    /// Tries again now to store what could not be stored: before the end, or because the operator
    /// knows that the store works again.
    pub fn retry_unsaved(&mut self, now: UtcDateTime) {
        self.retry_some(usize::MAX, now);
    }

    /// Saves all that is held again, because the store has lost what was saved before.
    ///
    /// The domains count as [unsaved](Self::unsaved) until then. They are saved a few at a time; an
    /// [event](EventKind::PersistRecovered) tells when all are. Takes time linear in the number of
    /// domains.
    pub fn save_all(&mut self, now: UtcDateTime) {
        let (number, most) = (self.number(), self.most_unsaved());
        for slot in 0..self.table.slots() {
            let Some(found) = self.table.get(slot) else { continue };
            if !found.in_store && !is_stored(&found.entry.state) {
                continue;
            }
            let domain = self.table.domain(slot).cloned();
            if let Some(domain) = domain.filter(|domain| !self.unsaved.contains(domain)) {
                self.unsaved.add(&domain, number, false, most);
            }
        }
        self.retry_some(PROBES, now);
    }

    fn retry_some(&mut self, most: usize, now: UtcDateTime) {
        self.unsaved.retry = None;
        for _ in 0..most {
            let Some((domain, _)) = self.unsaved.failed.pop_first() else { return };
            self.unsaved.tried.insert(domain.clone(), NOT_ASKED);
            match self.table.find(&domain) {
                Some(slot) => {
                    // What it has is not known: it may be a row that was to be removed.
                    if let Some(found) = self.table.get_mut(slot) {
                        found.in_store = true;
                    }
                    self.must_persist(slot, Change::State, None, now);
                }
                None => self.queue.push_back(Queued::Remove(domain)),
            }
        }
    }

    pub(super) fn retry_if_due(&mut self, now: UtcDateTime) {
        let now_is = Timestamp::of(now);
        if self.unsaved.retry.is_some_and(|retry| retry.is_due(now_is)) {
            self.retry_some(PROBES, now);
        }
    }
}
