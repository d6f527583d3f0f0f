//! Rows whose policy ended long ago leave the store: they protect nothing.

use alloc::vec::Vec;

use super::{
    Cache,
    clock::{Deadline, Timestamp},
    config::rule,
    order::Class,
};

/// The entries that were restored although their policies had ended long before.
///
/// The clock may have been wrong then, as it often is when a machine starts: nothing is removed before
/// a day has passed, and only what has ended long ago by the clock of that time, too. What ended only
/// because the clock was set ahead lately does not count as ended (see [`Cache::judged_at`]).
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
}

impl Cache {
    /// Has an entry that was just restored removed later, if its policy ended long ago. Returns whether
    /// it did.
    pub(super) fn plan_sweep(&mut self, slot: u32, now: Timestamp) -> bool {
        if !self.config.persistence() || !self.is_to_be_swept(slot, now) {
            return false;
        }
        self.sweep.slots.push(slot);
        self.sweep.next = Some(Deadline::new(now, rule::SWEEP_AFTER));
        true
    }

    pub(super) fn sweep_if_due(&mut self, now: Timestamp) {
        if !self.sweep.next.is_some_and(|next| next.is_due(now)) {
            return;
        }
        for _ in 0..rule::SWEPT_AT_ONCE {
            let Some(slot) = self.sweep.slots.pop() else { break };
            // It may be the place of another domain by now, of which the same is true.
            if self.is_to_be_swept(slot, now) {
                self.keep_failures(slot);
                self.remove(slot, true);
            }
        }
        let is_done = self.sweep.slots.is_empty();
        self.sweep.next = (!is_done).then(|| Deadline::new(now, rule::SWEEP_GAP));
        self.publish();
    }

    fn is_to_be_swept(&self, slot: u32, now: Timestamp) -> bool {
        let Some(found) = self.table.get(slot).filter(|it| it.in_store) else { return false };
        let is_idle = found.entry.ticket().is_none() && !self.waiting.contains_key(&slot);
        is_idle
            && self.table.class(slot) == Some(Class::Expired)
            && found.entry.state.fetched().is_some_and(|it| it.ends_at().plus(rule::LONG_AGO) < now)
    }
}
