//! Overrides, static policies and removal, for the operator.

use alloc::sync::Arc;

use thiserror::Error;
use time::UtcDateTime;

use super::{
    Cache,
    answer::Source,
    clock::Timestamp,
    entry::Durability,
    event::{RecheckOutcome, RecheckResult},
    overrides::Override,
    queue::Queued,
    waiting::PendingAnswers,
};
use crate::{domain::Domain, policy::Policy};

/// The error when the cache is full and no entry can be evicted for the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the cache is full and no entry can be evicted")]
pub struct CacheFull(());

#[cfg(any(feature = "blocking", feature = "tokio"))]
impl CacheFull {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

/// The outcome of [`Cache::set_static_policy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StaticOutcome {
    /// The policy applies.
    Loaded,
    /// The domain's own policy applies, and continues to.
    HasOwnPolicy,
}

/// Overrides, static policies and removal.
impl Cache {
    /// Applies this policy to the domain, whatever the domain publishes, until
    /// [`clear_override`](Self::clear_override).
    ///
    /// The domain's own cached policy is kept, and expires in its time. No discovery starts while
    /// the pin lasts. One that is in flight continues to its end, the fetch included, and its
    /// result is cached. Pins are not part of snapshots: set them at every start.
    ///
    /// # Errors
    ///
    /// Returns an error if the cache is full and no entry can be evicted.
    pub fn pin_policy(
        &mut self,
        domain: &Domain,
        policy: impl Into<Arc<Policy>>,
        now: UtcDateTime,
    ) -> Result<(), CacheFull> {
        let slot = self.find_or_admit(domain, now)?;
        let policy = self.policies.intern(policy.into());
        self.set_override(slot, Override::pin(policy, Timestamp::of(now)), now);
        Ok(())
    }

    /// Disables MTA-STS for the domain, until [`clear_override`](Self::clear_override).
    ///
    /// # Errors
    ///
    /// Returns an error if the cache is full and no entry can be evicted.
    pub fn disable(&mut self, domain: &Domain, now: UtcDateTime) -> Result<(), CacheFull> {
        let slot = self.find_or_admit(domain, now)?;
        self.set_override(slot, Override::Disabled, now);
        Ok(())
    }

    /// Ends the effect of [`pin_policy`](Self::pin_policy) or [`disable`](Self::disable), so that
    /// the policy of the domain applies again. Returns whether there was an override.
    pub fn clear_override(&mut self, domain: &Domain, now: UtcDateTime) -> bool {
        self.note_time(now);
        let Some(slot) = self.table.find_slot(domain) else { return false };
        let Some(found) = self.overrides.remove(&slot) else { return false };
        self.release_override(&found);
        self.update_derived(slot, Timestamp::of(now), false);
        self.make_room(slot);
        true
    }

    /// Returns the overrides: each domain with the policy that is pinned, or `None` if MTA-STS is
    /// disabled.
    pub fn overrides(&self) -> impl Iterator<Item = (Domain, Option<&Arc<Policy>>)> {
        self.overrides
            .iter()
            .filter_map(|(&slot, found)| Some((self.table.domain(slot)?, found.policy())))
    }

    /// Sets a policy that applies until the domain's own policy is found. Discovery runs as usual,
    /// and the domain's own policy replaces this one. It is meant for lists that an operator loads
    /// at every start, after [`restore`](Self::restore).
    ///
    /// # Errors
    ///
    /// Returns an error if the cache is full and no entry can be evicted.
    pub fn set_static_policy(
        &mut self,
        domain: &Domain,
        policy: Policy,
        now: UtcDateTime,
    ) -> Result<StaticOutcome, CacheFull> {
        let slot = self.find_or_admit(domain, now)?;
        let moment = Timestamp::of(now);
        let shared = self.policies.intern(Arc::new(policy));
        let Some(found) = self.table.get_mut(slot) else { return Err(CacheFull(())) };
        found.entry.rearm(moment);
        let state = &mut found.entry.state;
        if state.live(moment).is_some_and(|held| held.source == Source::Fetched) {
            self.policies.release(&shared);
            self.update_derived(slot, moment, false);
            return Ok(StaticOutcome::HasOwnPolicy);
        }
        let may_apply = |ends_at| self.jump.is_some_and(|(before, _)| ends_at > before);
        if state.fetched().is_some_and(|held| may_apply(held.ends_at())) {
            // It has expired by a clock that may be wrong: its row stays.
            found.in_store = false;
        }
        if let Some(old) = state.set_policy(shared, moment, None, Source::Static) {
            self.policies.release(&old);
        }
        if let Some(trouble) = &mut state.failures {
            trouble.last_alert = None;
            trouble.confirming_fetches = 0;
        }
        self.update_derived(slot, moment, false);
        self.make_room(slot);
        Ok(StaticOutcome::Loaded)
    }

    /// Removes a domain, including a policy that applies. An override of the operator stays, and
    /// pending lookups are answered. The row of the domain is removed from the store, even if there
    /// was no room for it at the last [`restore`](Self::restore). Returns whether anything was
    /// cached.
    pub fn remove(&mut self, domain: &Domain, now: UtcDateTime) -> bool {
        self.note_time(now);
        let Some(slot) = self.open(domain) else {
            if self.config.persistence() {
                self.queue.push_back(Queued::Remove(domain.clone()));
            }
            return false;
        };
        let Some(found) = self.table.get_mut(slot) else { return false };
        // There may be a row that the entry does not know of, for which there was no room.
        found.in_store = true;
        let is_static =
            found.entry.state.held().is_some_and(|policy| policy.source == Source::Static);
        let is_waited_for = self.waiting.contains_key(&slot);
        let stays = is_static || is_waited_for || self.overrides.contains_key(&slot);
        if !stays && found.entry.request_id().is_none() {
            self.remove_slot(slot, true);
            self.publish();
            return true;
        }
        self.overdue.remove(&slot);
        if let Some(released) = found.entry.forget() {
            self.policies.release(&released);
        }
        if self.config.persistence() {
            self.must_persist(slot, Durability::State, None, now);
        }
        self.update_derived(slot, Timestamp::of(now), false);
        true
    }

    fn find_or_admit(&mut self, domain: &Domain, now: UtcDateTime) -> Result<u32, CacheFull> {
        self.note_time(now);
        self.open_or_admit(domain, now).ok_or(CacheFull(()))
    }

    /// Sets an override. It applies at once, to pending lookups too.
    fn set_override(&mut self, slot: u32, new: Override, now: UtcDateTime) {
        let answer = new.answer().cloned();
        let rechecked =
            RecheckResult { outcome: RecheckOutcome::Unchanged, answer: answer.clone() };
        if let Some(old) = self.overrides.insert(slot, new) {
            self.release_override(&old);
        }
        self.give_out(slot, Some(answer.clone()), Some(rechecked.clone()));
        // An override does not wait for the store, and replaces the answers that do.
        let waiting = self.waiting.get_mut(&slot);
        if let Some(mut saving) = waiting.and_then(|waiting| waiting.saving.take()) {
            for answers in &mut saving.answers {
                match answers {
                    PendingAnswers::Lookups(_, old) => old.clone_from(&answer),
                    PendingAnswers::Rechecks(_, old) => old.clone_from(&rechecked),
                }
            }
            self.release(slot, saving.answers);
        }
        self.update_derived(slot, Timestamp::of(now), false);
        self.make_room(slot);
    }

    fn release_override(&mut self, old: &Override) {
        if let Some(policy) = old.policy() {
            self.policies.release(policy);
        }
    }
}
