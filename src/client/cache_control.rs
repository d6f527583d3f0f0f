//! The operator's access to the cache of a running client.

use alloc::sync::Arc;
use core::fmt;

use super::{
    cached_entry::{CachedEntry, EntryCursor, EntryPage},
    clock::Moment,
    hub::ShardedCache,
    outputs::Outputs,
};
use crate::{
    cache::{CacheFull, Counters, Explanation, OverrideList, StaticOutcome},
    domain::Domain,
    policy::Policy,
};

/// A running client, to the control of its cache.
pub(crate) trait RunningClient {
    fn hub(&self) -> &ShardedCache;
    fn now(&self) -> Moment;
    /// Returns whether this is a forked child, in which locks of the parent may stay locked.
    fn is_forked(&self) -> bool;
    /// Carries out what a change has led to.
    fn carry_out(&self, outputs: Outputs);
}

/// The operator's access to the cache of a running client. Returned by the method `cache` of the
/// client. Every change takes effect at once, for pending lookups too, and the store is kept in step,
/// until the client is shut down.
///
/// In a forked child nothing is changed: what can fail returns [`CacheFull`], and the rest `false`.
///
/// ```no_run
/// # #[cfg(feature = "blocking")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use mta_sts::{Domain, blocking::Client, cache::OverrideList};
///
/// let client = Client::builder().build()?;
/// // An operator's exceptions, read again whenever the file has changed.
/// let list: OverrideList = std::fs::read_to_string("/etc/mta/mta-sts-overrides")?.parse()?;
/// client.cache().set_overrides(&list)?;
///
/// let page = client.cache().entries(None, |entry| entry.failures_in_a_row > 0);
/// for entry in page.entries {
///     println!("{}: {} failures", entry.domain, entry.failures_in_a_row);
/// }
/// println!("{}", client.explain(&Domain::parse("example.com")?));
/// client.cache().remove(&Domain::parse("example.com")?);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "blocking"))]
/// # fn main() {}
/// ```
#[derive(Clone, Copy)]
pub struct CacheControl<'a>(&'a dyn RunningClient);

impl<'a> CacheControl<'a> {
    pub(crate) fn new(client: &'a dyn RunningClient) -> Self {
        Self(client)
    }

    /// Applies this policy to the domain, whatever the domain publishes: see
    /// [`Cache::pin_policy`](crate::cache::Cache::pin_policy).
    ///
    /// # Errors
    ///
    /// Returns an error if the cache is full and no entry can be evicted.
    pub fn pin_policy(
        self,
        domain: &Domain,
        policy: impl Into<Arc<Policy>>,
    ) -> Result<(), CacheFull> {
        self.set_override(domain, Some(policy.into()))
    }

    /// Disables MTA-STS for the domain, until [`clear_override`](Self::clear_override).
    ///
    /// # Errors
    ///
    /// Returns an error if the cache is full and no entry can be evicted.
    pub fn disable(self, domain: &Domain) -> Result<(), CacheFull> {
        self.set_override(domain, None)
    }

    /// Removes the override of a domain, so that its own policy applies again. Returns whether there
    /// was one.
    #[must_use = "without an override, nothing has changed"]
    pub fn clear_override(self, domain: &Domain) -> bool {
        self.change(false, |hub, now| hub.clear_override(domain, now))
    }

    /// Sets all overrides: those of a list, and no others. Lookups meanwhile see a part of the change.
    ///
    /// # Errors
    ///
    /// Returns an error if the cache is full and no entry can be evicted. The overrides are then those
    /// of before.
    pub fn set_overrides(self, list: &OverrideList) -> Result<(), CacheFull> {
        let before = self.overrides();
        for (domain, policy) in list.iter() {
            if before.get(domain) == Some(policy) {
                continue;
            }
            if let Err(full) = self.set_override(domain, policy.cloned()) {
                self.undo(list, &before);
                return Err(full);
            }
        }
        for (domain, _) in before.iter().filter(|(domain, _)| list.get(domain).is_none()) {
            let _ = self.clear_override(domain);
        }
        Ok(())
    }

