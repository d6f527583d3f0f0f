//! What an operator may want.

use alloc::sync::Arc;

use thiserror::Error;
use time::UtcDateTime;

use super::{
    Cache,
    answer::Source,
    bounds::Override,
    clock::Timestamp,
    entry::Change,
    event::{Outcome, Rechecked},
    outputs::Queued,
    waiting::Answers,
};
use crate::{domain::Domain, policy::Policy};

/// There is no room for the domain, and nothing that could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the cache is full of what must stay")]
pub struct CacheFull(());

/// What became of a policy of the operator's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StaticOutcome {
    /// It applies.
    Loaded,
    /// The domain's own policy applies, and goes on to.
    HasOwnPolicy,
}

/// Levers for the operator.
impl Cache {
    /// Applies this policy to the domain whatever it publishes, until
    /// [`clear_override`](Self::clear_override). Nobody is asked for the domain's own meanwhile; what
    /// is known of it stays. Pins are not in snapshots: set them at every start.
    ///
    /// # Errors
    ///
    /// If the cache is full of what must stay.
    pub fn pin(
        &mut self,
        domain: &Domain,
        policy: Policy,
        now: UtcDateTime,
    ) -> Result<(), CacheFull> {
        let slot = self.place(domain, now)?;
        let policy = self.policies.share(Arc::new(policy));
        self.set_override(slot, Override::pin(policy, Timestamp::of(now)), now);
        Ok(())
    }

    /// Behaves as though the domain had no MTA-STS, until [`clear_override`](Self::clear_override).
    ///
    /// # Errors
    ///
    /// If the cache is full of what must stay.
    pub fn ignore(&mut self, domain: &Domain, now: UtcDateTime) -> Result<(), CacheFull> {
        let slot = self.place(domain, now)?;
        self.set_override(slot, Override::Ignore, now);
        Ok(())
    }

    /// Ends [`pin`](Self::pin) or [`ignore`](Self::ignore): what the domain publishes counts again.
    /// Returns whether there was anything to end.
    pub fn clear_override(&mut self, domain: &Domain, now: UtcDateTime) -> bool {
        let Some(slot) = self.table.find(domain) else { return false };
        let Some(found) = self.overrides.remove(&slot) else { return false };
        self.release_override(&found);
        self.settle(slot, Timestamp::of(now), false);
        self.make_room(None);
        true
    }

    /// Gives the domain a policy that applies until the domain's own is found, which is looked for
    /// as always, and replaces it. For lists that an operator loads at every start, after
    /// [`restore`](Self::restore).
    ///
    /// # Errors
    ///
    /// If the cache is full of what must stay.
    pub fn load_static(
        &mut self,
        domain: &Domain,
        policy: Policy,
        now: UtcDateTime,
    ) -> Result<StaticOutcome, CacheFull> {
        let slot = self.place(domain, now)?;
        let moment = Timestamp::of(now);
        let shared = self.policies.share(Arc::new(policy));
        let Some(found) = self.table.get_mut(slot) else { return Err(CacheFull(())) };
        let state = &mut found.entry.state;
        if state.live(moment).is_some_and(|held| held.source == Source::Fetched) {
            self.policies.release(&shared);
            return Ok(StaticOutcome::HasOwnPolicy);
        }
        if let Some(old) = state.hold(shared, moment, None, Source::Static) {
            self.policies.release(&old);
        }
        if let Some(trouble) = &mut state.trouble {
            trouble.told = None;
            trouble.confirm = 0;
        }
        self.settle(slot, Timestamp::of(now), false);
        self.make_room(None);
        Ok(StaticOutcome::Loaded)
    }

    /// Forgets what is known about a domain, a policy that applies included. What the operator has
    /// said about it stays; those who wait for it get their answers. Its row leaves the store, also if
    /// there was no room for it at the last [`restore`](Self::restore). Returns whether anything was
    /// known.
    pub fn forget(&mut self, domain: &Domain, now: UtcDateTime) -> bool {
        let Some(slot) = self.table.find(domain) else {
            if self.config.persistence() {
                self.queue.push_back(Queued::Remove(domain.clone()));
            }
            return false;
        };
        let Some(found) = self.table.get_mut(slot) else { return false };
        let is_static = found.entry.state.held().is_some_and(|it| it.source == Source::Static);
        let is_waited_for = self.waiting.contains_key(&slot);
        let stays = is_static || is_waited_for || self.overrides.contains_key(&slot);
        if !stays && found.entry.ticket().is_none() {
            self.remove(slot, true);
            return true;
        }
        self.overdue.remove(&slot);
        if let Some(released) = found.entry.forget() {
            self.policies.release(&released);
        }
        if self.config.persistence() {
            self.must_persist(slot, Change::State, None, now);
        }
        self.settle(slot, Timestamp::of(now), false);
        true
    }

    fn place(&mut self, domain: &Domain, now: UtcDateTime) -> Result<u32, CacheFull> {
        self.see(now);
        self.table.find(domain).or_else(|| self.admit(domain.clone(), now)).ok_or(CacheFull(()))
    }

    /// What the operator says counts at once, for those who wait, too.
    fn set_override(&mut self, slot: u32, new: Override, now: UtcDateTime) {
        let answer = new.answer().cloned();
        let rechecked = Rechecked { outcome: Outcome::Unchanged, answer: answer.clone() };
        if let Some(old) = self.overrides.insert(slot, new) {
            self.release_override(&old);
        }
        self.give_out(slot, Some(answer.clone()), Some(rechecked.clone()));
        // What the operator says does not wait for a store, and replaces what waits for it.
        let waiting = self.waiting.get_mut(&slot);
        if let Some(mut saving) = waiting.and_then(|waiting| waiting.saving.take()) {
            for answers in &mut saving.answers {
                match answers {
                    Answers::Lookups(_, old) => old.clone_from(&answer),
                    Answers::Rechecks(_, old) => old.clone_from(&rechecked),
                }
            }
            self.release(slot, saving.answers);
        }
        self.settle(slot, Timestamp::of(now), false);
        self.make_room(None);
    }

    fn release_override(&mut self, old: &Override) {
        if let Some(policy) = old.policy() {
            self.policies.release(policy);
        }
    }
}
