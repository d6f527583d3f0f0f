use core::time::Duration;

use foldhash::{SharedSeed, fast::FoldHasher};

use super::clock::{Span, Timestamp};
use crate::domain::Domain;

/// The settings of a cache, or of a single [`Entry`](super::Entry).
///
/// There is no `Default`, so that nobody forgets the seed. All spans count in whole seconds; a part
/// of one counts as one.
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
    pub(super) refresh: Span,
    pub(super) idle: Span,
}

/// The rules that are not for the operator to change, with their sources.
pub(super) mod rule {
    use super::Span;

    /// The bounds of a record's TTL while a policy is live (A domain's change is seen when the TTL
    /// has passed: RFC 8461 §8.1).
    pub(in super::super) const CHECK: (Span, Span) = (Span::seconds(60), Span::seconds(86_400));
    /// The bounds of the time for which "no record" is believed (RFC 2308 §5 suggests at most three
    /// hours; an hour keeps short the time in which a new policy goes unseen).
    pub(in super::super) const NEGATIVE: (Span, Span) = (Span::seconds(60), Span::seconds(3600));
    /// That time where DNS gives none.
    pub(in super::super) const NEGATIVE_DEFAULT: Span = Span::seconds(300);
    /// The wait after DNS failed: the first, and the longest (RFC 2308 §7: "MUST NOT cache for
    /// longer than five (5) minutes").
    pub(in super::super) const DNS_RETRY: (Span, Span) = (Span::seconds(30), Span::seconds(300));
    /// The wait after a failed fetch: the first, and the longest. "A suggested back-off interval is
    /// five minutes" or more for each id (RFC 8461 §3.3).
    pub(in super::super) const BACK_OFF: (Span, Span) = (Span::seconds(300), Span::seconds(3600));
    /// How often a new id may lead to a fetch: so many times at once, then once in each span, which
    /// is five minutes and the second that is lost by counting in whole ones.
    pub(in super::super) const NEW_IDS: (u32, Span) = (3, Span::seconds(301));
    /// The least time between two fetches of the same id that succeed: no longer than the life, so
    /// that no lookup goes without a policy because of it.
    pub(in super::super) fn least_gap(max_age: Span) -> Span {
        max_age.clamp(Span::seconds(1), Span::seconds(60))
    }
    /// A recheck makes no fetch if one has ended in this time.
    pub(in super::super) const RECHECK: Span = Span::seconds(300);
    /// The least time between two refreshes.
    pub(in super::super) const REFRESH_MIN: Span = Span::seconds(3600);
    /// A shorter life than this is not refreshed by timer, but at lookups past its half.
    pub(in super::super) const SHORT_LIFE: Span = Span::seconds(7200);
    /// A refresh that is late by so much is so because of a restart or a step of the clock.
    pub(in super::super) const OVERDUE: Span = Span::seconds(60);
    /// Over this time such refreshes are spread, or over so many percent of what is left of a life.
    pub(in super::super) const SPREAD: (Span, u32) = (Span::seconds(600), 12);
    /// How many entries a call handles at the most, so that none takes long.
    pub(in super::super) const AT_ONCE: usize = 4096;
    /// A refresh comes earlier by up to so many percent of its interval.
    pub(in super::super) const REFRESH_JITTER: u32 = 25;
    /// A back-off is longer by up to so many percent.
    pub(in super::super) const BACK_OFF_JITTER: u32 = 25;
    /// When to look again for the body that belongs to a new id, if the old one came (RFC 8461
    /// §8.1: record and file are not changed in one instant).
    pub(in super::super) const CONFIRM: [Span; 2] = [Span::seconds(300), Span::seconds(3300)];
    /// The wait before what could not be stored is tried again: the first, and the longest.
    pub(in super::super) const SAVE_RETRY: (Span, Span) = (Span::seconds(1), Span::seconds(60));
    /// After so many time-outs of the store in a row, no lookup waits for it.
    pub(in super::super) const STALLED: u32 = 3;
    /// What could not be sent is tried again after this.
    pub(in super::super) const UNSENT: Span = Span::seconds(60);
    /// A record absent for so long is worth an alert.
    pub(in super::super) const ABSENT: Span = Span::seconds(7 * 86_400);
    /// What was looked up more lately than this makes no room for domains that nobody knows.
    pub(in super::super) const RECENT: Span = Span::seconds(30 * 86_400);
    /// A policy of more bytes than this is not kept as dearly as others: an attacker's could each be
    /// of 64 KiB, and drive out hundreds.
    pub(in super::super) const LARGE: usize = 4096;
    /// A policy that ended before this time protects nothing, even if the clock is wrong by weeks.
    pub(in super::super) const LONG_AGO: Span = Span::seconds(30 * 86_400);
    /// The delay after a restore before the rows of such policies are removed from the store: so many
    /// at once, and then as many after each gap.
    pub(in super::super) const SWEEP_AFTER: Span = Span::seconds(86_400);
    pub(in super::super) const SWEPT_AT_ONCE: usize = 64;
    pub(in super::super) const SWEEP_GAP: Span = Span::seconds(1);
    /// A clock that goes ahead by more than this at once may be wrong, for as long.
    pub(in super::super) const JUMP: Span = Span::seconds(86_400);
    /// A moment that the clock reaches without a DNS query in this time was reached by a step.
    pub(in super::super) const LEAP: Span = Span::seconds(7 * 86_400);
    /// The shortest time-out, and the longest.
    pub(in super::super) const TIME_OUT: (Span, Span) = (Span::seconds(1), Span::seconds(86_400));
    /// A clock set back by more than this makes the cache arm its deadlines anew.
    pub(in super::super) const CLOCK_SLACK: Span = Span::seconds(60);
}