    /// Sets the overrides of a list back to what they were. It needs no room: the domains that had one
    /// are still in the cache.
    fn undo(self, list: &OverrideList, before: &OverrideList) {
        for (domain, _) in list.iter() {
            let _ = match before.get(domain) {
                Some(policy) => self.set_override(domain, policy.cloned()).is_ok(),
                None => self.clear_override(domain),
            };
        }
    }

    /// Returns the overrides.
    #[must_use]
    pub fn overrides(self) -> OverrideList {
        self.0.hub().overrides()
    }

    /// Sets a policy that applies until the domain's own policy is found: see
    /// [`Cache::set_static_policy`](crate::cache::Cache::set_static_policy).
    ///
    /// # Errors
    ///
    /// Returns an error if the cache is full and no entry can be evicted.
    pub fn set_static_policy(
        self,
        domain: &Domain,
        policy: Policy,
    ) -> Result<StaticOutcome, CacheFull> {
        self.change(Err(CacheFull::new()), |hub, now| hub.set_static_policy(domain, policy, now))
    }

    /// Removes a domain from the cache and from the store, including a policy that applies. Returns
    /// whether anything was cached.
    #[expect(clippy::must_use_candidate, reason = "it is called to remove the domain")]
    pub fn remove(self, domain: &Domain) -> bool {
        self.change(false, |hub, now| hub.remove(domain, now))
    }

    /// Returns the entry of a domain, if it is in the cache.
    #[must_use]
    pub fn entry(self, domain: &Domain) -> Option<CachedEntry> {
        let now = self.0.now().date;
        self.0.hub().view(domain, |view| CachedEntry::new(&view, now))
    }

    /// Explains the answer for a domain, also for one that is not in the cache: see
    /// [`Cache::explain`](crate::cache::Cache::explain). It starts no requests.
    ///
    /// In a forked child, a domain counts as not in the cache if a thread of the parent changed the
    /// cache during the fork.
    #[must_use]
    pub fn explain(self, domain: &Domain) -> Explanation {
        self.0.hub().explain(domain, self.0.now().date)
    }

    /// Returns a part of the entries that a filter selects, from a cursor on, in no particular order.
    ///
    /// At most 1,000 entries are looked at, so that no lookup waits for long. Call it again with
    /// [`EntryPage::next`] until that is `None`; a part may be empty. An entry that is added, removed or
    /// looked up meanwhile may be listed or not, or twice. The filter may call the client.
    pub fn entries(
        self,
        from: Option<EntryCursor>,
        filter: impl FnMut(&CachedEntry) -> bool,
    ) -> EntryPage {
        self.0.hub().page(from, filter, self.0.now().date)
    }

    /// Returns the counters of the cache since the start of the client.
    #[must_use]
    pub fn counters(self) -> Counters {
        self.0.hub().counters()
    }

    /// Returns the size of the cache in bytes: see
    /// [`Cache::memory_usage`](crate::cache::Cache::memory_usage).
    #[must_use]
    pub fn memory_usage(self) -> usize {
        self.0.hub().memory_usage()
    }

    /// Returns the number of domains in the cache, including those without a policy.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.hub().len()
    }

    /// Returns whether the cache holds no domain.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn set_override(self, domain: &Domain, policy: Option<Arc<Policy>>) -> Result<(), CacheFull> {
        self.change(Err(CacheFull::new()), |hub, now| hub.set_override(domain, policy, now))
    }

    /// Makes a change, or returns `unchanged` in a forked child.
    fn change<T>(
        self,
        unchanged: T,
        change: impl FnOnce(&ShardedCache, Moment) -> (T, Outputs),
    ) -> T {
        if self.0.is_forked() {
            return unchanged;
        }
        let (result, outputs) = change(self.0.hub(), self.0.now());
        self.0.carry_out(outputs);
        result
    }
}

impl fmt::Debug for CacheControl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheControl").field("len", &self.len()).finish_non_exhaustive()
    }
}
