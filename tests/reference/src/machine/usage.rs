//! When a domain was last looked up, by a clock that is set back and forth.

use super::{
    DAY, HOUR, Micros, SECOND,
    model::{Model, Sure},
};

/// The last use, to the hour, between two moments, as far as that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Used {
    least: Micros,
    most: Micros,
    /// A later use by a clock that stood wrong, unless it stands wrong now.
    ahead: Option<Micros>,
    /// Whether that may be forgotten.
    vague: bool,
}

impl Used {
    fn latest(self) -> Micros {
        self.ahead.map_or(self.most, |ahead| ahead.max(self.most))
    }
}

impl Model {
    pub fn note_use(&mut self) {
        let hour = self.hour();
        let before = self.used;
        let is_later = |latest: &Micros| latest.div_euclid(DAY) > hour.div_euclid(DAY);
        let ahead = before.map(Used::latest).filter(is_later);
        let vague = before.is_some_and(|usage| usage.vague);
        self.used = Some(Used { least: hour, most: hour, ahead, vague });
    }

    /// A use in the future counts as of now, and as itself when the clock has been set to it.
    pub fn rearm_use(&mut self) {
        let hour = self.hour();
        let Some(used) = &mut self.used else { return };
        if hour < used.most {
            used.vague |= used.least < used.most;
            used.ahead = Some(used.latest());
            used.most = hour;
            used.least = used.least.min(hour);
        }
    }

    /// If the clock has come there by itself, it counts no more.
    pub fn reach_use(&mut self) {
        let hour = self.hour();
        let asked = self.heard.map_or(Micros::MIN / 2, |heard| heard.check.armed);
        let Some(used) = &mut self.used else { return };
        if let Some(ahead) = used.ahead
            && ahead.div_euclid(DAY) <= hour.div_euclid(DAY)
        {
            if self.now - asked >= 7 * DAY + SECOND {
                let day = ahead.div_euclid(DAY) * DAY;
                if !used.vague {
                    used.least = used.least.max(day.min(hour));
                }
                used.most = used.most.max((day + 23 * HOUR).min(hour));
            }
            (used.ahead, used.vague) = (None, false);
        }
    }

    /// A use in the future is forgotten when nothing is refreshed any more.
    pub fn settle_use(&mut self) {
        let [first, last] =
            [self.refresh.first(), self.refresh.last()].map(|moment| self.in_use(moment));
        let Some(used) = &mut self.used else { return };
        match (first, last) {
            (Sure::No, _) => (used.ahead, used.vague) = (None, false),
            (_, Sure::Yes) => {}
            _ => used.vague |= used.ahead.is_some(),
        }
    }

    /// Whether anyone asked for the domain in the 180 days before.
    pub fn in_use(&self, moment: Micros) -> Sure {
        let Some(used) = self.used else { return Sure::No };
        if used.least + 180 * DAY > moment {
            Sure::Yes
        } else if used.most + 180 * DAY <= moment {
            Sure::No
        } else {
            Sure::Maybe
        }
    }

    fn hour(&self) -> Micros {
        self.now - self.now.rem_euclid(HOUR)
    }
}
