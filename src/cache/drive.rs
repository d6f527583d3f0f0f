//! What goes into a cache: what is asked of it, and what comes from outside.

use time::UtcDateTime;

use super::{
    Cache, Lookup,
    answer::Answer,
    clock::{Deadline, Tick, Timestamp},
    config::rule,
    entry::{Ask, At, Change, Input, Outputs},
    event::{Doubt, Event, EventKind, Outcome, Rechecked, Waiter},
    index::Row,
    outputs::Queued,
    request::{FetchRequestId, PolicyAnswer, Ticket, TxtAnswer, TxtRequestId},
    waiting::Answers,
};
use crate::{domain::Domain, no_policy::NoPolicy};

/// What is asked of it.
impl Cache {
    /// What applies to a domain to which mail is to be sent.
    ///
    /// A policy that applies is given at once, whatever has to be done about it in the background.
    /// Without one, and without knowing that there is none, the lookup waits for discovery: at most
    /// for the two time-outs of the [`Config`](super::Config). Takes constant time if nothing is due,
    /// else time logarithmic in the number of domains.
    #[inline]
    pub fn lookup(&mut self, domain: &Domain, now: UtcDateTime) -> Lookup<'_> {
        let index = self.table.index();
        let place = index.place(domain);
        let is_calm = place.and_then(|it| index.at(it)).is_some_and(|row| self.is_calm(row, now));
        if !is_calm {
            return self.lookup_with_work(domain, now);
        }
        self.counters.cached = self.counters.cached.saturating_add(1);
        // Only now, for what was borrowed before the count cannot be given out.
        let row = place.and_then(|it| self.table.index().at(it));
        match row.and_then(|row| self.lent(row)) {
            Some(lent) => Lookup::Answer(Answer::Policy(lent)),
            None => self.lookup_without_policy(row.map_or(u32::MAX, Row::slot), now),
        }
    }

    #[cold]
    fn lookup_without_policy(&self, slot: u32, now: UtcDateTime) -> Lookup<'_> {
        Lookup::Answer(self.answer(slot, now))
    }

    #[cold]
    fn lookup_with_work(&mut self, domain: &Domain, now: UtcDateTime) -> Lookup<'_> {
        self.see(now);
        let Some(slot) = self.table.find(domain).or_else(|| self.admit(domain.clone(), now)) else {
            self.counters.overloaded = self.counters.overloaded.saturating_add(1);
            return Lookup::Answer(Answer::NoPolicy(NoPolicy::Overloaded));
        };
        if self.overrides.contains_key(&slot) {
            self.counters.cached = self.counters.cached.saturating_add(1);
            return Lookup::Answer(self.answer(slot, now));
        }
        let mut outputs = self.step(slot, Input::Lookup, now);
        let answer = outputs.answer.take();
        let waiter = self.waiter(slot);
        let is_known = self.hold(slot, waiter, answer);
        self.take(slot, outputs, None, now);
        self.settle(slot, Timestamp::of(now), true);
        if is_known {
            self.counters.cached = self.counters.cached.saturating_add(1);
            return Lookup::Answer(self.answer(slot, now));
        }
        self.counters.waited = self.counters.waited.saturating_add(1);
        self.make_room(Some(slot));
        Lookup::Waiting(waiter)
    }

    /// Puts a lookup among those who wait, unless it has its answer. Returns whether it has.
    fn hold(&mut self, slot: u32, waiter: Waiter, answer: Option<Answer>) -> bool {
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
            Some(Answers::Lookups(waiters, last)) if *last == answer => {
                waiters.insert(waiter);
            }
            _ => saving.answers.push(Answers::Lookups([waiter].into(), answer)),
        }
        false
    }

    /// Looks for a newer policy, before a message is given up because of the one that applies.
    ///
    /// "A message delivery attempt MUST NOT be permanently failed until the sender has first checked
    /// for the presence of a new policy" (§5.1). DNS is asked whatever is known. The result comes as
    /// [`EventKind::Rechecked`], at most after twice the two time-outs of the
    /// [`Config`](super::Config).
    pub fn recheck(&mut self, domain: &Domain, now: UtcDateTime) -> Waiter {
        self.look_anew(domain, Input::Recheck, now)
    }

    /// Fetches the policy now, though a fetch failed a moment ago: for an operator who knows that
    /// what was wrong is mended. The result comes as [`EventKind::Rechecked`].
    pub fn refresh(&mut self, domain: &Domain, now: UtcDateTime) -> Waiter {
        self.look_anew(domain, Input::Refresh, now)
    }

    fn look_anew(&mut self, domain: &Domain, input: Input, now: UtcDateTime) -> Waiter {
        self.see(now);
        let Some(slot) = self.table.find(domain).or_else(|| self.admit(domain.clone(), now)) else {
            self.counters.overloaded = self.counters.overloaded.saturating_add(1);
            let waiter = self.waiter(u32::MAX);
            let outcome = Outcome::Unknown(Doubt::Overloaded);
            let answer = Answer::NoPolicy(NoPolicy::Overloaded);
            self.tell(
                domain,
                EventKind::Rechecked { waiter, result: Rechecked { outcome, answer } },
            );
            return waiter;
        };
        let waiter = self.waiter(slot);
        if let Some(found) = self.overrides.get(&slot) {
            let result = Rechecked { outcome: Outcome::Unchanged, answer: found.answer().cloned() };
            self.tell(domain, EventKind::Rechecked { waiter, result });
            return waiter;
        }
        self.waiting.entry(slot).or_default().rechecks.insert(waiter);
        let outputs = self.step(slot, input, now);
        self.take(slot, outputs, None, now);
        self.settle(slot, Timestamp::of(now), true);
        self.make_room(Some(slot));
        waiter
    }

    /// Nobody waits any more. What is under way goes on: it belongs to the cache.
    pub fn cancel(&mut self, waiter: Waiter) {
        let Some(waiting) = self.waiting.get_mut(&waiter.slot) else { return };
        waiting.cancel(waiter);
        if waiting.is_empty() {
            self.waiting.remove(&waiter.slot);
        }
        self.settle(waiter.slot, self.latest, false);
        self.make_room(Some(waiter.slot));
    }
}

