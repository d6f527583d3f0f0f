//! The settings of the lanes.

use core::time::Duration;

use super::lane::Lane;
use crate::instant::time_out;

/// The settings of [`Lanes`](super::Lanes).
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::lanes::Config;
///
/// let config = Config::default().with_first_contacts(128).with_query_wait(Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    first_contacts: usize,
    known: usize,
    query_wait: Duration,
    fetch_wait: Duration,
    query_limit: Duration,
    fetch_limit: Duration,
}

/// The maximum number of requests that wait, for each slot of a lane.
const WAITING: usize = 256;

/// The maximum number of slots of a lane.
const MOST: usize = 1 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            first_contacts: 64,
            known: 16,
            query_wait: Duration::from_secs(9),
            fetch_wait: Duration::from_secs(30),
            query_limit: Duration::from_secs(10),
            fetch_limit: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// Sets the number of slots for queries, and also for fetches, of first contacts. Default: 64.
    /// At least 1, at most 1,048,576.
    #[must_use]
    pub fn with_first_contacts(self, slots: usize) -> Self {
        Self { first_contacts: slots.clamp(1, MOST), ..self }
    }

    /// Sets the number of slots for queries, and also for fetches, of domains to which a policy
    /// applies. Default: 16. At least 1, at most 1,048,576.
    #[must_use]
    pub fn with_known(self, slots: usize) -> Self {
        Self { known: slots.clamp(1, MOST), ..self }
    }

    /// Sets the maximum time that a query waits for a slot before it is refused. Default: 9 s. At
    /// least 1 ms, at most a day.
    #[must_use]
    pub fn with_query_wait(self, wait: Duration) -> Self {
        Self { query_wait: time_out(wait), ..self }
    }

    /// Sets the maximum time that a fetch waits for a slot before it is refused. Default: 30 s. At
    /// least 1 ms, at most a day.
    #[must_use]
    pub fn with_fetch_wait(self, wait: Duration) -> Self {
        Self { fetch_wait: time_out(wait), ..self }
    }

    /// Sets the expected maximum duration of a query and of a fetch. One that has not ended after
    /// twice that is reported as [`Action::Overdue`](super::Action::Overdue). Default: 10 s and 60
    /// s. Each at least 1 ms, at most a day.
    #[must_use]
    pub fn with_limits(self, query: Duration, fetch: Duration) -> Self {
        Self { query_limit: time_out(query), fetch_limit: time_out(fetch), ..self }
    }

    pub(super) fn slots(&self, lane: Lane) -> usize {
        if lane.is_known { self.known } else { self.first_contacts }
    }

    pub(super) fn queue_len(&self, lane: Lane) -> usize {
        self.slots(lane).saturating_mul(WAITING).max(1024)
    }

    pub(super) fn wait(&self, lane: Lane) -> Duration {
        if lane.is_fetch { self.fetch_wait } else { self.query_wait }
    }

    pub(super) fn limit(&self, lane: Lane) -> Duration {
        if lane.is_fetch { self.fetch_limit } else { self.query_limit }
    }
}
