//! The clock of a user, whose panics are caught.

use alloc::boxed::Box;
use std::time::Instant as StdInstant;

use time::{Duration, UtcDateTime};

use super::{
    clock::{Clock, std_now, utc_now},
    event::Part,
    event_queue::EventQueue,
};
use crate::instant::Instant;

/// The clock of a user. A reading that panics continues the first one, at the speed of the system's
/// clock, so that it neither ends a caller's thread nor loses a discovery.
#[derive(Debug)]
pub(crate) struct GuardedClock {
    clock: Box<dyn Clock>,
    events: EventQueue,
    /// The first readings, and when they were made.
    date: UtcDateTime,
    instant: Instant,
    start: StdInstant,
}

impl GuardedClock {
    pub(crate) fn boxed(clock: Box<dyn Clock>, events: &EventQueue) -> Box<dyn Clock> {
        let (events, start) = (events.clone(), std_now());
        let date = events.guard(Part::Clock, || clock.now()).unwrap_or_else(|_| utc_now());
        let instant = events.guard(Part::Clock, || clock.monotonic()).unwrap_or(Instant::START);
        Box::new(Self { clock, events, date, instant, start })
    }
}

impl Clock for GuardedClock {
    fn now(&self) -> UtcDateTime {
        self.events.guard(Part::Clock, || self.clock.now()).unwrap_or_else(|_| {
            let span = Duration::try_from(self.start.elapsed()).unwrap_or(Duration::MAX);
            self.date.saturating_add(span)
        })
    }

    fn monotonic(&self) -> Instant {
        let reading = self.events.guard(Part::Clock, || self.clock.monotonic());
        reading.unwrap_or_else(|_| self.instant.saturating_add(self.start.elapsed()))
    }
}
