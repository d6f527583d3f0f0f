//! What happens to the sender: it ends and comes back, and is given rows of another day.

use std::collections::{BTreeMap, VecDeque};

use mta_sts::cache::{Cache, EntryView, Restored, Snapshot};

use super::{
    disk::Row,
    planted::Plant,
    sender::{System, What},
};
use crate::rng::{HOUR, MINUTE, Micros};

impl System<'_> {
    /// Ends without warning. The clock is ahead by so much when it is back, for a minute.
    pub(super) fn go_down(&mut self, span: Micros, by: Micros) {
        if !self.is_up || !self.scenario.is_persistent {
            return;
        }
        self.tally.restarts += 1;
        self.is_up = false;
        // What is known to be durable, before the disk loses the rest.
        let is_good = self.disk.whole_for(self.time) >= super::watch::HEALS;
        let rng = &mut self.store_rng();
        self.disk.crash(self.time, rng);
        if !is_good {
            self.forgive_unsaved();
        }
        self.waits.clear();
        self.patience.iter_mut().for_each(VecDeque::clear);
        self.running.clear();
        self.plan(span, What::Up(by));
    }

    pub(super) fn come_up(&mut self, by: Micros) {
        self.offset += by;
        if by != 0 {
            self.plan(MINUTE, What::SetClock(-by));
        }
        (self.is_up, self.up_since) = (true, self.time);
        self.disturbed = self.disturbed.max(self.time + 49 * HOUR);
        let Self { scenario, room, .. } = self;
        let was_usual = *room == scenario.max_entries;
        *room = if was_usual { scenario.room_after_restart } else { scenario.max_entries };
        let config = scenario.config(scenario.seed.wrapping_add(self.serial), *room);
        self.cache = Cache::new(config);
        self.tally.ended_early += self.queue.ended_early();
        self.queue = self.scenario.queue();
        let rows = self.rows_of_restart();
        let now = self.clock();
        self.restored = Some((self.now(), self.now()));
        self.is_restoring = true;
        let report = match self.scenario.plant {
            Plant::RestoresByName => self.restore_by_name(&rows),
            Plant::BelievesDates => {
                let latest = rows.values().map(|row| row.fetched_at).max();
                let ahead = (latest.unwrap_or(0) - self.now()).max(0);
                self.offset += ahead;
                let late = self.clock();
                self.offset -= ahead;
                self.cache.restore(rows.values().map(|row| row.snapshot.clone()), late)
            }
            _ => self.cache.restore(rows.values().map(|row| row.snapshot.clone()), now),
        };
        for (who, known) in self.known.iter_mut().enumerate() {
            known.restarted(self.time, rows.get(&who));
        }
        self.check_restored(&rows, &report);
        self.process();
        self.is_restoring = false;
        if self.scenario.plant == Plant::RemovesRefused {
            let held = |who: &usize| self.cache.entry(&self.sites[*who].name).is_some();
            let refused: Vec<usize> = rows.keys().copied().filter(|who| !held(who)).collect();
            self.disk.rows.retain(|who, _| !refused.contains(who));
        }
        self.check_set_aside();
        self.wake();
    }

    /// The rows that the restart finds.
    fn rows_of_restart(&mut self) -> BTreeMap<usize, Row> {
        if self.scenario.plant == Plant::ReplaysOldRows {
            let old = self.disk.old.clone();
            self.disk.rows.extend(old);
        }
        self.tally.rows += self.disk.rows.len() as u64;
        self.disk.rows.clone()
    }

    /// Restores row by row in the order of the names, so that the room goes to whoever comes first.
    fn restore_by_name(&mut self, rows: &BTreeMap<usize, Row>) -> Restored {
        let now = self.clock();
        let mut all = Restored::default();
        for row in rows.values() {
            let report = self.cache.restore([row.snapshot.clone()], now);
            all.restored += report.restored;
            all.refused += report.refused;
            all.outdated += report.outdated;
        }
        all
    }

    /// The rows of the store are gone, and with them what was there only.
    pub(super) fn lose_rows(&mut self) {
        if !self.is_up || !self.scenario.is_persistent {
            return;
        }
        self.tally.losses += 1;
        self.disk.lose();
        self.forgive_set_aside();
    }

    /// Restores rows as they were before beside what is known now.
    pub(super) fn restore_old(&mut self) {
        if !self.is_up || self.disk.old.is_empty() {
            return;
        }
        // Where the clock was set back, what is older has the later date, by which it counts.
        let rows = self.disk.old.iter().filter(|(who, old)| {
            self.disk.rows.get(who).is_some_and(|row| old.fetched_at <= row.fetched_at)
        });
        let old: Vec<(usize, Snapshot)> =
            rows.map(|(who, row)| (*who, row.snapshot.clone())).collect();
        let held = |system: &Self, who: usize| {
            let view = system.cache.entry(&system.sites[who].name)?;
            let is_live = view.answer(system.clock()).policy().is_some();
            Some((view.policy()?.clone(), is_live))
        };
        let before: Vec<_> = old.iter().map(|(who, _)| held(self, *who)).collect();
        let now = self.clock();
        let snapshots = old.iter().map(|(_, snapshot)| snapshot.clone());
        let _report = self.cache.restore(snapshots, now);
        for ((who, _), before) in old.iter().zip(before) {
            let after = held(self, *who);
            self.check_merged(*who, before, after);
        }
        self.tally.merged += 1;
        self.process();
    }

    /// As a planted fault: drives out the policy not used for longest when the cache is full.
    pub(super) fn evict_by_age(&mut self, newcomer: usize) {
        let is_new = self.cache.entry(&self.sites[newcomer].name).is_none();
        if self.scenario.plant == Plant::EvictsByAge && is_new && self.cache.len() >= self.room {
            let oldest = self.cache.entries().filter(|view| view.policy().is_some());
            let oldest = oldest.min_by_key(EntryView::last_used).map(|view| view.domain().clone());
            if let Some(oldest) = oldest {
                self.cache.remove(&oldest, self.clock());
            }
        }
    }
}
