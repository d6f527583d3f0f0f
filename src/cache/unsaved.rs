//! Rows that could not be stored, and the health of the store.

use alloc::{collections::BTreeMap, sync::Arc};
use core::{
    mem,
    ops::Range,
    sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
};

use time::UtcDateTime;

use super::{
    clock::{Deadline, Span, Timestamp},
    rule,
};
use crate::domain::Domain;

/// The domains whose last save or removal failed or timed out, each with that request, and the removals
/// whose outcome is not known yet. Of the outcome of an earlier request counts only what it says about a
/// removal.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    failed: BTreeMap<Domain, RowRequest>,
    /// The domains for which a request is in flight.
    tried: BTreeMap<Domain, RowRequest>,
    /// The domains whose removal has no outcome yet.
    removals: BTreeMap<Domain, Removal>,
    /// The slots whose rows the store may have lost, and which have not been looked at since.
    lost: Range<u32>,
    /// `true` while these count as one more unsaved domain of all caches.
    counts_lost: bool,
    /// The time at which more of the failed saves are retried.
    retry: Option<Deadline>,
    /// The number of consecutive retries that have failed.
    failures: u32,
    /// The time of the last probe of a stalled store.
    probed_at: Option<Timestamp>,
    store: StoreHealth,
}

/// A request to change the row of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowRequest {
    pub(super) number: u64,
    /// `true` if it removes the row, or follows a removal that is not known to have succeeded.
    pub(super) removes: bool,
}

impl RowRequest {
    const fn after(self, earlier: Self) -> Self {
        Self { removes: self.removes || earlier.removes, ..self }
    }
}

/// The last removal of the row of a domain, while it has no outcome.
#[derive(Clone, Copy, Debug)]
struct Removal {
    number: u64,
    /// The number of the last request for the domain, which is the removal or later.
    last: u64,
}

/// The health of a store, shared by all caches that use it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoreHealth(Arc<Health>);

#[derive(Debug, Default)]
struct Health {
    /// The number of unsaved domains of all caches.
    unsaved: AtomicUsize,
    /// The number of consecutive time-outs.
    timeouts: AtomicU32,
    is_stalled: AtomicBool,
}

/// The number of a request that has not been polled yet, which no outcome can have.
const NOT_ASKED: u64 = u64::MAX;

