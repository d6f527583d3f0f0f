//! Refreshes: fetching a policy again before it expires (RFC 8461 §3.3, §10.2).

use super::{
    Entry,
    state::{Held, State},
    step::Step,
};
use crate::cache::{
    clock::{Deadline, Span, Timestamp},
    config::Config,
    rule,
};

impl Entry {
    /// Returns the time by which a due refresh may be postponed, if it is late because of a restart
    /// or a clock step: thousands may be late together. The sooner a policy expires, the shorter
    /// this is.
    pub(in crate::cache) fn leeway(&self, now: Timestamp, config: &Config) -> Option<Span> {
        let due = self.state.refresh_timer(config).filter(|_| self.in_flight.is_none())?;
        let held = self.state.live(now)?;
        // A refresh that is armed for the same moment is due because the clock was set back.
        let is_set_back = now < held.fetched_at && due == self.state.refresh.armed_at();
        let is_late = due <= now && (now.since(due) >= rule::OVERDUE || is_set_back);
        let (longest, percent) = rule::SPREAD;
        is_late.then(|| longest.min(held.ends_at().since(now).percent(percent)))
    }
}

impl State {
    /// Schedules the refresh of a policy that was just fetched.
    pub(super) fn schedule_refresh(&mut self, by_new_id: bool, same: bool, step: &Step<'_>) {
        let Some(max_age) = self.held().map(Held::max_age) else { return };
        let usual = Deadline::new(step.now, interval(max_age, step.config, step.noise()));
        let confirm = self.confirmation(by_new_id, same).map(|span| Deadline::new(step.now, span));
        self.refresh = confirm.map_or(usual, |confirm| usual.or(confirm));
    }

    /// Returns the time after which to fetch again if a new id came with the old body. The record
    /// was changed before the file, or a copy of the file is outdated (RFC 8461 §8.1 asks for the
    /// other order), so the policy is fetched again, twice. A further new id with the same body
    /// counts as one of these fetches.
    fn confirmation(&mut self, by_new_id: bool, same: bool) -> Option<Span> {
        let known = self
            .failures
            .as_ref()
            .map(|failures| (failures.confirming_fetches, failures.confirming_armed));
        let (left, was_armed) = known.unwrap_or_default();
        let (left, is_armed) = match (same, by_new_id) {
            (false, _) => (0, false),
            (true, true) if !was_armed => (2, true),
            (true, _) => (left.saturating_sub(1), was_armed),
        };
        if is_armed || known.is_some() {
            let trouble = self.failures_mut();
            (trouble.confirming_fetches, trouble.confirming_armed) = (left, is_armed);
        }
        if left == 0 {
            return None;
        }
        let [first, second] = rule::CONFIRM;
        Some(if left == 2 { first } else { second })
    }
}

/// Returns the time to the next refresh. Refreshes that start at the same moment are spread,
/// whichever limit shortens the interval.
fn interval(max_age: Span, config: &Config, noise: u32) -> Span {
    let half = max_age.percent(50);
    if max_age < rule::SHORT_LIFE {
        return half.max(rule::least_gap(max_age));
    }
    let latest = config.refresh_span().min(half);
    let earliest = latest.percent(100 - rule::REFRESH_JITTER).max(rule::REFRESH_MIN);
    // If half of the lifetime is hardly longer than the minimum interval, allow somewhat more.
    let latest = latest.max(rule::REFRESH_MIN.percent(100 + rule::REFRESH_JITTER));
    earliest.plus(latest.minus(earliest).up_to(noise))
}