/// A time-out as it is kept: never none at all, and none that does not end.
fn time_out(span: Duration) -> Span {
    let (least, most) = rule::TIME_OUT;
    Span::of(span).clamp(least, most)
}

impl Config {
    /// The defaults, with a seed for all that must not be foreseen: the spread of refreshes and
    /// the hash of the cache. Take it from the operating system's random numbers; with the same seed
    /// and the same inputs, a cache does the same.
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

    /// The most domains to know of, those without a policy included: 1,000,000 unless set.
    ///
    /// When there is no room for one more, another goes: first those whose policy has ended, then
    /// those without one, then mode `none`, `testing` and `enforce` looked up on one day only or of
    /// more than 4 KiB, other `testing`, other `enforce`; within each, those not looked up for longest
    /// (to the hour). That somebody waits for a policy, or that it is being stored, is no worth of its
    /// own. Those that the operator has pinned or listed stay, and those for which the first answer is
    /// awaited. A policy in regular use, the last time
    /// within 30 days, does not go for a domain that is met for the first time, whatever that one
    /// publishes: that one is not kept, or answered [`NoPolicy::Overloaded`](crate::NoPolicy::Overloaded), so that no flood
    /// of names drives out a policy. With 0 nothing is known, and every lookup is answered so.
    #[must_use]
    pub const fn with_max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// The most memory to use, in bytes, as [`Cache::bytes`](super::Cache::bytes) counts it: 256 MiB
    /// unless set. Where no domain fits in, every lookup is answered
    /// [`NoPolicy::Overloaded`](crate::NoPolicy::Overloaded).
    ///
    /// Beside it, the back-off of at most 4,096 domains that had to go is remembered, with 0.5 KB for
    /// each: 2 MiB; a client remembers as many for each of its caches, of which it has 16 at the most.
    /// Past that, those are forgotten that have failed least often.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Whether changes leave as [`Request::Persist`](super::Request::Persist), and answers that
    /// depend on them wait until they are durable: no, unless set.
    #[must_use]
    pub const fn with_persistence(mut self, on: bool) -> Self {
        self.persistence = on;
        self
    }

    /// Sets the time-out of a TXT query. Default: 10 s; at least 1 s, at most a day.
    #[must_use]
    pub fn with_txt_timeout(mut self, timeout: Duration) -> Self {
        self.txt_timeout = time_out(timeout);
        self
    }

    /// How long a fetch may take: "a suggested timeout is one minute" (§3.3) is the default.
    /// At least 1 s, at most a day.
    #[must_use]
    pub fn with_fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = time_out(timeout);
        self
    }

    /// How long an answer waits until what it depends on is durable: 10 s unless set. After that it
    /// is given all the same, with an [event](super::EventKind::NotPersisted). At least 1 s, at most a
    /// day.
    #[must_use]
    pub fn with_persist_timeout(mut self, timeout: Duration) -> Self {
        self.persist_timeout = time_out(timeout);
        self
    }

    /// How often a policy is fetched again in the background: "a suggested refresh frequency is
    /// once per day" (§3.3) is the default. It is never less than an hour.
    #[must_use]
    pub fn with_refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh = Span::of(interval).max(rule::REFRESH_MIN);
        self
    }

    /// How long after its last lookup a policy is still refreshed: 180 days unless set. After that
    /// it runs to its end.
    #[must_use]
    pub fn with_idle_time(mut self, time: Duration) -> Self {
        self.idle = Span::of(time);
        self
    }

    /// The most domains to know of.
    #[must_use]
    pub const fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// The most memory to use, in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Whether answers wait until what they depend on is durable.
    #[must_use]
    pub const fn persistence(&self) -> bool {
        self.persistence
    }

    /// How long a TXT query may take.
    #[must_use]
    pub fn txt_timeout(&self) -> Duration {
        self.txt_timeout.into()
    }

    /// How long a fetch may take.
    #[must_use]
    pub fn fetch_timeout(&self) -> Duration {
        self.fetch_timeout.into()
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

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// A number that cannot be foreseen without the seed, and is the same whenever the same happens
    /// at the same time: it needs no state that a restart could lose.
    pub(super) fn noise(&self, domain: &Domain, now: Timestamp) -> u32 {
        use core::hash::Hasher;

        let mut hasher = FoldHasher::with_seed(self.seed, SharedSeed::global_fixed());
        hasher.write(domain.as_str().as_bytes());
        hasher.write_i64(now.micros());
        (hasher.finish() >> 32) as u32
    }
}
