//! The outcomes of saves: time-outs, failures and retries.

use time::UtcDateTime;

use super::{
    Cache, bounds::is_stored, clock::Timestamp, entries::Slot, entry::Durability, event::EventKind,
    queue::Queued, request::PersistRequestId, unsaved::RowRequest, waiting::PendingPersist,
};
use crate::domain::Domain;

/// The number of saves to retry when a retry is due: enough to find out if the store works.
const PROBES: usize = 16;

/// The number of saves to retry after each that succeeded: soon all, while no call takes long.
const FOLLOWERS: usize = 64;

/// The number of entries at which one call looks for rows that the store has lost.
const LOOKS: usize = 4096;

/// The number of unsaved domains up to which more of those that the store has lost are added: as many as
/// one write may well have.
const AT_ONCE: usize = 1024;

impl Cache {
    /// Completes a [`Request::Persist`](super::Request::Persist). Pass `Err` with a message if the
    /// write failed. Report the outcomes for one domain in the order of the requests.
    ///
    /// In both cases the answers that waited for it are emitted: a failed store is no reason to
    /// send mail without a policy.
    pub fn handle_persisted(
        &mut self,
        id: PersistRequestId,
        outcome: Result<(), &str>,
        now: UtcDateTime,
    ) {
        self.note_time(now);
        let PersistRequestId { domain, request, begun } = id;
        let is_late = Timestamp::of(now) >= begun.plus(self.config.persist_span());
        if !is_late && self.unsaved.answered() {
            self.emit(&domain, EventKind::StoreResumed);
        }
        let last = self.unsaved.settle_removal(&domain, request);
        match outcome {
            Ok(()) => self.saved(&domain, request.number, now),
            Err(error) => self.not_saved(&domain, request.number, last, error, now),
        }
        if is_late && self.unsaved.may_probe(begun) {
            // Without this, nothing would show that the store has become faster.
            self.probe(&domain, request.removes, now);
        }
        let Some(slot) = self.table.find_slot(&domain) else { return };
        let waiting = self.waiting.get_mut(&slot);
        let answered = |saving: &mut PendingPersist| saving.request == Some(request.number);
        if let Some(saving) = waiting.and_then(|waiting| waiting.saving.take_if(answered)) {
            self.release(slot, saving.answers);
        }
        self.update_derived(slot, Timestamp::of(now), false);
        self.make_room(slot);
    }

    /// Requests a change that has been made, whose outcome shows whether the store is still slow.
    fn probe(&mut self, domain: &Domain, removed: bool, now: UtcDateTime) {
        // The store may have a row of a domain that is not in the cache.
        if self.table.find(domain).is_some() && self.repeat(domain, removed, now) {
            self.unsaved.note_probe(Timestamp::of(now));
        }
    }

    /// Requests that the row of a domain becomes what the cache has of it, after a request that
    /// `removed` it or not. Returns `false` if there is nothing to request: since a save, the domain was
    /// evicted from memory only, and its row stays.
    fn repeat(&mut self, domain: &Domain, removed: bool, now: UtcDateTime) -> bool {
        let is_stored = |found: &Slot| found.in_store || is_stored(&found.entry.state);
        match self.table.find_slot(domain) {
            Some(slot) if removed || self.table.get(slot).is_some_and(is_stored) => {
                // The contents of the store are unknown: it may hold a row that was to be removed.
                if let Some(found) = self.table.get_mut(slot) {
                    found.in_store = true;
                }
                self.must_persist(slot, Durability::State, None, now);
            }
            None if removed => self.queue.push_back(Queued::Remove(domain.clone())),
            _ => return false,
        }
        true
    }

    fn saved(&mut self, domain: &Domain, number: u64, now: UtcDateTime) {
        if self.unsaved.is_old(domain, number) {
            // The row is that of this request: no removal before it is left to be made.
            self.unsaved.set_removes(domain, false);
        } else {
            self.mark_saved(domain);
        }
        self.unsaved.reset_back_off();
        if self.unsaved.has_failed() || self.unsaved.has_lost() {
            // The store works again: there is no need to wait.
            self.retry_some(FOLLOWERS, now);
        }
    }

