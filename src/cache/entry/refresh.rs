//! Fetching a policy again before it ends (§3.3, §10.2).

use super::{Step, state::State};
use crate::cache::{
    clock::{Deadline, Span},
    config::{Config, rule},
};

impl State {
    /// Settles when the policy just fetched is fetched again.
    pub(super) fn schedule_refresh(&mut self, by_new_id: bool, same: bool, step: &Step<'_>) {
        let Some(max_age) = self.held().map(super::Held::max_age) else { return };
        let usual = Deadline::new(step.now, interval(max_age, step.config, step.noise()));
        let confirm = self.confirmation(by_new_id, same).map(|span| Deadline::new(step.now, span));
        self.refresh = confirm.map_or(usual, |confirm| usual.or(confirm));
    }

    /// If an old body came behind a new id, the record was changed before the file, or a copy of the
    /// file lags behind (§8.1 asks for the other order): look again, twice.
    fn confirmation(&mut self, by_new_id: bool, same: bool) -> Option<Span> {
        let left = self.trouble.as_ref().map_or(0, |it| it.confirm);
        let left = match (same, by_new_id) {
            (false, _) => 0,
            (true, true) => 2,
            (true, false) => left.saturating_sub(1),
        };
        if left == 0 {
            if let Some(trouble) = &mut self.trouble {
                trouble.confirm = 0;
            }
            return None;
        }
        self.trouble().confirm = left;
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
