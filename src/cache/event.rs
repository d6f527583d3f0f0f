//! The events of a cache, and the result of a recheck.

use alloc::{boxed::Box, string::ToString, sync::Arc};
use core::fmt;

use time::UtcDateTime;

use super::answer::Answer;
use crate::{
    delivery::Recheck, domain::Domain, failure::Failure, policy::Policy, rfc3339::Rfc3339,
};

/// An event of the cache, returned by [`Cache::poll_event`](super::Cache::poll_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Event {
    /// The domain that the event is about.
    pub domain: Domain,
    /// The kind of the event, with its details.
    pub kind: EventKind,
}

/// The kind of an [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventKind {
    /// A pending lookup is complete.
    Answered {
        /// The id of the lookup, from [`Lookup::Waiting`](super::Lookup::Waiting).
        #[cfg_attr(feature = "serde", serde(skip))]
        id: LookupId,
        /// The answer to the lookup.
        answer: Answer,
    },
    /// A recheck is complete.
    Rechecked {
        /// The id of the recheck, from [`Cache::recheck`](super::Cache::recheck).
        #[cfg_attr(feature = "serde", serde(skip))]
        id: LookupId,
        /// The result of the recheck.
        result: RecheckResult,
    },
    /// A policy was fetched whose text differs from that of the policy that applied before, or no
    /// policy applied before.
    ///
    /// The new policy may be of mode `none`, which is answered as
    /// [`NoPolicy::ModeNone`](crate::NoPolicy::ModeNone), or of `max_age` 0, which only ends the
    /// previous one.
    Updated {
        /// The new policy.
        policy: Arc<Policy>,
        /// The policy that applied until now, if any.
        previous: Option<Arc<Policy>>,
    },
    /// Discovery failed in a way that [RFC 8461 §6] says to report (RFC 8460): the policy could not
    /// be fetched or, while a policy applies that is not of mode `none`, its record could not be
    /// found.
    ///
    /// [RFC 8461 §6]: https://www.rfc-editor.org/rfc/rfc8461#section-6
    Failed {
        /// The failure to report.
        failure: Arc<Failure>,
        /// The policy that still applies, if any.
        policy: Option<Arc<Policy>>,
    },
    /// An alert for the operator ([RFC 8461 §3.3], [RFC 8461 §10.2]).
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    /// [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2
    Alert(Alert),
    /// A policy was found to have expired more than a minute ago, because the clock was set ahead
    /// or the process was suspended. The first such policy causes an [`Alert`] of the kind
    /// [`AlertKind::Expired`]; all others that are found within the same minute cause this event,
    /// because they have the same cause.
    Expired {
        /// The last moment at which the policy applied.
        #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
        ended_at: UtcDateTime,
    },
    /// The condition of the last alert has ended: the policy was fetched again, or its record is
    /// back.
    Recovered,
    /// The cache was full, and the domain's policy was evicted although it still applied, or
    /// expired only by a clock that [may be wrong](super::Config::with_max_entries). Not emitted for
    /// a policy of mode `none`.
    Evicted {
        /// The evicted policy.
        policy: Arc<Policy>,
    },
    /// Every change that could not be stored is stored now, except for domains that a
    /// [restore](super::Cache::restore) evicted from memory since. Emitted once after
    /// [`NotPersisted`](Self::NotPersisted), with the domain that was stored last.
    PersistRecovered,
    /// A change is not known to be durable: the store failed, or did not answer in time. Emitted
    /// once for a domain until its last change is durable.
    NotPersisted {
        /// The error message of the store.
        error: Box<str>,
    },
    /// The store has lost its contents. All entries are saved again, and
    /// [`PersistRecovered`](Self::PersistRecovered) is emitted when that is complete. The domain is
    /// that of the save which detected the loss. Emitted by the clients only.
    StoreLost {
        /// The error message of the store.
        error: Box<str>,
    },
    /// Several saves in a row have timed out. Lookups no longer wait for the store; changes are
    /// still passed to it. The domain is that of the last save that timed out.
    StoreStalled,
    /// The store answers in time again, and lookups wait for it again. Emitted once after
    /// [`StoreStalled`](Self::StoreStalled), with the domain that was saved.
    StoreResumed,
}

