//! Invariant 21: while a domain's own servers work, it is served, whatever others do; and what was
//! never begun is never a failure.

use mta_sts::{
    NoPolicy,
    cache::{AlertKind, Answer},
};

use super::{super::sender::System, HEALS};
use crate::rng::{Micros, SECOND};

/// How long a lookup of a domain whose servers work may wait, beside what the store takes.
const SERVED: Micros = 10 * SECOND;

impl System<'_> {
    pub(in super::super) fn check_begun(&mut self, who: usize) {
        self.tally.begun += 1;
        let name = &self.sites[who].name;
        let is_wanted = self.cache.entry(name).is_some_and(|view| view.is_discovering());
        assert!(
            is_wanted,
            "invariant 21 (no starvation): {name}: a request is begun that nobody waits for any more"
        );
        self.known[who].stage = Some(true);
    }

    pub(super) fn check_served(&mut self, who: usize, answer: &Answer, asked: Option<Micros>) {
        let name = &self.sites[who].name;
        let wait = asked.map_or(0, |asked| self.time - asked);
        match answer {
            Answer::Policy(_) => {
                let is_saved = self.disk.good_for(self.time) > HEALS;
                let most = if is_saved { SERVED } else { SERVED + 20 * SECOND };
                assert!(
                    wait <= most || self.scenario.is_beyond_promise,
                    "invariant 21 (no starvation): {name} has waited {} ms",
                    wait / 1000
                );
                self.tally.served += 1;
                if asked.is_some() {
                    self.tally.waits.push(wait);
                }
            }
            Answer::NoPolicy(NoPolicy::Overloaded)
                // Where there is no room for all, those met lately make room for each other. Who has
                // an entry has room.
                if (self.scenario.is_beyond_promise
                    || (self.room < self.sites.len() && self.cache.entry(name).is_none()))
                    && (self.known[who].best == 0 || self.known[who].is_set_aside) =>
            {
                self.tally.turned_away += 1;
            }
            Answer::NoPolicy(_) if self.time < self.known[who].excused_until => {}
            Answer::NoPolicy(why) => panic!(
                "invariant 21 (no starvation): {name}, whose servers work, is without a policy \
                 after {} ms: {why}",
                wait / 1000
            ),
        }
    }

    /// A reason that is a failure needs a request that was begun and failed.
    pub(super) fn check_reason(&mut self, who: usize, answer: &Answer) {
        let Answer::NoPolicy(why) = answer else { return };
        let is_failure = matches!(why, NoPolicy::DnsFailed(_)) || why.fetch_failure().is_some();
        let known = &self.known[who];
        assert!(
            !is_failure
                || known.has_failed
                || known.stage == Some(true)
                || self.time < known.excused_until,
            "invariant 21 (no starvation): {} was never asked, and is told to have failed: {why}",
            self.sites[who].name
        );
        self.known[who].has_failed |= is_failure;
    }

    pub(super) fn failed(&mut self, who: usize) {
        let (site, known) = (&self.sites[who], &self.known[who]);
        assert!(
            known.stage != Some(false) || self.time < known.excused_until,
            "invariant 21 (no starvation): {}: a request that was never begun is a failure",
            site.name
        );
        assert!(
            !site.is_honest || self.time < known.excused_until,
            "invariant 21 (no starvation): {}, whose servers work, is told to have failed",
            site.name
        );
        self.known[who].has_failed = true;
        self.tally.failures += 1;
    }

    pub(super) fn alerted(&mut self, who: usize, kind: AlertKind) {
        self.tally.alerts += 1;
        let site = &self.sites[who];
        // After a step of the clock or a long absence, policies have ended.
        let is_ended = kind != AlertKind::RefreshFailed && self.time < self.disturbed;
        let is_excused = is_ended || self.time < self.known[who].excused_until;
        assert!(
            !site.is_honest || is_excused,
            "invariant 21 (no starvation): an alert, {kind:?}, of {}, whose servers work",
            site.name
        );
    }
}
