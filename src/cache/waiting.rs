//! Who waits for what.

use alloc::vec::Vec;

use super::{
    answer::Answer,
    clock::Deadline,
    event::{Rechecked, Waiter},
};

/// Those who wait on one domain.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// For discovery.
    pub(super) lookups: Vec<Waiter>,
    /// For a recheck or a forced refresh.
    pub(super) rechecks: Vec<Waiter>,
    /// For what they are told to be durable.
    pub(super) saving: Option<Saving>,
}

/// Answers that are held until what they depend on is durable.
#[derive(Debug)]
pub(super) struct Saving {
    /// The request to store it, once that has been given out.
    pub(super) request: Option<u64>,
    pub(super) deadline: Deadline,
    pub(super) answers: Vec<(Waiter, Answer)>,
    pub(super) rechecked: Vec<(Waiter, Rechecked)>,
}

impl Saving {
    pub(super) fn new(deadline: Deadline) -> Self {
        Self { request: None, deadline, answers: Vec::new(), rechecked: Vec::new() }
    }
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.lookups.is_empty() && self.rechecks.is_empty() && self.saving.is_none()
    }

    pub(super) fn cancel(&mut self, waiter: Waiter) {
        self.lookups.retain(|known| *known != waiter);
        self.rechecks.retain(|known| *known != waiter);
        if let Some(saving) = &mut self.saving {
            saving.answers.retain(|(known, _)| *known != waiter);
            saving.rechecked.retain(|(known, _)| *known != waiter);
        }
    }
}
