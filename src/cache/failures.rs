//! The failures of domains that were evicted.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::{
    clock::Timestamp,
    entry::{Attempts, Budget, State},
};
use crate::domain::Domain;

/// The back-off of evicted domains. Without it, a flood of names would undo the back-off (RFC 8461
/// §3.3: "limit further attempts to a period of five minutes or longer"). Beyond the maximum,
/// domains are forgotten in this order: those that are not held back any more, then those with the
/// fewest failures, and of these those that are held back for the shortest time. So a flood of names
/// that fail for the first time does not displace those that fail repeatedly.
#[derive(Debug, Default)]
pub(super) struct Failures {
    kept: HashMap<Domain, RememberedFailures, foldhash::fast::FixedState>,
}

#[derive(Debug)]
struct RememberedFailures {
    attempts: Attempts,
    budget: Budget,
    /// A time between the last fetch and the eviction.
    at: Timestamp,
}

/// The maximum number of domains: about a megabyte.
const MOST: usize = 4096;

/// The number of domains that are forgotten at once, so that the search for them is rare.
const BATCH: usize = MOST / 4;

impl RememberedFailures {
    /// Returns the time until which a fetch is held back; `None` if it is not held back now.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.attempts.hold_back_until(now).max(self.budget.empty_until(now))
    }

    /// Keeps the remaining time if the clock was set back.
    fn rearm(&mut self, now: Timestamp) {
        self.budget.rearm(self.at, now);
        self.attempts.rearm(now);
        self.at = self.at.min(now);
    }

    fn rank(&self, now: Timestamp) -> (u32, Option<Timestamp>) {
        (self.attempts.most_failures(), self.until(now))
    }
}

impl Failures {
    /// Stores the failures of a state that would hold back a fetch now, with the limit on new ids.
    /// That limit alone is not stored: it would leave a domain without a policy that has lost one
    /// by eviction only.
    pub(super) fn remember(&mut self, domain: &Domain, state: &State, now: Timestamp) {
        let held = |attempts: &&Attempts| attempts.hold_back_until(now).is_some();
        let attempts = state.failures.as_ref().map(|failures| &failures.attempts).filter(held);
        let Some(attempts) = attempts.cloned() else { return };
        let at = now.max(state.last_armed());
        let kept = RememberedFailures { attempts, budget: state.new_id_budget, at };
        if self.kept.len() >= MOST {
            self.thin(now);
        }
        self.kept.insert(domain.clone(), kept);
    }

    /// Removes domains to make room.
    fn thin(&mut self, now: Timestamp) {
        self.kept.retain(|_, kept| kept.until(now).is_some());
        let mut excess = BATCH.saturating_sub(MOST.saturating_sub(self.kept.len()));
        let mut ranks: Vec<_> = self.kept.values().map(|kept| kept.rank(now)).collect();
        ranks.sort_unstable();
        let Some(&highest) = excess.checked_sub(1).and_then(|last| ranks.get(last)) else { return };
        self.kept.retain(|_, kept| {
            let goes = excess > 0 && kept.rank(now) <= highest;
            excess = excess.saturating_sub(usize::from(goes));
            !goes
        });
    }

    /// Returns the time until which a fetch for a domain is held back.
    pub(super) fn hold_back_until(&self, domain: &Domain, now: Timestamp) -> Option<Timestamp> {
        self.kept.get(domain)?.until(now)
    }

    /// Notes that the clock was set back to this time. Takes time linear in the number of domains.
    pub(super) fn rearm(&mut self, now: Timestamp) {
        self.kept.values_mut().for_each(|kept| kept.rearm(now));
    }

    /// Returns the failures of a domain to the state of its new entry.
    pub(super) fn recall(&mut self, domain: &Domain, state: &mut State, now: Timestamp) {
        if self.kept.is_empty() {
            return;
        }
        let Some(mut kept) = self.kept.remove(domain) else { return };
        kept.rearm(now);
        state.failures_mut().attempts.join(&kept.attempts);
        state.new_id_budget = state.new_id_budget.max(kept.budget);
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use time::macros::utc_datetime;

    use super::*;
    use crate::cache::clock::Span;

    #[test]
    fn the_memory_is_bounded_and_forgets_no_more_than_it_has_to() {
        let now = Timestamp::of(utc_datetime!(2026-01-01 0:00));
        let mut state = State::NEW;
        state.failures_mut().attempts.fail(None, now, false, 0, Span::seconds(0));
        let mut failures = Failures::default();
        for n in 0..3 * MOST {
            let Ok(domain) = Domain::parse(&format!("d{n}.example")) else { continue };
            failures.remember(&domain, &state, now);
            assert!(failures.kept.len() <= MOST);
            assert!(n < MOST || failures.kept.len() > MOST.saturating_sub(BATCH));
        }
    }
}