/// What comes from outside.
impl Cache {
    /// Notes that a query that stood in a queue is begun now, so that its time-out counts from here;
    /// it still ends within both time-outs of the [`Config`](super::Config) after the lookup. Returns
    /// whether the cache still waits for it: if not, do not begin it. For whoever carries requests
    /// out at once there is no need to call it.
    #[must_use]
    pub fn txt_started(&mut self, id: &TxtRequestId, now: UtcDateTime) -> bool {
        self.started(&id.0, Ask::Txt, now)
    }

    /// Notes that a fetch that stood in a queue is begun now, as [`txt_started`](Self::txt_started)
    /// does for a query.
    #[must_use]
    pub fn fetch_started(&mut self, id: &FetchRequestId, now: UtcDateTime) -> bool {
        self.started(&id.0, Ask::Fetch, now)
    }

    fn started(&mut self, ticket: &Ticket, ask: Ask, now: UtcDateTime) -> bool {
        self.see(now);
        let moment = Timestamp::of(now);
        let Some(found) = self.table.get_mut(ticket.slot) else { return false };
        let is_wanted = found.entry.start(ticket.number, ask, moment, &self.config);
        if is_wanted {
            self.settle(ticket.slot, moment, false);
        }
        is_wanted
    }

    /// Takes the answer of DNS to a [`Request::Txt`](super::Request::Txt).
    #[expect(clippy::needless_pass_by_value, reason = "an id is used up by its answer")]
    pub fn handle_txt(&mut self, id: TxtRequestId, answer: TxtAnswer, now: UtcDateTime) {
        let TxtRequestId(Ticket { slot, number }) = id;
        if self.expects(slot, number, Ask::Txt) {
            self.handle(slot, Input::Txt(number, answer), now);
        }
    }

    /// Takes what came of a [`Request::Fetch`](super::Request::Fetch). A policy that comes after the
    /// time-out is taken, too, as fetched now, unless another was fetched since or the domain was
    /// forgotten.
    #[expect(clippy::needless_pass_by_value, reason = "an id is used up by its answer")]
    pub fn handle_policy(&mut self, id: FetchRequestId, answer: PolicyAnswer, now: UtcDateTime) {
        let FetchRequestId(Ticket { slot, number }) = id;
        if let PolicyAnswer::Valid(policy) = &answer
            && let Some(overdue) = self.overdue.get(&slot).filter(|it| it.ticket == number)
        {
            return self.handle_late(slot, *overdue, policy.clone(), now);
        }
        if !self.expects(slot, number, Ask::Fetch) {
            return;
        }
        let answer = match answer {
            PolicyAnswer::Valid(policy) => {
                // What an earlier fetch brings is no news after this.
                self.overdue.remove(&slot);
                PolicyAnswer::Valid(self.share_anew(slot, policy))
            }
            PolicyAnswer::Failed(_) | PolicyAnswer::NotSent => answer,
        };
        self.handle(slot, Input::Policy(number, answer), now);
    }

