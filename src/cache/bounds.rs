//! How much is kept, and what goes when that is too much.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::mem::size_of;

use time::UtcDateTime;

use super::{
    Cache,
    answer::{Answer, Source},
    clock::Timestamp,
    config::rule,
    entry::{Entry, Lent, Overdue, State, Trouble},
    event::{Doubt, EventKind, Outcome, Rechecked},
    index::Row,
    order::Class,
    outputs::Queued,
    table::Slot,
    waiting::{Answers, Waiting},
    weight::Weight,
};
use crate::{domain::Domain, mode::Mode, no_policy::NoPolicy, policy::Policy};

/// What the operator says about a domain, whatever it publishes.
#[derive(Debug)]
pub(super) enum Override {
    /// This holds the policy.
    Pin(Box<State>),
    Ignore,
}

impl Override {
    pub(super) fn pin(policy: Arc<Policy>, since: Timestamp) -> Self {
        let mut state = State::NEW;
        state.hold(policy, since, None, Source::Pinned);
        Self::Pin(Box::new(state))
    }

    /// The policy that the operator wants to apply.
    pub(super) fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::Pin(state) => state.held().map(|held| held.policy),
            Self::Ignore => None,
        }
    }

    pub(super) fn answer(&self) -> Answer<Lent<'_>> {
        let ignored = Answer::NoPolicy(NoPolicy::Ignored);
        match self {
            Self::Pin(state) => state.held().map_or(ignored, |held| state.applied(held)),
            Self::Ignore => ignored,
        }
    }
}

/// What an entry takes beside its name: the slot, its row in an index that is half empty at the
/// worst, its deadline, and the allocation of the name.
pub(super) const ENTRY: usize = size_of::<Slot>() + 2 * (size_of::<Row>() + 1) + 12 + 16;

/// The bytes of a record of a fetch that was given up, in a map that is half empty at the worst.
const OVERDUE: usize = 2 * size_of::<(u32, Overdue)>();

impl Cache {
    /// Makes an entry for a domain that is not known, if there is room or something less worth
    /// keeping.
    pub(super) fn admit(&mut self, domain: Domain, now: UtcDateTime) -> Option<u32> {
        let bytes = weight(&domain, &Entry::NEW).bytes();
        while self.is_full(bytes) {
            let victim = self.victim(Some(Timestamp::of(now)))?;
            self.evict(victim);
        }
        let failures = self.failures.take(&domain);
        let slot = self.table.insert(domain, Entry::NEW)?;
        if let (Some((attempts, budget)), Some(found)) = (failures, self.table.get_mut(slot)) {
            found.entry.state.trouble().attempts = attempts;
            found.entry.state.budget = budget;
        }
        self.publish();
        Some(slot)
    }

    /// Keeps within the bound on memory after something has grown: an entry, or nothing in
    /// particular. What the operator wants stays all the same. What has grown, and is not in regular
    /// use itself, goes before what is.
    pub(super) fn make_room(&mut self, grown: Option<u32>) {
        while self.share.bytes(self.bytes()) > self.config.max_bytes()
            && let Some(slot) = self.victim(None)
        {
            let is_senior = |slot| self.table.class(slot).is_some_and(Class::is_senior);
            let junior = grown.filter(|&it| {
                let is_evictable = self.table.class(it).is_some_and(|it| it != Class::Kept);
                self.table.domain(it).is_some() && is_evictable && !is_senior(it)
            });
            self.evict(junior.filter(|_| is_senior(slot)).unwrap_or(slot));
        }
        self.publish();
    }

    /// Whether there is no room for an entry of so many bytes.
    fn is_full(&self, bytes: usize) -> bool {
        let all = self.share.bytes(self.bytes()).saturating_add(bytes);
        self.share.entries(self.len()) >= self.config.max_entries() || all > self.config.max_bytes()
    }

    /// Lets those who share the room know what this cache takes of it.
    pub(super) fn publish(&mut self) {
        let (entries, bytes) = (self.len(), self.bytes());
        self.share.publish(entries, bytes);
    }

