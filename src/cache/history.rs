//! The clock of earlier processes, as restored states tell of it.

use super::{clock::Timestamp, rule};

/// The times that earlier processes have noted, as a gap of more than a day between them: the clock
/// may have been set ahead in it.
///
/// Of all times up to the first use of the cache, it has the earliest one of the last day, and the
/// latest one before that. So a further restart does not end the doubt: what was saved since the
/// step is on its other side.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    begun: Option<Timestamp>,
    before: Timestamp,
    since: Timestamp,
}

impl History {
    pub(super) const NONE: Self =
        Self { begun: None, before: Timestamp::MIN, since: Timestamp::MAX };

    /// Notes the time of a call. The first one counts.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.begun.get_or_insert(now);
    }

    /// Returns the time of the first call.
    pub(super) fn begun(&self) -> Timestamp {
        self.begun.unwrap_or(Timestamp::MAX)
    }

    /// Notes a time that was saved.
    pub(super) fn note(&mut self, saved: Timestamp) {
        if saved.plus(rule::JUMP) <= self.begun() {
            self.before = self.before.max(saved);
        } else if saved <= self.begun() {
            self.since = self.since.min(saved);
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.before = self.before.max(other.before);
        self.since = self.since.min(other.since);
    }

    /// Returns the times before and after the gap, if there is one.
    pub(super) fn jump(&self) -> Option<(Timestamp, Timestamp)> {
        let since = self.since.min(self.begun());
        let is_gap = self.before > Timestamp::MIN && since > self.before.plus(rule::JUMP);
        is_gap.then_some((self.before, since))
    }
}
