//! The inputs and outputs of a step of a domain's state machine.

use alloc::vec::Vec;

use time::UtcDateTime;

use crate::{
    cache::{
        answer::Answer,
        clock::Timestamp,
        config::Config,
        event::{EventKind, RecheckResult},
        inputs::{PolicyAnswer, TxtAnswer},
    },
    domain::Domain,
};

/// The context of a step: its arguments in addition to the state and the input.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The domain. It must be the same in every step of an entry.
    pub domain: &'a Domain,
    /// The current time.
    pub now: UtcDateTime,
    /// The number of a request that this step makes. It must never have been used before.
    pub request_id: u64,
    /// The settings. Bounds and persistence concern a [`Cache`](crate::cache::Cache) and have no
    /// effect here.
    pub config: &'a Config,
}

/// An input of an [`Entry`](super::Entry).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A lookup, because there is mail for the domain.
    Lookup,
    /// A recheck for a newer policy, before a message is returned to its sender ([RFC 8461 §5.1]).
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    Recheck,
    /// A forced refresh: the policy is fetched now, regardless of back-off.
    Refresh,
    /// The answer to the [`EntryRequest::Txt`] with this number.
    Txt(u64, TxtAnswer),
    /// The answer to the [`EntryRequest::Fetch`] with this number.
    Policy(u64, PolicyAnswer),
    /// The passing of time. It is allowed at any time; see
    /// [`Entry::poll_timeout`](super::Entry::poll_timeout).
    Timeout,
}

/// A request of an [`Entry`](super::Entry).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EntryRequest {
    /// Look up the TXT records at [`Domain::txt_name`].
    Txt,
    /// Fetch [`Domain::policy_url`].
    Fetch,
}

/// The outputs of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "requests must be sent, answers given out, and changes stored"]
#[non_exhaustive]
pub struct Outputs {
    /// A request to carry out, under the number of this step. At most one is in flight at a time.
    pub request: Option<EntryRequest>,
    /// The answer to this lookup, or to all pending ones. A lookup without an answer is pending.
    pub answer: Option<Answer>,
    /// The answer to all pending rechecks and forced refreshes.
    pub recheck_result: Option<RecheckResult>,
    /// The events, without answers.
    pub events: Vec<EventKind>,
    /// The importance of storing the entry before these outputs are used.
    pub durability: Durability,
}

/// The importance of storing an [`Entry`](super::Entry) after a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// No change that needs to be stored.
    #[default]
    Nothing,
    /// A change that is worth storing, but changes no answer.
    State,
    /// A change that answers depend on. If it is lost, a policy is lost.
    Policy,
}

/// A step in progress.
pub(super) struct Step<'a> {
    pub(super) now: Timestamp,
    pub(super) domain: &'a Domain,
    pub(super) request_id: u64,
    pub(super) config: &'a Config,
    pub(super) out: Outputs,
}

impl Step<'_> {
    pub(super) fn event(&mut self, event: EventKind) {
        self.out.events.push(event);
    }

    pub(super) fn changed(&mut self, change: Durability) {
        self.out.durability = self.out.durability.max(change);
    }

    pub(super) fn noise(&self) -> u32 {
        self.config.noise(self.domain, self.now)
    }
}
