//! The inputs of a cache: lookups and other calls, and the outcomes of requests.

use time::UtcDateTime;

use super::{
    Cache, Lookup,
    answer::Answer,
    clock::{Deadline, Tick, Timestamp},
    entries::Found,
    entry::{Context, Durability, EntryRequest, Input, Outputs},
    event::{Event, EventKind, LookupId, RecheckError, RecheckOutcome, RecheckResult},
    inputs::{PolicyAnswer, TxtAnswer},
    place::Place,
    queue::Queued,
    request::{FetchRequestId, RequestNumber, TxtRequestId},
    waiting::PendingAnswers,
};
use crate::{domain::Domain, no_policy::NoPolicy};

/// Lookups and rechecks.
impl Cache {
    /// Returns the policy that applies to a domain, or starts discovery if it is not known.
    ///
    /// A policy that applies is returned at once, even if it has to be checked or refreshed in the
    /// background; but where it was replaced a moment ago, the lookup waits until the new one is
    /// stored. If no policy applies and none is known to be absent, the lookup waits for
    /// discovery, for at most the sum of the query and fetch time-outs of the
    /// [`Config`](super::Config). Takes constant time if nothing is due, else time logarithmic in
    /// the number of domains. The first call after the clock was set back rearms the deadlines
    /// of 256 domains, and looks at as many whose policies had expired before it evicts one; the
    /// others follow in [`handle_timeout`](Self::handle_timeout).
    #[inline]
    pub fn lookup(&mut self, domain: &Domain, now: UtcDateTime) -> Lookup<'_> {
        let found = self.find_calm(self.table.key(domain), domain, Tick::of(now));
        let Some(place) = found.map(|found| found.place) else {
            return self.lookup_with_work(domain, now);
        };
        self.counters.cached = self.counters.cached.saturating_add(1);
        // Read again, because the borrow must begin after the counters have changed.
        match self.table.at(place).and_then(Found::answer) {
            Some(answer) => Lookup::Answer(answer),
            None => self.calm_lookup(place, now),
        }
    }

    #[cold]
    fn calm_lookup(&self, place: Place, now: UtcDateTime) -> Lookup<'_> {
        Lookup::Answer(self.answer(place, now))
    }

    #[cold]
    fn lookup_with_work(&mut self, domain: &Domain, now: UtcDateTime) -> Lookup<'_> {
        self.note_time(now);
        let Some(slot) = self.open_or_admit(domain, now) else {
            self.counters.overloaded = self.counters.overloaded.saturating_add(1);
            return Lookup::Answer(Answer::NoPolicy(NoPolicy::Overloaded));
        };
        if self.overrides.contains_key(&slot) {
            self.counters.cached = self.counters.cached.saturating_add(1);
            return Lookup::Answer(self.slot_answer(slot, now));
        }
        let mut outputs = self.step(slot, Input::Lookup, now);
        let answer = outputs.answer.take();
        let waiter = self.waiter(slot);
        let is_known = self.wait_for_save(slot, waiter, answer);
        self.apply_outputs(slot, outputs, None, now);
        let place = self.update_derived(slot, Timestamp::of(now), true);
        if is_known {
            self.counters.cached = self.counters.cached.saturating_add(1);
            return Lookup::Answer(self.answer(place, now));
        }
        self.counters.waited = self.counters.waited.saturating_add(1);
        self.make_room(slot);
        Lookup::Waiting(waiter)
    }

    /// Adds a lookup to those that wait, unless it has its answer. Returns whether it has.
    fn wait_for_save(&mut self, slot: u32, waiter: LookupId, answer: Option<Answer>) -> bool {
        let Some(answer) = answer else {
            self.waiting.entry(slot).or_default().lookups.insert(waiter);
            return false;
        };
        let waiting = self.waiting.get_mut(&slot);
        let Some(saving) = waiting.and_then(|waiting| waiting.saving.as_mut()) else { return true };
        if self.unsaved.is_stalled() {
            return true;
        }
        match saving.answers.last_mut() {
            Some(PendingAnswers::Lookups(waiters, last)) if *last == answer => {
                waiters.insert(waiter);
            }
            _ => saving.answers.push(PendingAnswers::Lookups([waiter].into(), answer)),
        }
        false
    }

    /// Looks for a newer policy before a message is returned because of the one that applies.
    ///
    /// "A message delivery attempt MUST NOT be permanently failed until the sender has first
    /// checked for the presence of a new policy" ([RFC 8461 §5.1]). The result follows as
    /// [`EventKind::Rechecked`], after at most twice the sum of the query and fetch time-outs of
    /// the [`Config`](super::Config).
    ///
    /// | the domain | requests |
    /// | --- | --- |
    /// | is pinned or disabled by the operator | none |
    /// | is not in the cache, and there is no room for it | none |
    /// | any other | a TXT query, whatever is cached |
    /// | … and the record has another id, or no policy applies | then a fetch |
    /// | … and the record has the id of the policy that applies | then a fetch, unless one ended within the last 5 minutes |
    /// | … and there is no valid record, or DNS fails | as before if a fetched policy applies, else none |
    ///
    /// A fetch that back-off does not allow yet is not made; the outcome is then
    /// [`RecheckError::HeldBack`] if the record has another id.
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    pub fn recheck(&mut self, domain: &Domain, now: UtcDateTime) -> LookupId {
        self.look_anew(domain, Input::Recheck, now)
    }

    /// Looks up the record, then fetches the policy regardless of back-off. It is for an operator
    /// who knows that a problem has been fixed. Nothing is fetched if the record is absent, invalid
    /// or cannot be looked up, unless a fetched policy applies; nothing is requested for a domain
    /// that is pinned or disabled. The result follows as [`EventKind::Rechecked`].
    pub fn force_refresh(&mut self, domain: &Domain, now: UtcDateTime) -> LookupId {
        self.look_anew(domain, Input::Refresh, now)
    }

    fn look_anew(&mut self, domain: &Domain, input: Input, now: UtcDateTime) -> LookupId {
        self.note_time(now);
        let Some(slot) = self.open_or_admit(domain, now) else {
            self.counters.overloaded = self.counters.overloaded.saturating_add(1);
            let waiter = self.waiter(u32::MAX);
            let outcome = RecheckOutcome::Unknown(RecheckError::Overloaded);
            let answer = Answer::NoPolicy(NoPolicy::Overloaded);
            self.emit(
                domain,
                EventKind::Rechecked { id: waiter, result: RecheckResult { outcome, answer } },
            );
            return waiter;
        };
        let waiter = self.waiter(slot);
        if let Some(found) = self.overrides.get(&slot) {
            let result = RecheckResult {
                outcome: RecheckOutcome::Unchanged,
                answer: found.answer().cloned(),
            };
            self.emit(domain, EventKind::Rechecked { id: waiter, result });
            return waiter;
        }
        self.waiting.entry(slot).or_default().rechecks.insert(waiter);
        let outputs = self.step(slot, input, now);
        self.apply_outputs(slot, outputs, None, now);
        self.update_derived(slot, Timestamp::of(now), true);
        self.make_room(slot);
        waiter
    }

    /// Cancels a pending lookup or recheck. No event is emitted for it, unless it had its answer
    /// before, which then still is to be polled. Requests in flight continue, because they belong to
    /// the cache.
    pub fn cancel(&mut self, waiter: LookupId) {
        let Some(waiting) = self.waiting.get_mut(&waiter.slot) else { return };
        waiting.cancel(waiter);
        if waiting.is_empty() {
            self.waiting.remove(&waiter.slot);
        }
        self.update_derived(waiter.slot, self.latest, false);
        self.make_room(waiter.slot);
    }
}