    /// Who has to go first. For a newcomer, of whom nothing is known, an established policy does not
    /// have to go at all: whoever floods the cache with new domains must not gain that.
    fn victim(&mut self, newcomer_at: Option<Timestamp>) -> Option<u32> {
        // What had ended may apply again after the clock was set back.
        self.rearm_some(usize::MAX, self.latest.to_utc());
        let slot = Class::EVICTABLE.into_iter().find_map(|class| self.table.oldest(class))?;
        let found = self.table.get(slot)?;
        let used = found.entry.state.used.map_or(Timestamp::MIN, super::clock::Hour::end);
        let stays = newcomer_at.is_some_and(|now| used.plus(rule::RECENT) > self.judged_at(now));
        let is_senior = self.table.class(slot).is_some_and(Class::is_senior);
        (!is_senior || !stays).then_some(slot)
    }

    /// Whether there is room for an entry of this class and size, at worst in the place of one of a
    /// lower class, which goes from memory only.
    pub(super) fn has_room(&mut self, class: Class, bytes: usize) -> bool {
        while self.is_full(bytes) {
            let victim = self.victim(None).filter(|&it| self.table.class(it) < Some(class));
            let Some(slot) = victim else { return false };
            self.tell_eviction(slot);
            self.remove(slot, false);
        }
        true
    }

    fn evict(&mut self, slot: u32) {
        self.tell_eviction(slot);
        self.remove(slot, true);
    }

    fn tell_eviction(&mut self, slot: u32) {
        self.counters.evicted = self.counters.evicted.saturating_add(1);
        self.keep_failures(slot);
        let Some(domain) = self.table.domain(slot).cloned() else { return };
        if let Some(policy) = self.may_apply(slot) {
            self.counters.evicted_live = self.counters.evicted_live.saturating_add(1);
            self.tell(&domain, EventKind::Evicted { policy });
        }
    }

    /// Remembers the failures of an entry that is evicted, so that its back-off continues.
    pub(super) fn keep_failures(&mut self, slot: u32) {
        if let Some((domain, entry)) = self.table.entry(slot) {
            self.failures.keep(domain, &entry.state, self.latest);
        }
    }

    /// The policy of an entry, if it applies, or did before the clock was set ahead lately.
    fn may_apply(&self, slot: u32) -> Option<Arc<Policy>> {
        let held = self.table.get(slot)?.entry.state.live(self.judged_at(self.latest))?;
        (held.mode != Mode::None).then(|| Arc::clone(held.policy))
    }

    /// The time by which it is judged which policies have ended. While the clock may be wrong that is
    /// the one before it was set ahead: a policy that seems to have ended may apply in a moment.
    fn judged_at(&self, now: Timestamp) -> Timestamp {
        self.jump.map_or(now, |(before, _)| before.min(now))
    }

    /// Takes out an entry and all that belongs to it; from what is stored, too, if `durably`. Who
    /// waits for it is answered.
    pub(super) fn remove(&mut self, slot: u32, durably: bool) -> Option<Domain> {
        self.dismiss(slot);
        self.overdue.remove(&slot);
        let (domain, gone) = self.table.remove(slot)?;
        self.bytes = self.bytes.saturating_sub(gone.weight.bytes());
        if let Some(held) = gone.entry.state.held() {
            self.policies.release(held.policy);
        }
        if durably && self.config.persistence() && gone.in_store {
            self.queue.push_back(Queued::Remove(domain.clone()));
        }
        Some(domain)
    }

    /// Answers those who wait for an entry that goes: with what was found out, if it was.
    fn dismiss(&mut self, slot: u32) {
        let Some(mut waiting) = self.waiting.remove(&slot) else { return };
        let mut given = Vec::new();
        if let Some(saving) = waiting.saving.take() {
            self.not_durable(slot, saving.request, "there was no room to keep it");
            given = saving.answers;
        }
        let live = self.table.get(slot).filter(|it| it.entry.state.live(self.latest).is_some());
        let answer = match live {
            Some(_) => self.answer(slot, self.latest.to_utc()).cloned(),
            None => Answer::NoPolicy(NoPolicy::Overloaded),
        };
        given.push(Answers::Lookups(waiting.lookups, answer.clone()));
        let result = Rechecked { outcome: Outcome::Unknown(Doubt::Overloaded), answer };
        given.push(Answers::Rechecks(waiting.rechecks, result));
        self.release(slot, given);
    }