    /// Returns whether a request is still in flight.
    fn expects(&mut self, slot: u32, number: u64, ask: Ask) -> bool {
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
    /// Notes the time. If the clock was set back, all deadlines are armed again: some thousands at once,
    /// the rest by [`handle_timeout`](Self::handle_timeout). What applies is right all along: it goes by
    /// the policy and the time.
    pub(super) fn see(&mut self, now: UtcDateTime) {
        let moment = Timestamp::of(now);
        let earliest = self.latest.minus(rule::CLOCK_SLACK);
        if moment < earliest {
            self.latest = moment;
            self.unsaved.rearm(moment);
            self.sweep.rearm(moment);
            self.unarmed = Some(0);
            self.rearm_some(rule::AT_ONCE, now);
        }
        self.note_jump(moment);
        self.latest = self.latest.max(moment);
        self.earliest = Tick::of(self.latest.minus(rule::CLOCK_SLACK).to_utc());
    }

    /// Arms the deadlines of so many more domains again, if the clock was set back.
    pub(super) fn rearm_some(&mut self, most: usize, now: UtcDateTime) {
        let Some(first) = self.unarmed else { return };
        let end = self.table.slots();
        let next = first.saturating_add(u32::try_from(most).unwrap_or(u32::MAX)).min(end);
        for slot in first..next {
            self.rearm(slot, now);
        }
        self.unarmed = (next < end).then_some(next);
    }

    /// Notes that the clock was set ahead by more than a day. For a day it may be wrong.
    fn note_jump(&mut self, now: Timestamp) {
        let is_jump = self.latest > Timestamp::MIN && now > self.latest.plus(rule::JUMP);
        if is_jump {
            self.jump = Some((self.latest, now));
        } else {
            self.jump = self.jump.filter(|(_, at)| *at <= now && now < at.plus(rule::JUMP));
        }
    }

    fn rearm(&mut self, slot: u32, now: UtcDateTime) {
        let moment = Timestamp::of(now);
        if let Some(found) = self.table.get_mut(slot) {
            found.entry.rearm(moment);
            found.put_off = false;
        }
        if let Some(saving) = self.waiting.get_mut(&slot).and_then(|it| it.saving.as_mut()) {
            saving.rearm(moment);
        }
        self.settle(slot, Timestamp::of(now), false);
    }

    pub(super) fn handle(&mut self, slot: u32, input: Input, now: UtcDateTime) {
        self.see(now);
        let over = self.table.get(slot).and_then(|slot| slot.entry.over());
        let is_time = matches!(input, Input::Time);
        let fetch = self.table.get(slot).filter(|_| is_time).and_then(|it| it.entry.overdue());
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
        self.take(slot, outputs, over, now);
        self.settle(slot, Timestamp::of(now), false);
        self.make_room(Some(slot));
    }

    /// A step of a domain's machine.
    fn step(&mut self, slot: u32, input: Input, now: UtcDateTime) -> Outputs {
        let ticket = self.number();
        match self.table.entry_mut(slot) {
            Some((domain, entry)) => {
                entry.step(input, &At { domain, now, ticket, config: &self.config })
            }
            None => Outputs::default(),
        }
    }

    /// Takes what came of a step to where it belongs. `over` is the end of the discovery that it was
    /// part of.
    pub(super) fn take(
        &mut self,
        slot: u32,
        outputs: Outputs,
        over: Option<Deadline>,
        now: UtcDateTime,
    ) {
        let Outputs { ask, answer, rechecked, events, change } = outputs;
        let number = self.table.get(slot).and_then(|slot| slot.entry.ticket());
        if let Some((ask, number)) = ask.zip(number) {
            self.queue.push_back(Queued::Ask(ask, Ticket { slot, number }));
        }
        if !events.is_empty()
            && let Some(domain) = self.table.domain(slot).cloned()
        {
            for kind in events {
                let kind = self.fold_alert(kind, Timestamp::of(now));
                self.tell(&domain, kind);
            }
        }
        if change > Change::Nothing && self.config.persistence() {
            self.must_persist(slot, change, over, now);
        }
        if answer.is_some() || rechecked.is_some() {
            self.give_out(slot, answer, rechecked);
        }
    }

    pub(super) fn tell(&mut self, domain: &Domain, kind: EventKind) {
        self.events.push_back(Event { domain: domain.clone(), kind });
    }

    pub(super) fn waiter(&mut self, slot: u32) -> Waiter {
        Waiter { slot, number: self.number() }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.number = self.number.saturating_add(1);
        self.number
    }
}
