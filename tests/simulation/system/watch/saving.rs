//! Invariant 23: once the store works again it soon holds what the cache holds, removals included; and
//! no restart brings an older policy back over a newer one that was given out.

use super::{
    super::{sender::System, site::Site},
    HEALS,
};
use crate::{
    rng::MINUTE,
    sender::{micros, number},
};

impl System<'_> {
    /// What leaves the cache for the store.
    pub(in super::super) fn check_persist(&mut self, who: usize, is_row: bool) {
        self.tally.saves += 1;
        if is_row {
            self.known[who].is_set_aside = false;
            return;
        }
        let name = &self.sites[who].name;
        assert!(
            !self.is_restoring && !self.known[who].is_set_aside,
            "invariant 24 (restoring loses nothing): the row of {name} is to be removed"
        );
        self.check_removal(who);
    }

    pub(in super::super) fn check_saved(&mut self) {
        self.check_set_aside();
        let is_well = self.disk.whole_for(self.time) >= HEALS && self.time - self.up_since >= HEALS;
        if !self.scenario.is_persistent || !is_well || !self.disk.is_idle() {
            return;
        }
        let unsaved = self.cache.unsaved_count();
        assert_eq!(unsaved, 0, "invariant 23 (saved in the end): {unsaved} changes are not saved");
        for view in self.cache.entries() {
            let (Some(policy), Some(fetched_at)) = (view.policy(), view.fetched_at()) else {
                continue;
            };
            let row = self.disk.rows.get(&number(view.domain()));
            let is_saved = row.is_some_and(|row| {
                row.fetched_at == micros(fetched_at) && row.policy.as_text() == policy.as_text()
            });
            assert!(
                is_saved,
                "invariant 23 (saved in the end): {} as fetched at {fetched_at} is not in the store",
                view.domain()
            );
            self.tally.saved += 1;
        }
        for who in self.disk.rows.keys() {
            let (name, known) = (&self.sites[*who].name, &self.known[*who]);
            let view = self.cache.entry(name);
            assert!(
                known.is_set_aside
                    || known.row_may_stay
                    || view.is_some_and(|view| view.policy().is_some()),
                "invariant 23 (saved in the end): the row of {name} was not removed"
            );
        }
    }

    /// Before a crash with a store that does not work, or has not for long: what was given out and
    /// could not be saved may be lost.
    pub(in super::super) fn forgive_unsaved(&mut self) {
        for (who, known) in self.known.iter_mut().enumerate() {
            let row = self.disk.rows.get(&who);
            known.best = row.map_or(0, |row| known.best.min(Site::version_of(&row.policy)));
            if row.is_none() {
                known.is_forgotten();
            }
        }
    }

    /// The store has lost its rows: those without an entry are lost for good.
    pub(in super::super) fn forgive_set_aside(&mut self) {
        for known in self.known.iter_mut().filter(|known| known.is_set_aside) {
            (known.is_set_aside, known.best) = (false, 0);
            known.is_forgotten();
        }
    }

    /// No answer is older than the one before.
    pub(super) fn check_version(&mut self, who: usize, version: u32) {
        let known = &mut self.known[who];
        assert!(
            version >= known.best,
            "invariant 23 (saved in the end): {} goes back to version {version} from {}, {} min after \
             a restart",
            self.sites[who].name,
            known.best,
            (self.time - self.up_since) / MINUTE
        );
        known.best = version;
    }
}
