//! Snapshots of the whole cache, and restoring them after a restart.

#[cfg(any(feature = "blocking", feature = "tokio"))]
use alloc::collections::BTreeSet;
use alloc::{sync::Arc, vec::Vec};

use time::UtcDateTime;

use super::{
    Cache,
    bounds::{class_of, weight},
    clock::{Hour, Timestamp},
    entry::{Entry, State},
    order::EvictionClass,
    place::{Form, Place},
    policies::{Policies, cost},
    rule,
    snapshot::{Snapshot, SnapshotError},
};
#[cfg(any(feature = "blocking", feature = "tokio"))]
use super::{entries::MOST_SLOT, policies::OVERHEAD, weight::Weight};
use crate::domain::Domain;

/// The outcome of [`Cache::restore`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "damaged snapshots should be reported"]
#[non_exhaustive]
pub struct Restored {
    /// The number of snapshots that were restored.
    pub restored: usize,
    /// The number of restored snapshots whose policy expired more than 30 days ago. With
    /// persistence on, they are removed from cache and store a day later if that is still so: the
    /// clock may be wrong at a start.
    pub ended: usize,
    /// The number of snapshots that were not restored because the cache has later data about the
    /// domain.
    pub outdated: usize,
    /// The number of snapshots that were not restored for lack of room. They stay in the store.
    pub refused: usize,
    /// The snapshots that were not restored for lack of room, by mode.
    pub refused_by_class: Refused,
    /// The errors of the snapshots that are damaged.
    pub damaged: Vec<SnapshotError>,
}

/// The numbers of snapshots that were refused for lack of room, by their policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The number of snapshots with a policy of mode `enforce` that applies.
    pub enforce: usize,
    /// The number of snapshots with a policy of mode `testing` that applies.
    pub testing: usize,
    /// The number of snapshots with a policy of mode `none`, an expired policy, or none.
    pub other: usize,
}

impl Refused {
    fn count(&mut self, class: EvictionClass) {
        let count = match class {
            EvictionClass::Enforce | EvictionClass::EnforceUnproven => &mut self.enforce,
            EvictionClass::Testing | EvictionClass::TestingUnproven => &mut self.testing,
            EvictionClass::Expired
            | EvictionClass::Negative
            | EvictionClass::ModeNone
            | EvictionClass::Pinned => &mut self.other,
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
    class: EvictionClass,
    used: Option<Hour>,
    /// The last use by the clock at that time. It gives the order of entries whose uses are all in
    /// the future.
    noted: Option<Hour>,
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

/// Returns the snapshots for which there is room in all caches of one client together, and the
/// number of those for which there is none. Damaged snapshots are returned, to be reported. `place`
/// returns the cache of a domain: each cache stores equal policies once.
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
        // A damaged snapshot takes no room.
        let Some((Rank { class, .. }, (domain, entry))) = rank.zip(entry) else { return true };
        let text = entry.state.held().map(|held| (place(&domain), held.policy.as_text().into()));
        let new = entry
            .state
            .held()
            .filter(|_| !text.as_ref().is_some_and(|text| policies.contains(text)));
        let need = new.map_or(0, |held| cost(held.policy));
        let need = weight(domain.as_str().len(), &entry).bytes().saturating_add(need);
        let fits = entries > 0 && need <= bytes;
        if fits {
            policies.extend(text);
            (entries, bytes) = (entries.saturating_sub(1), bytes.saturating_sub(need));
        } else {
            refused.count(class);
        }
        fits
    };
    // The most valuable ones first; of those with the same hour, the later in the list first.
    let kept = ranked
        .into_iter()
        .rev()
        .filter_map(|(rank, entry, snapshot)| fits(rank, entry).then_some(snapshot));
    let mut kept: Vec<_> = kept.collect();
    kept.reverse();
    (kept, refused)
}

/// The maximum bytes of an entry and its policy without their texts.
#[cfg(any(feature = "blocking", feature = "tokio"))]
const MOST_BESIDE_TEXTS: usize = MOST_SLOT + OVERHEAD + Weight::UNIT;

impl Cache {
    /// Returns a snapshot of each domain, with all that a restart must not lose.
    ///
    /// Requests in flight and overrides of the operator are not part of it: set overrides again
    /// after the restart. Takes time linear in the number of domains. A snapshot shares the policy
    /// with the cache, and has copies of the name and of the domain's failures.
    pub fn snapshots(&self) -> impl Iterator<Item = Snapshot> {
        let views = self.table.iter().filter_map(|place| self.table.view(place));
        views.map(|(domain, entry)| entry.snapshot(&domain))
    }

