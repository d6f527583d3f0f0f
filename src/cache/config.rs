//! The settings of a cache.

use core::time::Duration;

use foldhash::{SharedSeed, fast::FoldHasher};

use super::{
    clock::{Span, Timestamp},
    rule,
};
use crate::domain::Domain;

/// The settings of a cache, or of a single [`Entry`](super::Entry).
///
/// There is no `Default`, because the seed must be chosen. All durations count in whole seconds; a
/// part of a second counts as one.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::cache::Config;
///
/// // In a mail server, the seed comes from the operating system.
/// let config = Config::new(0x9e37_79b9).with_max_entries(50_000).with_persistence(true);
/// assert_eq!(config.txt_timeout(), Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    seed: u64,
    max_entries: usize,
    max_bytes: usize,
    persistence: bool,
    txt_timeout: Span,
    fetch_timeout: Span,
    persist_timeout: Span,
    refresh: Span,
    idle: Span,
}

/// Converts a time-out, and keeps it within the shortest and the longest allowed.
fn time_out(span: Duration) -> Span {
    let (least, most) = rule::TIME_OUT;
    Span::of(span).clamp(least, most)
}

impl Config {
    /// Creates the default settings. The seed makes the jitter of refreshes and the hash of the
    /// cache unpredictable: take it from the operating system's random numbers. With the same seed
    /// and the same inputs, a cache behaves the same.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            max_entries: 1_000_000,
            max_bytes: 256 << 20,
            persistence: false,
            txt_timeout: Span::seconds(10),
            fetch_timeout: Span::seconds(60),
            persist_timeout: Span::seconds(10),
            refresh: Span::seconds(86_400),
            idle: Span::seconds(180 * 86_400),
        }
    }

    /// Sets the maximum number of domains, including those without a policy. Default: 1,000,000.
    ///
    /// When the cache is full, a new domain evicts another, in this order: domains with an expired
    /// policy; without a policy; with mode `none`; with `testing`, then `enforce`, looked up on one
    /// day only or of more than 4 KiB; other `testing`; other `enforce`. Within each group, the
    /// least recently looked up goes first (to the hour). Pending lookups and saves do not change
    /// this order. Domains that the operator has pinned or listed are not evicted, and those whose
    /// first answer is pending are not evicted for a new one.
    ///
    /// A policy in regular use, last looked up within 30 days, is not evicted for a domain that is
    /// looked up for the first time, so that no flood of names can empty the cache. The new domain
    /// is then not kept, or is answered [`NoPolicy::Overloaded`](crate::NoPolicy::Overloaded). With
    /// a maximum of 0, every lookup is answered so.
    ///
    /// After the clock was set ahead by more than a day, it may be wrong: for a day, policies that
    /// expired by that step count as if they applied. The same holds if there is a gap of more than
    /// a day between the queries and fetches that restored snapshots know of, or between them and
    /// the restart: after a long stop, a cache that is full of policies in regular use answers new
    /// domains `Overloaded` for that day.
    #[must_use]
    pub const fn with_max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Sets the maximum size of the cache in bytes, as
    /// [`Cache::memory_usage`](super::Cache::memory_usage) counts it. Default: 256 MiB. If it is
    /// too small for one domain, every lookup is answered
    /// [`NoPolicy::Overloaded`](crate::NoPolicy::Overloaded). Policies that the operator has
    /// pinned may exceed it.
    ///
    /// When an entry grows, others are evicted in the order of
    /// [`with_max_entries`](Self::with_max_entries). For a new domain, that is itself evicted, and
    /// answered `Overloaded`, before a policy in regular use. For one with such a policy, domains
    /// whose first answer is pending are evicted before other policies in regular use, which stay in
    /// the store.
    ///
    /// In addition, the cache remembers the back-off of up to 4,096 evicted domains, at 0.5 KB
    /// each: 2 MiB. A client does so for each of its caches, of which it has at most 16. Beyond
    /// that number, the domains with the fewest failures are forgotten.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets whether changes are emitted as [`Request::Persist`](super::Request::Persist), and
    /// answers wait until the changes they depend on are durable. Default: false.
    #[must_use]
    pub const fn with_persistence(mut self, on: bool) -> Self {
        self.persistence = on;
        self
    }

    /// Sets the time-out of a TXT query. Default: 10 s. At least 1 s, at most a day.
    #[must_use]
    pub fn with_txt_timeout(mut self, timeout: Duration) -> Self {
        self.txt_timeout = time_out(timeout);
        self
    }

    /// Sets the time-out of a fetch. Default: 60 s, as "a suggested timeout is one minute" ([RFC
    /// 8461 §3.3]). At least 1 s, at most a day.
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    #[must_use]
    pub fn with_fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = time_out(timeout);
        self
    }

    /// Sets the time for which an answer waits until the changes it depends on are durable.
    /// Default: 10 s. At least 1 s, at most a day. After that the answer is emitted anyway, with
    /// [`EventKind::NotPersisted`](super::EventKind::NotPersisted).
    #[must_use]
    pub fn with_persist_timeout(mut self, timeout: Duration) -> Self {
        self.persist_timeout = time_out(timeout);
        self
    }

    /// Sets the interval at which a policy is fetched again in the background. Default: a day, as
    /// "a suggested refresh frequency is once per day" ([RFC 8461 §3.3]). At least an hour.
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    #[must_use]
    pub fn with_refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh = Span::of(interval).max(rule::REFRESH_MIN);
        self
    }

    /// Sets the time after its last lookup for which a policy is still refreshed. Default: 180
    /// days. After that the policy is left to expire.
    #[must_use]
    pub fn with_idle_time(mut self, time: Duration) -> Self {
        self.idle = Span::of(time);
        self
    }

    /// Returns the maximum number of domains.
    #[must_use]
    pub const fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// Returns the maximum size of the cache, in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Returns whether answers wait until the changes they depend on are durable.
    #[must_use]
    pub const fn persistence(&self) -> bool {
        self.persistence
    }

    /// Returns the time-out of a TXT query.
    #[must_use]
    pub fn txt_timeout(&self) -> Duration {
        self.txt_timeout.into()
    }

    /// Returns the time-out of a fetch.
    #[must_use]
    pub fn fetch_timeout(&self) -> Duration {
        self.fetch_timeout.into()
    }

    /// Returns the time for which an answer waits until the changes it depends on are durable.
    #[must_use]
    pub fn persist_timeout(&self) -> Duration {
        self.persist_timeout.into()
    }

    /// Returns the interval at which a policy is fetched again in the background.
    #[must_use]
    pub fn refresh_interval(&self) -> Duration {
        self.refresh.into()
    }

    /// Returns the time after its last lookup for which a policy is still refreshed.
    #[must_use]
    pub fn idle_time(&self) -> Duration {
        self.idle.into()
    }

    pub(super) const fn txt_span(&self) -> Span {
        self.txt_timeout
    }

    pub(super) const fn fetch_span(&self) -> Span {
        self.fetch_timeout
    }

    pub(super) const fn persist_span(&self) -> Span {
        self.persist_timeout
    }

    pub(super) const fn refresh_span(&self) -> Span {
        self.refresh
    }

    pub(super) const fn idle_span(&self) -> Span {
        self.idle
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns a number that is unpredictable without the seed, and depends only on the seed, the
    /// domain and the time: there is no state that a restart could lose.
    pub(super) fn noise(&self, domain: &Domain, now: Timestamp) -> u32 {
        use core::hash::Hasher;

        let mut hasher = FoldHasher::with_seed(self.seed, SharedSeed::global_fixed());
        hasher.write(domain.as_str().as_bytes());
        hasher.write_i64(now.micros());
        (hasher.finish() >> 32) as u32
    }
}
