//! The schedule for removing entries from the store.

use alloc::vec::Vec;

use super::{
    clock::{Deadline, Timestamp},
    rule,
};

/// The entries that were restored although their policies had expired long before.
///
/// The clock may have been wrong at that time, as it often is when a machine starts. Therefore
/// nothing is removed before 23 hours have passed, nor while the clock may be wrong because it was set
/// ahead (see `Cache::jump`), and then only policies that still count as expired long ago.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    slots: Vec<u32>,
    next: Option<Deadline>,
}

impl Sweep {
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.next.map(Deadline::due)
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        if let Some(next) = &mut self.next {
            next.rearm(now);
        }
    }

    /// Adds an entry. All entries are due 23 hours later.
    pub(super) fn add(&mut self, slot: u32, now: Timestamp) {
        self.slots.push(slot);
        self.postpone(now);
    }

    /// Makes all entries due 23 hours later.
    pub(super) fn postpone(&mut self, now: Timestamp) {
        self.next = Some(Deadline::new(now, rule::SWEEP_AFTER));
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.next.is_some_and(|next| next.is_due(now))
    }

    /// Removes and returns an entry that is due.
    pub(super) fn pop(&mut self) -> Option<u32> {
        self.slots.pop()
    }

    /// Plans the next round, if an entry is left for it.
    pub(super) fn plan_next(&mut self, now: Timestamp) {
        let is_done = self.slots.is_empty();
        self.next = (!is_done).then(|| Deadline::new(now, rule::SWEEP_GAP));
    }
}
