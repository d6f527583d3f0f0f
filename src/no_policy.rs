//! The reasons why no policy applies to a domain.

use alloc::sync::Arc;

use thiserror::Error;
use time::UtcDateTime;

use crate::{domain::DomainError, failure::Failure, mode::Mode, rfc3339::Rfc3339};

/// The reason why no policy applies to a domain now.
///
/// Its `Display` form is a sentence for a log. If [`is_temporary`](Self::is_temporary) returns
/// true, a sender may prefer to wait rather than send without a policy: RFC 8461 leaves that choice
/// to the sender.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum NoPolicy {
    /// The domain publishes no MTA-STS record ([RFC 8461 §3.1]).
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    #[error("the domain publishes no MTA-STS record")]
    NoRecord,
    /// The domain publishes an MTA-STS record that is not valid, or several of them, so that
    /// "senders MUST assume the recipient domain does not have an available MTA-STS Policy" ([RFC
    /// 8461 §3.1]). The text describes the error.
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    #[error("{0}")]
    InvalidRecord(Arc<str>),
    /// DNS gave no answer about the record. The text describes the failure.
    #[error("the MTA-STS record could not be looked up: {0}")]
    DnsFailed(Arc<str>),
    /// There is a record, but the policy could not be fetched: "senders MUST continue with delivery
    /// as though the domain has not implemented MTA-STS" ([RFC 8461 §3.3]).
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    #[error("the policy could not be fetched: {0}")]
    FetchFailed(Arc<Failure>),
    /// The policy was fetched so recently that it may not be fetched again yet. This is a limit of
    /// the sender, not a failure of the domain.
    #[error("the policy was fetched too recently to be fetched again yet")]
    HeldBack,
    /// The policy is of mode `none`: "treat the Policy Domain as though it does not have any active
    /// policy" ([RFC 8461 §5]).
    ///
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    #[error("the domain's policy is of mode none")]
    ModeNone,
    /// The last policy has expired, and the current one could not be discovered.
    #[error("the policy of mode {mode} ended at {}, and {cause}", Rfc3339(*.ended_at))]
    Expired {
        /// The mode of the expired policy.
        mode: Mode,
        /// The last moment at which the policy applied.
        #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
        ended_at: UtcDateTime,
        /// The reason why there is no new policy.
        cause: Arc<NoPolicy>,
    },
    /// There is no capacity for discovery: the cache is full and no entry can be evicted, or a
    /// request could not be sent.
    #[error("there is no capacity to find out what the domain publishes")]
    Overloaded,
    /// The operator has switched MTA-STS off for the domain.
    #[error("the operator has switched MTA-STS off for the domain")]
    Disabled,
    /// The part after the `@` is not a domain name. It may be an address literal, for which MTA-STS
    /// has no policies ([RFC 8461 §3.4]).
    ///
    /// [RFC 8461 §3.4]: https://www.rfc-editor.org/rfc/rfc8461#section-3.4
    #[error("{0}")]
    NotADomain(Arc<DomainError>),
}

impl NoPolicy {
    /// Returns the failure to fetch the policy, if that is the reason why there is none or why the
    /// last one was not replaced before it expired.
    #[must_use]
    pub fn fetch_failure(&self) -> Option<&Failure> {
        match self {
            Self::FetchFailed(failure) => Some(failure),
            Self::Expired { cause, .. } => cause.fetch_failure(),
            _ => None,
        }
    }

    /// Returns whether a later lookup may find a policy. It is true if DNS, the Policy Host or the
    /// sender itself failed, and false if the domain has no policy.
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
            | Self::Disabled
            | Self::NotADomain(_) => false,
        }
    }
}

impl From<DomainError> for NoPolicy {
    fn from(error: DomainError) -> Self {
        Self::NotADomain(Arc::new(error))
    }
}
