//! Clock steps: while requests are in flight, back, and ahead.

use time::UtcDateTime;

use super::{
    Cache,
    clock::{Tick, Timestamp, micros},
    history::History,
    place::Place,
    rule,
};

impl Cache {
    /// Notes that the clock of `now` was set ahead by this much, or set back if `by` is negative.
    /// Call it before any other call with the new time.
    ///
    /// Queries, fetches and saves in flight keep the time that they had left: a step neither ends
    /// nor extends them. The ends of policies and all other dates follow the new clock. Without
    /// this call no policy is lost, but requests in flight may time out at once, or delay the
    /// lookups that wait for them by as much as the step. Call it also after the machine was
    /// suspended: the calendar went on, and the requests did not. Takes time linear in the number
    /// of domains that have a request or a save in flight.
    pub fn clock_set(&mut self, by: time::Duration, now: UtcDateTime) {
        // First, because a deadline that seems farther away than its span is rearmed once the step
        // is noticed.
        self.unsaved.shift(micros(by));
        // A policy that seems to have expired by the new time is not evicted as such.
        let is_proven = self.note_jump(Timestamp::of(now));
        for slot in core::mem::take(&mut self.in_flight) {
            let waiting = self.waiting.get_mut(&slot);
            if let Some(saving) = waiting.and_then(|waiting| waiting.saving.as_mut()) {
                saving.shift(micros(by));
            }
            if let Some(found) = self.table.get_mut(slot) {
                found.entry.clock_set(by);
            }
            self.update_derived(slot, Timestamp::of(now), false);
        }
        self.note_time(now);
        if is_proven {
            self.rearm_all(now);
        }
    }

    /// Notes the time. If the clock was set back, or has proven right after it was set ahead, all
    /// deadlines and classes are set again: those of 256 domains at once, the rest by
    /// [`handle_timeout`](Self::handle_timeout). Answers are right meanwhile, because they depend on
    /// the policy and the time only.
    pub(super) fn note_time(&mut self, now: UtcDateTime) {
        let moment = Timestamp::of(now);
        self.history.begin(moment);
        let is_set_back = moment < self.latest.minus(rule::CLOCK_SLACK);
        let is_proven = self.note_jump(moment);
        if is_set_back {
            self.latest = moment;
            self.failures.rearm(moment);
            self.unsaved.rearm(moment);
            self.sweep.rearm(moment);
        }
        if is_set_back || is_proven {
            self.rearm_all(now);
        }
        self.latest = self.latest.max(moment);
        self.earliest = Tick::of(self.latest.minus(rule::CLOCK_SLACK).to_utc());
    }

    /// Begins to rearm the deadlines of all domains.
    pub(super) fn rearm_all(&mut self, now: UtcDateTime) {
        self.unarmed = Some(0);
        self.rearm_some(rule::AT_ONCE, now);
    }

    /// Rearms the deadlines of at most `most` more domains, if not all are rearmed.
    pub(super) fn rearm_some(&mut self, most: usize, now: UtcDateTime) {
        let Some(first) = self.unarmed else { return };
        self.rearms_left = rule::AT_ONCE;
        let end = self.table.places();
        // Places without a domain take little time.
        let visited = u32::try_from(most.saturating_mul(4)).unwrap_or(u32::MAX);
        let (mut next, mut left) = (first, most);
        while left > 0 && next < end.min(first.saturating_add(visited)) {
            left = left.saturating_sub(self.rearm(Place::of_number(next), now).into());
            next = next.saturating_add(1);
        }
        self.unarmed = (next < end).then_some(next);
    }

    /// Notes that the clock was set ahead by more than a day. It may be wrong until it has run for a
    /// day after that: a further step prolongs the doubt, unless it is back to where the clock was.
    /// Returns whether the clock has proven right.
    pub(super) fn note_jump(&mut self, now: Timestamp) -> bool {
        let is_jump = self.latest > Timestamp::MIN && now > self.latest.plus(rule::JUMP);
        let (jump, is_proven) = match self.jump {
            Some((before, _)) if is_jump => (Some((before, now)), false),
            None if is_jump => (Some((self.latest, now)), false),
            // Another thread may have read the clock a moment before.
            Some((before, at)) if now < at.minus(rule::CLOCK_SLACK) => {
                (Some((before, now)).filter(|_| now > before.plus(rule::JUMP)), false)
            }
            Some((_, at)) if now >= at.plus(rule::JUMP) => (None, true),
            jump => (jump, false),
        };
        self.jump = jump;
        is_proven
    }

    /// Notes the times at which restored states were saved. The clock may have been set ahead since
    /// them, unless there was a step since this cache was first used.
    pub(super) fn note_history(&mut self, history: &History, now: UtcDateTime) {
        self.history.join(history);
        let is_ours = self.jump.is_some_and(|(before, _)| before >= self.history.begun());
        if is_ours {
            return;
        }
        let doubt = core::mem::replace(&mut self.jump, self.history.jump());
        self.note_jump(Timestamp::of(now));
        if doubt.is_some() && doubt != self.jump {
            self.rearm_all(now);
        }
    }

    /// Rearms the deadlines of a domain. Returns whether there is one at this place.
    pub(super) fn rearm(&mut self, place: Place, now: UtcDateTime) -> bool {
        if self.table.name_len(place) == 0 {
            return false;
        }
        let Some(slot) = self.unfold(place) else { return false };
        let moment = Timestamp::of(now);
        let Some(found) = self.table.get_mut(slot) else { return false };
        found.entry.rearm(moment);
        found.put_off = 0;
        if let Some(saving) = self.waiting.get_mut(&slot).and_then(|waiter| waiter.saving.as_mut())
        {
            saving.rearm(moment);
        }
        self.update_derived(slot, moment, false);
        true
    }

    /// Notes whether an entry has a request in flight, or answers that wait for a save.
    pub(super) fn note_in_flight(&mut self, slot: u32, is_in_flight: bool) {
        if is_in_flight {
            self.in_flight.insert(slot);
        } else {
            self.in_flight.remove(&slot);
        }
    }
}