/// An alert about a policy that applies, or has just ended ([`AlertKind::Expired`]). There are none
/// for policies of mode `none`: "they should not implement such alerts" ([RFC 8461 §10.2]).
///
/// [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Alert {
    /// The condition that caused the alert.
    pub kind: AlertKind,
    /// The last moment at which the policy applies.
    #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
    pub ends_at: UtcDateTime,
    /// The last failure, if there was one.
    pub failure: Option<Arc<Failure>>,
}

/// The condition that an [`Alert`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum AlertKind {
    /// There has been no valid record for the policy for seven days.
    RecordAbsent,
    /// The policy could not be refreshed. It still applies.
    RefreshFailed,
    /// The policy still cannot be refreshed, and half of its lifetime is over.
    HalfLifeOver,
    /// The policy still cannot be refreshed, and a quarter of its lifetime is left.
    QuarterLifeLeft,
    /// The policy has expired because it was not refreshed in time.
    Expired,
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends_at = Rfc3339(self.ends_at);
        match self.kind {
            AlertKind::RecordAbsent => {
                write!(f, "there has been no valid MTA-STS record for seven days; ")?;
                write!(f, "the policy applies until {ends_at}")?;
            }
            AlertKind::RefreshFailed => {
                write!(f, "the policy could not be refreshed; it applies until {ends_at}")?;
            }
            AlertKind::HalfLifeOver => {
                write!(f, "the policy cannot be refreshed and half of its lifetime is over; ")?;
                write!(f, "it applies until {ends_at}")?;
            }
            AlertKind::QuarterLifeLeft => {
                write!(
                    f,
                    "the policy cannot be refreshed and has a quarter of its lifetime left; "
                )?;
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

/// The id of a pending lookup or recheck. Compare it with the id in the event that completes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId {
    pub(super) number: u64,
    pub(super) slot: u32,
}

/// The result of a recheck ([RFC 8461 §5.1]), with the answer that applies after it.
///
/// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RecheckResult {
    /// The outcome of the recheck.
    pub outcome: RecheckOutcome,
    /// The answer for the domain after the recheck.
    pub answer: Answer,
}

/// The outcome of a recheck, compared with the policy that applied when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum RecheckOutcome {
    /// There is a new policy. Try to deliver the message again under it.
    Changed,
    /// There is no new policy. The message may be returned once its time in the queue is over.
    Unchanged,
    /// The recheck could not determine if there is a new policy. Keep the message in the queue.
    Unknown(RecheckError),
}

/// The reason why a recheck could not determine if there is a new policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum RecheckError {
    /// DNS gave no answer about the record. The text describes the failure.
    DnsFailed(Arc<str>),
    /// The record has a new id, or the policy has ended, and it could not be fetched.
    FetchFailed(Arc<Failure>),
    /// The record has a new id, and the policy may not be fetched yet.
    HeldBack {
        /// The time from which it may be fetched.
        #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
        until: UtcDateTime,
    },
    /// The record has a new id, and the Policy Host still serves the old policy.
    Unconfirmed,
    /// The request could not be sent.
    Overloaded,
}

/// Converts the result of a recheck to the input of a delivery. An unknown outcome keeps the message
/// in the queue: it becomes [`Recheck::Unconfirmed`], any other one [`Recheck::Current`].
impl From<RecheckResult> for Recheck {
    fn from(RecheckResult { outcome, answer }: RecheckResult) -> Self {
        let answer = answer.into_policy();
        match outcome {
            RecheckOutcome::Changed | RecheckOutcome::Unchanged => Self::Current(answer),
            RecheckOutcome::Unknown(error) => {
                Self::Unconfirmed { answer, why: error.to_string().into() }
            }
        }
    }
}

impl fmt::Display for RecheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DnsFailed(how) => write!(f, "the MTA-STS record could not be looked up: {how}"),
            Self::FetchFailed(failure) => {
                write!(f, "there may be a new policy, which could not be fetched: {failure}")
            }
            Self::HeldBack { until } => {
                let until = Rfc3339(*until);
                write!(f, "there is a new policy, which may not be fetched before {until}")
            }
            Self::Unconfirmed => {
                f.write_str("there is a new policy, and the Policy Host still serves the old one")
            }
            Self::Overloaded => f.write_str("there was no capacity to look for a new policy"),
        }
    }
}
