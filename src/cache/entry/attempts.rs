//! The limits on fetches: the back-off after failures, and the rate of fetches for new ids.

use crate::{
    cache::{
        clock::{Deadline, Second, Span, Timestamp},
        rule,
    },
    record::PolicyId,
};

/// The last ids whose policy could not be fetched. An attempt without an id was made while there
/// was no valid record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cache) struct Attempts([Option<Attempt>; 4]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Attempt {
    id: Option<PolicyId>,
    failures: u32,
    until: Deadline,
}

impl Attempts {
    /// Returns the time until which no fetch may be made for this id.
    pub(super) fn held_until(&self, id: Option<PolicyId>, now: Timestamp) -> Option<Timestamp> {
        let known = self.0.iter().flatten().find(|known| known.id == id)?;
        (!known.until.is_due(now)).then(|| known.until.due())
    }

    /// Returns the maximum number of consecutive failures of one id.
    pub(in crate::cache) fn most_failures(&self) -> u32 {
        self.0.iter().flatten().map(|known| known.failures).max().unwrap_or(0)
    }

    /// Merges other failures into these: of two for one id, the later one counts.
    pub(in crate::cache) fn join(&mut self, others: &Self) {
        for other in others.0.iter().flatten() {
            let until = |known: &Option<Attempt>| known.map(|known| known.until.due());
            let same =
                self.0.iter().position(|slot| slot.is_some_and(|attempt| attempt.id == other.id));
            let oldest = self.0.iter().enumerate().min_by_key(|(_, known)| until(known));
            let place = same.or(oldest.map(|(at, _)| at)).and_then(|at| self.0.get_mut(at));
            if let Some(place) = place.filter(|place| until(place) < Some(other.until.due())) {
                *place = Some(*other);
            }
        }
    }

    /// Returns the time until which at least one id may not be fetched, or `None` if all may be
    /// fetched now.
    pub(in crate::cache) fn hold_back_until(&self, now: Timestamp) -> Option<Timestamp> {
        let held = self.0.iter().flatten().filter(|known| !known.until.is_due(now));
        held.map(|known| known.until.due()).max()
    }

    /// Returns the time of the last failure, or that at which the clock was set back to before it.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.0.iter().flatten().map(|known| known.until.armed_at()).max()
    }

    /// Notes a failure: the next attempt is made after "a period of five minutes or longer per
    /// version ID" (RFC 8461 §3.3). The wait doubles only while a policy applies. Noise makes it
    /// longer, never shorter. The delay that was granted to the host counts if it is longer.
    pub(in crate::cache) fn fail(
        &mut self,
        id: Option<PolicyId>,
        now: Timestamp,
        live: bool,
        noise: u32,
        granted: Span,
    ) {
        let same = self.0.iter_mut().position(|known| known.is_some_and(|known| known.id == id));
        let oldest = || {
            let age = |known: &Option<Attempt>| known.map(|known| known.until.armed_at());
            self.0.iter().enumerate().min_by_key(|(_, known)| age(known)).map(|(at, _)| at)
        };
        let Some(place) = same.or_else(oldest).and_then(|at| self.0.get_mut(at)) else { return };
        let before = place.filter(|known| known.id == id).map_or(0, |known| known.failures);
        let (first, longest) = rule::BACK_OFF;
        let span = if live { first.doubled(before).min(longest) } else { first };
        let span = jittered(span, noise).max(granted);
        let failures = before.saturating_add(1);
        *place = Some(Attempt { id, failures, until: Deadline::new(now, span) });
    }

    /// Removes the failures of an id that could be fetched, and those that hold back no fetch.
    pub(super) fn succeed(&mut self, id: Option<PolicyId>, now: Timestamp) {
        self.drop_past(now);
        for place in &mut self.0 {
            *place = place.filter(|known| known.id != id);
        }
    }

    /// Removes the failures that hold back no fetch.
    pub(super) fn drop_past(&mut self, now: Timestamp) {
        for place in &mut self.0 {
            *place = place.filter(|known| !known.until.is_due(now));
        }
    }

    pub(in crate::cache) fn rearm(&mut self, now: Timestamp) {
        for known in self.0.iter_mut().flatten() {
            known.until.rearm(now);
        }
    }

    pub(super) fn limit(&mut self) {
        let (_, longest) = rule::BACK_OFF;
        for known in self.0.iter_mut().flatten() {
            known.until.limit(longest.plus(longest.percent(rule::BACK_OFF_JITTER)));
        }
    }
}

/// A token bucket that limits fetches for new ids: each fetch takes a token, and each span of time
/// adds one.
///
/// It stores only the time at which the bucket will be full again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cache) struct Budget {
    full_at: Second,
}

impl Budget {
    pub(super) const FULL: Self = Self { full_at: Second::FIRST };

    /// Returns the time until which the bucket is empty. Before 1970, and after 2106, it is full.
    pub(in crate::cache) fn empty_until(self, now: Timestamp) -> Option<Timestamp> {
        let (size, span) = rule::NEW_IDS;
        let next = self.full_at.start().minus(span.times(size.saturating_sub(1)));
        (next > now && now >= Second::FIRST.start()).then_some(next)
    }

    pub(super) fn spend(&mut self, now: Timestamp) {
        let (_, span) = rule::NEW_IDS;
        self.full_at = self.full_at.max(Second::of(now)).plus(span);
        self.limit(now);
    }

    /// Sets a bucket that is full by now to one that always was.
    pub(super) fn drop_past(&mut self, now: Timestamp) {
        if self.full_at.start() <= now {
            *self = Self::FULL;
        }
    }

    /// Keeps the time until the bucket is full, if the clock was set back to before the last token
    /// was taken.
    pub(in crate::cache) fn rearm(&mut self, last: Timestamp, now: Timestamp) {
        let back = last.micros().saturating_sub(now.micros()).max(0);
        self.full_at = Second::next(self.full_at.start().shifted(back.saturating_neg()));
        self.limit(now);
    }

    /// Limits the bucket to empty.
    fn limit(&mut self, now: Timestamp) {
        let (size, span) = rule::NEW_IDS;
        self.full_at = self.full_at.min(Second::of(now).plus(span.times(size)));
    }
}

/// Returns a span that is longer by a random part of it.
pub(super) fn jittered(span: Span, noise: u32) -> Span {
    span.plus(span.percent(rule::BACK_OFF_JITTER).up_to(noise))
}
