//! The clock, which the clients alone read.

use core::time::Duration;

use time::UtcDateTime;

#[expect(clippy::disallowed_methods, reason = "whoever needs the time below this is given it")]
pub(crate) fn now() -> UtcDateTime {
    UtcDateTime::now()
}

/// How long until then; no time if that is past.
pub(crate) fn left(until: UtcDateTime) -> Duration {
    let nanos = until.unix_timestamp_nanos().saturating_sub(now().unix_timestamp_nanos());
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

/// So long from now.
pub(crate) fn after(duration: Duration) -> UtcDateTime {
    now().saturating_add(duration.try_into().unwrap_or(time::Duration::MAX))
}
