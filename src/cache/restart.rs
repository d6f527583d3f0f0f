//! Over a restart.

use alloc::{sync::Arc, vec::Vec};
use core::cmp::Reverse;

use time::UtcDateTime;

use super::{
    Cache,
    bounds::{class_of, weight},
    clock::{Hour, Timestamp},
    entry::{Entry, State},
    order::Class,
    snapshot::{Damage, Snapshot},
};
use crate::domain::Domain;

/// What became of the snapshots given to [`Cache::restore`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "damaged snapshots should be reported"]
pub struct Restored {
    /// How many were taken.
    pub restored: usize,
    /// How many of those hold a policy that ended more than 30 days ago. With persistence on, they are
    /// removed from cache and store a day later, if they have still ended so long ago by then: the
    /// clock may be wrong at a start.
    pub ended: usize,
    /// How many were not, because the cache knows something later about the domain.
    pub outdated: usize,
    /// How many were not, because there was no room. They stay in the store.
    pub refused: usize,
    /// The same, by what was refused.
    pub refused_by_class: Refused,
    /// Those that cannot be used.
    pub damaged: Vec<Damage>,
}

/// How many snapshots were refused for lack of room, by the policy that they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// With a policy of mode `enforce` that applies.
    pub enforce: usize,
    /// With a policy of mode `testing` that applies.
    pub testing: usize,
    /// With a policy of mode `none`, one that has ended, or none.
    pub other: usize,
}

impl Refused {
    fn count(&mut self, class: Class) {
        let count = match class {
            Class::Enforce | Class::EnforceOdd => &mut self.enforce,
            Class::Testing | Class::TestingOdd => &mut self.testing,
            Class::Expired | Class::Negative | Class::ModeNone | Class::Kept => &mut self.other,
        };
        *count = count.saturating_add(1);
    }

    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn total(self) -> usize {
        self.enforce.saturating_add(self.testing).saturating_add(self.other)
    }

    #[cfg(any(feature = "blocking", feature = "tokio"))]
    /// Adds the counts of another part of the same cache.
    pub(crate) fn add(&mut self, other: Self) {
        self.enforce = self.enforce.saturating_add(other.enforce);
        self.testing = self.testing.saturating_add(other.testing);
        self.other = self.other.saturating_add(other.other);
    }
}

/// What is restored first, if there is not room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: Class,
    used: Option<Hour>,
    /// By the clock of then: where all uses lie in the future, it tells the order of them.
    noted: Option<Hour>,
}

impl Rank {
    /// Ranks what was read from a snapshot, and brings its dates in line with the clock.
    fn of(entry: &mut Entry, now: Timestamp) -> Self {
        let noted = entry.state.used;
        entry.state.doubt_future(now);
        entry.rearm(now);
        entry.state.reach_use(now);
        Self { class: class_of(&entry.state, now), used: entry.state.used, noted }
    }
}

