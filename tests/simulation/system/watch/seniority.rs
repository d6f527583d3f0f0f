//! Invariant 22: no set of names met for the first time today drives out a live policy that was used
//! on two days, from memory or from disk.

use mta_sts::{Mode, Policy};

use super::super::sender::System;
use crate::rng::{DAY, Micros};

/// Policies of more bytes than this are not held as dearly.
const LARGE: usize = 4096;

impl System<'_> {
    pub(super) fn note_senior(&mut self, who: usize, policy: &Policy, ends_at: Micros) {
        let (now, time) = (self.now(), self.time);
        let known = &mut self.known[who];
        (known.used, known.ends_at) = (now, ends_at);
        if policy.mode() == Mode::None || policy.as_text().len() > LARGE {
            return;
        }
        let day = now.div_euclid(DAY);
        let first = *known.first_day.get_or_insert(day);
        if first != day {
            known.senior_since.get_or_insert(time);
        }
    }

    pub(super) fn evicted(&mut self, who: usize) {
        self.tally.evicted += 1;
        let known = &self.known[who];
        let is_senior = known.is_senior() && self.is_in_use(known.used);
        assert!(
            !is_senior,
            "invariant 22 (seniority): {}, used on two days, was driven out",
            self.sites[who].name
        );
        // When it is met again it is a newcomer.
        self.known[who].is_forgotten();
        self.known[who].best = 0;
    }

    /// What is to be in memory is there.
    pub(in super::super) fn check_seniors(&mut self) {
        let now = self.now();
        for (who, known) in self.known.iter().enumerate() {
            let is_live = now <= known.ends_at && self.is_in_use(known.used);
            if !known.is_senior() || !is_live || known.is_set_aside {
                continue;
            }
            let name = &self.sites[who].name;
            let view = self.cache.entry(name);
            assert!(
                view.is_some_and(|view| view.policy().is_some()),
                "invariant 22 (seniority): {name}, used on two days, is not in memory any more"
            );
            self.tally.seniors += 1;
        }
    }

    /// A row may be removed only with an entry that may go. It is met as a newcomer then.
    pub(super) fn check_removal(&mut self, who: usize) {
        let known = &self.known[who];
        let is_senior = known.is_senior() && self.is_in_use(known.used);
        assert!(
            !is_senior || self.now() > known.ends_at,
            "invariant 22 (seniority): {}, used on two days, is to leave the store",
            self.sites[who].name
        );
        self.known[who].is_forgotten();
    }

    /// Before a lookup: who is not in memory is a newcomer, and may be so.
    pub(in super::super) fn check_admission(&mut self, who: usize) {
        let (name, known) = (&self.sites[who].name, &self.known[who]);
        if self.cache.entry(name).is_some() {
            return;
        }
        let is_senior = known.is_senior() && self.is_in_use(known.used) && !known.is_set_aside;
        assert!(
            !is_senior || self.now() > known.ends_at,
            "invariant 22 (seniority): {name}, used on two days, is met as a newcomer"
        );
        // Its end has passed, or no row can bring it back.
        let is_over = self.now() > known.ends_at || !self.disk.rows.contains_key(&who);
        self.known[who].is_forgotten();
        if is_over {
            self.known[who].best = 0;
        }
    }
}
