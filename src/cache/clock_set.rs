//! Steps of the clock while requests are in flight.

use time::UtcDateTime;

use super::{
    Cache,
    clock::{Timestamp, micros},
};

impl Cache {
    /// Notes that the clock that `now` is read from was set ahead `by` so much, or set back, if that is
    /// negative. Call it before any other input that is given the new time.
    ///
    /// Queries, fetches and saves that are out keep the time that they had left: a step neither ends
    /// them nor prolongs them. Lives and all other dates follow the new clock. Without this call no
    /// policy is lost, but what is out may fail at once, or hold those who wait for it for as long as
    /// the step. A machine that was suspended is the same: its calendar went on, and what was out did
    /// not. Takes time linear in the number of domains.
    pub fn clock_set(&mut self, by: time::Duration, now: UtcDateTime) {
        // First: a deadline that seems farther away than its span is armed again once the step is seen.
        self.unsaved.shift(micros(by));
        for slot in 0..self.table.slots() {
            let mut is_saving = false;
            if let Some(saving) = self.waiting.get_mut(&slot).and_then(|it| it.saving.as_mut()) {
                saving.shift(micros(by));
                is_saving = true;
            }
            let Some(found) = self.table.get_mut(slot) else { continue };
            if is_saving || found.entry.ticket().is_some() {
                found.entry.clock_set(by);
                self.settle(slot, Timestamp::of(now), false);
            }
        }
        self.see(now);
    }
}
