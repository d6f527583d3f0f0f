//! The text of an event, as one line of a log.

use core::fmt;

use super::{
    answer::Answer,
    event::{AlertKind, Event, EventKind, RecheckOutcome},
};
use crate::{excerpt::Printable, rfc3339::Rfc3339};

/// Writes the domain and the kind, as one line without control characters.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.domain, self.kind)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { answer, .. } => write!(f, "lookup answered: {}", Sentence(answer)),
            Self::Rechecked { result, .. } => {
                write!(f, "recheck: {}; {}", result.outcome, Sentence(&result.answer))
            }
            Self::Updated { policy, previous: None } => {
                write!(f, "a first policy, of mode {}", policy.mode())
            }
            Self::Updated { policy, previous: Some(previous) } => {
                let (new, old) = (policy.mode(), previous.mode());
                write!(f, "a new policy, of mode {new}; the one before was of mode {old}")
            }
            Self::Failed { failure, policy: Some(_) } => {
                write!(f, "{failure}; the cached policy still applies")
            }
            Self::Failed { failure, policy: None } => write!(f, "{failure}; no policy applies"),
            Self::Alert(alert) => alert.fmt(f),
            Self::Expired { ended_at } => write!(f, "the policy ended at {}", Rfc3339(*ended_at)),
            Self::Recovered => f.write_str("the policy was refreshed, or its record is back"),
            Self::Evicted { policy } => write!(
                f,
                "cache full, evicted a live policy of mode {}; raise `max_entries` or `max_bytes`",
                policy.mode(),
            ),
            Self::PersistRecovered => f.write_str("all changes are durable again"),
            Self::NotPersisted { error } => {
                write!(f, "change not durable: {}", Printable(error))
            }
            Self::StoreLost { error } => {
                let error = Printable(error);
                write!(f, "the store lost what was saved: {error}; everything is saved again")
            }
            Self::StoreStalled => {
                f.write_str("the store does not answer; lookups no longer wait for it")
            }
            Self::StoreResumed => f.write_str("the store answers in time again"),
        }
    }
}

impl fmt::Display for RecheckOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("the policy has changed"),
            Self::Unchanged => f.write_str("the policy is unchanged"),
            Self::Unknown(error) => error.fmt(f),
        }
    }
}

/// An answer, displayed as a sentence.
struct Sentence<'a>(&'a Answer);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Answer::Policy(applied) => write!(f, "a policy of mode {}", applied.policy().mode()),
            Answer::NoPolicy(why) => why.fmt(f),
        }
    }
}

impl EventKind {
    /// Returns a word for the kind, for logs and metrics, such as `updated`. For an alert, it names the
    /// condition: `alert-refresh-failed`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::Rechecked { .. } => "rechecked",
            Self::Updated { .. } => "updated",
            Self::Failed { .. } => "failed",
            Self::Alert(alert) => match alert.kind {
                AlertKind::RecordAbsent => "alert-record-absent",
                AlertKind::RefreshFailed => "alert-refresh-failed",
                AlertKind::HalfLifeOver => "alert-half-life-over",
                AlertKind::QuarterLifeLeft => "alert-quarter-life-left",
                AlertKind::Expired => "alert-expired",
            },
            Self::Expired { .. } => "expired",
            Self::Recovered => "recovered",
            Self::Evicted { .. } => "evicted",
            Self::PersistRecovered => "persist-recovered",
            Self::NotPersisted { .. } => "not-persisted",
            Self::StoreLost { .. } => "store-lost",
            Self::StoreStalled => "store-stalled",
            Self::StoreResumed => "store-resumed",
        }
    }
}
