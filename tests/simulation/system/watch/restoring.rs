//! Invariant 24: restoring loses nothing. It merges, keeps the order of eviction, dates nothing in the
//! future, and removes no row from the store.

use std::{collections::BTreeMap, sync::Arc};

use mta_sts::{
    Policy,
    cache::{Applied, Restored},
};

use super::super::{disk::Row, sender::System, site::Site};
use crate::{
    rng::{HOUR, Micros},
    sender::micros,
};

const NAME: &str = "invariant 24 (restoring loses nothing)";

impl System<'_> {
    /// Right after a restart.
    pub(in super::super) fn check_restored(
        &mut self,
        rows: &BTreeMap<usize, Row>,
        report: &Restored,
    ) {
        let told = report.restored + report.outdated + report.refused + report.damaged.len();
        assert_eq!(told, rows.len(), "{NAME}: what became of each row");
        let now = self.now();
        let (mut least, mut most) = (None::<(bool, Micros, usize)>, None);
        for (&who, row) in rows {
            let name = &self.sites[who].name;
            let is_live = now <= row.fetched_at + max_age(&row.policy);
            let view = self.cache.view(name);
            self.known[who].is_set_aside = view.is_none();
            // Of rows that have ended none goes first.
            let rank = (row.is_senior, row.used / HOUR, who);
            let Some(view) = view else {
                self.tally.set_aside += 1;
                if is_live {
                    most = most.max(Some(rank));
                }
                continue;
            };
            self.tally.restored += 1;
            assert!(
                !is_live || view.answer(self.clock()).policy().is_some(),
                "{NAME}: the policy of {name} was live and is not"
            );
            if is_live && least.is_none_or(|least| rank < least) {
                least = Some(rank);
            }
        }
        assert!(
            most.is_none() || rows.len() > self.room,
            "{NAME}: {} rows into room for {}, and one is refused",
            rows.len(),
            self.room
        );
        if let (Some((is_senior, used, one)), Some((was_senior, was_used, other))) = (least, most) {
            let (one, other) = (&self.sites[one].name, &self.sites[other].name);
            assert!(
                is_senior >= was_senior,
                "{NAME}: {one}, met on one day, is kept, and {other}, used on two, is not"
            );
            // What the cache knows of newcomers beside that is not known here.
            assert!(
                !(is_senior && was_senior) || used >= was_used,
                "{NAME}: {one}, not used for longest, is kept, and {other} is not"
            );
        }
    }

    /// What did not fit stays in the store.
    pub(in super::super) fn check_set_aside(&self) {
        for (who, known) in self.known.iter().enumerate() {
            assert!(
                !known.is_set_aside || self.disk.rows.contains_key(&who),
                "{NAME}: the row of {}, for which there was no room, has left the store",
                self.sites[who].name
            );
        }
    }

    /// A policy that is dated in the future lives from the restart, not from its date.
    pub(super) fn check_dated(&mut self, who: usize, applied: &Applied) {
        let Some((restored_at, latest)) = self.restored else { return };
        let (fetched_at, known) = (micros(applied.fetched_at()), &self.known[who]);
        // Once the clock has reached its date it counts as itself.
        if fetched_at <= latest || known.fetched >= self.up_since {
            return;
        }
        self.tally.dated += 1;
        let most = restored_at + max_age(applied.policy());
        let ends_at = applied.ends_at().map_or(Micros::MAX, micros);
        assert!(
            ends_at <= most,
            "{NAME}: {} is dated in the future, and lives until {ends_at} and not {most}",
            self.sites[who].name
        );
    }

    /// After rows of another day were restored over what is known: the policy held before and after,
    /// and whether it applies.
    pub(in super::super) fn check_merged(
        &self,
        who: usize,
        before: Option<(Arc<Policy>, bool)>,
        after: Option<(Arc<Policy>, bool)>,
    ) {
        let Some((before, true)) = before else { return };
        let name = &self.sites[who].name;
        let Some((after, true)) = after else {
            panic!("{NAME}: old rows were restored, and {name} has no policy any more");
        };
        let (old, new) = (Site::version_of(&before), Site::version_of(&after));
        assert!(
            new >= old,
            "{NAME}: a row of version {new} of {name} has taken the place of version {old}"
        );
    }
}

fn max_age(policy: &Policy) -> Micros {
    i64::try_from(policy.max_age().as_micros()).unwrap()
}
