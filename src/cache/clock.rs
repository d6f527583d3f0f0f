//! Moments and deadlines, small and never overflowing.

use core::{num::NonZeroU32, time::Duration};

use time::UtcDateTime;

/// A moment, in microseconds since 1970.
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

    /// The moment for those outside; what lies beyond the calendar is its end.
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

    /// The same moment by a clock that was set by so many microseconds.
    #[must_use]
    pub(super) const fn shifted(self, by: i64) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// The moment after this one.
    #[must_use]
    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The moment before this one.
    #[must_use]
    pub(super) const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// How long after `earlier` this is, in whole seconds; nothing if it is before.
    pub(super) fn since(self, earlier: Self) -> Span {
        let seconds = self.0.saturating_sub(earlier.0).max(0).checked_div(MICROS).unwrap_or(0);
        Span(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// The hour this is in, since 1970.
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

/// An hour of the calendar, counted from one: the first of 1970, and what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Hour(NonZeroU32);

impl Hour {
    pub(super) fn start(self) -> Timestamp {
        Timestamp(i64::from(self.since_first()).saturating_mul(HOUR))
    }

    /// The last moment in it.
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

/// A second of the calendar, in half the space of a moment; all before 1970 is the first one, all
/// after February 2106 the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Second(u32);

impl Second {
    pub(super) const FIRST: Self = Self(0);

    /// The one under way.
    pub(super) fn of(now: Timestamp) -> Self {
        let begun = now.0.div_euclid(MICROS).max(0);
        Self(u32::try_from(begun).unwrap_or(u32::MAX))
    }

    pub(super) fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0).saturating_mul(MICROS))
    }

    #[must_use]
    pub(super) const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// A second of the calendar, counted as though every year had 366 days: as good for comparing as
/// any count, and made of a `UtcDateTime` without a division. All before 1970 is the first one, all
/// after 2104 the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u32);

impl Tick {
    pub(super) const FIRST: Self = Self(0);

    #[inline]
    pub(super) fn of(moment: UtcDateTime) -> Self {
        let (hour, minute, second) = moment.as_hms();
        // Nothing of this can overflow: a year has six digits at most.
        let years = i64::from(moment.year()).wrapping_sub(1970);
        let days = years.wrapping_mul(366).wrapping_add(moment.ordinal().into());
        let hours = days.wrapping_mul(24).wrapping_add(hour.into());
        let minutes = hours.wrapping_mul(60).wrapping_add(minute.into());
        let seconds = minutes.wrapping_mul(60).wrapping_add(second.into());
        Self(u32::try_from(seconds.max(0)).unwrap_or(u32::MAX))
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

    /// It, so many times.
    pub(super) const fn times(self, n: u32) -> Self {
        Self(self.0.saturating_mul(n))
    }

    /// A part of a second counts as a whole one, so that no wait is too short.
    pub(super) fn of(duration: Duration) -> Self {
        let rest = u64::from(duration.subsec_nanos() > 0);
        Self(u32::try_from(duration.as_secs().saturating_add(rest)).unwrap_or(u32::MAX))
    }

    /// `percent` of it.
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

    /// It, doubled `times` times.
    pub(super) const fn doubled(self, times: u32) -> Self {
        let factor = match 1u32.checked_shl(times) {
            Some(factor) => factor,
            None => u32::MAX,
        };
        Self(self.0.saturating_mul(factor))
    }

    /// Some length up to this one, chosen by `noise`.
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

/// When something is due, kept as when that was settled and how long after: if the clock is set
/// back, what lies farther away than its span is known to be wrong, and is armed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Deadline {
    armed_at: Timestamp,
    span: Span,
}

impl Deadline {
    /// What was due for ever.
    pub(super) const PAST: Self = Self { armed_at: Timestamp::MIN, span: Span::ZERO };

    pub(super) const fn new(now: Timestamp, span: Span) -> Self {
        Self { armed_at: now, span }
    }

    /// The one at this moment, or at once if that has passed.
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

    /// The earlier of the two.
    pub(super) fn or(self, other: Self) -> Self {
        if other.due() < self.due() { other } else { self }
    }

    /// The clock was set by so many microseconds: what is left of the span stays what it is.
    pub(super) fn shift(&mut self, by: i64) {
        self.armed_at = self.armed_at.shifted(by);
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        if now < self.armed_at {
            self.armed_at = now;
        }
    }

    /// Not farther away than this: what is read from a snapshot may be anything.
    pub(super) fn limit(&mut self, span: Span) {
        if self.span > span {
            self.span = span;
        }
    }
}