/// Returns the snapshots for which there is room in the caches of one client together, so that none of
/// them need know what the others hold, and how many there is none for. What is damaged is returned,
/// to be reported.
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) fn most_valuable(
    snapshots: Vec<Snapshot>,
    config: &super::Config,
    now: UtcDateTime,
) -> (Vec<Snapshot>, Refused) {
    let mut refused = Refused::default();
    if snapshots.len() <= config.max_entries() {
        return (snapshots, refused);
    }
    let rank = |snapshot: &Snapshot| {
        let (_, mut entry) = Entry::restore(snapshot.clone(), config).ok()?;
        Some(Rank::of(&mut entry, Timestamp::of(now)))
    };
    let mut ranked: Vec<_> = snapshots.into_iter().map(|it| (rank(&it), it)).collect();
    ranked.sort_by_key(|&(rank, _)| Reverse(rank));
    let mut room = config.max_entries();
    ranked.retain(|&(rank, _)| {
        let Some(Rank { class, .. }) = rank else { return true };
        let fits = room > 0;
        room = room.saturating_sub(1);
        if !fits {
            refused.count(class);
        }
        fits
    });
    (ranked.into_iter().map(|(_, snapshot)| snapshot).collect(), refused)
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
    /// future counts as now. What the cache knows besides (back-off, use) is kept. If there is not
    /// room for all, what is evicted first otherwise is refused; it stays in the store. The order of
    /// eviction is that of the last lookups, whatever the order of the snapshots. Nothing is removed
    /// from the store, but for [what ended long ago](Restored::ended), a day later.
    pub fn restore(
        &mut self,
        snapshots: impl IntoIterator<Item = Snapshot>,
        now: UtcDateTime,
    ) -> Restored {
        self.see(now);
        let mut report = Restored::default();
        let mut read = Vec::new();
        for mut snapshot in snapshots {
            if let Some(known) = snapshot.unparsed().and_then(|text| self.policies.find(text)) {
                snapshot.set_policy(Arc::clone(known));
            }
            match Entry::restore(snapshot, &self.config) {
                Ok((domain, mut entry)) => {
                    let rank = Rank::of(&mut entry, Timestamp::of(now));
                    // Shared at once, so that thousands of equal texts are held once.
                    self.share(&mut entry.state);
                    read.push((rank, domain, entry));
                }
                Err(damage) => report.damaged.push(damage),
            }
        }
        self.take_up(read, now, &mut report);
        report
    }

    fn take_up(
        &mut self,
        mut read: Vec<(Rank, Domain, Entry)>,
        now: UtcDateTime,
        report: &mut Restored,
    ) {
        // The most valuable ones first, for room.
        read.sort_by_key(|&(rank, ..)| Reverse(rank));
        let room = self.config.max_entries().saturating_sub(self.len());
        self.table.reserve(read.len().min(room));
        let mut taken = Vec::new();
        for (Rank { class, .. }, domain, entry) in read {
            let count = if let Some(slot) = self.table.find(&domain) {
                if self.merge(slot, entry.state, now) {
                    &mut report.restored
                } else {
                    &mut report.outdated
                }
            } else if self.has_room(class, weight(&domain, &entry).bytes())
                && let Some(slot) = self.table.insert(domain, Entry::NEW)
            {
                self.put(slot, entry.state, now);
                self.publish();
                taken.push((slot, class));
                &mut report.restored
            } else {
                if let Some(held) = entry.state.held() {
                    self.policies.release(held.policy);
                }
                report.refused_by_class.count(class);
                &mut report.refused
            };
            *count = count.saturating_add(1);
        }
        // In the order of their last use, for eviction.
        for (slot, class) in taken.into_iter().rev() {
            self.table.classify(slot, class, true);
            let is_planned = self.plan_sweep(slot, Timestamp::of(now));
            report.ended = report.ended.saturating_add(usize::from(is_planned));
        }
        self.publish();
    }

    /// Joins what was stored with what is known. Returns whether the stored policy is taken.
    fn merge(&mut self, slot: u32, stored: State, now: UtcDateTime) -> bool {
        let moment = Timestamp::of(now);
        let Some(found) = self.table.get_mut(slot) else { return false };
        let known = &mut found.entry.state;
        let used = (known.used, known.ahead).max((stored.used, stored.ahead));
        (known.used, known.ahead) = used;
        known.regular |= stored.regular;
        let fetched = |state: &State| state.held().map(|held| held.fetched_at.min(moment));
        let counts = stored.live(moment).is_some() || known.is_new();
        if !counts || fetched(known) >= fetched(&stored) {
            if let Some(held) = stored.held() {
                self.policies.release(held.policy);
            }
            self.settle(slot, moment, false);
            return false;
        }
        let mut state = stored;
        (state.used, state.ahead) = used;
        state.regular = known.regular;
        state.budget = state.budget.max(known.budget);
        if let Some(trouble) = known.trouble.take() {
            state.trouble().attempts.join(&trouble.attempts);
        }
        self.release_held(slot);
        self.put(slot, state, now);
        true
    }

    fn share(&mut self, state: &mut State) {
        if let Some(held) = state.held() {
            let shared = self.policies.share(Arc::clone(held.policy));
            state.set_policy(shared);
        }
    }

    fn put(&mut self, slot: u32, state: State, now: UtcDateTime) {
        if let Some(found) = self.table.get_mut(slot) {
            self.overdue.remove(&slot);
            found.entry.state = state;
            found.in_store = true;
        }
        self.settle(slot, Timestamp::of(now), false);
    }
}