    /// Restores snapshots after a restart. No request is made before it is due.
    ///
    /// A damaged snapshot is reported and does not affect the others. Of two snapshots of one
    /// domain, as when several machines share a store, the one whose policy was fetched later
    /// counts; a time in the future counts as now. Back-off and use that the cache already knows
    /// are kept. If there is not room for all, the snapshots that would be evicted first are
    /// refused; they stay in the store. The order of eviction is that of the last lookups, whatever
    /// the order of the snapshots. Nothing is removed from the store except [policies that expired
    /// long ago](Restored::ended), a day later.
    pub fn restore(
        &mut self,
        snapshots: impl IntoIterator<Item = Snapshot>,
        now: UtcDateTime,
    ) -> Restored {
        self.note_time(now);
        let mut report = Restored::default();
        let mut read = Vec::new();
        // Thousands of equal texts are stored once, before it is known which of them are restored.
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
                        texts.intern(Arc::clone(held.policy));
                    }
                    read.push((rank, domain, entry));
                }
                Err(damage) => report.damaged.push(damage),
            }
        }
        self.restore_entry(read, now, &mut report);
        report
    }

    fn restore_entry(
        &mut self,
        mut read: Vec<(Rank, Domain, Entry)>,
        now: UtcDateTime,
        report: &mut Restored,
    ) {
        // The most valuable ones first, for room; of those with the same hour, the later in the
        // list first.
        read.sort_by_key(|&(rank, ..)| rank);
        read.reverse();
        let room = self.config.max_entries().saturating_sub(self.len());
        self.table.reserve(read.len().min(room));
        let mut taken = Vec::new();
        for (Rank { class, .. }, domain, mut entry) in read {
            let count = if let Some(slot) = self.open(&domain) {
                if self.merge(slot, entry.state, now) {
                    &mut report.restored
                } else {
                    &mut report.outdated
                }
            } else if self.has_room(class, self.cost(&domain, &entry))
                && let Some(slot) = self.table.insert(&domain)
            {
                self.intern_policy(&mut entry.state);
                taken.push(self.put(slot, entry.state, true, now));
                self.publish();
                &mut report.restored
            } else {
                report.refused_by_class.count(class);
                &mut report.refused
            };
            *count = count.saturating_add(1);
        }
        // In the order of their last use, which is the order of eviction.
        for place in taken.into_iter().rev() {
            self.table.use_now(place);
            let is_planned = self.plan_sweep(place, Timestamp::of(now));
            report.ended = report.ended.saturating_add(usize::from(is_planned));
        }
        self.publish();
    }

    /// Merges a stored state into the entry. Returns whether the stored policy is used.
    fn merge(&mut self, slot: u32, stored: State, now: UtcDateTime) -> bool {
        let moment = Timestamp::of(now);
        let Some(found) = self.table.get_mut(slot) else { return false };
        let known = &mut found.entry.state;
        let used =
            (known.last_lookup, known.days_ahead).max((stored.last_lookup, stored.days_ahead));
        (known.last_lookup, known.days_ahead) = used;
        known.used_on_two_days |= stored.used_on_two_days;
        // Only the domain's own policies: they replace one of the operator's list, whichever comes
        // first, as in `set_static_policy`.
        let fetched = |state: &State| state.fetched().map(|held| held.fetched_at.min(moment));
        let counts = stored.live(moment).is_some() || known.is_new();
        let is_taken = counts && fetched(known) < fetched(&stored);
        known.new_id_budget = known.new_id_budget.max(stored.new_id_budget);
        let (mut state, other) =
            if is_taken { (stored, known.clone()) } else { (known.clone(), stored) };
        (state.last_lookup, state.days_ahead) = used;
        (state.used_on_two_days, state.new_id_budget) =
            (known.used_on_two_days, known.new_id_budget);
        // A fetch later than the row has cleared the row's failures.
        let failures = other.failures.as_ref().filter(|_| is_taken || state.fetched().is_none());
        if let Some(trouble) = failures {
            state.failures_mut().attempts.join(&trouble.attempts);
        }
        if is_taken {
            self.intern_policy(&mut state);
            self.release_held(slot);
        }
        self.put(slot, state, is_taken, now);
        is_taken
    }

    /// Returns the bytes that an entry and its policy add to the cache.
    fn cost(&self, domain: &Domain, entry: &Entry) -> usize {
        let policy = entry.state.held().map(|held| held.policy);
        let new = policy.filter(|policy| self.policies.find(policy.as_text()).is_none());
        weight(domain.as_str().len(), entry)
            .bytes()
            .saturating_add(new.map_or(0, |policy| cost(policy)))
    }

    fn intern_policy(&mut self, state: &mut State) {
        if let Some(held) = state.held() {
            let shared = self.policies.intern(Arc::clone(held.policy));
            state.replace_equal(shared);
        }
    }

    fn put(&mut self, slot: u32, state: State, is_restored: bool, now: UtcDateTime) -> Place {
        if let Some(found) = self.table.get_mut(slot) {
            self.overdue.remove(&slot);
            found.entry.state = state;
            found.in_store = true;
            found.is_restored |= is_restored;
        }
        self.update_derived(slot, Timestamp::of(now), false)
    }
}

/// Removal of rows whose policy expired long ago: they protect nothing.
impl Cache {
    /// Plans the removal of an entry that was just restored, if its policy expired long ago.
    /// Returns whether it did.
    fn plan_sweep(&mut self, place: Place, now: Timestamp) -> bool {
        let Form::Slot(slot) = place.form() else { return false };
        if !self.config.persistence() || !self.is_to_be_swept(slot, now) {
            return false;
        }
        self.sweep.add(slot, now);
        true
    }

    pub(super) fn sweep_if_due(&mut self, now: Timestamp) {
        if !self.sweep.is_due(now) {
            return;
        }
        for _ in 0..rule::SWEPT_AT_ONCE {
            let Some(slot) = self.sweep.pop() else { break };
            // The slot may belong to another domain by now, for which the same check holds.
            if self.is_to_be_swept(slot, now) {
                self.remember_failures(slot);
                self.remove_slot(slot, true);
            }
        }
        self.sweep.plan_next(now);
        self.publish();
    }

    fn is_to_be_swept(&self, slot: u32, now: Timestamp) -> bool {
        let Some(found) = self.table.get(slot).filter(|found| found.in_store) else { return false };
        let is_idle = found.entry.request_id().is_none() && !self.waiting.contains_key(&slot);
        is_idle
            && self.table.class(Place::of_slot(slot)) == EvictionClass::Expired
            && found
                .entry
                .state
                .fetched()
                .is_some_and(|policy| policy.ends_at().plus(rule::LONG_AGO) < now)
    }
}
