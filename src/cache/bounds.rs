//! How much is kept, and what goes when that is too much.

use alloc::{boxed::Box, sync::Arc};
use core::mem::size_of;

use time::UtcDateTime;

use super::{
    Cache,
    answer::{Answer, Source},
    clock::Timestamp,
    config::rule,
    entry::{Entry, Lent, State, Trouble},
    event::EventKind,
    index::Row,
    order::Class,
    outputs::Queued,
    table::Slot,
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
const ENTRY: usize = size_of::<Slot>() + 2 * (size_of::<Row>() + 1) + 12 + 16;

impl Cache {
    /// Makes an entry for a domain that is not known, if there is room or something less worth
    /// keeping.
    pub(super) fn admit(&mut self, domain: Domain, now: UtcDateTime) -> Option<u32> {
        let bytes = weight(&domain, &Entry::NEW).bytes();
        while self.len() >= self.config.max_entries()
            || self.bytes().saturating_add(bytes) > self.config.max_bytes()
        {
            self.evict(self.victim(Some(Timestamp::of(now)))?);
        }
        self.table.insert(domain, Entry::NEW)
    }

    /// Keeps within the bound on memory after something has grown. What someone waits for, and what
    /// the operator wants, stays all the same.
    pub(super) fn make_room(&mut self) {
        while self.bytes() > self.config.max_bytes()
            && let Some(slot) = self.victim(None)
        {
            self.evict(slot);
        }
    }

    /// Who has to go first. For a newcomer, of whom nothing is known, an established policy does not
    /// have to go at all: whoever floods the cache with new domains must not gain that.
    fn victim(&self, newcomer_at: Option<Timestamp>) -> Option<u32> {
        let slot = Class::EVICTABLE.into_iter().find_map(|class| self.table.oldest(class))?;
        let found = self.table.get(slot)?;
        let used = found.entry.state.used.map_or(Timestamp::MIN, super::clock::Hour::end);
        let stays = newcomer_at.is_some_and(|now| used.plus(rule::RECENT) > now);
        (self.table.class(slot) != Some(Class::Enforce) || !stays).then_some(slot)
    }

    fn evict(&mut self, slot: u32) {
        self.counters.evicted = self.counters.evicted.saturating_add(1);
        let live = self.live_at_latest(slot);
        let Some(domain) = self.remove(slot) else { return };
        if let Some(policy) = live {
            self.counters.evicted_live = self.counters.evicted_live.saturating_add(1);
            self.tell(&domain, EventKind::Evicted { policy });
        }
    }

    fn live_at_latest(&self, slot: u32) -> Option<Arc<Policy>> {
        let held = self.table.get(slot)?.entry.state.live(self.latest)?;
        (held.mode != Mode::None).then(|| Arc::clone(held.policy))
    }

    /// Takes out an entry and all that belongs to it.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Domain> {
        let (domain, Entry { state, .. }, weight) = self.table.remove(slot)?;
        self.bytes = self.bytes.saturating_sub(weight.bytes());
        if let Some(held) = state.held() {
            self.policies.release(held.policy);
        }
        if self.config.persistence() && (state.held().is_some() || state.trouble.is_some()) {
            self.queue.push_back(Queued::Remove(domain.clone()));
        }
        Some(domain)
    }

    /// Brings all that is derived from an entry up to date: what it takes, its class, its deadline,
    /// and how long it will be calm.
    pub(super) fn settle(&mut self, slot: u32, now: Timestamp, used: bool) {
        let class = self.class_of(slot, now);
        let saving = self.waiting.get(&slot).and_then(|waiting| waiting.saving.as_ref());
        let (held_answers, saved_by) = (saving.is_some(), saving.map(|it| it.deadline.due()));
        let overridden = self.overrides.contains_key(&slot);
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
        let weight = weight(row.domain(), entry);
        let before = core::mem::replace(&mut found.weight, weight);
        self.bytes = self.bytes.saturating_sub(before.bytes()).saturating_add(weight.bytes());
        self.table.set_deadline(slot, [timer, saved_by].into_iter().flatten().min());
        self.table.classify(slot, class, used);
    }

    fn class_of(&self, slot: u32, now: Timestamp) -> Class {
        let Some(found) = self.table.get(slot) else { return Class::Kept };
        let kept = self.waiting.contains_key(&slot) || self.overrides.contains_key(&slot);
        let state = &found.entry.state;
        let Some(held) = state.held().filter(|_| !kept) else {
            return if kept { Class::Kept } else { Class::Negative };
        };
        if held.source == Source::Static {
            return Class::Kept;
        }
        match (state.live(now).map(|held| held.mode), state.regular) {
            (None, _) => Class::Expired,
            (Some(Mode::None), _) => Class::ModeNone,
            (Some(Mode::Testing), _) => Class::Testing,
            (Some(Mode::Enforce), true) if !is_large(held.policy) => Class::Enforce,
            (Some(Mode::Enforce), _) => Class::EnforceOdd,
        }
    }
}

/// Whether few policies of this size would fill the cache: real ones have some hundred bytes.
fn is_large(policy: &Policy) -> bool {
    policy.as_text().len() > rule::LARGE
}

fn weight(domain: &Domain, entry: &Entry) -> Weight {
    let trouble = entry.state.trouble.as_ref().map_or(0, |trouble| trouble.bytes());
    Weight::of(ENTRY.saturating_add(domain.as_str().len()).saturating_add(trouble))
}

impl Trouble {
    fn bytes(&self) -> usize {
        let text = self.text.as_ref().map_or(0, |text| text.len());
        let failure = self.failure.as_ref().map_or(0, |it| it.message().len().saturating_add(128));
        size_of::<Self>().saturating_add(text).saturating_add(failure)
    }
}
