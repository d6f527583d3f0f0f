//! The clock.

use core::time::Duration;

use time::UtcDateTime;

pub(super) fn now() -> UtcDateTime {
    UtcDateTime::now()
}

/// How long until then; no time if that is past.
pub(super) fn left(until: UtcDateTime) -> Duration {
    let nanos = until.unix_timestamp_nanos().saturating_sub(now().unix_timestamp_nanos());
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}
