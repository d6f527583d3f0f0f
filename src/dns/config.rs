use core::time::Duration;

use crate::instant::time_out;

/// How patient an exchange is.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::dns::Config;
///
/// let config = Config::default().with_deadline(Duration::from_secs(5));
/// assert_eq!(config.attempt(), Duration::from_secs(2));
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
    /// Sets the time-out of one query to one server, over UDP or TCP. Default: 2 s; at least 1 ms, at
    /// most a day.
    #[must_use]
    pub const fn with_attempt(self, attempt: Duration) -> Self {
        Self { attempt: time_out(attempt), ..self }
    }

    /// Sets the time-out of the whole lookup. Default: 10 s; at least 1 ms, at most a day.
    #[must_use]
    pub const fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline: time_out(deadline), ..self }
    }

    /// How often each server is asked: twice unless set, and once at the least.
    #[must_use]
    pub const fn with_rounds(self, rounds: u8) -> Self {
        Self { rounds, ..self }
    }

    /// How long one server has to answer.
    #[must_use]
    pub const fn attempt(&self) -> Duration {
        self.attempt
    }

    /// How long the whole may take.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// How often each server is asked.
    #[must_use]
    pub const fn rounds(&self) -> u8 {
        if self.rounds == 0 { 1 } else { self.rounds }
    }
}
