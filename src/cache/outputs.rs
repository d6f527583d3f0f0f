//! What comes out of a cache: requests, events, and answers, which may have to wait for a store.

use alloc::collections::BTreeMap;

use time::UtcDateTime;

use super::{
    Cache,
    answer::Answer,
    bounds::is_stored,
    clock::{Deadline, Timestamp},
    entry::{Ask, Change},
    event::{Event, EventKind, Rechecked, Waiter},
    request::{FetchRequestId, PersistRequestId, Request, Ticket, TxtRequestId},
    waiting::{Saving, Waiting},
};
use crate::domain::Domain;

/// A request that has not been given out yet. What it says is settled when it is.
#[derive(Debug)]
pub(super) enum Queued {
    Ask(Ask, Ticket),
    Persist(u32),
    Remove(Domain),
}

/// What comes out. After every call that may change something, poll requests and events until
/// `None`.
impl Cache {
    /// The next thing to be done.
    pub fn poll_request(&mut self) -> Option<Request> {
        loop {
            let request = match self.queue.pop_front()? {
                Queued::Ask(ask, ticket) => self.ask(ask, ticket),
                Queued::Persist(slot) => self.persist(slot),
                Queued::Remove(domain) => {
                    let id = PersistRequestId { domain: domain.clone(), number: self.number() };
                    Some(Request::Persist { id, domain, snapshot: None })
                }
            };
            if request.is_some() {
                return request;
            }
        }
    }

    /// A request, if it has not timed out in the queue.
    fn ask(&mut self, ask: Ask, ticket: Ticket) -> Option<Request> {
        let slot = self.table.get(ticket.slot)?;
        if !slot.entry.expects(ticket.number, ask) {
            return None;
        }
        let domain = self.table.domain(ticket.slot)?.clone();
        Some(match ask {
            Ask::Txt => {
                self.counters.txt_queries = self.counters.txt_queries.saturating_add(1);
                Request::Txt { id: TxtRequestId(ticket), domain }
            }
            Ask::Fetch => {
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
        let (is_stored, (domain, entry)) = (found.in_store, self.table.entry(slot)?);
        let domain = domain.clone();
        if !is_stored && !was_stored {
            let waiting = self.waiting.get_mut(&slot);
            if let Some(saving) = waiting.and_then(|waiting| waiting.saving.take()) {
                self.release(slot, saving);
            }
            return None;
        }
        // What was forgotten since is removed: the last word counts.
        let snapshot = is_stored.then(|| entry.snapshot(&domain));
        if let Some(saving) = self.waiting.get_mut(&slot).and_then(|it| it.saving.as_mut()) {
            saving.request = Some(number);
        }
        let id = PersistRequestId { domain: domain.clone(), number };
        Some(Request::Persist { id, domain, snapshot })
    }

    /// The next thing that has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; every other call may change it.
    ///
    /// It is a time of the calendar, and the calendar may be set: whoever sleeps until then should
    /// compare it with a monotonic clock meanwhile, and tell a step to
    /// [`clock_set`](Self::clock_set). Takes constant time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UtcDateTime> {
        let next = [self.table.next_deadline(), self.unsaved.due()].into_iter().flatten().min();
        next.map(Timestamp::to_utc)
    }
}

impl Cache {
    /// Has an entry stored. Answers that depend on it wait for that as long as the store may take, and
    /// no longer than until the discovery is `over`: a lookup has one bound, whatever the store does.
    pub(super) fn must_persist(
        &mut self,
        slot: u32,
        change: Change,
        over: Option<Deadline>,
        now: UtcDateTime,
    ) {
        if let Some(found) = self.table.get_mut(slot)
            && !core::mem::replace(&mut found.to_persist, true)
        {
            self.queue.push_back(Queued::Persist(slot));
        }
        if change == Change::Policy {
            let wait = Deadline::new(Timestamp::of(now), self.config.persist_span());
            let deadline = over.map_or(wait, |over| wait.or(over));
            let waiting = self.waiting.entry(slot).or_default();
            let saving = waiting.saving.get_or_insert_with(|| Saving::new(deadline));
            saving.request = None;
        }
    }

    /// Gives answers to those who wait for them, or holds them until they are durable.
    pub(super) fn give_out(
        &mut self,
        slot: u32,
        answer: Option<Answer>,
        rechecked: Option<Rechecked>,
    ) {
        let Some(waiting) = self.waiting.get_mut(&slot) else { return };
        let mut answers: BTreeMap<Waiter, Answer> = BTreeMap::new();
        if let Some(answer) = answer {
            let waiters = core::mem::take(&mut waiting.lookups);
            answers.extend(waiters.into_iter().map(|waiter| (waiter, answer.clone())));
        }
        let mut results: BTreeMap<Waiter, Rechecked> = BTreeMap::new();
        if let Some(result) = rechecked {
            let waiters = core::mem::take(&mut waiting.rechecks);
            results.extend(waiters.into_iter().map(|waiter| (waiter, result.clone())));
        }
        if let Some(saving) = &mut waiting.saving {
            saving.answers.append(&mut answers);
            saving.rechecked.append(&mut results);
            return;
        }
        let deadline = Deadline::PAST;
        let given = Saving { request: None, deadline, answers, rechecked: results };
        self.release(slot, given);
    }

    pub(super) fn release(&mut self, slot: u32, given: Saving) {
        let Some(domain) = self.table.domain(slot).cloned() else { return };
        for (waiter, answer) in given.answers {
            self.tell(&domain, EventKind::Answered { waiter, answer });
        }
        for (waiter, result) in given.rechecked {
            self.tell(&domain, EventKind::Rechecked { waiter, result });
        }
        if self.waiting.get(&slot).is_some_and(Waiting::is_empty) {
            self.waiting.remove(&slot);
        }
    }
}
