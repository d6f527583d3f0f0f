//! The overrides of the operator.

use alloc::{boxed::Box, sync::Arc};

use super::{
    answer::{Answer, Source},
    clock::Timestamp,
    entry::{AppliedPolicyRef, State},
};
use crate::{no_policy::NoPolicy, policy::Policy};

/// An override of the operator, which applies to a domain whatever it publishes.
#[derive(Debug)]
pub(super) enum Override {
    /// A policy applies, which this state holds.
    Pin(Box<State>),
    Disabled,
}

impl Override {
    pub(super) fn pin(policy: Arc<Policy>, since: Timestamp) -> Self {
        let mut state = State::NEW;
        state.set_policy(policy, since, None, Source::Pinned);
        Self::Pin(Box::new(state))
    }

    /// Returns the pinned policy, if there is one.
    pub(super) fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::Pin(state) => state.held().map(|held| held.policy),
            Self::Disabled => None,
        }
    }

    pub(super) fn answer(&self) -> Answer<AppliedPolicyRef<'_>> {
        let ignored = Answer::NoPolicy(NoPolicy::Disabled);
        match self {
            Self::Pin(state) => state.held().map_or(ignored, |held| state.applied(held)),
            Self::Disabled => ignored,
        }
    }
}
