//! Over a restart.

#[cfg(any(feature = "blocking", feature = "tokio"))]
use alloc::collections::BTreeSet;
use alloc::{sync::Arc, vec::Vec};

use time::UtcDateTime;

use super::{
    Cache,
    bounds::{class_of, weight},
    clock::{Hour, Timestamp},
    entry::{Entry, State},
    order::Class,
    policies::{Policies, cost},
    snapshot::{Damage, Snapshot},
};
#[cfg(any(feature = "blocking", feature = "tokio"))]
use super::{bounds::ENTRY, policies::OVERHEAD, weight::Weight};
use crate::domain::Domain;

/// What became of the snapshots given to [`Cache::restore`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "damaged snapshots should be reported"]
pub struct Restored {
    /// How many were taken.
    pub restored: usize,
    /// The number of those whose policy ended more than 30 days ago. With persistence on, they are
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

/// The rank of a snapshot: the highest is restored first, if there is not room for all.
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
/// to be reported. `place` tells the cache of a domain: each holds equal policies once.
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) fn most_valuable(
    snapshots: Vec<Snapshot>,
    config: &super::Config,
    now: UtcDateTime,
    place: impl Fn(&Domain) -> usize,
) -> (Vec<Snapshot>, Refused) {
    let mut refused = Refused::default();
    let most = |snapshot: &Snapshot| snapshot.texts().saturating_add(MOST_BESIDE_TEXTS);
    let bytes = snapshots.iter().map(most).fold(0, usize::saturating_add);
    if snapshots.len() <= config.max_entries() && bytes <= config.max_bytes() {
        return (snapshots, refused);
    }
    let read = |snapshot: Snapshot| {
        let mut entry = Entry::restore(snapshot.clone(), config).ok();
        let rank = entry.as_mut().map(|(_, entry)| Rank::of(entry, Timestamp::of(now)));
        (rank, entry, snapshot)
    };
    let mut ranked: Vec<_> = snapshots.into_iter().map(read).collect();
    ranked.sort_by_key(|&(rank, ..)| rank);
    let (mut entries, mut bytes) = (config.max_entries(), config.max_bytes());
    let mut policies: BTreeSet<(usize, Arc<str>)> = BTreeSet::new();
    let mut fits = |rank: Option<Rank>, entry: Option<(Domain, Entry)>| {
        // Damage takes no room.
        let Some((Rank { class, .. }, (domain, entry))) = rank.zip(entry) else { return true };
        let text = entry.state.held().map(|held| (place(&domain), held.policy.as_text().into()));
        let new =
            entry.state.held().filter(|_| !text.as_ref().is_some_and(|it| policies.contains(it)));
        let need = new.map_or(0, |held| cost(held.policy));
        let need = weight(&domain, &entry).bytes().saturating_add(need);
        let fits = entries > 0 && need <= bytes;
        if fits {
            policies.extend(text);
            (entries, bytes) = (entries.saturating_sub(1), bytes.saturating_sub(need));
        } else {
            refused.count(class);
        }
        fits
    };
    // The most valuable ones first; of one hour, the one that came last.
    let kept =
        ranked.into_iter().rev().filter_map(|(rank, entry, it)| fits(rank, entry).then_some(it));
    let mut kept: Vec<_> = kept.collect();
    kept.reverse();
    (kept, refused)
}

/// The most that an entry and its policy take beside their texts.
#[cfg(any(feature = "blocking", feature = "tokio"))]
const MOST_BESIDE_TEXTS: usize = ENTRY + OVERHEAD + Weight::UNIT;

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
        // So that thousands of equal texts are held once, before it is known what is taken.
        let mut texts = Policies::new(self.config.seed());
        for mut snapshot in snapshots {
            let known = |text: &str| self.policies.find(text).or_else(|| texts.find(text));
            if let Some(known) = snapshot.unparsed().and_then(known) {
                snapshot.set_policy(Arc::clone(known));
            }
            match Entry::restore(snapshot, &self.config) {
                Ok((domain, mut entry)) => {
                    let rank = Rank::of(&mut entry, Timestamp::of(now));
                    if let Some(held) = entry.state.held() {
                        texts.share(Arc::clone(held.policy));
                    }
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
        // The most valuable ones first, for room; of one hour, the one that came last.
        read.sort_by_key(|&(rank, ..)| rank);
        read.reverse();
        let room = self.config.max_entries().saturating_sub(self.len());
        self.table.reserve(read.len().min(room));
        let mut taken = Vec::new();
        for (Rank { class, .. }, domain, mut entry) in read {
            let count = if let Some(slot) = self.table.find(&domain) {
                if self.merge(slot, entry.state, now) {
                    &mut report.restored
                } else {
                    &mut report.outdated
                }
            } else if self.has_room(class, self.cost(&domain, &entry))
                && let Some(slot) = self.table.insert(domain, Entry::NEW)
            {
                self.share(&mut entry.state);
                self.put(slot, entry.state, now);
                self.publish();
                taken.push((slot, class));
                &mut report.restored
            } else {
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
        // The domain's own policies: one of the operator's list makes way for them, whichever comes
        // first, as in `load_static`.
        let fetched = |state: &State| state.fetched().map(|held| held.fetched_at.min(moment));
        let counts = stored.live(moment).is_some() || known.is_new();
        let is_taken = counts && fetched(known) < fetched(&stored);
        known.budget = known.budget.max(stored.budget);
        let (mut state, other) =
            if is_taken { (stored, known.clone()) } else { (known.clone(), stored) };
        (state.used, state.ahead) = used;
        (state.regular, state.budget) = (known.regular, known.budget);
        // What was fetched later than the row is over the row's failures.
        let failures = other.trouble.as_ref().filter(|_| is_taken || state.fetched().is_none());
        if let Some(trouble) = failures {
            state.trouble().attempts.join(&trouble.attempts);
        }
        if is_taken {
            self.share(&mut state);
            self.release_held(slot);
        }
        self.put(slot, state, now);
        is_taken
    }

    /// Returns the bytes that an entry adds, with its policy.
    fn cost(&self, domain: &Domain, entry: &Entry) -> usize {
        let policy = entry.state.held().map(|held| held.policy);
        let new = policy.filter(|policy| self.policies.find(policy.as_text()).is_none());
        weight(domain, entry).bytes().saturating_add(new.map_or(0, |policy| cost(policy)))
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
