//! Answers that borrow their policy from the cache.

use alloc::sync::Arc;
use core::fmt;

use super::state::{Held, State};
use crate::{
    cache::{
        answer::{Answer, AppliedPolicy},
        clock::Timestamp,
    },
    mode::Mode,
    no_policy::NoPolicy,
    policy::Policy,
};

/// A reference to a policy that applies, in the cache.
///
/// [`applied`](Self::applied) returns the policy with its source and its dates. These are elsewhere
/// in memory: reading them would cost more than the rest of a lookup, and most senders do not need
/// them.
#[derive(Clone, Copy)]
pub struct AppliedPolicyRef<'a> {
    policy: &'a Arc<Policy>,
    state: &'a State,
}

impl<'a> AppliedPolicyRef<'a> {
    /// Creates a reference to the policy of a state.
    #[inline]
    pub(in crate::cache) const fn new(policy: &'a Arc<Policy>, state: &'a State) -> Self {
        Self { policy, state }
    }

    /// Returns the policy.
    #[must_use]
    #[inline]
    pub fn policy(&self) -> &'a Arc<Policy> {
        self.policy
    }

    /// Returns the policy with its source and its dates.
    #[must_use]
    pub fn applied(&self) -> AppliedPolicy {
        let (fetched_at, checked_at) = self.state.dates();
        let (policy, source) = (Arc::clone(self.policy), self.state.source());
        let believed = self.state.held().and_then(|held| held.trusted_until);
        AppliedPolicy { policy, source, fetched_at, checked_at, believed }
    }
}

impl PartialEq for AppliedPolicyRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.applied() == other.applied()
    }
}

impl Eq for AppliedPolicyRef<'_> {}

impl fmt::Debug for AppliedPolicyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AppliedPolicyRef").field(&self.applied()).finish()
    }
}

impl<'a> Answer<AppliedPolicyRef<'a>> {
    /// Returns the policy, if one applies.
    #[must_use]
    #[inline]
    pub fn policy(&self) -> Option<&'a Arc<Policy>> {
        match self {
            Self::Policy(applied) => Some(applied.policy),
            Self::NoPolicy(_) => None,
        }
    }

    /// Returns the policy or the reason why there is none, as a
    /// [`Delivery`](crate::delivery::Delivery) takes it.
    ///
    /// # Errors
    ///
    /// Returns the reason if no policy applies.
    #[inline]
    pub fn cloned_policy(self) -> Result<Arc<Policy>, NoPolicy> {
        match self {
            Self::Policy(applied) => Ok(Arc::clone(applied.policy)),
            Self::NoPolicy(why) => Err(why),
        }
    }

    /// Converts to an answer that owns its policy.
    #[must_use]
    pub fn cloned(self) -> Answer {
        match self {
            Self::Policy(applied) => Answer::Policy(applied.applied()),
            Self::NoPolicy(why) => Answer::NoPolicy(why),
        }
    }
}

/// The answers of a state.
impl State {
    /// Returns the answer for the domain, if it needs no request.
    pub(super) fn standing(&self, now: Timestamp) -> Option<Answer<AppliedPolicyRef<'_>>> {
        if self.live(now).is_some() || self.knows_absence(now) {
            return Some(self.answer(now));
        }
        None
    }

    /// Returns the answer as far as it is known.
    pub(in crate::cache) fn answer(&self, now: Timestamp) -> Answer<AppliedPolicyRef<'_>> {
        match self.live(now) {
            Some(held) => self.applied(held),
            None => Answer::NoPolicy(self.no_policy()),
        }
    }

    pub(in crate::cache) fn applied<'a>(&'a self, held: Held<'a>) -> Answer<AppliedPolicyRef<'a>> {
        match held.mode {
            Mode::None => Answer::NoPolicy(NoPolicy::ModeNone),
            Mode::Testing | Mode::Enforce => {
                Answer::Policy(AppliedPolicyRef::new(held.policy, self))
            }
        }
    }
}