/// The outcomes of requests, and the time.
impl Cache {
    /// Notes that a query which waited in a queue starts now, so that its time-out counts from
    /// here. The lookup still ends within the sum of the query and fetch time-outs of the
    /// [`Config`](super::Config), or, if that time has passed already, as after a suspension, within
    /// that sum from here. Returns whether the query is still wanted: if not, do not start it. There
    /// is no need to call this if requests are carried out at once.
    #[must_use]
    pub fn txt_started(&mut self, id: &TxtRequestId, now: UtcDateTime) -> bool {
        self.started(&id.0, EntryRequest::Txt, now)
    }

    /// Notes that a fetch which waited in a queue starts now, as [`txt_started`](Self::txt_started)
    /// does for a query.
    #[must_use]
    pub fn fetch_started(&mut self, id: &FetchRequestId, now: UtcDateTime) -> bool {
        self.started(&id.0, EntryRequest::Fetch, now)
    }

    fn started(&mut self, ticket: &RequestNumber, ask: EntryRequest, now: UtcDateTime) -> bool {
        self.note_time(now);
        let moment = Timestamp::of(now);
        let Some(found) = self.table.get_mut(ticket.slot) else { return false };
        let is_wanted = found.entry.start(ticket.number, ask, moment, &self.config);
        if is_wanted {
            self.update_derived(ticket.slot, moment, false);
        }
        is_wanted
    }

    /// Processes the answer of DNS to a [`Request::Txt`](super::Request::Txt).
    #[expect(clippy::needless_pass_by_value, reason = "an id is used up by its answer")]
    pub fn handle_txt(&mut self, id: TxtRequestId, answer: TxtAnswer, now: UtcDateTime) {
        let TxtRequestId(RequestNumber { slot, number }) = id;
        if self.expects(slot, number, EntryRequest::Txt) {
            self.handle(slot, Input::Txt(number, answer), now);
        }
    }

