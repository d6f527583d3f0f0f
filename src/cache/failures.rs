//! What is known of failures of domains that had to make room.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::{
    clock::Timestamp,
    entry::{Attempts, Budget, State},
};
use crate::domain::Domain;

/// The back-off of entries that were evicted: else a flood of names would undo it (RFC 8461 §3.3:
/// "wait for at least five minutes"). Bounded: past the bound those are forgotten that hold back
/// nothing any more, then those that have failed least often, and of them those that end soonest. So
/// a flood of names that fail for the first time does not wash out who fails again and again.
#[derive(Debug, Default)]
pub(super) struct Failures {
    kept: HashMap<Domain, Kept, foldhash::fast::FixedState>,
}

#[derive(Debug)]
struct Kept {
    attempts: Attempts,
    budget: Budget,
}

/// The maximum number of domains: about a megabyte.
const MOST: usize = 4096;

/// The number of domains that are forgotten at once, so that the search for them is rare.
const BATCH: usize = MOST / 4;

impl Kept {
    /// Returns the time until which a fetch is held back; `None` if it is not held back now.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.attempts.hold_back_until(now).max(self.budget.empty_until(now))
    }

    fn rank(&self, now: Timestamp) -> (u32, Option<Timestamp>) {
        (self.attempts.most_failures(), self.until(now))
    }
}

impl Failures {
    /// Keeps what would hold back a fetch now.
    pub(super) fn keep(&mut self, domain: &Domain, state: &State, now: Timestamp) {
        let attempts = state.trouble.as_ref().map(|it| it.attempts.clone()).unwrap_or_default();
        let kept = Kept { attempts, budget: state.budget };
        if kept.until(now).is_none() {
            return;
        }
        if self.kept.len() >= MOST {
            self.thin(now);
        }
        self.kept.insert(domain.clone(), kept);
    }

    /// Makes room for some more.
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

    /// Gives back what was kept of a domain that is met again.
    pub(super) fn take(&mut self, domain: &Domain) -> Option<(Attempts, Budget)> {
        if self.kept.is_empty() {
            return None;
        }
        self.kept.remove(domain).map(|Kept { attempts, budget }| (attempts, budget))
    }
}
