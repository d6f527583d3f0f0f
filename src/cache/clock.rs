//! Timestamps, spans and deadlines that are small and do not overflow.

use core::{num::NonZeroU32, time::Duration};

use time::UtcDateTime;

/// A time in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(Rust, packed(4))] // a deadline takes 12 bytes and not 16: every domain has three
pub(super) struct Timestamp(i64);

const MICROS: i64 = 1_000_000;
const HOUR: i64 = 3600 * MICROS;

impl Timestamp {
    pub(super) const MIN: Self = Self(i64::MIN);
    pub(super) const MAX: Self = Self(i64::MAX);

    #[inline]
    pub(super) fn of(moment: UtcDateTime) -> Self {
        let whole = moment.unix_timestamp().saturating_mul(MICROS);
        Self(whole.saturating_add(moment.microsecond().into()))
    }

    /// Converts to a calendar time. A time beyond the calendar becomes its end.
    pub(super) fn to_utc(self) -> UtcDateTime {
        let part = u32::try_from(self.0.rem_euclid(MICROS)).unwrap_or(0);
        let whole = UtcDateTime::from_unix_timestamp(self.0.div_euclid(MICROS));
        let moment = whole.and_then(|whole| whole.replace_microsecond(part));
        moment.unwrap_or(if self.0 < 0 { UtcDateTime::MIN } else { UtcDateTime::MAX })
    }

    #[must_use]
    pub(super) const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.micros()))
    }

    #[must_use]
    pub(super) const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.micros()))
    }

    /// Returns the same moment by a clock that was set by this many microseconds.
    #[must_use]
    pub(super) const fn shifted(self, by: i64) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// Returns the next microsecond.
    #[must_use]
    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the previous microsecond.
    #[must_use]
    pub(super) const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Returns the time since `earlier` in whole seconds, or zero if this is before it.
    pub(super) fn since(self, earlier: Self) -> Span {
        let seconds = self.0.saturating_sub(earlier.0).max(0).checked_div(MICROS).unwrap_or(0);
        Span(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// Returns the hour that contains this time.
    #[inline]
    pub(super) fn hour(self) -> Hour {
        let number = self.0.div_euclid(HOUR).saturating_add(1);
        Hour(u32::try_from(number).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN))
    }

    pub(super) const fn micros(self) -> i64 {
        self.0
    }
}

/// Converts a step of the clock to microseconds.
pub(super) fn micros(by: time::Duration) -> i64 {
    let whole = by.whole_microseconds();
    i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
}

/// An hour of the calendar. Number one is the first hour of 1970, and also stands for all before
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Hour(NonZeroU32);

impl Hour {
    pub(super) fn start(self) -> Timestamp {
        Timestamp(i64::from(self.since_first()).saturating_mul(HOUR))
    }

    /// Returns the last microsecond of the hour.
    pub(super) fn end(self) -> Timestamp {
        Timestamp(i64::from(self.0.get()).saturating_mul(HOUR)).previous()
    }

    pub(super) const fn day(self) -> u32 {
        self.since_first() / 24
    }

    #[must_use]
    pub(super) fn plus_days(self, days: u16) -> Self {
        Self(self.0.saturating_add(u32::from(days).saturating_mul(24)))
    }

    const fn since_first(self) -> u32 {
        self.0.get().saturating_sub(1)
    }
}

/// A second of the calendar, in half the space of a [`Timestamp`]. The first one stands for all
/// before 1970, the last one for all after February 2106.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Second(u32);

impl Second {
    pub(super) const FIRST: Self = Self(0);

    /// Returns the second that contains a time.
    pub(super) fn of(now: Timestamp) -> Self {
        let begun = now.0.div_euclid(MICROS).max(0);
        Self(u32::try_from(begun).unwrap_or(u32::MAX))
    }

    /// Returns the first second that begins at a time or after it.
    pub(super) fn next(now: Timestamp) -> Self {
        Self::of(Timestamp(now.0.saturating_add(MICROS - 1)))
    }

    pub(super) fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0).saturating_mul(MICROS))
    }

    #[must_use]
    pub(super) const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// Two seconds of the calendar, as a number that keeps their order and is composed from a
/// `UtcDateTime` without a division or multiplication. The first one stands for all before 1970, the
/// last one for all after 2097.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u32);

impl Tick {
    pub(super) const FIRST: Self = Self(0);

