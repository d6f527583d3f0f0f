//! Restoring snapshots one by one, into one cache or several that share their room.

use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::Reverse;

use time::UtcDateTime;

use super::{
    Cache,
    bounds::class_of,
    clock::{Hour, Timestamp},
    entry::Entry,
    history::History,
    order::EvictionClass,
    place::Place,
    restored::Restored,
    snapshot::Snapshot,
    weight::Freed,
};
use crate::domain::Domain;

/// The rank of a snapshot: those with the highest are kept, if there is not room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: EvictionClass,
    used: Option<Hour>,
    /// The last use by the clock at that time. It gives the order of entries whose uses are all in
    /// the future.
    noted: Option<Hour>,
}

/// An entry that was restored. Of those with the same rank, the later one is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    rank: Rank,
    number: u32,
    place: u32,
    slot: u32,
}

/// A restore in progress.
///
/// A snapshot becomes an entry at once, so that not all of them are in memory at a time. Until the
/// end, the entries count as pinned. If there is no room for one more, those of the lowest rank are
/// removed for it.
#[derive(Debug)]
pub(crate) struct Restoration<'a> {
    caches: Vec<&'a mut Cache>,
    now: UtcDateTime,
    kept: BinaryHeap<Reverse<Kept>>,
    /// The number of snapshots so far.
    number: u32,
    history: History,
    report: Restored,
}

impl Rank {
    /// Ranks an entry that was read from a snapshot, and adjusts its dates to the clock.
    fn of(entry: &mut Entry, now: Timestamp) -> Self {
        let noted = entry.state.last_lookup;
        entry.state.doubt_future(now);
        entry.rearm(now);
        entry.state.reach_use(now);
        Self { class: class_of(&entry.state, now), used: entry.state.last_lookup, noted }
    }
}

impl<'a> Restoration<'a> {
    /// Begins to restore snapshots into these caches.
    pub(crate) fn new(mut caches: Vec<&'a mut Cache>, now: UtcDateTime) -> Self {
        let mut history = History::NONE;
        for cache in &mut caches {
            cache.note_time(now);
            history.begin(cache.history.begun());
        }
        let (kept, report) = (BinaryHeap::new(), Restored::default());
        Self { caches, now, kept, number: 0, history, report }
    }

    /// Restores a snapshot into the cache of this number.
    pub(crate) fn add(&mut self, place: usize, mut snapshot: Snapshot) {
        let Some(cache) = self.caches.get_mut(place) else { return };
        if let Some(known) = snapshot.unparsed().and_then(|text| cache.policies.find(text)) {
            snapshot.set_policy(known.clone());
        }
        let (domain, mut entry) = match Entry::restore(snapshot, &cache.config) {
            Ok(restored) => restored,
            Err(damage) => return self.report.damaged.push(damage),
        };
        self.number = self.number.saturating_add(1);
        self.history.note(entry.state.last_armed());
        let rank = Rank::of(&mut entry, Timestamp::of(self.now));
        let count = match cache.open(&domain) {
            Some(slot) => {
                if self.merge(place, slot, entry, rank) {
                    &mut self.report.restored
                } else {
                    &mut self.report.outdated
                }
            }
            None if self.make_room(place, rank, &domain, &entry) => {
                self.insert(place, rank, &domain, entry);
                &mut self.report.restored
            }
            None => {
                self.report.refused_by_class.count(rank.class);
                &mut self.report.refused
            }
        };
        *count = count.saturating_add(1);
    }

    fn insert(&mut self, place: usize, rank: Rank, domain: &Domain, entry: Entry) {
        let Some(cache) = self.caches.get_mut(place) else { return };
        if let Some(slot) = cache.insert_restored(domain, entry.state, self.now) {
            self.keep(place, rank, slot);
        }
    }

