//! A wall clock that is set while a client runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use mta_sts::client::Clock;
use time::UtcDateTime;

/// The clocks of the system, but that the calendar can be set.
#[derive(Debug)]
pub(crate) struct Settable {
    start: Instant,
    seconds: AtomicI64,
}

impl Settable {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), seconds: AtomicI64::new(0) })
    }

    pub(crate) fn set(&self, by: i64) {
        self.seconds.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for Settable {
    fn now(&self) -> UtcDateTime {
        UtcDateTime::now() + time::Duration::seconds(self.seconds.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> mta_sts::Instant {
        self.start.elapsed().into()
    }
}
