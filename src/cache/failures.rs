//! What is known of failures of domains that had to make room.

use alloc::collections::VecDeque;

use hashbrown::HashMap;

use super::{
    clock::Timestamp,
    entry::{Attempts, Budget, State},
};
use crate::domain::Domain;

/// The back-off of entries that were evicted: else a flood of names would undo it (RFC 8461 §3.3:
/// "wait for at least five minutes"). Bounded: past the bound the one kept first is forgotten.
#[derive(Debug, Default)]
pub(super) struct Failures {
    kept: HashMap<Domain, (Attempts, Budget), foldhash::fast::FixedState>,
    order: VecDeque<Domain>,
}

/// How many are kept.
const MOST: usize = 4096;

impl Failures {
    /// Keeps what would hold back a fetch now.
    pub(super) fn keep(&mut self, domain: &Domain, state: &State, now: Timestamp) {
        let attempts = state.trouble.as_ref().map(|it| it.attempts.clone()).unwrap_or_default();
        if !attempts.hold_back(now) && state.budget.empty_until(now).is_none() {
            return;
        }
        if self.order.len() >= MOST
            && let Some(first) = self.order.pop_front()
        {
            self.kept.remove(&first);
        }
        if self.kept.insert(domain.clone(), (attempts, state.budget)).is_none() {
            self.order.push_back(domain.clone());
        }
    }

    /// Gives back what was kept of a domain that is met again.
    pub(super) fn take(&mut self, domain: &Domain) -> Option<(Attempts, Budget)> {
        if self.kept.is_empty() {
            return None;
        }
        let found = self.kept.remove(domain)?;
        self.order.retain(|known| known != domain);
        Some(found)
    }
}
