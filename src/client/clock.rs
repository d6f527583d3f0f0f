//! The clocks, which only the clients read.

use alloc::{boxed::Box, sync::Arc};
use core::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::time::Instant as StdInstant;

use crossbeam_utils::atomic::AtomicCell;
use time::UtcDateTime;

use crate::{cache::Tick, instant::Instant};

/// The clocks of a client: a calendar, and a monotonic clock.
///
/// The lifetime of policies and all other dates use the calendar; network time-outs use the
/// monotonic clock. A client reads the clocks of the system; tests and simulations can set others
/// with `with_clock` of its builder. Both must run at the speed of the system's clocks, except for
/// jumps in a test: a client sleeps for at most half a second, by the system's clock, before it
/// reads them again. A panic is caught and counted ([`Part::Clock`](super::Part::Clock)).
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the date and time of day, which may be set.
    fn now(&self) -> UtcDateTime;

    /// Returns the time of a monotonic clock.
    fn monotonic(&self) -> Instant;
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> UtcDateTime {
        T::now(self)
    }

    fn monotonic(&self) -> Instant {
        T::monotonic(self)
    }
}

/// The clocks of the system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock(StdInstant);

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self(std_now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UtcDateTime {
        utc_now()
    }

    fn monotonic(&self) -> Instant {
        self.0.elapsed().into()
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever needs the time below this is given it")]
pub(crate) fn utc_now() -> UtcDateTime {
    UtcDateTime::now()
}

#[expect(clippy::disallowed_methods, reason = "whoever needs the time below this is given it")]
pub(crate) fn std_now() -> StdInstant {
    StdInstant::now()
}

/// A time by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) date: UtcDateTime,
    pub(crate) at: Instant,
}

impl Moment {
    /// Returns how far the wall clock is ahead of the monotonic clock. It changes only when the
    /// wall clock is set.
    pub(crate) fn offset(self) -> Offset {
        let at = i128::try_from(self.at.since_start().as_nanos()).unwrap_or(i128::MAX);
        Offset(self.date.unix_timestamp_nanos().saturating_sub(at))
    }

    /// Converts a date to the monotonic clock. It is right unless the wall clock is set before that
    /// date.
    pub(crate) fn instant_of(self, date: UtcDateTime) -> Instant {
        let nanos = date.unix_timestamp_nanos().saturating_sub(self.date.unix_timestamp_nanos());
        let nanos = u64::try_from(nanos.max(0)).unwrap_or(u64::MAX);
        self.at.saturating_add(Duration::from_nanos(nanos))
    }
}

/// The difference between a wall clock and the monotonic clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset(i128);

impl Offset {
    /// Returns the step of the wall clock between two offsets. Less than a second does not count:
    /// clocks are slewed all the time, and two of them are not read at the same instant.
    pub(crate) fn step_to(self, later: Self) -> Option<time::Duration> {
        let micros = later.0.saturating_sub(self.0) / 1000;
        let farthest = if micros < 0 { i64::MIN } else { i64::MAX };
        let step = time::Duration::microseconds(i64::try_from(micros).unwrap_or(farthest));
        (step.abs() > time::Duration::SECOND).then_some(step)
    }
}

/// The time source of a client.
#[derive(Debug)]
pub(crate) struct Time {
    clock: Box<dyn Clock>,
    system: SystemClock,
    /// `true` if the clocks of the system, which are faster to read, show the same.
    is_systems: AtomicBool,
    /// The last second by the system's clock, after 1970, and its tick, in one word.
    last_tick: AtomicCell<u64>,
}

impl Time {
    /// Creates a time source from the clock of the caller, or else from that of the system.
    #[cfg(feature = "blocking")]
    pub(crate) fn new(custom: Option<Box<dyn Clock>>, system: SystemClock) -> Self {
        Self::beside(custom, system, system)
    }

    /// Creates a time source from the clock of the caller, or else from this one, which shows what
    /// that of the system shows until it is [distrusted](Self::distrust).
    pub(crate) fn beside(
        custom: Option<Box<dyn Clock>>,
        other: impl Clock + 'static,
        system: SystemClock,
    ) -> Self {
        let is_systems = AtomicBool::new(custom.is_none());
        let clock = custom.unwrap_or_else(|| Box::new(other));
        Self { clock, system, is_systems, last_tick: AtomicCell::new(0) }
    }

    /// Reads the clock itself from now on, and not that of the system.
    #[cfg(feature = "tokio")]
    pub(crate) fn distrust(&self) {
        self.is_systems.store(false, Ordering::Relaxed);
    }

    fn clock(&self) -> &dyn Clock {
        if self.is_systems.load(Ordering::Relaxed) { &self.system } else { &*self.clock }
    }

    pub(crate) fn now(&self) -> Moment {
        let clock = self.clock();
        Moment { date: clock.now(), at: clock.monotonic() }
    }

    pub(crate) fn date(&self) -> UtcDateTime {
        self.clock().now()
    }

    pub(crate) fn instant(&self) -> Instant {
        self.clock().monotonic()
    }

    /// Returns the instant at this duration from now.
    pub(crate) fn deadline_after(&self, span: Duration) -> Instant {
        self.instant().saturating_add(span)
    }

    /// Returns the time until an instant, or zero if it has passed.
    pub(crate) fn time_until(&self, until: Instant) -> Duration {
        until.saturating_duration_since(self.instant())
    }

    /// Returns the current second, from a clock that may be some milliseconds late but is much
    /// faster to read than [`date`](Self::date).
    pub(crate) fn this_second(&self) -> UtcDateTime {
        if self.is_systems.load(Ordering::Relaxed) { date_of(seconds()) } else { self.date() }
    }

    /// Returns the tick of [`this_second`](Self::this_second), which is computed once a second, and
    /// the date if that was read for it. A clock of the caller is read once.
    #[inline]
    pub(crate) fn this_tick(&self) -> (Tick, Option<UtcDateTime>) {
        if !self.is_systems.load(Ordering::Relaxed) {
            let date = self.date();
            return (Tick::of(date), Some(date));
        }
        let seconds = seconds();
        let (known, tick) = halves(self.last_tick.load());
        let is_known = i64::from(known) == seconds;
        (if is_known { Tick::of_number(tick) } else { self.tick_at(seconds) }, None)
    }

    #[cold]
    fn tick_at(&self, seconds: i64) -> Tick {
        let tick = Tick::of(date_of(seconds));
        if let Ok(seconds) = u32::try_from(seconds) {
            let both = u64::from(seconds) << 32 | u64::from(tick.number());
            self.last_tick.store(both);
        }
        tick
    }
}

#[expect(clippy::cast_possible_truncation, reason = "that is the lower half")]
#[inline]
const fn halves(both: u64) -> (u32, u32) {
    ((both >> 32) as u32, both as u32)
}

/// Returns the time at this many seconds after 1970, within the calendar.
fn date_of(seconds: i64) -> UtcDateTime {
    let farthest = if seconds < 0 { UtcDateTime::MIN } else { UtcDateTime::MAX };
    UtcDateTime::from_unix_timestamp(seconds).unwrap_or(farthest)
}

#[cfg(target_os = "linux")]
fn seconds() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
}

