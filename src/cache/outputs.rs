//! The outputs of a cache: requests, events, and answers, which may have to wait for the store.

use alloc::vec::Vec;

use time::UtcDateTime;

use super::{
    Cache,
    answer::Answer,
    bounds::is_stored,
    clock::{Deadline, Timestamp},
    entry::{Durability, EntryRequest},
    event::{Event, RecheckResult},
    queue::Queued,
    request::{FetchRequestId, PersistRequestId, Request, RequestNumber, TxtRequestId},
    snapshot::Snapshot,
    unsaved::RowRequest,
    waiting::{PendingAnswers, PendingPersist, Waiters},
};
use crate::domain::Domain;

/// Outputs. After every call that may change the cache, poll requests and events until `None`.
impl Cache {
    /// Returns the next request to carry out, or `None` if there is none.
    pub fn poll_request(&mut self) -> Option<Request> {
        loop {
            let request = match self.queue.pop_front()? {
                Queued::Ask(ask, ticket) => self.ask(ask, ticket),
                Queued::Persist(slot) => self.persist(slot),
                Queued::Remove(domain) => {
                    let number = self.number();
                    Some(self.save(domain, number, None))
                }
            };
            if request.is_some() {
                return request;
            }
        }
    }

    /// Creates a request, if it has not timed out in the queue.
    fn ask(&mut self, ask: EntryRequest, ticket: RequestNumber) -> Option<Request> {
        let slot = self.table.get(ticket.slot)?;
        if !slot.entry.expects(ticket.number, ask) {
            return None;
        }
        let domain = self.table.domain(ticket.slot)?;
        Some(match ask {
            EntryRequest::Txt => {
                self.counters.txt_queries = self.counters.txt_queries.saturating_add(1);
                Request::Txt { id: TxtRequestId(ticket), domain }
            }
            EntryRequest::Fetch => {
                self.counters.fetches = self.counters.fetches.saturating_add(1);
                Request::Fetch { id: FetchRequestId(ticket), domain }
            }
        })
    }

    fn persist(&mut self, slot: u32) -> Option<Request> {
        let number = self.number();
        let found = self.table.get_mut(slot)?;
        if !core::mem::take(&mut found.to_persist) {
            return None;
        }
        let was_stored = found.in_store;
        found.in_store = is_stored(&found.entry.state);
        let (is_stored, domain) = (found.in_store, self.table.domain(slot)?);
        if !is_stored && !was_stored {
            let waiting = self.waiting.get_mut(&slot);
            if let Some(saving) = waiting.and_then(|waiting| waiting.saving.take()) {
                self.release(slot, saving.answers);
            }
            return None;
        }
        // A domain that was removed meanwhile is removed from the store: the last change counts.
        let snapshot = self.table.get(slot).filter(|_| is_stored);
        let snapshot = snapshot.map(|found| found.entry.snapshot(&domain));
        if let Some(saving) = self.waiting.get_mut(&slot).and_then(|waiter| waiter.saving.as_mut())
        {
            saving.request = Some(number);
        }
        Some(self.save(domain, number, snapshot))
    }

    fn save(&mut self, domain: Domain, number: u64, snapshot: Option<Snapshot>) -> Request {
        let request = RowRequest { number, removes: snapshot.is_none() };
        self.unsaved.asked(&domain, request, self.most_unsaved());
        let id = PersistRequestId { domain: domain.clone(), request, begun: self.latest };
        Request::Persist { id, domain, snapshot }
    }

    /// Returns the next event, or `None` if there is none.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front().or_else(|| {
            let (domain, mut answers) = self.answers.pop_front()?;
            let kind = answers.next()?;
            if !answers.is_empty() {
                // A domain with many pending lookups does not delay the others.
                self.answers.push_back((domain.clone(), answers));
            }
            Some(Event { domain, kind })
        })
    }

    /// Returns whether [`poll_event`](Self::poll_event) would return an event.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty() || !self.answers.is_empty()
    }

    /// Returns the time at which to call [`handle_timeout`](Self::handle_timeout) next; every other
    /// call may change it.
    ///
    /// It is a time of the wall clock, which may be set: a caller that sleeps until then should
    /// also watch a monotonic clock, and call [`clock_set`](Self::clock_set) after a step. Takes
    /// constant time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UtcDateTime> {
        // Deadlines to be rearmed after the clock was set back are due at once.
        let unarmed = self.unarmed.map(|_| self.latest);
        let next = [unarmed, self.table.next_deadline(), self.unsaved.due(), self.sweep.due()];
        next.into_iter().flatten().min().map(Timestamp::to_utc)
    }
}

impl Cache {
    /// Requests that an entry is stored. Answers that depend on it wait for at most the time-out of
    /// the store, and no longer than until the discovery is `over`, so that a lookup has the same
    /// bound with and without a store.
    pub(super) fn must_persist(
        &mut self,
        slot: u32,
        change: Durability,
        over: Option<Deadline>,
        now: UtcDateTime,
    ) {
        if let Some(found) = self.table.get_mut(slot)
            && !core::mem::replace(&mut found.to_persist, true)
        {
            self.queue.push_back(Queued::Persist(slot));
        }
        if change == Durability::Policy {
            let moment = Timestamp::of(now);
            let wait = Deadline::new(moment, self.config.persist_span());
            let over = over.filter(|over| !over.is_due(moment));
            let deadline = over.map_or(wait, |over| wait.or(over));
            let waiting = self.waiting.entry(slot).or_default();
            let saving =
                waiting.saving.get_or_insert_with(|| PendingPersist::new(moment, deadline));
            saving.request = None;
        }
    }

    /// Emits answers to pending lookups, or holds them until the changes they depend on are
    /// durable, unless the store is stalled.
    pub(super) fn give_out(
        &mut self,
        slot: u32,
        answer: Option<Answer>,
        rechecked: Option<RecheckResult>,
    ) {
        let Some(waiting) = self.waiting.get_mut(&slot) else { return };
        let mut given = Vec::new();
        if let Some(answer) = answer {
            given.push(PendingAnswers::Lookups(core::mem::take(&mut waiting.lookups), answer));
        }
        if let Some(result) = rechecked {
            given.push(PendingAnswers::Rechecks(core::mem::take(&mut waiting.rechecks), result));
        }
        given.retain(|answers| !answers.is_empty());
        if let Some(saving) = &mut waiting.saving
            && !self.unsaved.is_stalled()
        {
            saving.answers.append(&mut given);
            return;
        }
        self.release(slot, given);
    }

    pub(super) fn release(&mut self, slot: u32, given: Vec<PendingAnswers>) {
        let Some(domain) = self.table.domain(slot) else { return };
        let given = given.into_iter().filter(|answers| !answers.is_empty());
        self.answers.extend(given.map(|answers| (domain.clone(), answers)));
        if self.waiting.get(&slot).is_some_and(Waiters::is_empty) {
            self.waiting.remove(&slot);
        }
    }
}
