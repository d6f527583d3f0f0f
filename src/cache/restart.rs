//! Snapshots of the whole cache, and restoring them after a restart.

use alloc::{sync::Arc, vec};

use time::UtcDateTime;

use super::{
    Cache,
    bounds::{is_stored, weight},
    clock::Timestamp,
    entry::{Entry, State},
    order::EvictionClass,
    place::Place,
    policies::cost,
    restoration::Restoration,
    restored::Restored,
    rule,
    snapshot::Snapshot,
    weight::Freed,
};
use crate::{domain::Domain, policy::Policy};

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
    /// the order of the snapshots; but without persistence, domains without a record keep the order
    /// of their snapshots. Nothing is removed from the store except [policies that expired
    /// long ago](Restored::ended), a day later.
    pub fn restore(
        &mut self,
        snapshots: impl IntoIterator<Item = Snapshot>,
        now: UtcDateTime,
    ) -> Restored {
        let snapshots = snapshots.into_iter();
        let room = self.config.max_entries().saturating_sub(self.len());
        self.table.reserve(snapshots.size_hint().0.min(room));
        let mut restoration = Restoration::new(vec![self], now);
        snapshots.for_each(|snapshot| restoration.add(0, snapshot));
        restoration.finish()
    }

    /// Adds the entry of a snapshot. Returns its slot, in which it is not evicted before the restore
    /// ends. A domain without a record has a row instead, which may be.
    pub(super) fn insert_restored(
        &mut self,
        domain: &Domain,
        mut state: State,
        now: UtcDateTime,
    ) -> Option<u32> {
        let slot = self.table.insert(domain)?;
        self.failures.recall(domain, &mut state, Timestamp::of(now));
        self.intern_policy(&mut state);
        let place = self.put(slot, state, true, now);
        self.publish();
        let slot = place.slot()?;
        self.table.classify(slot, EvictionClass::Pinned, false);
        Some(slot)
    }

    /// Ends the restore of an entry, as the one used last so far. Returns whether its removal is
    /// planned.
    pub(super) fn unpin_restored(&mut self, slot: u32, now: Timestamp) -> bool {
        // It may have been removed since.
        if self.table.get(slot).is_none_or(|found| !found.in_store) {
            return false;
        }
        let class = self.class_of(slot, now);
        self.table.classify(slot, class, true);
        self.plan_sweep(slot, now)
    }

    /// Merges a stored state into the entry. Returns whether the stored policy is used.
    pub(super) fn merge(&mut self, slot: u32, stored: State, now: UtcDateTime) -> bool {
        let moment = Timestamp::of(now);
        let Some(found) = self.table.get_mut(slot) else { return false };
        found.entry.rearm(moment);
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

    /// Returns whether there is room for an entry and its policy, once others are removed.
    pub(super) fn has_room_for(&self, domain: &Domain, entry: &Entry, freed: Freed) -> bool {
        let policy = entry.state.held().map(|held| held.policy);
        let bytes = |policy: Option<&Arc<Policy>>| {
            weight(domain.as_str().len(), entry)
                .bytes()
                .saturating_add(policy.map_or(0, |policy| cost(policy)))
        };
        // Most often, there is room for a policy that is not known, too.
        let is_new = |policy: &&Arc<Policy>| self.policies.find(policy.as_text()).is_none();
        !self.is_full(bytes(policy), freed) || !self.is_full(bytes(policy.filter(is_new)), freed)
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
            // The row of a policy that is not taken stays: it may seem to have expired by a clock that is
            // wrong.
            found.in_store |= is_restored || is_stored(&found.entry.state);
            found.is_restored |= is_restored;
        }
        self.update_derived(slot, Timestamp::of(now), false)
    }
}

/// Removal of rows whose policy expired long ago: they protect nothing.
impl Cache {
    /// Plans the removal of an entry that was just restored, if its policy expired long ago.
    /// Returns whether it did.
    fn plan_sweep(&mut self, slot: u32, now: Timestamp) -> bool {
        if !self.config.persistence() || !self.ended_long_ago(slot, now) {
            return false;
        }
        self.sweep.add(slot, now);
        true
    }

    pub(super) fn sweep_if_due(&mut self, now: Timestamp) {
        if !self.sweep.is_due(now) {
            return;
        }
        if self.jump.is_some() {
            return self.sweep.postpone(now);
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

    /// Returns whether the policy of an entry without an override expired long ago by this clock,
    /// which may be wrong.
    fn ended_long_ago(&self, slot: u32, now: Timestamp) -> bool {
        let Some(found) = self.table.get(slot).filter(|found| found.in_store) else { return false };
        let held = found.entry.state.fetched();
        held.is_some_and(|policy| policy.ends_at().plus(rule::LONG_AGO) < now)
            && !self.overrides.contains_key(&slot)
    }

    fn is_to_be_swept(&self, slot: u32, now: Timestamp) -> bool {
        let is_asking =
            self.table.get(slot).is_some_and(|found| found.entry.request_id().is_some());
        let is_idle = !is_asking && !self.waiting.contains_key(&slot);
        is_idle && self.ended_long_ago(slot, now)
    }
}
