//! Clock steps while requests are in flight.

use time::UtcDateTime;

use super::{
    Cache,
    clock::{Timestamp, micros},
};

impl Cache {
    /// Notes that the clock of `now` was set ahead by this much, or set back if `by` is negative.
    /// Call it before any other call with the new time.
    ///
    /// Queries, fetches and saves in flight keep the time that they had left: a step neither ends
    /// nor extends them. The ends of policies and all other dates follow the new clock. Without
    /// this call no policy is lost, but requests in flight may time out at once, or delay the
    /// lookups that wait for them by as much as the step. Call it also after the machine was
    /// suspended: the calendar went on, and the requests did not. Takes time linear in the number
    /// of domains that have a request or a save in flight.
    pub fn clock_set(&mut self, by: time::Duration, now: UtcDateTime) {
        // First, because a deadline that seems farther away than its span is rearmed once the step
        // is noticed.
        self.unsaved.shift(micros(by));
        // A policy that seems to have expired by the new time is not evicted as such.
        let is_proven = self.note_jump(Timestamp::of(now));
        for slot in core::mem::take(&mut self.in_flight) {
            let waiting = self.waiting.get_mut(&slot);
            if let Some(saving) = waiting.and_then(|waiting| waiting.saving.as_mut()) {
                saving.shift(micros(by));
            }
            if let Some(found) = self.table.get_mut(slot) {
                found.entry.clock_set(by);
            }
            self.update_derived(slot, Timestamp::of(now), false);
        }
        self.note_time(now);
        if is_proven {
            self.rearm_all(now);
        }
    }

    /// Notes whether an entry has a request in flight, or answers that wait for a save.
    pub(super) fn note_in_flight(&mut self, slot: u32, is_in_flight: bool) {
        if is_in_flight {
            self.in_flight.insert(slot);
        } else {
            self.in_flight.remove(&slot);
        }
    }
}
