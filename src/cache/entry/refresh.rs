//! Fetching a policy again before it ends (§3.3, §10.2).

use super::{Entry, Step, state::State};
use crate::cache::{
    clock::{Deadline, Span, Timestamp},
    config::{Config, rule},
};

impl Entry {
    /// Returns how long a due refresh may be put off, if it is late because of a restart or a step of
    /// the clock: thousands may be late together. A policy that ends soon can wait the least.
    pub(in crate::cache) fn leeway(&self, now: Timestamp, config: &Config) -> Option<Span> {
        let due = self.state.refresh_timer(config).filter(|_| self.flight.is_none())?;
        let held = self.state.live(now)?;
        // One that is armed for the same moment is due because the clock was set back.
        let is_set_back = now < held.fetched_at && due == self.state.refresh.armed_at();
        let is_late = due <= now && (now.since(due) >= rule::OVERDUE || is_set_back);
        let (longest, percent) = rule::SPREAD;
        is_late.then(|| longest.min(held.ends_at().since(now).percent(percent)))
    }
}

impl State {
    /// Settles when the policy just fetched is fetched again.
    pub(super) fn schedule_refresh(&mut self, by_new_id: bool, same: bool, step: &Step<'_>) {
        let Some(max_age) = self.held().map(super::Held::max_age) else { return };
        let usual = Deadline::new(step.now, interval(max_age, step.config, step.noise()));
        let confirm = self.confirmation(by_new_id, same).map(|span| Deadline::new(step.now, span));
        self.refresh = confirm.map_or(usual, |confirm| usual.or(confirm));
    }

    /// If an old body came behind a new id, the record was changed before the file, or a copy of the
    /// file lags behind (§8.1 asks for the other order): look again, twice. A further id with the same
    /// body tells nothing more: it counts as having looked.
    fn confirmation(&mut self, by_new_id: bool, same: bool) -> Option<Span> {
        let known = self.trouble.as_ref().map(|it| (it.confirm, it.confirm_armed));
        let (left, was_armed) = known.unwrap_or_default();
        let (left, is_armed) = match (same, by_new_id) {
            (false, _) => (0, false),
            (true, true) if !was_armed => (2, true),
            (true, _) => (left.saturating_sub(1), was_armed),
        };
        if is_armed || known.is_some() {
            let trouble = self.trouble();
            (trouble.confirm, trouble.confirm_armed) = (left, is_armed);
        }
        if left == 0 {
            return None;
        }
        let [first, second] = rule::CONFIRM;
        Some(if left == 2 { first } else { second })
    }
}

/// The time to the next refresh. Those of one moment are spread whatever cuts the interval short.
fn interval(max_age: Span, config: &Config, noise: u32) -> Span {
    let half = max_age.percent(50);
    if max_age < rule::SHORT_LIFE {
        return half.max(rule::least_gap(max_age));
    }
    let latest = config.refresh.min(half);
    let earliest = latest.percent(100 - rule::REFRESH_JITTER).max(rule::REFRESH_MIN);
    // Where half of a life is hardly more than the least interval, somewhat after it.
    let latest = latest.max(rule::REFRESH_MIN.percent(100 + rule::REFRESH_JITTER));
    earliest.plus(latest.minus(earliest).up_to(noise))
}
