//! What the operator must hear, and no more.

use mta_sts::{Mode, cache::AlertKind};
use time::UtcDateTime;

use super::{Cause, Held, Seen};
use crate::{
    rng::{DAY, HOUR, MINUTE, Micros},
    sender::{Sim, micros},
};

impl Held {
    /// How far its life has gone.
    fn stage(&self, now: Micros) -> Option<AlertKind> {
        let past = |percent| now >= self.fetched_at + self.max_age / 100 * percent;
        if past(75) {
            Some(AlertKind::QuarterLifeLeft)
        } else {
            past(50).then_some(AlertKind::HalfLifeOver)
        }
    }
}

impl Seen {
    /// Whether the end of a policy that was used then is worth an alert.
    fn regrets_end(&self, held: &Held, used: Micros) -> bool {
        let is_used = used + 180 * DAY > held.ends_at();
        let is_regular = held.max_age >= 2 * HOUR && is_used;
        let is_silent = held.policy.mode() == Mode::None || held.max_age == 0;
        !is_silent && (is_regular || self.told.is_some())
    }
}

impl Sim<'_> {
    pub(crate) fn check_alert(&mut self, who: usize, kind: AlertKind, ends_at: UtcDateTime) {
        self.believe(who);
        self.tally.alerts += 1;
        let (now, again) = (self.now(), self.has_stepped_back);
        let seen = &mut self.seen[who];
        let held = seen.held.as_ref().expect("an alert about no policy");
        let is_live = seen.watched(now).is_some();
        let told = seen.told;
        let is_due = match kind {
            AlertKind::RecordAbsent => {
                let is_old = seen.absent_since.is_some_and(|since| now - since >= 7 * DAY);
                let is_due = is_live && is_old && !seen.absence_told;
                assert!(is_due, "an alert that is not due: {kind:?}");
                seen.absence_told = true;
                return;
            }
            AlertKind::RefreshFailed => {
                is_live && told.is_none() && seen.cause == Cause::FetchFailed
            }
            AlertKind::HalfLifeOver | AlertKind::QuarterLifeLeft => {
                is_live && held.stage(now) == Some(kind) && told.is_some_and(|told| told < kind)
            }
            AlertKind::Expired => {
                let is_first = told != Some(kind) || again;
                // A use in the future is known to the day.
                let used = seen.used_latest + if again { DAY } else { 0 };
                now > held.ends_at() && seen.regrets_end(held, used) && is_first
            }
            _ => false,
        };
        assert!(is_due, "an alert that is not due: {kind:?}, after {told:?}");
        assert_eq!(micros(ends_at), held.ends_at(), "the end that the alert tells");
        seen.told = match kind {
            AlertKind::RefreshFailed => held.stage(now).max(Some(kind)),
            kind => Some(kind),
        };
    }

    pub(crate) fn check_recovery(&mut self, who: usize) {
        let seen = &mut self.seen[who];
        let is_due = match seen.cause {
            Cause::Fetched => seen.told.take().is_some(),
            Cause::Found => std::mem::take(&mut seen.absence_told),
            _ => false,
        };
        assert!(is_due, "recovered from what?");
    }

    /// After a call: what it had to tell it has told.
    pub(crate) fn check_settled(&mut self, who: usize) {
        self.believe(who);
        let now = self.now();
        let seen = &mut self.seen[who];
        assert!(!seen.owes_update, "an update is not told");
        match seen.cause {
            Cause::FetchFailed => {
                let is_told = seen.watched(now).is_none() || seen.told.is_some();
                assert!(is_told, "no alert at the first failed refresh");
            }
            Cause::Fetched => assert_eq!(seen.told, None, "the recovery is not told"),
            Cause::Found => assert!(!seen.absence_told, "that the record is back is not told"),
            Cause::Absent => {
                let is_old = seen.absent_since.is_some_and(|since| now - since >= 7 * DAY);
                assert!(!is_old || seen.absence_told, "the record is long absent: no alert");
            }
            Cause::Nothing => {}
        }
        seen.cause = Cause::Nothing;
        seen.is_changed = false;
    }

    /// Before a use: what time has brought has been told.
    pub(crate) fn before_use(&mut self, who: usize) {
        self.check_presence(who);
        // Once the clock reaches its date, what was restored before that ends when it says itself.
        self.believe(who);
        self.check_refreshed(who);
        let now = self.now();
        let seen = &mut self.seen[who];
        let Some(held) = &seen.held else { return };
        // The cache need not notice that a policy lives on for less than a minute.
        let is_clear = !self.has_stepped_back || held.ends_at() - now > MINUTE;
        if is_clear && seen.watched(now).is_some() && seen.told.is_some() {
            assert!(seen.told >= held.stage(now), "no alert at half or a quarter of the life");
        }
        let has_ended = now > held.ends_at();
        // Use is known to the hour.
        if has_ended && !seen.has_lapsed && seen.regrets_end(held, seen.used_clock - HOUR) {
            assert_eq!(seen.told, Some(AlertKind::Expired), "no alert at the end of a policy");
        }
        seen.has_lapsed = has_ended;
    }
}
