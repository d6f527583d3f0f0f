//! Looking into a cache.

use alloc::sync::Arc;

use time::UtcDateTime;

use super::{
    Cache,
    answer::Answer,
    entry::{Lent, State},
};
use crate::{domain::Domain, failure::Failure, policy::Policy, record::PolicyId};

/// What a cache has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Lookups answered with what was known. Those of [`Cache::get`] are not counted.
    pub cached: u64,
    /// Lookups that had to wait.
    pub waited: u64,
    /// Lookups and rechecks for which there was no room.
    pub overloaded: u64,
    /// TXT queries given out.
    pub txt_queries: u64,
    /// Fetches given out.
    pub fetches: u64,
    /// Answers to requests that were over, and changed nothing.
    pub late: u64,
    /// Entries that had to go for lack of room.
    pub evicted: u64,
    /// Of those, the ones with a policy that applied.
    pub evicted_live: u64,
}

/// What a cache knows about one domain.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    cache: &'a Cache,
    slot: u32,
    domain: &'a Domain,
    state: &'a State,
}

impl Cache {
    /// Everything it knows, in no order that means anything.
    ///
    /// ```
    /// use mta_sts::{Domain, Mode, Policy, cache::{Cache, Config}};
    /// use time::macros::utc_datetime;
    ///
    /// let now = utc_datetime!(2026-01-01 0:00);
    /// let mut cache = Cache::new(Config::new(1));
    /// let policy = Policy::parse(b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 9\n")?;
    /// cache.pin(&Domain::parse("example.com")?, policy, now)?;
    ///
    /// let enforced = cache.iter().filter(|view| {
    ///     view.answer(now).policy().is_some_and(|policy| policy.mode() == Mode::Enforce)
    /// });
    /// assert_eq!(enforced.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = View<'_>> {
        self.table.iter().map(|(slot, domain, entry)| View {
            cache: self,
            slot,
            domain,
            state: &entry.state,
        })
    }

    /// What it knows about one domain.
    #[must_use]
    pub fn view(&self, domain: &Domain) -> Option<View<'_>> {
        let slot = self.table.find(domain)?;
        let (domain, entry) = self.table.entry(slot)?;
        Some(View { cache: self, slot, domain, state: &entry.state })
    }
}

impl<'a> View<'a> {
    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &'a Domain {
        self.domain
    }

    /// What applies, as far as is known; what a lookup would have to find out first is answered with
    /// what was known last.
    #[must_use]
    pub fn answer(&self, now: UtcDateTime) -> Answer<Lent<'a>> {
        self.cache.answer(self.slot, now)
    }

    /// The policy that was fetched last or comes from the operator's list, whether it still applies
    /// or not.
    #[must_use]
    pub fn policy(&self) -> Option<&'a Arc<Policy>> {
        self.state.held().map(|held| held.policy)
    }

    /// The id of that policy.
    #[must_use]
    pub fn id(&self) -> Option<PolicyId> {
        self.state.held().and_then(|held| held.id)
    }

    /// When that policy was fetched.
    #[must_use]
    pub fn fetched_at(&self) -> Option<UtcDateTime> {
        self.state.fetched().map(|held| held.fetched_at.to_utc())
    }

    /// The last moment at which that policy applies.
    #[must_use]
    pub fn ends_at(&self) -> Option<UtcDateTime> {
        self.state.fetched().map(|held| held.ends_at().to_utc())
    }

    /// The beginning of the hour in which the domain was last looked up.
    #[must_use]
    pub fn last_used(&self) -> Option<UtcDateTime> {
        self.state.used.map(|hour| hour.start().to_utc())
    }

    /// How fetching failed, if it has failed since the policy was last fetched.
    #[must_use]
    pub fn failure(&self) -> Option<&'a Failure> {
        self.state.trouble.as_ref().and_then(|trouble| trouble.failure.as_deref())
    }

    /// Returns how many attempts in a row to look up the record, or to fetch the policy, have failed.
    #[must_use]
    pub fn failures_in_a_row(&self) -> u32 {
        self.state
            .trouble
            .as_ref()
            .map_or(0, |trouble| trouble.dns_failures.max(trouble.attempts.most_failures()))
    }

    /// Whether a request is out for it.
    #[must_use]
    pub fn is_being_discovered(&self) -> bool {
        self.cache.table.get(self.slot).is_some_and(|slot| slot.entry.ticket().is_some())
    }

    /// Whether the operator has pinned a policy for it, or has it ignored.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.cache.overrides.contains_key(&self.slot)
    }
}
