use alloc::sync::Arc;

use thiserror::Error;
use time::UtcDateTime;

use crate::{domain::DomainError, failure::Failure, mode::Mode};

/// Why no policy applies to a domain now.
///
/// As a sentence it is fit for a log. Where [`is_temporary`](Self::is_temporary), a sender that would
/// rather wait than send without a policy has a reason to: RFC 8461 leaves that choice to it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoPolicy {
    /// The domain publishes no MTA-STS record (§3.1).
    #[error("the domain publishes no MTA-STS record")]
    NoRecord,
    /// What the domain publishes is no valid record, so that "senders MUST assume the recipient
    /// domain does not have an available MTA-STS Policy" (§3.1). The text says what is wrong.
    #[error("{0}")]
    InvalidRecord(Arc<str>),
    /// DNS gave no answer about the record. The text says how it failed.
    #[error("the MTA-STS record could not be looked up: {0}")]
    DnsFailed(Arc<str>),
    /// There is a record, and the policy could not be had: "senders MUST continue with the delivery
    /// as though the domain has not implemented MTA-STS" (§3.3).
    #[error("the policy could not be fetched: {0}")]
    FetchFailed(Arc<Failure>),
    /// The policy was fetched so recently that it may not be fetched again yet: a limit of the
    /// sender's, and no failure of the domain.
    #[error("the policy was fetched too recently to be fetched again yet")]
    HeldBack,
    /// The policy is of mode `none`: "treat the Policy Domain as though it does not have any active
    /// policy" (§5).
    #[error("the domain's policy is of mode none")]
    ModeNone,
    /// The last policy has ended, and it could not be found out what the domain publishes now.
    #[error("the policy of mode {mode} ended at {ended_at}, and {cause}")]
    Expired {
        /// What the policy asked for.
        mode: Mode,
        /// The last moment at which it applied.
        ended_at: UtcDateTime,
        /// Why there is no new one.
        cause: Arc<NoPolicy>,
    },
    /// There is no room, or no time, to find out: the cache is full of what must stay, or a request
    /// could not be sent.
    #[error("there is no capacity to find out what the domain publishes")]
    Overloaded,
    /// The operator has switched MTA-STS off for the domain.
    #[error("the operator has switched MTA-STS off for the domain")]
    Ignored,
    /// What stands behind the `@` is no domain name, such as an address literal, for which MTA-STS
    /// has no policies (§3.4).
    #[error("{0}")]
    NotADomain(Arc<DomainError>),
}

impl NoPolicy {
    /// Returns how fetching the policy failed, if that is why there is none, or why the last one was
    /// not replaced in time.
    #[must_use]
    pub fn fetch_failure(&self) -> Option<&Failure> {
        match self {
            Self::FetchFailed(failure) => Some(failure),
            Self::Expired { cause, .. } => cause.fetch_failure(),
            _ => None,
        }
    }

    /// Whether another try may find a policy: DNS, the Policy Host or the sender itself failed, as
    /// against a domain that is known to have no policy.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::DnsFailed(_)
            | Self::FetchFailed(_)
            | Self::HeldBack
            | Self::Expired { .. }
            | Self::Overloaded => true,
            Self::NoRecord
            | Self::InvalidRecord(_)
            | Self::ModeNone
            | Self::Ignored
            | Self::NotADomain(_) => false,
        }
    }
}

impl From<DomainError> for NoPolicy {
    fn from(error: DomainError) -> Self {
        Self::NotADomain(Arc::new(error))
    }
}
