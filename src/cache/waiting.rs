//! Who waits for what.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{
    answer::Answer,
    clock::{Deadline, Timestamp},
    event::{EventKind, Rechecked, Waiter},
};

/// Those who wait on one domain, in the order in which they came: their numbers grow.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// For discovery.
    pub(super) lookups: BTreeSet<Waiter>,
    /// For a recheck or a forced refresh.
    pub(super) rechecks: BTreeSet<Waiter>,
    /// For what they are told to be durable.
    pub(super) saving: Option<Saving>,
}

/// Answers that are held until what they depend on is durable.
#[derive(Debug)]
pub(super) struct Saving {
    /// The request to store it, once that has been given out.
    pub(super) request: Option<u64>,
    /// The time at which the store was first to be asked.
    pub(super) since: Timestamp,
    pub(super) deadline: Deadline,
    pub(super) answers: Vec<Answers>,
}

impl Saving {
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

/// The same answer for many. It is made out to each only when it is given, so that nothing takes
/// long, however many they are.
#[derive(Debug)]
pub(super) enum Answers {
    Lookups(BTreeSet<Waiter>, Answer),
    Rechecks(BTreeSet<Waiter>, Rechecked),
}

impl Answers {
    pub(super) fn next(&mut self) -> Option<EventKind> {
        Some(match self {
            Self::Lookups(waiters, answer) => {
                EventKind::Answered { waiter: waiters.pop_first()?, answer: answer.clone() }
            }
            Self::Rechecks(waiters, result) => {
                EventKind::Rechecked { waiter: waiters.pop_first()?, result: result.clone() }
            }
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Lookups(waiters, _) | Self::Rechecks(waiters, _) => waiters.is_empty(),
        }
    }

    fn cancel(&mut self, waiter: Waiter) {
        match self {
            Self::Lookups(waiters, _) | Self::Rechecks(waiters, _) => waiters.remove(&waiter),
        };
    }
}

impl Waiting {
    /// Whether somebody waits for discovery.
    pub(super) fn is_asked_for(&self) -> bool {
        !self.lookups.is_empty() || !self.rechecks.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lookups.is_empty() && self.rechecks.is_empty() && self.saving.is_none()
    }

    pub(super) fn cancel(&mut self, waiter: Waiter) {
        self.lookups.remove(&waiter);
        self.rechecks.remove(&waiter);
        if let Some(saving) = &mut self.saving {
            saving.answers.iter_mut().for_each(|answers| answers.cancel(waiter));
        }
    }
}
