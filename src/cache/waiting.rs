//! Who waits for what.

use alloc::collections::{BTreeMap, BTreeSet};

use super::{
    answer::Answer,
    clock::{Deadline, Timestamp},
    event::{Rechecked, Waiter},
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
    /// When the store was first to be asked.
    pub(super) since: Timestamp,
    pub(super) deadline: Deadline,
    pub(super) answers: BTreeMap<Waiter, Answer>,
    pub(super) rechecked: BTreeMap<Waiter, Rechecked>,
}

impl Saving {
    pub(super) fn new(since: Timestamp, deadline: Deadline) -> Self {
        let (answers, rechecked) = (BTreeMap::new(), BTreeMap::new());
        Self { request: None, since, deadline, answers, rechecked }
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
            saving.answers.remove(&waiter);
            saving.rechecked.remove(&waiter);
        }
    }
}