    /// Brings all that is derived from an entry up to date: what it takes, its class, its deadline,
    /// and how long it will be calm.
    pub(super) fn settle(&mut self, slot: u32, now: Timestamp, used: bool) {
        let class = self.class_of(slot, now);
        let saving = self.waiting.get(&slot).and_then(|waiting| waiting.saving.as_ref());
        let (held_answers, saved_by) = (saving.is_some(), saving.map(|it| it.deadline.due()));
        let overridden = self.overrides.contains_key(&slot);
        let overdue = if self.overdue.contains_key(&slot) { OVERDUE } else { 0 };
        let Some((row, found)) = self.table.row_and_slot(slot) else { return };
        let entry = &found.entry;
        let until = entry.calm_until(now);
        if held_answers || overridden || until < now {
            row.disturb();
        } else {
            let live = entry.state.live(now).filter(|held| held.mode != Mode::None);
            row.calm(until, live.map(|held| held.policy));
        }
        // Where the operator has spoken nothing is asked, but what was asked comes to an end.
        let is_idle = overridden && entry.ticket().is_none();
        let timer = if is_idle { None } else { entry.timer(&self.config) };
        let weight = Weight::of(weight(row.domain(), entry).bytes().saturating_add(overdue));
        let before = core::mem::replace(&mut found.weight, weight);
        self.bytes = self.bytes.saturating_sub(before.bytes()).saturating_add(weight.bytes());
        let due = [timer, saved_by].into_iter().flatten().min();
        // The end of time is no deadline.
        let due = due.filter(|&due| due < Timestamp::of(UtcDateTime::MAX));
        self.table.set_deadline(slot, due);
        self.table.classify(slot, class, used);
    }

    fn class_of(&self, slot: u32, now: Timestamp) -> Class {
        let Some(found) = self.table.get(slot) else { return Class::Kept };
        // Who waits for a first policy, or for one in the place of one that has ended, is not given up
        // for a newcomer. An answer that is only to be saved has been found, and shields nothing.
        let is_awaited = self.waiting.get(&slot).is_some_and(Waiting::is_asked_for);
        let is_begun = is_awaited && found.entry.state.live(now).is_none();
        if is_begun || self.overrides.contains_key(&slot) {
            return Class::Kept;
        }
        class_of(&found.entry.state, self.judged_at(now))
    }
}

/// The class of an entry about which the operator has said nothing. That somebody waits for its
/// policy, or that it is being stored, is no worth of its own.
pub(super) fn class_of(state: &State, now: Timestamp) -> Class {
    let Some(held) = state.held() else { return Class::Negative };
    if held.source == Source::Static {
        return Class::Kept;
    }
    let is_regular = state.regular && !is_large(held.policy);
    match (state.live(now).map(|held| held.mode), is_regular) {
        (None, _) => Class::Expired,
        (Some(Mode::None), _) => Class::ModeNone,
        (Some(Mode::Testing), false) => Class::TestingOdd,
        (Some(Mode::Enforce), false) => Class::EnforceOdd,
        (Some(Mode::Testing), true) => Class::Testing,
        (Some(Mode::Enforce), true) => Class::Enforce,
    }
}

/// Whether a store gets a row of this: without a policy of its own there is nothing to protect, and
/// strangers could fill the disk.
pub(super) fn is_stored(state: &State) -> bool {
    state.fetched().is_some()
}

/// Whether few policies of this size would fill the cache: real ones have some hundred bytes.
fn is_large(policy: &Policy) -> bool {
    policy.as_text().len() > rule::LARGE
}

pub(super) fn weight(domain: &Domain, entry: &Entry) -> Weight {
    let trouble = entry.state.trouble.as_ref().map_or(0, |trouble| trouble.bytes());
    Weight::of(ENTRY.saturating_add(domain.as_str().len()).saturating_add(trouble))
}

/// The bytes of a failure beside its message.
const FAILURE: usize = 128;

impl Trouble {
    /// The bytes of it beside its texts, with a failure.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(super) const BYTES: usize = size_of::<Self>() + FAILURE;

    fn bytes(&self) -> usize {
        let text = self.text.as_ref().map_or(0, |text| text.len());
        let failure = self.failure.as_ref();
        let failure = failure.map_or(0, |it| it.message().len().saturating_add(FAILURE));
        size_of::<Self>().saturating_add(text).saturating_add(failure)
    }
}
