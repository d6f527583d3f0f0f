//! The request in flight, the recheck that waits for it, and the record of a fetch that timed out.

use alloc::sync::Arc;

use crate::{
    cache::{
        clock::{Deadline, Timestamp},
        config::Config,
        event::RecheckError,
    },
    policy::Policy,
    record::PolicyId,
};

/// The request in flight. A domain has at most one at a time.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) request_id: u64,
    pub(super) deadline: Deadline,
    /// The deadline of the discovery that the request belongs to.
    pub(super) over: Deadline,
    pub(super) task: Task,
    /// `true` if lookups wait for the request.
    pub(super) lookups: bool,
    pub(super) recheck: Option<Recheck>,
}

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Query,
    /// A fetch of the policy with this id, or without one if there is no valid record.
    Fetch(Option<PolicyId>),
}

/// A recheck. All callers that wait for one share it.
#[derive(Clone, Debug)]
pub(super) struct Recheck {
    /// The policy under which the message was sent. It applied when the recheck was requested, or
    /// had expired and is not known to be withdrawn.
    pub(super) before: Option<Arc<Policy>>,
    /// `true` if that policy still applied when the recheck was requested.
    pub(super) was_live: bool,
    /// The time at which the recheck was requested.
    pub(super) began: Timestamp,
    /// `true` if the request in flight was made for the recheck.
    pub(super) served: bool,
    /// `true` if the policy is fetched regardless of back-off.
    pub(super) forced: bool,
    pub(super) doubt: Option<RecheckError>,
}

/// A fetch that timed out: its request number, and the id that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache) struct Overdue {
    pub(in crate::cache) ticket: u64,
    pub(super) id: Option<PolicyId>,
}

/// Returns the deadline of a discovery, which may have one. If that has passed already, as after a
/// suspension, there is no bound left to keep, and the discovery gets another one.
pub(super) fn discovery_end(over: Option<Deadline>, now: Timestamp, config: &Config) -> Deadline {
    let both = config.txt_span().plus(config.fetch_span());
    over.filter(|over| !over.is_due(now)).unwrap_or(Deadline::new(now, both))
}

impl InFlight {
    pub(super) fn is_forced(&self) -> bool {
        self.recheck.as_ref().is_some_and(|recheck| recheck.served && recheck.forced)
    }

    /// Rearms the deadlines after the clock was set back.
    pub(super) fn rearm(&mut self, now: Timestamp) {
        self.deadline.rearm(now);
        self.over.rearm(now);
        if let Some(recheck) = &mut self.recheck {
            recheck.rearm(now);
        }
    }

    /// Moves the deadlines by as many microseconds as the clock.
    pub(super) fn shift(&mut self, by: i64) {
        self.deadline.shift(by);
        self.over.shift(by);
    }
}

impl Recheck {
    /// Limits the beginning of the recheck to now, after the clock was set back.
    fn rearm(&mut self, now: Timestamp) {
        self.began = self.began.min(now);
    }
}
