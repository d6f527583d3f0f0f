//! How much is kept, and what goes first.

use std::sync::Arc;

use mta_sts::{Mode, Policy};

use super::Seen;
use crate::{
    rng::{DAY, HOUR, MINUTE, Micros, SECOND},
    sender::{Sim, number},
};

impl Sim<'_> {
    pub(crate) fn check_bounds(&self) {
        let (len, most) = (self.cache.len(), self.spec.mix.bound());
        assert!(len <= most, "bound: {len} entries and not {most}");
    }

    /// What has gone without a word was worth none: what was known of it counts no more.
    pub(crate) fn check_presence(&mut self, who: usize) {
        if !self.seen[who].is_known {
            return;
        }
        if self.cache.entry(&self.sites[who].name).is_none() {
            let now = self.now();
            let lost = self.seen[who].watched(now);
            assert!(lost.is_none(), "evicted without an event: {lost:?}");
            self.seen[who] = Seen { was_evicted: true, ..Seen::default() };
        }
    }

    pub(crate) fn check_eviction(&mut self, who: usize, policy: &Arc<Policy>) {
        let now = self.now();
        self.tally.evicted += 1;
        let evicted = Seen { was_evicted: true, ..Seen::default() };
        let gone = std::mem::replace(&mut self.seen[who], evicted);
        // What was fetched this moment by a newcomer goes before anybody has seen it.
        let Some(held) = gone.watched(now) else { return };
        assert_eq!(held.policy.as_text(), policy.as_text(), "what was evicted");
        let class = gone.class(now, false);
        let is_established = class >= 4 && now < gone.used_clock + 30 * DAY;
        assert!(!is_established, "an established policy has gone for a newcomer");
        for view in self.cache.entries().filter(|view| !view.is_discovering()) {
            let other = &self.seen[number(view.domain())];
            // By a clock that was set ahead, or may have been while the sender was down, it is not
            // sure that it has ended.
            let (least, most) = (other.class(now, false), other.class(now, true));
            let is_doubtful = self.tally.jumps + self.tally.restarts > 0 && least == 0;
            let is_fitter = (view.policy().is_none() || most < class) && !is_doubtful;
            assert!(!is_fitter, "{} has gone before {}", self.sites[who].name, view.domain());
            if [least, most, gone.class(now, true)] == [class; 3] {
                let slack = HOUR + MINUTE + 15 * SECOND;
                assert!(gone.ranked <= other.ranked + slack, "the least recently used stays");
            }
        }
    }
}

impl Seen {
    /// How much it is worth, at the least or at the most.
    fn class(&self, now: Micros, most: bool) -> u8 {
        let is_regular = self.is_regular || (most && self.may_be_regular);
        match self.live(now).map(|held| held.policy.mode()) {
            None => 0,
            Some(Mode::None) => 1,
            Some(Mode::Testing) if is_regular => 4,
            Some(Mode::Enforce) if is_regular => 5,
            Some(Mode::Testing) => 2,
            Some(Mode::Enforce) => 3,
        }
    }
}