    /// Returns a tick by its number.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    #[inline]
    pub(crate) const fn of_number(number: u32) -> Self {
        Self(number)
    }

    #[cfg(any(feature = "blocking", feature = "tokio"))]
    #[inline]
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    #[inline]
    pub(crate) fn of(moment: UtcDateTime) -> Self {
        let years = moment.year().wrapping_sub(1970);
        let Some(years) = u32::try_from(years).ok().filter(|years| *years < 1 << 7) else {
            return Self::beyond(years);
        };
        let (hour, minute, second) = moment.as_hms();
        let days = years << 9 | u32::from(moment.ordinal());
        let minutes = (days << 5 | u32::from(hour)) << 6 | u32::from(minute);
        Self(minutes << 5 | u32::from(second) >> 1)
    }

    #[cold]
    const fn beyond(years: i32) -> Self {
        Self(if years < 0 { 0 } else { u32::MAX })
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Span(u32);

impl Span {
    pub(super) const ZERO: Self = Self(0);

    pub(super) const fn seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Returns the span multiplied by `n`.
    pub(super) const fn times(self, n: u32) -> Self {
        Self(self.0.saturating_mul(n))
    }

    /// Converts a duration. A part of a second counts as a whole one, so that no wait is too short.
    pub(super) fn of(duration: Duration) -> Self {
        let rest = u64::from(duration.subsec_nanos() > 0);
        Self(u32::try_from(duration.as_secs().saturating_add(rest)).unwrap_or(u32::MAX))
    }

    /// Returns this many percent of the span.
    pub(super) fn percent(self, percent: u32) -> Self {
        let part = u64::from(self.0).saturating_mul(percent.into()) / 100;
        Self(u32::try_from(part).unwrap_or(u32::MAX))
    }

    #[must_use]
    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub(super) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns the span doubled `times` times.
    pub(super) const fn doubled(self, times: u32) -> Self {
        let factor = match 1u32.checked_shl(times) {
            Some(factor) => factor,
            None => u32::MAX,
        };
        Self(self.0.saturating_mul(factor))
    }

    /// Returns a span between zero and this one, chosen by `noise`.
    pub(super) const fn up_to(self, noise: u32) -> Self {
        let scaled = (self.0 as u64).saturating_mul(noise as u64) >> 32;
        Self(scaled as u32) // no more than `self.0`
    }

    pub(super) const fn micros(self) -> i64 {
        (self.0 as i64).saturating_mul(MICROS)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_secs(span.0.into())
    }
}

/// A deadline, stored as the time at which it was armed and a span. After the clock was set back,
/// one that is farther away than its span is known to be wrong, and is rearmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Deadline {
    armed_at: Timestamp,
    span: Span,
}

impl Deadline {
    /// A deadline that is always due.
    pub(super) const PAST: Self = Self { armed_at: Timestamp::MIN, span: Span::ZERO };

    pub(super) const fn new(now: Timestamp, span: Span) -> Self {
        Self { armed_at: now, span }
    }

    /// Creates a deadline at the time `due`, or at once if that has passed.
    pub(super) fn at(now: Timestamp, due: Timestamp) -> Self {
        let whole = due.since(now);
        let rest = u32::from(now.plus(whole) < due);
        Self::new(now, whole.plus(Span::seconds(rest)))
    }

    pub(super) const fn due(self) -> Timestamp {
        self.armed_at.plus(self.span)
    }

    pub(super) fn is_due(self, now: Timestamp) -> bool {
        now >= self.due()
    }

    pub(super) const fn armed_at(self) -> Timestamp {
        self.armed_at
    }

    pub(super) const fn span(self) -> Span {
        self.span
    }

    /// Returns the earlier of two deadlines.
    pub(super) fn or(self, other: Self) -> Self {
        if other.due() < self.due() { other } else { self }
    }

    /// Moves the deadline with a clock that was set by this many microseconds, so that the
    /// remaining time stays the same.
    pub(super) fn shift(&mut self, by: i64) {
        self.armed_at = self.armed_at.shifted(by);
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        if now < self.armed_at {
            self.armed_at = now;
        }
    }

    /// Limits the span of a deadline that was read from a snapshot, which may be anything.
    pub(super) fn limit(&mut self, span: Span) {
        if self.span > span {
            self.span = span;
        }
    }
}
