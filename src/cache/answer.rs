use alloc::sync::Arc;
use core::fmt;

use time::UtcDateTime;

use super::{
    clock::{Span, Timestamp},
    entry::State,
};
use crate::{no_policy::NoPolicy, policy::Policy};

/// What applies to a domain now, and why. The policy is [`Applied`], or [`Lent`] by the cache.
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

impl<'a> Answer<Lent<'a>> {
    /// The policy, if one applies.
    #[must_use]
    #[inline]
    pub fn policy(&self) -> Option<&'a Arc<Policy>> {
        match self {
            Self::Policy(lent) => Some(lent.policy),
            Self::NoPolicy(_) => None,
        }
    }

    /// The same answer, no longer lent.
    #[must_use]
    pub fn cloned(self) -> Answer {
        match self {
            Self::Policy(lent) => Answer::Policy(lent.applied()),
            Self::NoPolicy(why) => Answer::NoPolicy(why),
        }
    }
}

/// A policy that applies: which, from when, how fresh, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    policy: Arc<Policy>,
    source: Source,
    fetched_at: Timestamp,
    checked_at: Timestamp,
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
        (self.source == Source::Fetched).then(|| self.fetched_at.plus(max_age).to_utc())
    }
}

/// A policy that applies, where it stands in the cache.
///
/// Only the policy is at hand. The rest is elsewhere in memory, where [`applied`](Self::applied)
/// goes: that would cost a lookup more than all else it does, and most senders do not need it.
#[derive(Clone, Copy)]
pub struct Lent<'a> {
    policy: &'a Arc<Policy>,
    state: &'a State,
}

impl<'a> Lent<'a> {
    /// The policy that this state holds.
    #[inline]
    pub(super) const fn new(policy: &'a Arc<Policy>, state: &'a State) -> Self {
        Self { policy, state }
    }

    /// The policy.
    #[must_use]
    #[inline]
    pub fn policy(&self) -> &'a Arc<Policy> {
        self.policy
    }

    /// All there is to say about it.
    #[must_use]
    pub fn applied(&self) -> Applied {
        let (fetched_at, checked_at) = self.state.dates();
        let (policy, source) = (Arc::clone(self.policy), self.state.source());
        Applied { policy, source, fetched_at, checked_at }
    }
}

impl PartialEq for Lent<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.applied() == other.applied()
    }
}

impl Eq for Lent<'_> {}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").field(&self.applied()).finish()
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
