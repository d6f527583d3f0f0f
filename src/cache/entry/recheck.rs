//! Rechecks: looking for a newer policy before a message is returned (RFC 8461 §5.1), or at the
//! request of the operator.

use alloc::sync::Arc;

use super::{
    Entry,
    in_flight::{InFlight, Recheck, Task},
    step::Step,
};
use crate::{
    cache::{
        clock::Timestamp,
        event::{RecheckError, RecheckOutcome, RecheckResult},
        rule,
    },
    policy::Policy,
};

impl Entry {
    /// Starts a recheck. It always asks DNS: "checking, via DNS, for the presence of an updated
    /// policy" (RFC 8461 §5) is useless if the answer comes from the cache.
    pub(super) fn recheck(&mut self, forced: bool, step: &mut Step<'_>) {
        self.state.note_use(step.now);
        let was_live = self.state.live(step.now).is_some();
        let before = self.state.held().filter(|_| was_live || !self.state.is_withdrawn());
        let before = before.map(|held| Arc::clone(held.policy));
        let (began, served) = (step.now, false);
        let new = Recheck { before, was_live, began, served, forced, doubt: None };
        match &mut self.in_flight {
            None => {
                let recheck = Recheck { served: true, ..new };
                self.start_request(Task::Query, false, Some(recheck), None, step);
            }
            Some(flight) => match &mut flight.recheck {
                Some(recheck) => recheck.forced |= forced,
                None => flight.recheck = Some(new),
            },
        }
    }

    /// Returns whether a recheck fetches the policy. It does so whatever the id, unless there was a
    /// fetch within the last minutes.
    pub(super) fn recheck_wants_fetch(&self, flight: &InFlight, now: Timestamp) -> bool {
        let Some(recheck) = flight.recheck.as_ref().filter(|recheck| recheck.served) else {
            return false;
        };
        let lately = |last: Timestamp| last <= now && now < last.plus(rule::RECHECK);
        recheck.forced || !self.state.last_fetch().is_some_and(lately)
    }

    /// Answers the recheck if the request that ended was made for it. If not, starts its own query
    /// now.
    pub(super) fn settle_recheck(
        &mut self,
        recheck: Recheck,
        fresh: Option<&Arc<Policy>>,
        doubt: Option<RecheckError>,
        step: &mut Step<'_>,
    ) {
        if !recheck.served {
            let recheck = Recheck { served: true, doubt: None, ..recheck };
            return self.start_request(Task::Query, false, Some(recheck), None, step);
        }
        let current = fresh.or_else(|| self.state.live(step.now).map(|held| held.policy));
        let changed = match (&recheck.before, current) {
            (Some(before), Some(current)) => before.as_text() != current.as_text(),
            (Some(_), None) => recheck.was_live,
            (None, current) => current.is_some(),
        };
        let confirming =
            self.state.failures.as_ref().is_some_and(|failures| failures.confirming_fetches > 0);
        let can_settle = !confirming && (current.is_some() || recheck.before.is_some());
        let outcome = match recheck.doubt.or(doubt) {
            _ if changed => RecheckOutcome::Changed,
            // The policy of the Policy Host counts, whatever ids DNS gives. Otherwise an attacker
            // who controls or forges the record could keep mail in the queue with a new id in each
            // answer.
            Some(doubt) if can_settle && self.is_settled(recheck.began, &doubt, step.now) => {
                RecheckOutcome::Unchanged
            }
            Some(doubt) => RecheckOutcome::Unknown(doubt),
            None if confirming => RecheckOutcome::Unknown(RecheckError::Unconfirmed),
            None => RecheckOutcome::Unchanged,
        };
        let answer = self.settled_answer(fresh, step);
        step.out.recheck_result = Some(RecheckResult { outcome, answer });
    }

    /// Returns whether the policy was fetched after the recheck began, or shortly before it, so
    /// that a new id is no reason to doubt it.
    fn is_settled(&self, began: Timestamp, doubt: &RecheckError, now: Timestamp) -> bool {
        let Some(held) = self.state.fetched().filter(|held| held.fetched_at <= now) else {
            return false;
        };
        let lately = began.minus(rule::RECHECK) < held.fetched_at;
        match doubt {
            // If the next fetch is held back because of that fetch, it counts until the next one is
            // allowed.
            RecheckError::HeldBack { until } => {
                let (_, span) = rule::NEW_IDS;
                lately || Timestamp::of(*until) <= held.fetched_at.plus(span)
            }
            RecheckError::FetchFailed(_) => lately,
            _ => false,
        }
    }
}
