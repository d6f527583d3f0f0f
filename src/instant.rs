//! The time of a monotonic clock.

use core::time::Duration;

/// A time of a monotonic clock, as the duration since an arbitrary start.
///
/// Requests in flight are timed by it: a wall clock may be set, which must neither end nor extend
/// them. Instants of one clock can be compared; those of two clocks, or of two processes, cannot.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::Instant;
///
/// let start = std::time::Instant::now(); // once
/// let now = Instant::from(start.elapsed()); // each time
/// let deadline = now.saturating_add(Duration::from_secs(2));
/// assert_eq!(deadline.saturating_duration_since(now), Duration::from_secs(2));
/// assert_eq!(now.saturating_duration_since(deadline), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// The start of the clock.
    pub const START: Self = Self(Duration::ZERO);

    /// Creates the instant at this duration after the start of the clock.
    #[must_use]
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// Returns the duration since the start of the clock.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// Returns the instant at this duration after this one, or `None` on overflow.
    #[must_use]
    pub const fn checked_add(self, span: Duration) -> Option<Self> {
        match self.0.checked_add(span) {
            Some(elapsed) => Some(Self(elapsed)),
            None => None,
        }
    }

    /// Returns the instant at this duration after this one, or the last instant on overflow.
    #[must_use]
    pub const fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// Returns the duration since `earlier`, or zero if this instant is before it.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<Duration> for Instant {
    fn from(elapsed: Duration) -> Self {
        Self(elapsed)
    }
}

/// Limits a time-out to at least a millisecond, so that something can happen within it, and at most
/// a day, so that it ends.
pub(crate) const fn time_out(span: Duration) -> Duration {
    const LEAST: Duration = Duration::from_millis(1);
    const MOST: Duration = Duration::from_secs(86_400);
    if span.as_nanos() < LEAST.as_nanos() {
        LEAST
    } else if span.as_nanos() > MOST.as_nanos() {
        MOST
    } else {
        span
    }
}
