//! The clock, which the clients alone read.

use core::{cell::Cell, time::Duration};
use std::{thread_local, time::Instant};

use time::{Date, Time, UtcDateTime};

#[expect(clippy::disallowed_methods, reason = "whoever needs the time below this is given it")]
pub(crate) fn now() -> UtcDateTime {
    UtcDateTime::now()
}

/// A clock that nobody can set: it says how long ago it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "whoever needs the time below this is given it")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The second under way, by a clock that may be some milliseconds late, but takes a fraction of the
/// time that [`now`] takes.
pub(crate) fn this_second() -> UtcDateTime {
    thread_local! {
        static TODAY: Cell<(i64, Date)> = const { Cell::new((0, UtcDateTime::UNIX_EPOCH.date())) };
    }
    TODAY.with(|today| at(seconds(), today))
}

/// The moment so many seconds after 1970. What day that is is worked out once a day.
fn at(seconds: i64, today: &Cell<(i64, Date)>) -> UtcDateTime {
    const DAY: i64 = 86_400;
    let day = seconds.div_euclid(DAY);
    let (known, mut date) = today.get();
    if known != day {
        date = UtcDateTime::from_unix_timestamp(seconds).map_or(date, UtcDateTime::date);
        today.set((day, date));
    }
    UtcDateTime::new(date, time_of_day(seconds.rem_euclid(DAY)).unwrap_or(Time::MIDNIGHT))
}

fn time_of_day(second: i64) -> Option<Time> {
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
    let [hour, minute, second] = [hour, minute, second].map(|it| u8::try_from(it).ok());
    Time::from_hms(hour?, minute?, second?).ok()
}

#[cfg(target_os = "linux")]
fn seconds() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
}

#[cfg(not(target_os = "linux"))]
fn seconds() -> i64 {
    now().unix_timestamp()
}

/// How long until then; no time if that is past.
pub(crate) fn left(until: UtcDateTime) -> Duration {
    let nanos = until.unix_timestamp_nanos().saturating_sub(now().unix_timestamp_nanos());
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

/// So long from now.
pub(crate) fn after(duration: Duration) -> UtcDateTime {
    now().saturating_add(duration.try_into().unwrap_or(time::Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_moments_on_whatever_day_they_follow() {
        let today = Cell::new((0, UtcDateTime::UNIX_EPOCH.date()));
        let noted = [0, 1, 86_399, 86_400, 1_709_164_799, 1_709_164_800, 1_793_000_000, 59, -1];
        for seconds in noted.into_iter().chain((-200_000..4_000_000_000).step_by(7_654_321)) {
            let expected = UtcDateTime::from_unix_timestamp(seconds);
            assert_eq!(Ok(at(seconds, &today)), expected, "{seconds}");
        }
        assert!(left(this_second()) < Duration::from_secs(2));
        assert!(now().unix_timestamp() - this_second().unix_timestamp() < 2);
    }
}