    /// Processes the outcome of a [`Request::Fetch`](super::Request::Fetch). A policy that comes
    /// after the time-out is accepted as fetched now, unless another was fetched since or the
    /// domain was removed.
    #[expect(clippy::needless_pass_by_value, reason = "an id is used up by its answer")]
    pub fn handle_policy(&mut self, id: FetchRequestId, answer: PolicyAnswer, now: UtcDateTime) {
        let FetchRequestId(RequestNumber { slot, number }) = id;
        if let PolicyAnswer::Valid(policy) = &answer
            && let Some(overdue) = self.overdue.get(&slot).filter(|found| found.ticket == number)
        {
            return self.handle_late(slot, *overdue, policy.clone(), now);
        }
        if !self.expects(slot, number, EntryRequest::Fetch) {
            return;
        }
        let answer = match answer {
            PolicyAnswer::Valid(policy) => {
                // The outcome of an earlier fetch is obsolete now.
                self.overdue.remove(&slot);
                PolicyAnswer::Valid(self.share_anew(slot, policy))
            }
            PolicyAnswer::Failed(_) | PolicyAnswer::NotSent => answer,
        };
        self.handle(slot, Input::Policy(number, answer), now);
    }

    /// Returns whether a request is still in flight.
    fn expects(&mut self, slot: u32, number: u64, ask: EntryRequest) -> bool {
        let expected = self.table.get(slot).is_some_and(|slot| slot.entry.expects(number, ask));
        if !expected {
            self.counters.late = self.counters.late.saturating_add(1);
        }
        expected
    }

    pub(super) fn release_held(&mut self, slot: u32) {
        if let Some(held) = self.table.get(slot).and_then(|slot| slot.entry.state.held()) {
            self.policies.release(held.policy);
        }
    }
}

impl Cache {
    pub(super) fn handle(&mut self, slot: u32, input: Input, now: UtcDateTime) {
        self.note_time(now);
        let over = self.table.get(slot).and_then(|slot| slot.entry.over());
        let is_time = matches!(input, Input::Timeout);
        let fetch =
            self.table.get(slot).filter(|_| is_time).and_then(|found| found.entry.overdue());
        let outputs = self.step(slot, input, now);
        self.note_given_up(slot, fetch);
        self.finish(slot, outputs, over, now);
    }

    pub(super) fn finish(
        &mut self,
        slot: u32,
        outputs: Outputs,
        over: Option<Deadline>,
        now: UtcDateTime,
    ) {
        self.apply_outputs(slot, outputs, over, now);
        self.update_derived(slot, Timestamp::of(now), false);
        self.make_room(slot);
    }

    /// Applies an input to the state machine of a domain.
    fn step(&mut self, slot: u32, input: Input, now: UtcDateTime) -> Outputs {
        let ticket = self.number();
        let Some(domain) = self.table.domain(slot) else { return Outputs::default() };
        let at = Context { domain: &domain, now, request_id: ticket, config: &self.config };
        self.table.get_mut(slot).map(|found| found.entry.step(input, &at)).unwrap_or_default()
    }

    /// Processes the outputs of a step. `over` is the end of the discovery that it was part of.
    pub(super) fn apply_outputs(
        &mut self,
        slot: u32,
        outputs: Outputs,
        over: Option<Deadline>,
        now: UtcDateTime,
    ) {
        let Outputs { request: ask, answer, recheck_result: rechecked, events, durability: change } =
            outputs;
        let number = self.table.get(slot).and_then(|slot| slot.entry.request_id());
        if let Some((ask, number)) = ask.zip(number) {
            self.queue.push_back(Queued::Ask(ask, RequestNumber { slot, number }));
        }
        if !events.is_empty()
            && let Some(domain) = self.table.domain(slot)
        {
            for kind in events {
                let kind = self.fold_alert(kind, Timestamp::of(now));
                self.emit(&domain, kind);
            }
        }
        if change > Durability::Nothing && self.config.persistence() {
            self.must_persist(slot, change, over, now);
        }
        if answer.is_some() || rechecked.is_some() {
            self.give_out(slot, answer, rechecked);
        }
    }

    pub(super) fn emit(&mut self, domain: &Domain, kind: EventKind) {
        self.events.push_back(Event { domain: domain.clone(), kind });
    }

    pub(super) fn waiter(&mut self, slot: u32) -> LookupId {
        LookupId { slot, number: self.number() }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.number = self.number.saturating_add(1);
        self.number
    }
}
