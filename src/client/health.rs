//! The health of a client.

use core::fmt;

use super::event::Part;
use crate::lanes::{self, Lane};

/// A snapshot of the health of a client. Its `Display` form is a line for a log: the state, and why.
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
    /// The number of domains whose last change could not be saved in the store. The client saves them
    /// again until that succeeds: each of its caches by itself, as [`Cache::unsaved_count`] describes.
    ///
    /// [`Cache::unsaved_count`]: crate::Cache::unsaved_count
    pub unsaved: usize,
    /// `true` if the system refuses to start a thread, and queries or fetches wait for one.
    pub lacks_threads: bool,
    /// `true` if the client was shut down.
    pub is_shut_down: bool,
}

/// The state of a client in a word: see [`Health::state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HealthState {
    /// Everything works.
    Working,
    /// Lookups are answered, but something does not work.
    Degraded,
    /// The client cannot start discoveries: it has no thread for them, requests that hang have all the
    /// slots, or it was shut down. Policies in the cache still apply.
    CannotDiscover,
}

impl HealthState {
    /// Returns the word: `working`, `degraded` or `cannot-discover`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Degraded => "degraded",
            Self::CannotDiscover => "cannot-discover",
        }
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Health {
    /// Returns the state now, for a health check of the mail server. What was dropped or has panicked
    /// earlier does not count: watch the numbers for that.
    #[must_use]
    pub fn state(&self) -> HealthState {
        if self.is_shut_down || self.lacks_threads || self.has_no_slot_for_discovery() {
            HealthState::CannotDiscover
        } else if self.unsaved > 0 || self.overdue() > 0 {
            HealthState::Degraded
        } else {
            HealthState::Working
        }
    }

    /// Returns the number of requests that hang.
    fn overdue(&self) -> usize {
        self.load.iter().fold(0, |sum, (_, load)| sum.saturating_add(load.overdue))
    }

    fn has_no_slot_for_discovery(&self) -> bool {
        let is_blocked = |(lane, load): &(Lane, lanes::Load)| {
            !lane.is_known && load.slots > 0 && load.overdue >= load.slots
        };
        self.load.iter().any(is_blocked)
    }

    /// Creates the health of a client in another process than its own.
    pub(super) fn of_nothing() -> Self {
        Self {
            events_waiting: 0,
            events_dropped: 0,
            panics: Panics::default(),
            requests: lanes::Counters::default(),
            load: Lane::ALL.map(|lane| (lane, lanes::Load::default())),
            unsaved: 0,
            lacks_threads: false,
            is_shut_down: true,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state().as_str().fmt(f)?;
        let mut mark = ": ";
        let mut say = |is_so: bool, what: fmt::Arguments<'_>| {
            if !is_so {
                return Ok(());
            }
            f.write_str(core::mem::replace(&mut mark, "; "))?;
            f.write_fmt(what)
        };
        say(self.is_shut_down, format_args!("the client was shut down"))?;
        say(self.lacks_threads, format_args!("the system starts no more threads"))?;
        let overdue = self.overdue();
        say(overdue > 0, format_args!("queries and fetches that hang: {overdue}"))?;
        let unsaved = self.unsaved;
        say(
            unsaved > 0,
            format_args!("domains whose last change the store has not saved: {unsaved}"),
        )
    }
}

/// The numbers of panics that were caught, by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panics([u64; Part::COUNT]);

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

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "here a panic is a finding")]
mod tests {
    use super::*;

    /// Creates the health of a client that works, with this changed.
    fn with(change: impl FnOnce(&mut Health)) -> Health {
        let mut health = Health { is_shut_down: false, ..Health::of_nothing() };
        for (_, load) in &mut health.load {
            load.slots = 2;
        }
        change(&mut health);
        health
    }

    #[test]
    fn the_word_and_why() {
        let is_of_discovery = |lane: Lane| !lane.is_known;
        let first = Lane::ALL.iter().position(|lane| is_of_discovery(*lane)).unwrap_or(9);
        let other = Lane::ALL.iter().position(|lane| !is_of_discovery(*lane)).unwrap_or(9);
        for (health, expected) in [
            (with(|_| {}), "working"),
            (with(|health| health.events_dropped = 3), "working"),
            (with(|health| health.load[first].1.running = 2), "working"),
            (
                with(|health| health.load[first].1.overdue = 1),
                "degraded: queries and fetches that hang: 1",
            ),
            (
                with(|health| health.load[other].1.overdue = 2),
                "degraded: queries and fetches that hang: 2",
            ),
            (
                with(|health| health.load[first].1.overdue = 2),
                "cannot-discover: queries and fetches that hang: 2",
            ),
            (
                with(|health| health.lacks_threads = true),
                "cannot-discover: the system starts no more threads",
            ),
            (
                with(|health| (health.lacks_threads, health.unsaved) = (true, 7)),
                "cannot-discover: the system starts no more threads; domains whose last change the \
                 store has not saved: 7",
            ),
            (
                with(|health| health.is_shut_down = true),
                "cannot-discover: the client was shut down",
            ),
        ] {
            assert_eq!(alloc::string::ToString::to_string(&health), expected);
        }
    }
}
