//! The health of a client.

use super::event::Part;
use crate::lanes::{self, Lane};

/// A snapshot of the health of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The number of events that wait for the callback.
    pub events_waiting: usize,
    /// The number of events since the start that were dropped because the callback was too slow.
    pub events_dropped: u64,
    /// The number of panics that were caught, since the start.
    pub panics: Panics,
    /// The numbers of queries and fetches since the start.
    pub requests: lanes::Counters,
    /// The load of each lane now.
    pub load: [(Lane, lanes::Load); 4],
}

impl Health {
    /// Creates the health of a client in another process than its own.
    pub(super) fn of_nothing() -> Self {
        Self {
            events_waiting: 0,
            events_dropped: 0,
            panics: Panics::default(),
            requests: lanes::Counters::default(),
            load: Lane::ALL.map(|lane| (lane, lanes::Load::default())),
        }
    }
}

/// The numbers of panics that were caught, by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panics([u64; 7]);

impl Panics {
    /// Returns the number of panics of one part.
    #[must_use]
    pub fn count(&self, part: Part) -> u64 {
        self.0.get(part as usize).copied().unwrap_or(0)
    }

    /// Returns the number of panics of all parts.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    pub(super) fn add(&mut self, part: Part) {
        if let Some(count) = self.0.get_mut(part as usize) {
            *count = count.saturating_add(1);
        }
    }
}