    fn keep(&mut self, place: usize, rank: Rank, slot: u32) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.kept.push(Reverse(Kept { rank, number: self.number, place, slot }));
    }

    /// Merges a second snapshot of a domain, or that of a domain which is known. Returns whether
    /// the stored policy is used.
    fn merge(&mut self, place: usize, slot: u32, entry: Entry, rank: Rank) -> bool {
        let (now, moment) = (self.now, Timestamp::of(self.now));
        let Some(cache) = self.caches.get_mut(place) else { return false };
        // Only a restore in progress pins an entry that is not pinned for itself.
        let is_of_this = cache.table.class(Place::of_slot(slot)) == EvictionClass::Pinned
            && cache.class_of(slot, moment) != EvictionClass::Pinned;
        let is_taken = cache.merge(slot, entry.state, now);
        if is_of_this {
            let state = cache.table.get(slot).map(|found| &found.entry.state);
            // As `bytes_of` compares.
            let class = state.map_or(rank.class, |state| class_of(state, moment));
            let rank = Rank { class, used: state.and_then(|state| state.last_lookup), ..rank };
            cache.table.classify(slot, EvictionClass::Pinned, false);
            self.keep(place, rank, slot);
        }
        is_taken
    }

    /// Makes room for an entry, if there are enough entries of lower rank. Those of this restore
    /// are removed only if that suffices; others are evicted from memory.
    fn make_room(&mut self, place: usize, rank: Rank, domain: &Domain, entry: &Entry) -> bool {
        let (mut freed, mut lower) = (Freed::default(), Vec::new());
        let has_room = loop {
            let Some(cache) = self.caches.get_mut(place) else { break false };
            if cache.has_room_for(domain, entry, freed) {
                break true;
            }
            let other = cache.lowest(rank.class);
            let lowest =
                self.kept.peek().map(|&Reverse(kept)| kept).filter(|kept| kept.rank < rank);
            match (lowest, other) {
                (Some(kept), other) if other.is_none_or(|(class, _)| kept.rank.class <= class) => {
                    self.kept.pop();
                    if let Some(bytes) = self.bytes_of(kept) {
                        freed.entries = freed.entries.saturating_add(1);
                        freed.bytes = freed.bytes.saturating_add(bytes);
                        lower.push(kept);
                    }
                }
                (_, Some((_, place))) => cache.evict_from(place, false),
                _ => break false,
            }
        };
        for kept in lower {
            if has_room {
                self.refuse(kept);
            } else {
                self.kept.push(Reverse(kept));
            }
        }
        has_room
    }

    /// Returns the bytes that removing an entry frees, or `None` if the entry has another rank by
    /// now.
    fn bytes_of(&self, kept: Kept) -> Option<usize> {
        let cache = self.caches.get(kept.place as usize)?;
        let found = cache.table.get(kept.slot)?;
        let class = class_of(&found.entry.state, Timestamp::of(self.now));
        let is_same = (class, found.entry.state.last_lookup) == (kept.rank.class, kept.rank.used);
        let policy = found.entry.state.held().map_or(0, |held| cache.policies.freed(held.policy));
        is_same.then(|| found.weight.bytes().saturating_add(policy))
    }

    /// Removes an entry that had been restored.
    fn refuse(&mut self, kept: Kept) {
        let Some(cache) = self.caches.get_mut(kept.place as usize) else { return };
        cache.remember_failures(kept.slot);
        if cache.remove_slot(kept.slot, false).is_some() {
            cache.publish();
            self.report.restored = self.report.restored.saturating_sub(1);
            self.report.refused = self.report.refused.saturating_add(1);
            self.report.refused_by_class.count(kept.rank.class);
        }
    }

    /// Ends the restore: the entries can be evicted from now on, in the order of their last use.
    pub(crate) fn finish(self) -> Restored {
        let Self { mut caches, now, kept, history, mut report, .. } = self;
        for cache in &mut caches {
            cache.note_history(&history, now);
        }
        // Most often, this is their order already. Each class has a list of its own.
        let mut kept = kept.into_vec();
        kept.sort_unstable_by_key(|&Reverse(kept)| (kept.rank.used, kept.rank.noted, kept.number));
        for Reverse(kept) in kept {
            let Some(cache) = caches.get_mut(kept.place as usize) else { continue };
            if cache.unpin_restored(kept.slot, Timestamp::of(now)) {
                report.ended = report.ended.saturating_add(1);
            }
        }
        // Entries that were known before may have grown.
        caches.into_iter().for_each(Cache::trim);
        report
    }
}