    /// Notes that nothing of a domain is left to be saved.
    pub(super) fn mark_saved(&mut self, domain: &Domain) {
        if self.unsaved.remove(domain) {
            self.emit(domain, EventKind::PersistRecovered);
        }
    }

    /// Processes the failure of the request of this number. `last` is the last one for the domain.
    fn not_saved(
        &mut self,
        domain: &Domain,
        number: u64,
        last: RowRequest,
        error: &str,
        now: UtcDateTime,
    ) {
        let (most, is_out) = (self.most_unsaved(), number < last.number);
        if !self.unsaved.contains(domain) {
            let is_noted = self.unsaved.add(domain, last, is_out, most);
            if !is_noted && self.table.find(domain).is_some() {
                // Removals have taken the room: all that is in the cache is saved again later.
                self.unsaved.lost(self.table.slots());
            }
            self.emit(domain, EventKind::NotPersisted { error: error.into() });
        } else if !self.unsaved.is_old(domain, number) {
            self.unsaved.failed(domain, last);
        } else if last.removes {
            self.unsaved.set_removes(domain, true);
        }
        if self.unsaved.has_failed() {
            self.unsaved.retry_later(now);
        }
    }

    /// Emits [`EventKind::NotPersisted`] for an answer that does not wait until its change is
    /// durable, once for each domain. The save may still succeed.
    pub(super) fn not_durable(&mut self, slot: u32, request: Option<u64>, error: &str) {
        let Some(domain) = self.table.domain(slot) else { return };
        if self.unsaved.contains(&domain) {
            return;
        }
        self.emit(&domain, EventKind::NotPersisted { error: error.into() });
        if let Some(number) = request {
            let (request, most) = (self.row_request(slot, number), self.most_unsaved());
            let _is_noted = self.unsaved.add(&domain, request, true, most);
        }
    }

    /// Returns the request of this number for an entry.
    fn row_request(&self, slot: u32, number: u64) -> RowRequest {
        let removes = self.table.get(slot).is_none_or(|found| !is_stored(&found.entry.state));
        RowRequest { number, removes }
    }

    /// Returns the maximum number of unsaved domains: those in the cache, and as many others. The
    /// bound is that of the cache.
    pub(super) fn most_unsaved(&self) -> usize {
        self.config.max_entries().saturating_mul(2)
    }

    pub(super) fn time_out_saving(&mut self, slot: u32, now: UtcDateTime) {
        let moment = Timestamp::of(now);
        let waiting = self.waiting.get_mut(&slot);
        let late = |saving: &mut PendingPersist| saving.deadline.is_due(moment);
        let Some(saving) = waiting.and_then(|waiting| waiting.saving.take_if(late)) else { return };
        self.not_durable(slot, saving.request, "no answer in time");
        // After a long discovery, the store had less than its full time-out.
        let had_its_time = moment >= saving.since.plus(self.config.persist_span());
        if had_its_time
            && self.unsaved.timed_out()
            && let Some(domain) = self.table.domain(slot)
        {
            self.emit(&domain, EventKind::StoreStalled);
        }
        self.release(slot, saving.answers);
    }
}

/// Retries.
impl Cache {
    /// Returns the number of domains for which the last save or removal has failed or timed out.
    /// Failed ones are retried after 1 s, doubling to a minute, and at once after another save
    /// succeeds. After [`save_all`](Self::save_all), entries without anything to save count, too, until
    /// they have been looked at.
    ///
    /// Twice [`Config::with_max_entries`](super::Config::with_max_entries) are kept by their names. If
    /// more fail, entries of the cache are all saved again as by `save_all`, and removals are not
    /// retried: a domain that was evicted meanwhile may be restored at the next start.
    #[must_use]
    pub fn unsaved_count(&self) -> usize {
        self.unsaved.most()
    }

