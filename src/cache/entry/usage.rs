//! The last lookup of a domain, by a clock that may have been wrong at that time, or may be wrong
//! now.

use super::state::State;
use crate::cache::{
    clock::{Hour, Timestamp},
    config::Config,
    rule,
};

impl State {
    /// Returns whether the domain was looked up in the time before `moment`.
    pub(super) fn in_use(&self, moment: Timestamp, config: &Config) -> bool {
        self.last_lookup.is_some_and(|used| used.start().plus(config.idle_span()) > moment)
    }

    /// Notes a lookup. Returns whether it was the first of its day.
    pub(super) fn note_use(&mut self, now: Timestamp) -> bool {
        let hour = now.hour();
        let new_day = self.last_lookup.is_none_or(|used| used.day() != hour.day());
        self.used_on_two_days |= new_day && self.last_lookup.is_some();
        self.set_used(hour, self.latest_use());
        new_day
    }

    /// Counts a use in the future as of now: it was noted while the clock was wrong, or the clock
    /// is wrong now.
    pub(super) fn rearm_use(&mut self, now: Timestamp) {
        let hour = now.hour();
        if self.last_lookup.is_some_and(|used| hour < used) {
            self.set_used(hour, self.latest_use());
        }
    }

    /// Restores such a use at its own time if the clock was set to it. If the clock has reached
    /// that time by itself, the use was noted at a wrong time and is dropped.
    pub(in crate::cache) fn reach_use(&mut self, now: Timestamp) {
        let hour = now.hour();
        if self.days_ahead > 0
            && let Some(latest) = self.latest_use().filter(|latest| latest.day() <= hour.day())
        {
            self.days_ahead = 0;
            // While a policy is refreshed, DNS is asked much more often than this.
            if now.since(self.record_check.armed_at()) > rule::LEAP {
                self.last_lookup = Some(latest.min(hour));
            }
        }
    }

    /// Drops a use in the future if the domain was not looked up for so long that its policy is no
    /// longer refreshed.
    pub(super) fn settle_use(&mut self, config: &Config) {
        if self.days_ahead > 0 && !self.in_use(self.refresh.due(), config) {
            self.days_ahead = 0;
        }
    }

    /// Returns the latest use that was noted, including one in the future.
    fn latest_use(&self) -> Option<Hour> {
        self.last_lookup.map(|used| used.plus_days(self.days_ahead))
    }

    fn set_used(&mut self, hour: Hour, latest: Option<Hour>) {
        let days = latest.map_or(0, |latest| latest.day().saturating_sub(hour.day()));
        self.last_lookup = Some(hour);
        self.days_ahead = u16::try_from(days).unwrap_or(u16::MAX);
    }
}
