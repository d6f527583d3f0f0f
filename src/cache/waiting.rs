//! The lookups and rechecks that wait for an answer.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{
    answer::Answer,
    clock::{Deadline, Timestamp},
    event::{EventKind, LookupId, RecheckResult},
};

/// The lookups and rechecks that wait for one domain, in the order in which they came: their
/// numbers grow.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// The lookups that wait for discovery.
    pub(super) lookups: BTreeSet<LookupId>,
    /// The rechecks and forced refreshes.
    pub(super) rechecks: BTreeSet<LookupId>,
    /// The answers that wait until a change is durable.
    pub(super) saving: Option<PendingPersist>,
}

/// The answers that are held until the change they depend on is durable.
#[derive(Debug)]
pub(super) struct PendingPersist {
    /// The number of the request to store it, once that has been polled.
    pub(super) request: Option<u64>,
    /// The time at which the save was first requested.
    pub(super) since: Timestamp,
    pub(super) deadline: Deadline,
    pub(super) answers: Vec<PendingAnswers>,
}

impl PendingPersist {
    pub(super) fn new(since: Timestamp, deadline: Deadline) -> Self {
        Self { request: None, since, deadline, answers: Vec::new() }
    }

    pub(super) fn shift(&mut self, by: i64) {
        self.since = self.since.shifted(by);
        self.deadline.shift(by);
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        self.since = self.since.min(now);
        self.deadline.rearm(now);
    }
}

/// One answer for many lookups or rechecks. An event is created only when it is polled, so that no
/// call takes long.
#[derive(Debug)]
pub(super) enum PendingAnswers {
    Lookups(BTreeSet<LookupId>, Answer),
    Rechecks(BTreeSet<LookupId>, RecheckResult),
}

impl PendingAnswers {
    pub(super) fn next(&mut self) -> Option<EventKind> {
        Some(match self {
            Self::Lookups(waiters, answer) => {
                EventKind::Answered { id: waiters.pop_first()?, answer: answer.clone() }
            }
            Self::Rechecks(waiters, result) => {
                EventKind::Rechecked { id: waiters.pop_first()?, result: result.clone() }
            }
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Lookups(waiters, _) | Self::Rechecks(waiters, _) => waiters.is_empty(),
        }
    }

    fn cancel(&mut self, waiter: LookupId) {
        match self {
            Self::Lookups(waiters, _) | Self::Rechecks(waiters, _) => waiters.remove(&waiter),
        };
    }
}

impl Waiters {
    /// Returns whether lookups or rechecks wait for discovery.
    pub(super) fn is_asked_for(&self) -> bool {
        !self.lookups.is_empty() || !self.rechecks.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lookups.is_empty() && self.rechecks.is_empty() && self.saving.is_none()
    }

    pub(super) fn cancel(&mut self, waiter: LookupId) {
        self.lookups.remove(&waiter);
        self.rechecks.remove(&waiter);
        if let Some(saving) = &mut self.saving {
            saving.answers.iter_mut().for_each(|answers| answers.cancel(waiter));
        }
    }
}
