//! The rules that are not configurable, with their sources.

use super::clock::Span;

/// The bounds of a record's TTL while a policy is live. (A change of the domain is noticed after
/// the TTL: RFC 8461 §8.1.)
pub(super) const CHECK: (Span, Span) = (Span::seconds(60), Span::seconds(86_400));
/// The bounds of the time for which "no record" is cached. (RFC 2308 §5 suggests at most three
/// hours; an hour limits the time in which a new policy is not noticed.)
pub(super) const NEGATIVE: (Span, Span) = (Span::seconds(60), Span::seconds(3600));
/// The time for which "no record" is cached if DNS gives none.
pub(super) const NEGATIVE_DEFAULT: Span = Span::seconds(300);
/// The wait after DNS failed: the first, and the longest (RFC 2308 §7: "MUST NOT cache for
/// longer than five (5) minutes").
pub(super) const DNS_RETRY: (Span, Span) = (Span::seconds(30), Span::seconds(300));
/// The wait after a failed fetch: the first, and the longest. Further attempts are limited "to a
/// period of five minutes or longer per version ID" (RFC 8461 §3.3).
pub(super) const BACK_OFF: (Span, Span) = (Span::seconds(300), Span::seconds(3600));
/// The number of fetches that new ids may cause at once, and the span in which one more is allowed:
/// five minutes, and a second for counting in whole ones.
pub(super) const NEW_IDS: (u32, Span) = (3, Span::seconds(301));
/// Returns the minimum time between two successful fetches of the same id. It is no longer than the
/// lifetime, so that it leaves no lookup without a policy.
pub(super) fn least_gap(max_age: Span) -> Span {
    max_age.clamp(Span::seconds(1), Span::seconds(60))
}
/// The time after a fetch in which a recheck makes no other.
pub(super) const RECHECK: Span = Span::seconds(300);
/// The minimum time between two refreshes.
pub(super) const REFRESH_MIN: Span = Span::seconds(3600);
/// The lifetime below which a policy is not refreshed by timer, but at lookups in its second half.
pub(super) const SHORT_LIFE: Span = Span::seconds(7200);
/// The delay of a refresh that means a restart or a clock step.
pub(super) const OVERDUE: Span = Span::seconds(60);
/// The time over which such refreshes are spread, and the maximum percentage of the remaining
/// lifetime.
pub(super) const SPREAD: (Span, u32) = (Span::seconds(600), 12);
/// The maximum number of entries that one call processes, so that no call takes long.
pub(super) const AT_ONCE: usize = 256;
/// The maximum percentage of its interval by which a refresh is earlier.
pub(super) const REFRESH_JITTER: u32 = 25;
/// The maximum percentage by which a back-off is longer.
pub(super) const BACK_OFF_JITTER: u32 = 25;
/// The delays before fetching again if a new id came with the old body (RFC 8461 §8.1: record and
/// file are not changed at the same instant).
pub(super) const CONFIRM: [Span; 2] = [Span::seconds(300), Span::seconds(3300)];
/// The wait before a failed save is retried: the first, and the longest.
pub(super) const SAVE_RETRY: (Span, Span) = (Span::seconds(1), Span::seconds(60));
/// The number of consecutive time-outs of the store after which no lookup waits for it.
pub(super) const STALLED: u32 = 3;
/// The wait before a request that could not be sent is retried.
pub(super) const UNSENT: Span = Span::seconds(60);
/// The time after which an absent record causes an alert.
pub(super) const ABSENT: Span = Span::seconds(7 * 86_400);
/// The time since the last lookup within which an entry is not evicted for a newcomer.
pub(super) const RECENT: Span = Span::seconds(30 * 86_400);
/// The bytes above which a policy ranks lower for eviction: an attacker's could each be of 64 KiB,
/// and evict hundreds.
pub(super) const LARGE: usize = 4096;
/// The time since its end after which a policy protects nothing, even if the clock is wrong by
/// weeks.
pub(super) const LONG_AGO: Span = Span::seconds(30 * 86_400);
/// The delay after a restore before the rows of such policies are removed from the store: a batch,
/// and then another after each gap. It is shorter than [`JUMP`], because the removal may be the next
/// work of a cache, and a longer silence seems to be a step of the clock.
pub(super) const SWEEP_AFTER: Span = Span::seconds(23 * 3_600);
pub(super) const SWEPT_AT_ONCE: usize = 64;
pub(super) const SWEEP_GAP: Span = Span::seconds(1);
/// The step ahead above which a clock may be wrong, and the time for which it may be.
pub(super) const JUMP: Span = Span::seconds(86_400);
/// The time without a DNS query after which the clock has reached a moment by a step.
pub(super) const LEAP: Span = Span::seconds(7 * 86_400);
/// The shortest and the longest time-out.
pub(super) const TIME_OUT: (Span, Span) = (Span::seconds(1), Span::seconds(86_400));
/// The step back above which the cache rearms its deadlines.
pub(super) const CLOCK_SLACK: Span = Span::seconds(60);
