//! The counters of a cache.

/// The counters of a cache since its creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Lookups answered from the cache. Calls of [`Cache::get`](super::Cache::get) are not counted.
    pub cached: u64,
    /// Lookups that had to wait for an answer.
    pub waited: u64,
    /// Lookups and rechecks for which there was no room.
    pub overloaded: u64,
    /// TXT queries requested.
    pub txt_queries: u64,
    /// Fetches requested.
    pub fetches: u64,
    /// Answers that came after their request had ended, and changed nothing.
    pub late: u64,
    /// Entries evicted for lack of room.
    pub evicted: u64,
    /// Evicted entries with a policy that still applied, or expired only by a clock that may be wrong,
    /// and was not of mode `none`.
    pub evicted_live: u64,
}

#[cfg(any(feature = "blocking", feature = "tokio"))]
impl Counters {
    /// Returns the sums with the counters of another cache.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            cached: self.cached.saturating_add(other.cached),
            waited: self.waited.saturating_add(other.waited),
            overloaded: self.overloaded.saturating_add(other.overloaded),
            txt_queries: self.txt_queries.saturating_add(other.txt_queries),
            fetches: self.fetches.saturating_add(other.fetches),
            late: self.late.saturating_add(other.late),
            evicted: self.evicted.saturating_add(other.evicted),
            evicted_live: self.evicted_live.saturating_add(other.evicted_live),
        }
    }
}