impl Unsaved {
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(super) fn of(store: StoreHealth) -> Self {
        Self { store, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.failed.len().saturating_add(self.tried.len())
    }

    /// Returns the number of domains, with all that the store may have lost.
    pub(super) fn most(&self) -> usize {
        self.len().saturating_add(self.lost.len())
    }

    pub(super) fn contains(&self, domain: &Domain) -> bool {
        self.failed.contains_key(domain) || self.tried.contains_key(domain)
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.retry.map(Deadline::due)
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        self.probed_at = self.probed_at.map(|last| last.min(now));
        if let Some(retry) = &mut self.retry {
            retry.rearm(now);
        }
    }

    pub(super) fn shift(&mut self, by: i64) {
        if let Some(retry) = &mut self.retry {
            retry.shift(by);
        }
    }

    /// Returns whether a stalled store may be probed because a request that began at this time took
    /// too long. All that began before the last probe say no more than it will.
    pub(super) fn may_probe(&self, begun: Timestamp) -> bool {
        self.is_stalled() && self.len() == 0 && self.probed_at.is_none_or(|last| begun >= last)
    }

    pub(super) fn note_probe(&mut self, now: Timestamp) {
        self.probed_at = Some(now);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.store.0.is_stalled.load(Relaxed)
    }

    /// Notes a new request. If the last one for the domain failed, this one replaces it. At most `most`
    /// removals are noted.
    pub(super) fn asked(&mut self, domain: &Domain, request: RowRequest, most: usize) {
        let RowRequest { number, removes } = request;
        let has_room = self.removals.len() < most;
        match self.removals.get_mut(domain) {
            Some(removal) if removes => *removal = Removal { number, last: number },
            Some(removal) => removal.last = number,
            None if removes && has_room => {
                self.removals.insert(domain.clone(), Removal { number, last: number });
            }
            None => {}
        }
        if let Some(earlier) = self.take(domain) {
            self.tried.insert(domain.clone(), request.after(earlier));
        }
    }

    fn take(&mut self, domain: &Domain) -> Option<RowRequest> {
        self.tried.remove(domain).or_else(|| self.failed.remove(domain))
    }

    /// Forgets the removal that the outcome of a request settles: this one, or an earlier one, which was
    /// dropped. Returns what to note if the request has failed: the last one for the domain, and whether
    /// a removal has failed with it.
    pub(super) fn settle_removal(&mut self, domain: &Domain, request: RowRequest) -> RowRequest {
        let Some(&Removal { number, last }) = self.removals.get(domain) else { return request };
        let is_settled = number <= request.number;
        if is_settled {
            self.removals.remove(domain);
        }
        RowRequest { number: last, removes: request.removes || is_settled }
    }

    pub(super) fn is_old(&self, domain: &Domain, number: u64) -> bool {
        let newest = self.tried.get(domain).or_else(|| self.failed.get(domain));
        newest.is_some_and(|newest| number < newest.number)
    }

    /// Adds a domain, if there are fewer than `most`. Returns whether there are.
    pub(super) fn add(
        &mut self,
        domain: &Domain,
        request: RowRequest,
        is_out: bool,
        most: usize,
    ) -> bool {
        let has_room = self.len() < most;
        if has_room {
            let rows = if is_out { &mut self.tried } else { &mut self.failed };
            rows.insert(domain.clone(), request);
            self.store.0.unsaved.fetch_add(1, Relaxed);
        }
        has_room
    }

    /// Removes a domain. Returns whether it was the last one of all caches.
    pub(super) fn remove(&mut self, domain: &Domain) -> bool {
        let was_there = self.take(domain).is_some();
        if self.most() == 0 {
            self.failures = 0;
            self.retry = None;
        }
        was_there && self.store.0.unsaved.fetch_sub(1, Relaxed) == 1
    }

    /// Plans the retry after a failure, if none is planned but the search for lost rows.
    pub(super) fn retry_later(&mut self, now: UtcDateTime) {
        if self.retry.is_none_or(|retry| retry.span() == Span::ZERO) {
            let (first, longest) = rule::SAVE_RETRY;
            let wait = first.doubled(self.failures).min(longest);
            self.retry = Some(Deadline::new(Timestamp::of(now), wait));
            self.failures = self.failures.saturating_add(1);
        }
    }

    /// Notes that the store works: if it fails again, the next retry is soon.
    pub(super) fn reset_back_off(&mut self) {
        self.failures = 0;
    }

    pub(super) fn is_retry_due(&self, now: Timestamp) -> bool {
        self.retry.is_some_and(|retry| retry.is_due(now))
    }

    pub(super) fn clear_retry(&mut self) {
        self.retry = None;
    }

    /// Notes that the store may have lost the rows of all slots below `end`.
    pub(super) fn lost(&mut self, end: u32) {
        self.lost = 0..end;
        if self.has_lost() && !mem::replace(&mut self.counts_lost, true) {
            self.store.0.unsaved.fetch_add(1, Relaxed);
        }
    }

    /// Returns the next slot whose row may be lost, if fewer than `most` domains are unsaved.
    pub(super) fn next_lost(&mut self, most: usize) -> Option<u32> {
        if self.len() < most { self.lost.next() } else { None }
    }

    pub(super) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Returns whether there are domains for which no request is in flight.
    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Plans a retry now, at which the search for lost rows is continued.
    pub(super) fn retry_now(&mut self, now: Timestamp) {
        self.retry = Some(Deadline::new(now, Span::ZERO));
    }

    /// Ends the search for lost rows if all slots have been looked at. Returns whether nothing is
    /// left to be saved in any of the caches.
    pub(super) fn end_search(&mut self) -> bool {
        let ends = !self.has_lost() && mem::take(&mut self.counts_lost);
        ends && self.store.0.unsaved.fetch_sub(1, Relaxed) == 1
    }

    /// Notes that the last request for a domain has failed, if one before it was not known to
    /// succeed.
    pub(super) fn failed(&mut self, domain: &Domain, request: RowRequest) {
        if let Some(earlier) = self.take(domain) {
            self.failed.insert(domain.clone(), request.after(earlier));
        }
    }

    /// Notes whether the row of a domain still has to be removed unless its last request succeeds, by the
    /// outcome of an earlier one.
    pub(super) fn set_removes(&mut self, domain: &Domain, removes: bool) {
        let last = self.tried.get_mut(domain).or_else(|| self.failed.get_mut(domain));
        if let Some(last) = last {
            last.removes = removes;
        }
    }

    /// Returns the next domain for which no request is in flight, and whether its row may still have
    /// to be removed. The caller makes another one, or [removes](Self::remove) the domain.
    pub(super) fn try_next(&mut self) -> Option<(Domain, bool)> {
        let (domain, RowRequest { removes, .. }) = self.failed.pop_first()?;
        self.tried.insert(domain.clone(), RowRequest { number: NOT_ASKED, removes });
        Some((domain, removes))
    }

    /// Returns whether a row is to be removed with a retry that has not been polled, if there is one.
    pub(super) fn queued_retry(&self, domain: &Domain) -> Option<bool> {
        let retry = self.tried.get(domain).filter(|retry| retry.number == NOT_ASKED)?;
        Some(retry.removes)
    }

    /// Notes a time-out. Returns whether the store counts as stalled from now on.
    pub(super) fn timed_out(&self) -> bool {
        self.store.timed_out()
    }

    /// Notes an outcome that came in time. Returns whether the store counted as stalled before.
    pub(super) fn answered(&self) -> bool {
        self.store.answered()
    }
}

impl StoreHealth {
    /// Counts one more unsaved domain until [`release`](Self::release) is called.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn hold(&self) {
        self.0.unsaved.fetch_add(1, Relaxed);
    }

    /// Returns whether nothing is left to be saved in any of the caches.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn release(&self) -> bool {
        self.0.unsaved.fetch_sub(1, Relaxed) == 1
    }

    /// Notes a time-out. Returns whether the store counts as stalled from now on.
    fn timed_out(&self) -> bool {
        let before = self.0.timeouts.fetch_add(1, Relaxed);
        before >= rule::STALLED.saturating_sub(1) && !self.0.is_stalled.swap(true, Relaxed)
    }

    /// Notes an outcome that came in time. Returns whether the store counted as stalled before.
    fn answered(&self) -> bool {
        self.0.timeouts.store(0, Relaxed);
        self.0.is_stalled.swap(false, Relaxed)
    }
}
