use alloc::sync::Arc;

use time::UtcDateTime;

use super::clock::{Span, Timestamp};
use crate::{no_policy::NoPolicy, policy::Policy};

/// What applies to a domain now, and why. The policy is [`Applied`], or [`Lent`](super::Lent) by the
/// cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<P = Applied> {
    /// This policy applies.
    Policy(P),
    /// No policy applies, because of this.
    NoPolicy(NoPolicy),
}

impl Answer {
    /// The policy, if one applies.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::Policy(applied) => Some(applied.policy()),
            Self::NoPolicy(_) => None,
        }
    }

    /// The policy, or why there is none: what a [`Delivery`](crate::delivery::Delivery) takes.
    ///
    /// # Errors
    ///
    /// If no policy applies, why.
    pub fn into_policy(self) -> Result<Arc<Policy>, NoPolicy> {
        match self {
            Self::Policy(applied) => Ok(applied.policy),
            Self::NoPolicy(why) => Err(why),
        }
    }
}

/// A policy that applies: which, from when, how fresh, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub(super) policy: Arc<Policy>,
    pub(super) source: Source,
    pub(super) fetched_at: Timestamp,
    pub(super) checked_at: Timestamp,
    /// When it ends, if it is dated in the future.
    pub(super) believed: Option<Timestamp>,
}

impl Applied {
    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// When it was last fetched, to the microsecond; for a policy of the operator, when it was set.
    #[must_use]
    pub fn fetched_at(&self) -> UtcDateTime {
        self.fetched_at.to_utc()
    }

    /// When DNS was last asked whether there is a newer one; `None` if not yet.
    #[must_use]
    pub fn checked_at(&self) -> Option<UtcDateTime> {
        (self.checked_at > Timestamp::MIN).then(|| self.checked_at.to_utc())
    }

    /// The last moment at which it applies, if it is not fetched again: `max_age` after it was
    /// fetched (§3.2). `None` for a policy of the operator, which has no end.
    #[must_use]
    pub fn ends_at(&self) -> Option<UtcDateTime> {
        let max_age = Span::of(self.policy.max_age());
        let end = self.fetched_at.plus(max_age);
        let end = self.believed.map_or(end, |believed| believed.min(end));
        (self.source == Source::Fetched).then(|| end.to_utc())
    }
}

/// Where a policy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Source {
    /// The domain's Policy Host.
    Fetched,
    /// The operator's list, which any policy of the domain's own replaces.
    Static,
    /// The operator, whatever the domain publishes.
    Pinned,
}
