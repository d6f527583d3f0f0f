//! The bounds of the cache, and eviction when they are reached.

use alloc::{sync::Arc, vec::Vec};
use core::mem::size_of;

use time::UtcDateTime;

use super::{
    Cache,
    answer::{Answer, Source},
    clock::{Hour, Timestamp},
    entries::{Slot, row_bytes, slot_bytes},
    entry::{Entry, Overdue, State},
    event::{EventKind, RecheckError, RecheckOutcome, RecheckResult},
    order::EvictionClass,
    place::{Form, Place},
    queue::Queued,
    rule,
    waiting::{PendingAnswers, Waiters},
    weight::{Freed, Weight},
};
use crate::{domain::Domain, mode::Mode, no_policy::NoPolicy, policy::Policy};

/// The bytes of an [`Overdue`] record in a map that is at worst half empty.
const OVERDUE: usize = 2 * size_of::<(u32, Overdue)>();

impl Cache {
    /// Creates an entry for an unknown domain, if there is room or an entry of lower value to
    /// evict.
    pub(super) fn admit(&mut self, domain: &Domain, now: UtcDateTime) -> Option<u32> {
        let bytes = weight(domain.as_str().len(), &Entry::NEW).bytes();
        while self.is_full(bytes, Freed::default()) {
            let victim = self.victim(Some(Timestamp::of(now)))?;
            self.evict_from(victim, true);
        }
        let slot = self.table.insert(domain)?;
        if let Some(found) = self.table.get_mut(slot) {
            self.failures.recall(domain, &mut found.entry.state, Timestamp::of(now));
        }
        self.publish();
        Some(slot)
    }

    /// Evicts entries until the cache is within its bounds again, after an entry has grown. Entries
    /// of the operator are not evicted.
    ///
    /// Policies in regular use make room only for another one, or for the operator, and stay in the
    /// store. For any other entry that has grown, it is that entry which is evicted at last: lookups
    /// of new domains, however many wait, evict no policy in regular use.
    pub(super) fn make_room(&mut self, grown: u32) {
        if self.is_over() {
            self.evict_excess(grown);
        }
        self.publish();
    }

    fn evict_excess(&mut self, grown: u32) {
        let is_senior = self.is_senior(grown);
        let newcomer_at = (!is_senior).then_some(self.latest);
        let place = Place::of_slot(grown);
        while self.is_over() {
            let is_there = !is_senior && self.table.name_len(place) > 0;
            let newcomer = is_there.then_some(place);
            let Some(victim) = self.victim(newcomer_at).or(newcomer) else { break };
            let is_durable = !(is_senior && self.table.class(victim).is_proven());
            self.evict_from(victim, is_durable);
        }
    }

    /// Evicts entries until the cache is within its bounds again, from memory only.
    pub(super) fn trim(&mut self) {
        while self.is_over()
            && let Some(victim) = self.victim(None)
        {
            self.evict_from(victim, false);
        }
        self.publish();
    }

    /// Returns whether the cache takes more bytes than it may.
    fn is_over(&self) -> bool {
        self.share.bytes(self.memory_usage()) > self.config.max_bytes()
    }

    /// Returns whether an entry is one of the operator, or has a policy in regular use, whether
    /// lookups wait for it or not.
    fn is_senior(&self, slot: u32) -> bool {
        let class = |found: &Slot| class_of(&found.entry.state, self.judged_at(self.latest));
        let is_senior = |class: EvictionClass| class.is_proven() || class == EvictionClass::Pinned;
        self.overrides.contains_key(&slot) || self.table.get(slot).map(class).is_some_and(is_senior)
    }

    /// Returns whether there is no room for an entry of this size, once others are removed.
    pub(super) fn is_full(&self, bytes: usize, freed: Freed) -> bool {
        let entries = self.share.entries(self.len()).saturating_sub(freed.entries);
        let all = self.share.bytes(self.memory_usage()).saturating_sub(freed.bytes);
        entries >= self.config.max_entries() || all.saturating_add(bytes) > self.config.max_bytes()
    }

    /// Publishes the size of this cache to the others that share its room.
    pub(super) fn publish(&mut self) {
        let (entries, bytes) = (self.len(), self.memory_usage());
        self.share.publish(entries, bytes);
    }

    /// Returns the entry to evict next, if one may be evicted. A newcomer, a domain that is looked
    /// up for the first time, evicts neither a policy in regular use, so that a flood of new domains
    /// cannot empty the cache, nor another newcomer for which lookups wait.
    fn victim(&mut self, newcomer_at: Option<Timestamp>) -> Option<Place> {
        if let Some(place) = self.expired() {
            return Some(place);
        }
        let place = EvictionClass::EVICTABLE
            .into_iter()
            .filter(|&class| newcomer_at.is_none() || class != EvictionClass::Awaited)
            .find_map(|class| {
                self.table.oldest(class).filter(|_| class != EvictionClass::Expired)
            })?;
        if !self.table.class(place).is_proven() {
            return Some(place);
        }
        // Expired policies are left that may apply again: the rest of them is looked at first.
        let is_early = self.table.oldest(EvictionClass::Expired).is_some();
        let Form::Slot(slot) = place.form() else { return Some(place) };
        let used = self.table.get(slot)?.entry.state.last_lookup;
        let used = used.map_or(Timestamp::MIN, Hour::end);
        let stays = newcomer_at.is_some_and(|now| used.plus(rule::RECENT) > self.judged_at(now));
        (!is_early && !stays).then_some(place)
    }

