//! The clock of a user, whose panics are caught.

use alloc::boxed::Box;
use core::time::Duration;
use std::{
    sync::{Mutex, PoisonError},
    time::Instant as StdInstant,
};

use time::UtcDateTime;

use super::{
    clock::{Clock, std_now, utc_now},
    event::Part,
    event_queue::EventQueue,
};
use crate::instant::Instant;

/// The clock of a user. A reading that panics continues the last one, at the speed of the system's
/// clock, so that it neither ends a caller's thread nor loses a discovery.
#[derive(Debug)]
pub(crate) struct GuardedClock {
    clock: Box<dyn Clock>,
    events: EventQueue,
    date: Last<UtcDateTime>,
    instant: Last<Instant>,
}

/// The last reading, and when it was made.
type Last<T> = Mutex<(T, StdInstant)>;

impl GuardedClock {
    pub(crate) fn boxed(clock: Box<dyn Clock>, events: &EventQueue) -> Box<dyn Clock> {
        let now = std_now();
        let (date, instant) = (Mutex::new((utc_now(), now)), Mutex::new((Instant::START, now)));
        Box::new(Self { clock, events: events.clone(), date, instant })
    }

    fn read<T: Copy>(
        &self,
        last: &Last<T>,
        read: impl FnOnce(&dyn Clock) -> T,
        after: impl FnOnce(T, Duration) -> T,
    ) -> T {
        let reading = self.events.guard(Part::Clock, || read(&*self.clock));
        let now = std_now();
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(reading) = reading {
            *last = (reading, now);
            return reading;
        }
        let (known, read_at) = *last;
        after(known, now.saturating_duration_since(read_at))
    }
}

impl Clock for GuardedClock {
    fn now(&self) -> UtcDateTime {
        let after = |known: UtcDateTime, span| {
            known.saturating_add(time::Duration::try_from(span).unwrap_or(time::Duration::MAX))
        };
        self.read(&self.date, |clock| clock.now(), after)
    }

    fn monotonic(&self) -> Instant {
        self.read(&self.instant, |clock| clock.monotonic(), Instant::saturating_add)
    }
}
