//! Time-outs and attempts of an exchange.

use core::time::Duration;

use crate::instant::time_out;

/// The time-outs and the number of attempts of an exchange.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::dns::Config;
///
/// let config = Config::default().with_timeout(Duration::from_secs(5));
/// assert_eq!(config.attempt_timeout(), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    attempt: Duration,
    deadline: Duration,
    rounds: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(2), deadline: Duration::from_secs(10), rounds: 2 }
    }
}

impl Config {
    /// Sets the time-out of each message to a server, over UDP or TCP. Default: 2 s. At least 1 ms,
    /// at most a day.
    #[must_use]
    pub const fn with_attempt_timeout(self, attempt: Duration) -> Self {
        Self { attempt: time_out(attempt), ..self }
    }

    /// Sets the time-out of the whole lookup. Default: 10 s. At least 1 ms, at most a day.
    #[must_use]
    pub const fn with_timeout(self, deadline: Duration) -> Self {
        Self { deadline: time_out(deadline), ..self }
    }

    /// Sets the maximum number of times that each server is asked, within the time-out of the whole
    /// lookup. Default: 2. At least 1.
    #[must_use]
    pub const fn with_attempts(self, rounds: u8) -> Self {
        Self { rounds, ..self }
    }

    /// Returns the time-out of each message to a server.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Duration {
        self.attempt
    }

    /// Returns the time-out of the whole lookup.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.deadline
    }

    /// Returns the maximum number of times that each server is asked.
    #[must_use]
    pub const fn attempts(&self) -> u8 {
        if self.rounds == 0 { 1 } else { self.rounds }
    }
}
