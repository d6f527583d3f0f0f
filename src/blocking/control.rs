//! Cancellation of blocking calls.

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::io::{self, ErrorKind};

/// The interval at which a thread that waits for bytes checks whether it should stop.
pub(super) const STOP_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The cancellation flags of a request: that of the client, and its own.
#[derive(Debug)]
pub(super) struct Control {
    stop: Arc<AtomicBool>,
    early: Arc<AtomicBool>,
}

impl Control {
    /// Creates flags for a request of a client that has this one.
    pub(super) fn new(stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop), early: Arc::default() }
    }

    /// Returns the flag that cancels this request only.
    pub(super) fn early(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.early)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.early.load(Ordering::Relaxed)
    }
}

/// Returns whether an error means that no bytes came in time. Its kind depends on the system.
pub(super) fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Limits a wait to the interval at which a thread must check whether it should stop.
pub(super) fn a_while(left: Duration) -> Duration {
    at_least(left).min(STOP_POLL_INTERVAL)
}

/// Raises a wait to at least a millisecond, because sockets refuse zero.
pub(super) fn at_least(left: Duration) -> Duration {
    left.max(Duration::from_millis(1))
}
