//! The last lookup of a domain, by a clock that may have been wrong then, or may be wrong now.

use super::state::State;
use crate::cache::{
    clock::{Hour, Timestamp},
    config::{Config, rule},
};

impl State {
    /// Returns whether the domain was looked up in the time before `moment`.
    pub(super) fn in_use(&self, moment: Timestamp, config: &Config) -> bool {
        self.used.is_some_and(|used| used.start().plus(config.idle) > moment)
    }

    /// Notes a lookup. Returns whether it was the first of its day.
    pub(super) fn note_use(&mut self, now: Timestamp) -> bool {
        let hour = now.hour();
        let new_day = self.used.is_none_or(|used| used.day() != hour.day());
        self.regular |= new_day && self.used.is_some();
        self.set_used(hour, self.latest_use());
        new_day
    }

    /// Has a use in the future count as of now: it was noted while the clock stood wrong, or the clock
    /// stands wrong now.
    pub(super) fn rearm_use(&mut self, now: Timestamp) {
        let hour = now.hour();
        if self.used.is_some_and(|used| hour < used) {
            self.set_used(hour, self.latest_use());
        }
    }

    /// Has such a use count as itself if the clock has been set to it. If the clock has come there by
    /// itself, the use was noted at a wrong time, and counts no more.
    pub(in crate::cache) fn reach_use(&mut self, now: Timestamp) {
        let hour = now.hour();
        if self.ahead > 0
            && let Some(latest) = self.latest_use().filter(|latest| latest.day() <= hour.day())
        {
            self.ahead = 0;
            // While a policy is refreshed, DNS is asked far more often.
            if now.since(self.check.armed_at()) > rule::LEAP {
                self.used = Some(latest.min(hour));
            }
        }
    }

    /// Drops a use in the future if the domain was not looked up for so long that its policy is not
    /// refreshed any more.
    pub(super) fn settle_use(&mut self, config: &Config) {
        if self.ahead > 0 && !self.in_use(self.refresh.due(), config) {
            self.ahead = 0;
        }
    }

    /// The latest use that was noted, be it in the future.
    fn latest_use(&self) -> Option<Hour> {
        self.used.map(|used| used.plus_days(self.ahead))
    }

    fn set_used(&mut self, hour: Hour, latest: Option<Hour>) {
        let days = latest.map_or(0, |latest| latest.day().saturating_sub(hour.day()));
        self.used = Some(hour);
        self.ahead = u16::try_from(days).unwrap_or(u16::MAX);
    }
}
