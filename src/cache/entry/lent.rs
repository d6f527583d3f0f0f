use alloc::sync::Arc;
use core::fmt;

use super::state::{Held, State};
use crate::{
    cache::{
        answer::{Answer, Applied},
        clock::Timestamp,
    },
    mode::Mode,
    no_policy::NoPolicy,
    policy::Policy,
};

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
    /// The policy that a state holds.
    #[inline]
    pub(in crate::cache) const fn new(policy: &'a Arc<Policy>, state: &'a State) -> Self {
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
        let believed = self.state.held().and_then(|held| held.believed);
        Applied { policy, source, fetched_at, checked_at, believed }
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

    /// The policy, or why there is none, and nothing else: what a
    /// [`Delivery`](crate::delivery::Delivery) takes.
    ///
    /// # Errors
    ///
    /// If no policy applies, why.
    #[inline]
    pub fn cloned_policy(self) -> Result<Arc<Policy>, NoPolicy> {
        match self {
            Self::Policy(lent) => Ok(Arc::clone(lent.policy)),
            Self::NoPolicy(why) => Err(why),
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

/// What a state answers.
impl State {
    /// What can be said about the domain without asking anyone.
    pub(super) fn standing(&self, now: Timestamp) -> Option<Answer<Lent<'_>>> {
        if self.live(now).is_some() || self.knows_absence(now) {
            return Some(self.answer(now));
        }
        None
    }

    /// What applies, as far as is known.
    pub(in crate::cache) fn answer(&self, now: Timestamp) -> Answer<Lent<'_>> {
        match self.live(now) {
            Some(held) => self.applied(held),
            None => Answer::NoPolicy(self.no_policy()),
        }
    }

    pub(in crate::cache) fn applied<'a>(&'a self, held: Held<'a>) -> Answer<Lent<'a>> {
        match held.mode {
            Mode::None => Answer::NoPolicy(NoPolicy::ModeNone),
            Mode::Testing | Mode::Enforce => Answer::Policy(Lent::new(held.policy, self)),
        }
    }
}