    /// Retries all failed saves now: before a shutdown, or because the operator knows that the
    /// store works again.
    ///
    /// Takes time linear in their number.
    pub fn retry_unsaved(&mut self, now: UtcDateTime) {
        self.note_time(now);
        let most = self.most_unsaved();
        while self.unsaved.has_lost() && self.unsaved.len() < most {
            self.note_lost(most);
        }
        self.retry_some(usize::MAX, now);
    }

    /// Saves all entries again, because the store has lost its contents.
    ///
    /// The domains count as unsaved until then. They are saved a few at a time, from the next retry
    /// on if one is planned, else from the next [`handle_timeout`](Self::handle_timeout) on, which is
    /// due at once; [`EventKind::PersistRecovered`] is emitted when all are saved. Takes constant
    /// time: each of the calls that follow looks at some of the entries.
    pub fn save_all(&mut self, now: UtcDateTime) {
        self.note_time(now);
        if self.is_empty() {
            return;
        }
        self.unsaved.lost(self.table.slots());
        // A store that loses everything again and again is not tried without a pause.
        if self.unsaved.due().is_none() {
            self.unsaved.retry_now(Timestamp::of(now));
        }
    }

    fn retry_some(&mut self, most: usize, now: UtcDateTime) {
        self.unsaved.clear_retry();
        let at_once = self.most_unsaved().min(AT_ONCE);
        self.note_lost(at_once);
        let mut left = most;
        // Domains that were evicted from memory meanwhile cost time, too.
        let mut looks = most.max(LOOKS);
        while left > 0 && looks > 0 {
            let Some((domain, removed)) = self.unsaved.try_next() else { break };
            looks = looks.saturating_sub(1);
            if self.repeat(&domain, removed, now) {
                left = left.saturating_sub(1);
            } else {
                self.mark_saved(&domain);
            }
        }
        let is_cut = looks == 0 && self.unsaved.has_failed();
        let is_searching = self.unsaved.has_lost() && self.unsaved.len() < at_once;
        if left == most && (is_cut || is_searching) {
            // Nothing has been found yet whose success would continue the search.
            self.unsaved.retry_now(Timestamp::of(now));
        }
        if self.unsaved.end_search() {
            let any = self.table.iter().next().and_then(|place| self.table.domain_at(place));
            if let Some(domain) = any {
                self.emit(&domain, EventKind::PersistRecovered);
            }
        }
    }

    /// Ends the retry of a save that has not been polled, as the domain is evicted from memory.
    pub(super) fn drop_retry(&mut self, domain: &Domain) {
        match self.unsaved.queued_retry(domain) {
            Some(true) => self.queue.push_back(Queued::Remove(domain.clone())),
            Some(false) => self.mark_saved(domain),
            None => return,
        }
        if self.unsaved.due().is_none() && (self.unsaved.has_lost() || self.unsaved.has_failed()) {
            // Its success would have caused the next ones.
            self.unsaved.retry_now(self.latest);
        }
    }

    /// Looks at some of the slots whose rows the store may have lost, until `most` domains are unsaved.
    fn note_lost(&mut self, most: usize) {
        let number = self.number();
        for _ in 0..LOOKS {
            let Some(slot) = self.unsaved.next_lost(most) else { return };
            let found = self.table.get(slot);
            if found.is_none_or(|found| !found.in_store && !is_stored(&found.entry.state)) {
                continue;
            }
            let domain = self.table.domain(slot);
            if let Some(domain) = domain.filter(|domain| !self.unsaved.contains(domain)) {
                let request = self.row_request(slot, number);
                let _is_noted = self.unsaved.add(&domain, request, false, most);
            }
        }
    }

    pub(super) fn retry_if_due(&mut self, now: UtcDateTime) {
        let now_is = Timestamp::of(now);
        if self.unsaved.is_retry_due(now_is) {
            self.retry_some(PROBES, now);
        }
    }
}
