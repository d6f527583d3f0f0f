//! Views of the entries of a cache.

use alloc::{borrow::Cow, sync::Arc};

use time::UtcDateTime;

use super::{
    Cache,
    answer::Answer,
    entry::{AppliedPolicyRef, Entry},
    place::{Form, Place},
};
use crate::{domain::Domain, failure::Failure, policy::Policy, record::PolicyId};

/// A view of the entry of one domain.
#[derive(Clone, Debug)]
pub struct EntryView<'a> {
    cache: &'a Cache,
    place: Place,
    domain: Domain,
    entry: Cow<'a, Entry>,
}

impl Cache {
    /// Returns a view of each domain in the cache, in no particular order.
    ///
    /// ```
    /// use mta_sts::{Domain, Mode, Policy, cache::{Cache, Config}, time::UtcDateTime};
    ///
    /// let now = UtcDateTime::now();
    /// let mut cache = Cache::new(Config::new(1));
    /// let policy = Policy::parse(b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 9\n")?;
    /// cache.pin_policy(&Domain::parse("example.com")?, policy, now)?;
    ///
    /// let enforced = cache.entries().filter(|view| {
    ///     view.answer(now).policy().is_some_and(|policy| policy.mode() == Mode::Enforce)
    /// });
    /// assert_eq!(enforced.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn entries(&self) -> impl Iterator<Item = EntryView<'_>> {
        self.table.iter().filter_map(|place| self.view(place))
    }

    /// Returns a number above those of all entries.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn places(&self) -> u32 {
        self.table.places()
    }

    /// Returns a view of the entry with this number, if there is one.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn entry_at(&self, number: u32) -> Option<EntryView<'_>> {
        self.view(Place::of_number(number))
    }

    /// Returns a view of one domain, if it is in the cache.
    #[must_use]
    pub fn entry(&self, domain: &Domain) -> Option<EntryView<'_>> {
        self.view(self.table.find(domain)?)
    }

    fn view(&self, place: Place) -> Option<EntryView<'_>> {
        let (domain, entry) = self.table.view(place)?;
        Some(EntryView { cache: self, place, domain, entry })
    }
}

impl<'a> EntryView<'a> {
    /// Returns the domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Returns the answer as last known, even if a lookup would have to wait for discovery. It is
    /// [`NoPolicy::Overloaded`](crate::NoPolicy::Overloaded) during the first discovery of a
    /// domain.
    #[must_use]
    pub fn answer(&self, now: UtcDateTime) -> Answer<AppliedPolicyRef<'a>> {
        self.cache.answer(self.place, now)
    }

    /// Returns the policy that was last fetched or that comes from the operator's list, whether it
    /// still applies or not.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.entry.state.held().map(|held| held.policy)
    }

    /// Returns the id of that policy.
    #[must_use]
    pub fn id(&self) -> Option<PolicyId> {
        self.entry.state.held().and_then(|held| held.id)
    }

    /// Returns the time at which that policy was fetched.
    #[must_use]
    pub fn fetched_at(&self) -> Option<UtcDateTime> {
        self.entry.state.fetched().map(|held| held.fetched_at.to_utc())
    }

    /// Returns the last moment at which that policy applies.
    #[must_use]
    pub fn ends_at(&self) -> Option<UtcDateTime> {
        self.entry.state.fetched().map(|held| held.ends_at().to_utc())
    }

    /// Returns the beginning of the hour in which the domain was last looked up or rechecked.
    #[must_use]
    pub fn last_used(&self) -> Option<UtcDateTime> {
        self.entry.state.last_lookup.map(|hour| hour.start().to_utc())
    }

    /// Returns the failure of the last fetch, if fetching has failed since the policy was last
    /// fetched. That of a domain without a record and a policy is forgotten once it holds back no
    /// fetch.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.entry.state.failures.as_ref().and_then(|trouble| trouble.last_failure.as_deref())
    }

    /// Returns the number of consecutive failed attempts to look up the record, or to fetch the
    /// policy.
    #[must_use]
    pub fn failures_in_a_row(&self) -> u32 {
        self.entry
            .state
            .failures
            .as_ref()
            .map_or(0, |trouble| trouble.dns_failures.max(trouble.attempts.most_failures()))
    }

    /// Returns whether a request is in flight for the domain.
    #[must_use]
    pub fn is_discovering(&self) -> bool {
        self.entry.request_id().is_some()
    }

    /// Returns whether the operator has pinned a policy or disabled MTA-STS for the domain.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        let Form::Slot(slot) = self.place.form() else { return false };
        self.cache.overrides.contains_key(&slot)
    }
}
