//! The operator's changes to the caches of a client, and what is listed of them.

use alloc::{sync::Arc, vec::Vec};

use time::UtcDateTime;

use super::ShardedCache;
use crate::{
    cache::{CacheFull, Counters, EntryView, Explanation, OverrideList, StaticOutcome},
    client::{
        cached_entry::{CachedEntry, EntryCursor, EntryPage},
        clock::Moment,
        outputs::Outputs,
    },
    domain::Domain,
    policy::Policy,
};

/// The maximum number of slots that are looked at for one part of the entries.
const PAGE: u32 = 1000;

impl ShardedCache {
    /// Pins a policy, or disables MTA-STS.
    pub(crate) fn set_override(
        &self,
        domain: &Domain,
        policy: Option<Arc<Policy>>,
        now: Moment,
    ) -> (Result<(), CacheFull>, Outputs) {
        self.with(self.shard_of(domain), now, |_, inside| match policy {
            Some(policy) => inside.cache.pin_policy(domain, policy, now.date),
            None => inside.cache.disable(domain, now.date),
        })
    }

    pub(crate) fn clear_override(&self, domain: &Domain, now: Moment) -> (bool, Outputs) {
        self.with(self.shard_of(domain), now, |_, inside| {
            inside.cache.clear_override(domain, now.date)
        })
    }

    pub(crate) fn set_static_policy(
        &self,
        domain: &Domain,
        policy: Policy,
        now: Moment,
    ) -> (Result<StaticOutcome, CacheFull>, Outputs) {
        self.with(self.shard_of(domain), now, |_, inside| {
            inside.cache.set_static_policy(domain, policy, now.date)
        })
    }

    pub(crate) fn remove(&self, domain: &Domain, now: Moment) -> (bool, Outputs) {
        self.with(self.shard_of(domain), now, |_, inside| inside.cache.remove(domain, now.date))
    }

    pub(crate) fn overrides(&self) -> OverrideList {
        let lists = self.shards().filter_map(|place| {
            self.shard(place).read_unless_lost(self.process(), |inside| {
                let overrides = inside.cache.overrides();
                overrides.map(|(domain, policy)| (domain.clone(), policy.cloned())).collect()
            })
        });
        lists
            .flat_map(Vec::into_iter)
            .fold(OverrideList::new(), |list, (domain, policy)| list.with(domain, policy))
    }

    /// Looks at the entry of a domain, if it is in a cache.
    pub(crate) fn view<T>(
        &self,
        domain: &Domain,
        look: impl FnOnce(EntryView<'_>) -> T,
    ) -> Option<T> {
        let shard = self.shard(self.shard_of(domain));
        shard.read_unless_lost(self.process(), |inside| inside.cache.entry(domain).map(look))?
    }

    /// Explains the answer for a domain. One that cannot be read, in a forked child, is not known.
    pub(crate) fn explain(&self, domain: &Domain, now: UtcDateTime) -> Explanation {
        let shard = self.shard(self.shard_of(domain));
        shard
            .read_unless_lost(self.process(), |inside| inside.cache.explain(domain, now))
            .unwrap_or_else(|| Explanation::unknown(domain, now))
    }

    /// Returns a part of the entries. The filter is not called under the lock: it may call the client.
    pub(crate) fn page(
        &self,
        from: Option<EntryCursor>,
        mut filter: impl FnMut(&CachedEntry) -> bool,
        now: UtcDateTime,
    ) -> EntryPage {
        let EntryCursor { shard, place } = from.unwrap_or(EntryCursor { shard: 0, place: 0 });
        let end = place.saturating_add(PAGE);
        let looked = self.shard(shard).read_unless_lost(self.process(), |inside| {
            let views = (place..end.min(inside.cache.places()))
                .filter_map(|place| inside.cache.entry_at(place));
            let entries: Vec<_> = views.map(|view| CachedEntry::new(&view, now)).collect();
            (entries, end < inside.cache.places())
        });
        let Some((mut entries, is_more)) = looked else { return EntryPage::default() };
        entries.retain(|entry| filter(entry));
        let next = match shard < self.others.len() {
            _ if is_more => Some(EntryCursor { shard, place: end }),
            true => Some(EntryCursor { shard: shard.saturating_add(1), place: 0 }),
            false => None,
        };
        EntryPage { entries, next }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.sum(Counters::default(), |sum, inside| sum.plus(inside.cache.counters()))
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.sum(0usize, |sum, inside| sum.saturating_add(inside.cache.memory_usage()))
    }
}