    /// Returns the least recently used entry whose policy has expired. After the clock was set back,
    /// such policies may apply again: of those for which that is not known yet, 256 are looked at
    /// between two calls of [`rearm_some`](Self::rearm_some).
    fn expired(&mut self) -> Option<Place> {
        loop {
            let place = self.table.oldest(EvictionClass::Expired)?;
            if self.unarmed.is_none() {
                return Some(place);
            }
            self.rearms_left = self.rearms_left.checked_sub(1)?;
            self.rearm(place, self.latest.to_utc());
            if self.table.class(place) == EvictionClass::Expired {
                return Some(place);
            }
        }
    }

    /// Returns the entry to evict next and its class, if that is lower than `class`.
    pub(super) fn lowest(&mut self, class: EvictionClass) -> Option<(EvictionClass, Place)> {
        let place = self.victim(None)?;
        let lowest = self.table.class(place);
        (lowest < class).then_some((lowest, place))
    }

    /// Evicts an entry, and also from the store if `durably`.
    pub(super) fn evict_from(&mut self, place: Place, durably: bool) {
        self.counters.evicted = self.counters.evicted.saturating_add(1);
        match place.form() {
            Form::Slot(slot) => {
                self.emit_eviction(slot);
                self.remove_slot(slot, durably);
            }
            Form::Row(_) => {
                let bytes = row_bytes(self.table.name_len(place));
                self.bytes = self.bytes.saturating_sub(bytes);
                self.table.remove(place);
            }
        }
    }

    fn emit_eviction(&mut self, slot: u32) {
        self.remember_failures(slot);
        let Some(domain) = self.table.domain(slot) else { return };
        if let Some(policy) = self.may_apply(slot) {
            self.counters.evicted_live = self.counters.evicted_live.saturating_add(1);
            self.emit(&domain, EventKind::Evicted { policy });
        }
    }

    /// Remembers the failures of an entry that is evicted, so that its back-off continues.
    pub(super) fn remember_failures(&mut self, slot: u32) {
        let (latest, now) = (self.latest, self.judged_at(self.latest));
        if let Some((domain, found)) = self.table.domain(slot).zip(self.table.get_mut(slot)) {
            found.entry.rearm(latest);
            self.failures.remember(&domain, &found.entry.state, now);
        }
    }

    /// Returns the policy of an entry if it applies, or applied before the clock was recently set
    /// ahead.
    fn may_apply(&self, slot: u32) -> Option<Arc<Policy>> {
        let held = self.table.get(slot)?.entry.state.live(self.judged_at(self.latest))?;
        (held.mode != Mode::None).then(|| Arc::clone(held.policy))
    }

    /// Returns the time to compare the ends of policies with. While the clock may be wrong, this is
    /// the time before it was set ahead: a policy that seems to have expired may apply again soon.
    fn judged_at(&self, now: Timestamp) -> Timestamp {
        self.jump.map_or(now, |(before, _)| before.min(now))
    }

    /// Removes an entry and all that belongs to it, and also from the store if `durably`. Completes
    /// the lookups that wait for it.
    pub(super) fn remove_slot(&mut self, slot: u32, durably: bool) -> Option<Domain> {
        self.answer_waiters(slot);
        self.note_in_flight(slot, false);
        self.overdue.remove(&slot);
        let (domain, gone) = self.table.remove(Place::of_slot(slot))?;
        let gone = gone?;
        self.bytes = self.bytes.saturating_sub(gone.weight.bytes());
        if let Some(held) = gone.entry.state.held() {
            self.policies.release(held.policy);
        }
        if durably && self.config.persistence() && gone.in_store {
            self.queue.push_back(Queued::Remove(domain.clone()));
        } else {
            self.drop_retry(&domain);
        }
        Some(domain)
    }

    /// Completes the lookups that wait for an entry which is removed, with the result of discovery
    /// if there is one.
    fn answer_waiters(&mut self, slot: u32) {
        let Some(mut waiting) = self.waiting.remove(&slot) else { return };
        let mut given = Vec::new();
        if let Some(saving) = waiting.saving.take() {
            self.not_durable(slot, saving.request, "there was no room to keep it");
            given = saving.answers;
        }
        let live =
            self.table.get(slot).filter(|found| found.entry.state.live(self.latest).is_some());
        let answer = match live {
            Some(_) => self.slot_answer(slot, self.latest.to_utc()).cloned(),
            None => Answer::NoPolicy(NoPolicy::Overloaded),
        };
        given.push(PendingAnswers::Lookups(waiting.lookups, answer.clone()));
        let result =
            RecheckResult { outcome: RecheckOutcome::Unknown(RecheckError::Overloaded), answer };
        given.push(PendingAnswers::Rechecks(waiting.rechecks, result));
        self.release(slot, given);
    }

