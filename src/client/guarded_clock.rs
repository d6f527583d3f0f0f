//! The clock of a user, whose panics are caught.

use alloc::boxed::Box;
use core::time::Duration;
use std::time::Instant as StdInstant;

use crossbeam_utils::atomic::AtomicCell;
use time::UtcDateTime;

use super::{
    clock::{Clock, std_now, utc_now},
    event::Part,
    event_queue::EventQueue,
};
use crate::instant::Instant;

/// The clock of a user, whose panics neither end a caller's thread nor lose a discovery. While its
/// readings panic, the last one before them is continued by the system's clock.
#[derive(Debug)]
pub(crate) struct GuardedClock {
    clock: Box<dyn Clock>,
    events: EventQueue,
    date: Readings<UtcDateTime>,
    instant: Readings<Instant>,
    start: StdInstant,
}

/// The readings of a clock.
#[derive(Debug)]
struct Readings<T: Copy> {
    /// The last one that did not panic.
    last: AtomicCell<T>,
    /// The time since the start at which the first one after it panicked, if one has.
    panics_since: AtomicCell<Option<Duration>>,
}

impl<T: Copy> Readings<T> {
    const fn new(first: T) -> Self {
        Self { last: AtomicCell::new(first), panics_since: AtomicCell::new(None) }
    }

    fn note(&self, reading: T) -> T {
        self.last.store(reading);
        if self.panics_since.load().is_some() {
            self.panics_since.store(None);
        }
        reading
    }

    /// Returns the last reading, and the time since the first panic after it.
    fn before_panics(&self, start: StdInstant) -> (T, Duration) {
        let now = start.elapsed();
        let since = self.panics_since.load().unwrap_or_else(|| {
            self.panics_since.store(Some(now));
            now
        });
        (self.last.load(), now.saturating_sub(since))
    }
}

impl GuardedClock {
    pub(crate) fn boxed(clock: Box<dyn Clock>, events: &EventQueue) -> Box<dyn Clock> {
        let (events, start) = (events.clone(), std_now());
        let date = events.guard(Part::Clock, || clock.now()).unwrap_or_else(|_| utc_now());
        let instant = events.guard(Part::Clock, || clock.monotonic()).unwrap_or(Instant::START);
        let (date, instant) = (Readings::new(date), Readings::new(instant));
        Box::new(Self { clock, events, date, instant, start })
    }
}

impl Clock for GuardedClock {
    fn now(&self) -> UtcDateTime {
        let reading = self.events.guard(Part::Clock, || self.clock.now());
        reading.map_or_else(
            |_| {
                let (last, span) = self.date.before_panics(self.start);
                last.saturating_add(span.try_into().unwrap_or(time::Duration::MAX))
            },
            |reading| self.date.note(reading),
        )
    }

    fn monotonic(&self) -> Instant {
        let reading = self.events.guard(Part::Clock, || self.clock.monotonic());
        reading.map_or_else(
            |_| {
                let (last, span) = self.instant.before_panics(self.start);
                last.saturating_add(span)
            },
            |reading| self.instant.note(reading),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "the clock of the test panics")]
    #![allow(clippy::arithmetic_side_effects, reason = "as in other tests")]

    use alloc::sync::Arc;

    use super::*;

    /// A date, or `None` for a panic.
    #[derive(Debug)]
    struct Told(AtomicCell<Option<i64>>);

    impl Clock for Told {
        fn now(&self) -> UtcDateTime {
            let seconds = self.0.load().unwrap_or_else(|| panic!("the clock panics"));
            UtcDateTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
        }

        fn monotonic(&self) -> Instant {
            Duration::from_secs(self.now().unix_timestamp().unsigned_abs()).into()
        }
    }

    #[test]
    fn after_a_panic_the_last_reading_runs_on() {
        const MONTH: i64 = 30 * 86_400;
        let told = Arc::new(Told(AtomicCell::new(Some(1))));
        let clock = GuardedClock::boxed(Box::new(Arc::clone(&told)), &EventQueue::new(false));
        for seconds in [MONTH, 2 * MONTH] {
            told.0.store(Some(seconds));
            let good = (clock.now(), clock.monotonic());
            told.0.store(None);
            for _ in 0..3 {
                let (date, instant) = (clock.now(), clock.monotonic());
                assert!(date >= good.0 && instant >= good.1, "it goes back to {date}");
                assert!(date < good.0 + Duration::from_secs(86_400), "it jumps to {date}");
            }
        }
    }
}
