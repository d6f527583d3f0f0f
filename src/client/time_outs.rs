//! The time-outs of both clients.

use core::time::Duration;

/// The maximum sleep of the timer, so that a clock that was set, or a suspended machine, is noticed
/// within a second.
pub(crate) const MAX_SLEEP: Duration = Duration::from_millis(500);

/// The maximum time that a shutdown waits for each part that hangs.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
