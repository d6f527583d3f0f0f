use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use time::UtcDateTime;

use super::answer::Answer;
use crate::{domain::Domain, failure::Failure, policy::Policy};

/// Something that has happened, from [`Cache::poll_event`](super::Cache::poll_event).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// To whom.
    pub domain: Domain,
    /// What.
    pub kind: EventKind,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A lookup that had to wait has its answer.
    Answered {
        /// Who waits for it.
        waiter: Waiter,
        /// The answer.
        answer: Answer,
    },
    /// A recheck is done.
    Rechecked {
        /// Who waits for it.
        waiter: Waiter,
        /// What it found.
        result: Rechecked,
    },
    /// A policy applies that did not before: the first one, or one that differs.
    Updated {
        /// The policy.
        policy: Arc<Policy>,
        /// The one that applied until now.
        previous: Option<Arc<Policy>>,
    },
    /// Discovery failed in a way that §6 says to report (RFC 8460): fetching the policy, or, while a
    /// policy applies that is not of mode `none`, finding its record.
    Failed {
        /// How.
        failure: Arc<Failure>,
        /// The policy that applies all the same.
        policy: Option<Arc<Policy>>,
    },
    /// The operator should know (§3.3, §10.2).
    Alert(Alert),
    /// A policy was found to have ended more than a minute ago, because the clock was set ahead or the
    /// process stood still. The first that is found to have ended so is told of by an [`Alert`] of the
    /// kind [`AlertKind::Expired`], all others of the same minute by this: they have one cause.
    Expired {
        /// The last moment at which the policy applied.
        ended_at: UtcDateTime,
    },
    /// What an alert told of is over: the policy was fetched again, or its record is back.
    Recovered,
    /// The cache was full, and the domain's policy, which still applied, had to go.
    Evicted {
        /// The policy.
        policy: Arc<Policy>,
    },
    /// All that could not be stored is stored now. Told once after
    /// [`NotPersisted`](Self::NotPersisted), with the domain that was stored last.
    PersistRecovered,
    /// A change is not known to be durable: the store failed, or did not answer in time. Emitted once
    /// for a domain until its last change is durable.
    NotPersisted {
        /// The message of the store.
        error: Box<str>,
    },
    /// The store has lost what was saved before. All that is held is saved again;
    /// [`PersistRecovered`](Self::PersistRecovered) tells when it is. The domain is the one whose save
    /// found it out. From a client only.
    StoreLost {
        /// The message of the store.
        error: Box<str>,
    },
    /// The store did not answer in time several times in a row. Lookups do not wait for it any more;
    /// changes are still given to it. The domain is the one whose save timed out last.
    StoreStalled,
    /// The store answers in time again, and lookups wait for it. Emitted once after
    /// [`StoreStalled`](Self::StoreStalled), with the domain that was saved.
    StoreResumed,
}

/// A reason to tell the operator about a policy that applies and is not of mode `none`: for such a
/// one "they should not implement such alerts" (§10.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What is the matter.
    pub kind: AlertKind,
    /// The last moment at which the policy applies.
    pub ends_at: UtcDateTime,
    /// What failed last.
    pub failure: Option<Arc<Failure>>,
}

/// What an [`Alert`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum AlertKind {
    /// The policy's record has been absent for seven days.
    RecordAbsent,
    /// The policy could not be refreshed. It goes on to apply.
    RefreshFailed,
    /// The policy still cannot be refreshed, and half of its life is over.
    HalfLifeOver,
    /// The policy still cannot be refreshed, and a quarter of its life is left.
    QuarterLifeLeft,
    /// The policy has ended. It was not refreshed in time.
    Expired,
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends_at = self.ends_at;
        match self.kind {
            AlertKind::RecordAbsent => {
                write!(f, "the MTA-STS record has been absent for seven days; ")?;
                write!(f, "the policy applies until {ends_at}")?;
            }
            AlertKind::RefreshFailed => {
                write!(f, "the policy could not be refreshed; it applies until {ends_at}")?;
            }
            AlertKind::HalfLifeOver => {
                write!(f, "the policy cannot be refreshed and half of its life is over; ")?;
                write!(f, "it applies until {ends_at}")?;
            }
            AlertKind::QuarterLifeLeft => {
                write!(f, "the policy cannot be refreshed and has a quarter of its life left; ")?;
                write!(f, "it applies until {ends_at}")?;
            }
            AlertKind::Expired => {
                write!(f, "the policy ended at {ends_at} without being refreshed")?;
            }
        }
        match &self.failure {
            Some(failure) => write!(f, ": {failure}"),
            None => Ok(()),
        }
    }
}

/// Who waits for a lookup or a recheck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter {
    pub(super) number: u64,
    pub(super) slot: u32,
}

/// What a recheck found (§5.1), with what applies now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rechecked {
    /// Whether there is something new.
    pub outcome: Outcome,
    /// What applies now.
    pub answer: Answer,
}

/// Whether a recheck found a policy other than the one that applied when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It did: try again with it.
    Changed,
    /// There is none. The message may be given up when its time in the queue is over.
    Unchanged,
    /// That could not be found out: keep the message.
    Unknown(Doubt),
}

/// Why it is not known whether there is a new policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// DNS did not say. The text says how it failed.
    DnsFailed(Arc<str>),
    /// There is a new id, and its policy could not be fetched.
    FetchFailed(Arc<Failure>),
    /// There is a new id, and its policy may not be fetched yet.
    HeldBack {
        /// When it may be.
        until: UtcDateTime,
    },
    /// There is a new id, and the Policy Host still serves the old policy.
    Unconfirmed,
    /// The request could not be sent.
    Overloaded,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DnsFailed(how) => write!(f, "the MTA-STS record could not be looked up: {how}"),
            Self::FetchFailed(failure) => {
                write!(f, "there is a new policy, which could not be fetched: {failure}")
            }
            Self::HeldBack { until } => {
                write!(f, "there is a new policy, which may not be fetched before {until}")
            }
            Self::Unconfirmed => {
                f.write_str("there is a new policy, and the Policy Host still serves the old one")
            }
            Self::Overloaded => f.write_str("there was no capacity to look for a new policy"),
        }
    }
}