#[cfg(not(target_os = "linux"))]
fn seconds() -> i64 {
    utc_now().unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_those_of_their_seconds_whatever_they_follow() {
        let time = Time::beside(None, SystemClock::start(), SystemClock::start());
        let noted = [0, 1, 1, 86_399, 86_400, 1_709_164_799, 1_709_164_800, 1_793_000_000, 59, -1];
        let more = [i64::from(u32::MAX), 1 << 32, (1 << 32) + 59, i64::MAX, i64::MIN];
        let spread = (-200_000..4_000_000_000).step_by(7_654_321);
        for seconds in noted.into_iter().chain(more).chain(spread) {
            assert_eq!(time.tick_at(seconds), Tick::of(date_of(seconds)), "{seconds}");
            let (known, tick) = halves(time.last_tick.load());
            assert_eq!(Tick::of_number(tick), Tick::of(date_of(known.into())), "{seconds}");
        }
        // Beyond the calendar, its ends.
        assert_eq!((date_of(i64::MAX), date_of(i64::MIN)), (UtcDateTime::MAX, UtcDateTime::MIN));
        assert!(utc_now().unix_timestamp() - time.this_second().unix_timestamp() < 2);
        let ticks =
            [Tick::of(time.this_second()), time.this_tick().0, Tick::of(time.this_second())];
        assert!(ticks.is_sorted());
    }

    #[test]
    fn a_step_is_more_than_a_second_by_one_clock_only() {
        let second = Duration::from_secs(1);
        let at = |date: UtcDateTime, span: Duration| Moment { date, at: span.into() };
        let noon = UtcDateTime::UNIX_EPOCH + 12 * 60 * 60 * second;
        let start = at(noon, second).offset();
        assert_eq!(start.step_to(at(noon + 60 * second, 61 * second).offset()), None);
        assert_eq!(start.step_to(at(noon + second, second).offset()), None);
        for (date, span, step) in [
            (noon - 30 * second, 31 * second, time::Duration::minutes(-1)),
            (noon + 3600 * second, second, time::Duration::hours(1)),
        ] {
            assert_eq!(start.step_to(at(date, span).offset()), Some(step));
        }
        // From one end of the calendar to the other, and of the monotonic clock.
        for date in [UtcDateTime::MIN, UtcDateTime::MAX] {
            for span in [Duration::ZERO, Duration::MAX] {
                assert!(start.step_to(at(date, span).offset()).is_some());
                let _ = at(date, span).instant_of(UtcDateTime::MAX);
            }
        }
    }
}