    /// Updates all that is derived from an entry: its size, its class, its deadline, the time until
    /// which lookups change nothing, whether a request is in flight, and its form. Returns its
    /// place.
    pub(super) fn update_derived(&mut self, slot: u32, now: Timestamp, used: bool) -> Place {
        let class = self.class_of(slot, now);
        let saving = self.waiting.get(&slot).and_then(|waiting| waiting.saving.as_ref());
        let (held_answers, saved_by) =
            (saving.is_some(), saving.map(|saving| saving.deadline.due()));
        let overridden = self.overrides.contains_key(&slot);
        if self.table.get(slot).is_some_and(|found| found.entry.state.is_absent()) {
            // A policy that comes after the record was withdrawn is not that of the domain.
            self.overdue.remove(&slot);
        }
        let overdue = if self.overdue.contains_key(&slot) { OVERDUE } else { 0 };
        let place = Place::of_slot(slot);
        let (len, found) = (self.table.name_len(place), self.table.get(slot));
        let Some(entry) = found.filter(|_| len > 0).map(|found| &found.entry) else { return place };
        let until = entry.quiescent_until(now);
        let live = entry.state.live(now).filter(|held| held.mode != Mode::None);
        let is_calm = !held_answers && !overridden && until >= now;
        let (until, policy) = match live {
            _ if !is_calm => (Timestamp::MIN, None),
            live => (until, live.map(|held| Arc::clone(held.policy))),
        };
        // With an override of the operator, no requests are started, but one in flight is
        // completed.
        let is_asking = entry.request_id().is_some();
        let is_idle = overridden && !is_asking;
        let timer = if is_idle { None } else { entry.timer(&self.config) };
        let weight = Weight::from_bytes(weight(len, entry).bytes().saturating_add(overdue));
        if let Some(head) = self.table.head_mut(slot) {
            head.set_calm(until, policy);
        }
        if let Some(found) = self.table.get_mut(slot) {
            let before = core::mem::replace(&mut found.weight, weight);
            self.bytes = self.bytes.saturating_sub(before.bytes()).saturating_add(weight.bytes());
        }
        self.note_in_flight(slot, is_asking || held_answers);
        let due = [timer, saved_by].into_iter().flatten().min();
        // The end of the calendar is no deadline.
        let due = due.filter(|&due| due < Timestamp::of(UtcDateTime::MAX));
        self.table.set_deadline(slot, due);
        self.table.classify(slot, class, used);
        self.fold(slot)
    }

    pub(super) fn class_of(&self, slot: u32, now: Timestamp) -> EvictionClass {
        let Some(found) = self.table.get(slot) else { return EvictionClass::Pinned };
        // An entry is not evicted for a newcomer while lookups wait for its first policy, or for
        // one that replaces an expired one. An answer that only waits to be saved does not protect
        // its entry.
        let is_awaited = self.waiting.get(&slot).is_some_and(Waiters::is_asked_for);
        let is_begun = is_awaited && found.entry.state.live(now).is_none();
        if self.overrides.contains_key(&slot) {
            return EvictionClass::Pinned;
        }
        let class = class_of(&found.entry.state, self.judged_at(now));
        if is_begun { class.max(EvictionClass::Awaited) } else { class }
    }
}

/// Returns the class of an entry without an override. Pending lookups and saves do not raise it.
pub(super) fn class_of(state: &State, now: Timestamp) -> EvictionClass {
    let Some(held) = state.held() else { return EvictionClass::Negative };
    if held.source == Source::Static {
        return EvictionClass::Pinned;
    }
    let is_regular = state.used_on_two_days && !is_large(held.policy);
    match (state.live(now).map(|held| held.mode), is_regular) {
        (None, _) => EvictionClass::Expired,
        (Some(Mode::None), _) => EvictionClass::ModeNone,
        (Some(Mode::Testing), false) => EvictionClass::TestingUnproven,
        (Some(Mode::Enforce), false) => EvictionClass::EnforceUnproven,
        (Some(Mode::Testing), true) => EvictionClass::Testing,
        (Some(Mode::Enforce), true) => EvictionClass::Enforce,
    }
}

/// Returns whether a state is stored. One without a policy of the domain protects nothing, and
/// storing it would let strangers fill the disk.
pub(super) fn is_stored(state: &State) -> bool {
    state.fetched().is_some()
}

/// Returns whether a few policies of this size would fill the cache. Real policies have some
/// hundred bytes.
fn is_large(policy: &Policy) -> bool {
    policy.as_text().len() > rule::LARGE
}

/// Returns the size of an entry in a slot, if its name has this length.
pub(super) fn weight(len: usize, entry: &Entry) -> Weight {
    let trouble = entry.state.failures.as_ref().map_or(0, |trouble| trouble.bytes());
    Weight::from_bytes(slot_bytes(len).saturating_add(trouble))
}
