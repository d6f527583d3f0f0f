//! Invariant 24: restoring loses nothing. It merges, keeps the order of eviction, dates nothing in the
//! future, and removes no row from the store.

use std::{collections::BTreeMap, sync::Arc};

use mta_sts::{
    Policy,
    cache::{AppliedPolicy, Restored},
};

use super::super::{disk::Row, sender::System, site::Site};
use crate::{
    rng::{HOUR, Micros},
    sender::micros,
};

const NAME: &str = "invariant 24 (restoring loses nothing)";

/// What a restart made of the policies that apply.
#[derive(Debug, Default)]
struct Order {
    /// One that is kept and was met on one day.
    newcomer: Option<usize>,
    /// Of those used on two days: the one kept that is unused for longest, and the one refused that was
    /// used last, with the hours.
    kept: Option<(Micros, usize)>,
    refused: Option<(Micros, usize)>,
}

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
        let mut order = Order::default();
        for (&who, row) in rows {
            let name = &self.sites[who].name;
            let life = max_age(&row.policy);
            let is_live = now <= row.ends_at;
            let view = self.cache.entry(name);
            self.known[who].is_set_aside = view.is_none();
            let Some(view) = view else {
                self.tally.set_aside += 1;
                if row.is_senior && is_live {
                    order.refused = order.refused.max(Some((row.used / HOUR, who)));
                }
                continue;
            };
            self.tally.restored += 1;
            assert!(
                !is_live || view.answer(self.clock()).policy().is_some(),
                "{NAME}: the policy of {name} was live and is not"
            );
            let ends_at = view.ends_at().map_or(Micros::MAX, micros);
            assert!(
                ends_at <= row.fetched_at.min(now) + life,
                "{NAME}: {name}, dated {}, lives until {ends_at} after a restart at {now}",
                row.fetched_at
            );
            // It may end before its date and its life say, if the date is in the future.
            let known = &mut self.known[who];
            known.ends_at = known.ends_at.min(ends_at);
            if row.is_newcomer {
                order.newcomer = Some(who);
            } else if row.is_senior && is_live {
                let kept = (row.used / HOUR, who);
                order.kept = Some(order.kept.map_or(kept, |other| other.min(kept)));
            }
        }
        self.check_order(&order, rows.len());
    }

    fn check_order(&self, order: &Order, rows: usize) {
        let Some((used, who)) = order.refused else { return };
        let (refused, room) = (&self.sites[who].name, self.room);
        assert!(rows > room, "{NAME}: {refused} is refused, of {rows} rows into room for {room}");
        if let Some(newcomer) = order.newcomer {
            let newcomer = &self.sites[newcomer].name;
            panic!(
                "{NAME}: {newcomer}, met on one day, is kept, and {refused}, used on two, is not"
            );
        }
        if let Some((kept_used, kept)) = order.kept {
            let kept = &self.sites[kept].name;
            assert!(
                kept_used >= used,
                "{NAME}: {kept}, unused for longer, is kept, and {refused} is not"
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
    pub(super) fn check_dated(&mut self, who: usize, applied: &AppliedPolicy) {
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
