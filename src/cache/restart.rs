//! Over a restart.

use alloc::{sync::Arc, vec::Vec};

use time::UtcDateTime;

use super::{
    Cache,
    clock::Timestamp,
    entry::{Entry, State},
    snapshot::{Damage, Snapshot},
};
use crate::domain::Domain;

/// What became of the snapshots given to [`Cache::restore`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "damaged snapshots should be reported"]
pub struct Restored {
    /// How many were taken.
    pub restored: usize,
    /// How many were not, because the cache knows something later about the domain.
    pub outdated: usize,
    /// How many were not, because there was no room.
    pub refused: usize,
    /// Those that cannot be used.
    pub damaged: Vec<Damage>,
}

impl Cache {
    /// All that a restart must not lose, domain by domain, as things stand.
    ///
    /// Requests that are out are not part of it; nor is what the operator says, which is to be said
    /// again. Linear in the number of domains; only names are copied.
    pub fn snapshot(&self) -> impl Iterator<Item = Snapshot> {
        self.table.iter().map(|(_, domain, entry)| entry.snapshot(domain))
    }

    /// Takes up what was kept over a restart. Nothing is asked of anyone until it is due.
    ///
    /// One that is damaged is reported and takes no other with it. Of two about one domain, as when
    /// several machines share a store, the one whose policy was fetched later counts; a time in the
    /// future counts as now.
    pub fn restore(
        &mut self,
        snapshots: impl IntoIterator<Item = Snapshot>,
        now: UtcDateTime,
    ) -> Restored {
        self.see(now);
        let mut report = Restored::default();
        let snapshots = snapshots.into_iter();
        let room = self.config.max_entries().saturating_sub(self.len());
        self.table.reserve(snapshots.size_hint().0.min(room));
        for mut snapshot in snapshots {
            if let Some(known) = snapshot.unparsed().and_then(|text| self.policies.find(text)) {
                snapshot.set_policy(Arc::clone(known));
            }
            match Entry::restore(snapshot, &self.config) {
                Ok((domain, entry)) => self.take_up(domain, entry, now, &mut report),
                Err(damage) => report.damaged.push(damage),
            }
        }
        self.make_room();
        report
    }

    fn take_up(
        &mut self,
        domain: Domain,
        mut entry: Entry,
        now: UtcDateTime,
        report: &mut Restored,
    ) {
        let moment = Timestamp::of(now);
        entry.rearm(moment);
        let count = match self.table.find(&domain) {
            Some(slot) if self.is_later(slot, &entry.state, moment) => &mut report.outdated,
            Some(slot) => {
                self.release_held(slot);
                self.put(slot, entry, now);
                &mut report.restored
            }
            None => match self.admit(domain, now) {
                Some(slot) => {
                    self.put(slot, entry, now);
                    &mut report.restored
                }
                None => &mut report.refused,
            },
        };
        *count = count.saturating_add(1);
    }

    /// Whether what is known is at least as late as what was stored.
    fn is_later(&self, slot: u32, stored: &State, now: Timestamp) -> bool {
        let fetched = |state: &State| state.held().map(|held| held.fetched_at.min(now));
        self.table.get(slot).is_some_and(|known| fetched(&known.entry.state) >= fetched(stored))
    }

    fn put(&mut self, slot: u32, mut entry: Entry, now: UtcDateTime) {
        if let Some(held) = entry.state.held() {
            let shared = self.policies.share(Arc::clone(held.policy));
            entry.state.set_policy(shared);
        }
        if let Some(found) = self.table.get_mut(slot) {
            found.entry.state = entry.state;
        }
        self.settle(slot, Timestamp::of(now), false);
    }
}
