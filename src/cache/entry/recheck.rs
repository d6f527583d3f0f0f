//! Looking for a newer policy before a message is given up (§5.1), and because the operator says so.

use alloc::sync::Arc;

use super::{Entry, Flight, Step, Task};
use crate::{
    cache::{
        clock::Timestamp,
        config::rule,
        event::{Doubt, Outcome, Rechecked},
    },
    policy::Policy,
};

/// Those who wait for a recheck: they share one.
#[derive(Clone, Debug)]
pub(super) struct Recheck {
    /// The policy under which the message was sent: it applied when the recheck was asked for, or had
    /// ended and is not known to be withdrawn.
    before: Option<Arc<Policy>>,
    /// `true` if that policy still applied then.
    was_live: bool,
    /// When it was asked for.
    began: Timestamp,
    /// Whether the request that is out was made for it.
    served: bool,
    /// Whether to fetch though it should be waited.
    forced: bool,
    pub(super) doubt: Option<Doubt>,
}

impl Recheck {
    /// The clock was set back: it began no later than now.
    pub(super) fn rearm(&mut self, now: Timestamp) {
        self.began = self.began.min(now);
    }
}

impl Flight {
    pub(super) fn is_forced(&self) -> bool {
        self.recheck.as_ref().is_some_and(|recheck| recheck.served && recheck.forced)
    }
}

impl Entry {
    /// Asks DNS, whatever is known and until when: "checking, via DNS, for the presence of an updated
    /// policy" (§5) is no use if the answer comes from our own memory.
    pub(super) fn recheck(&mut self, forced: bool, step: &mut Step<'_>) {
        self.state.note_use(step.now);
        let was_live = self.state.live(step.now).is_some();
        let before = self.state.held().filter(|_| was_live || !self.state.is_withdrawn());
        let before = before.map(|held| Arc::clone(held.policy));
        let (began, served) = (step.now, false);
        let new = Recheck { before, was_live, began, served, forced, doubt: None };
        match &mut self.flight {
            None => {
                let recheck = Recheck { served: true, ..new };
                self.launch(Task::Query, false, Some(recheck), None, step);
            }
            Some(flight) => match &mut flight.recheck {
                Some(recheck) => recheck.forced |= forced,
                None => flight.recheck = Some(new),
            },
        }
    }

    /// A recheck fetches the policy whatever its id, unless that was done a moment ago.
    pub(super) fn recheck_wants_fetch(&self, flight: &Flight, now: Timestamp) -> bool {
        let Some(recheck) = flight.recheck.as_ref().filter(|recheck| recheck.served) else {
            return false;
        };
        let lately = |last: Timestamp| last <= now && now < last.plus(rule::RECHECK);
        recheck.forced || !self.state.last_fetch().is_some_and(lately)
    }

    /// Answers the recheck if what has ended was done for it; if not, its own query comes now.
    pub(super) fn settle_recheck(
        &mut self,
        recheck: Recheck,
        fresh: Option<&Arc<Policy>>,
        doubt: Option<Doubt>,
        step: &mut Step<'_>,
    ) {
        if !recheck.served {
            let recheck = Recheck { served: true, doubt: None, ..recheck };
            return self.launch(Task::Query, false, Some(recheck), None, step);
        }
        let current = fresh.or_else(|| self.state.live(step.now).map(|held| held.policy));
        let changed = match (&recheck.before, current) {
            (Some(before), Some(current)) => before.as_text() != current.as_text(),
            (Some(_), None) => recheck.was_live,
            (None, current) => current.is_some(),
        };
        let confirming = self.state.trouble.as_ref().is_some_and(|it| it.confirm > 0);
        let can_settle = !confirming && (current.is_some() || recheck.before.is_some());
        let outcome = match recheck.doubt.or(doubt) {
            _ if changed => Outcome::Changed,
            // The Policy Host has said what applies, whatever ids DNS gives: whoever controls or forges
            // the record must not keep mail in the queue by a new one with each answer.
            Some(doubt) if can_settle && self.is_settled(recheck.began, &doubt, step.now) => {
                Outcome::Unchanged
            }
            Some(doubt) => Outcome::Unknown(doubt),
            None if confirming => Outcome::Unknown(Doubt::Unconfirmed),
            None => Outcome::Unchanged,
        };
        let answer = self.settled_answer(fresh, step);
        step.out.rechecked = Some(Rechecked { outcome, answer });
    }

    /// Whether the policy that is held was fetched after a recheck began, or not long before it, so
    /// that a new id is no reason to doubt it.
    fn is_settled(&self, began: Timestamp, doubt: &Doubt, now: Timestamp) -> bool {
        let Some(held) = self.state.fetched().filter(|held| held.fetched_at <= now) else {
            return false;
        };
        let lately = began.minus(rule::RECHECK) < held.fetched_at;
        match doubt {
            // If that fetch itself is what the next one has to wait for, it counts as long as that.
            Doubt::HeldBack { until } => {
                let (_, span) = rule::NEW_IDS;
                lately || Timestamp::of(*until) <= held.fetched_at.plus(span)
            }
            Doubt::FetchFailed(_) => lately,
            _ => false,
        }
    }
}
