//! The end of a delivery, and the effect of a recheck on it.

use alloc::{string::ToString as _, sync::Arc};

use super::{
    conclusion::{Deferral, PermanentFailure, Recheck},
    refusal::{HostFailure, HostFailureReason},
    rules::active,
    stage::{Found, Stage},
    step::Step,
    walk::Delivery,
};
use crate::{no_policy::NoPolicy, policy::Policy};

impl Delivery {
    /// Supplies the result of a recheck, after [`Step::Recheck`]. It has no effect before all hosts
    /// were tried, or if no policy contributed to the failure.
    ///
    /// An expired policy ([`NoPolicy::Expired`]) counts as a changed policy, even if the recheck
    /// failed: without a valid policy, delivery continues as though there were no MTA-STS ([RFC
    /// 8461 §3.3]). Any other [`NoPolicy`] that [`is_temporary`](NoPolicy::is_temporary) counts as
    /// [`Recheck::Unknown`].
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    pub fn handle_recheck(&mut self, answer: Recheck) {
        if !matches!(self.stage, Stage::Failed(_)) || !self.is_refused_by_policy() {
            return;
        }
        self.recheck = Some(match answer {
            Recheck::Current(Err(why)) if is_doubtful(&why) => {
                Found::Unknown(why.to_string().into())
            }
            Recheck::Current(answer) if self.is_unchanged(&answer) => Found::Unchanged,
            Recheck::Current(policy) => Found::Changed(policy),
            Recheck::Unconfirmed { answer, why } => match answer {
                Err(doubtful) if is_doubtful(&doubtful) => Found::Unknown(why),
                answer if self.is_unchanged(&answer) => Found::Unknown(why),
                answer => Found::Changed(answer),
            },
            Recheck::Unknown(why) => Found::Unknown(why),
        });
    }

    /// Returns whether an answer is the policy of this delivery. Without a policy, the reason for that
    /// changes nothing.
    fn is_unchanged(&self, answer: &Result<Arc<Policy>, NoPolicy>) -> bool {
        match (active(answer.clone()), &self.rules.policy) {
            (Err(_), Err(_)) => true,
            (answer, policy) => answer == *policy,
        }
    }

    pub(super) fn all_tried(&self) -> Stage {
        let would_return = |refusal: &HostFailure| {
            *refusal.reason == HostFailureReason::OwnHost && !refusal.is_by_policy
        };
        match &self.rules.name {
            Some(domain) if self.refusals.iter().all(would_return) => {
                Stage::Undeliverable(PermanentFailure::OwnHost(domain.clone()))
            }
            _ => Stage::Failed(None),
        }
    }

    pub(super) fn failed(&self, refused: Option<&HostFailure>) -> Step {
        let unknown = match &self.recheck {
            _ if !self.is_refused_by_policy() => None,
            None => return Step::Recheck(self.deferral(None, false)),
            Some(Found::Changed(policy)) => return Step::PolicyChanged(policy.clone()),
            Some(Found::Unknown(why)) => Some(why.clone()),
            Some(Found::Unchanged) => None,
        };
        match (unknown, refused) {
            (Some(why), _) => {
                let count = self.unconfirmed.saturating_add(1);
                // Only an enforced policy stands in the way of a bounce (RFC 8461 §5).
                let may_bounce =
                    !self.rules.enforces() || self.max_unconfirmed.is_some_and(|max| count >= max);
                Step::Defer(self.deferral(Some(why), may_bounce))
            }
            (None, Some(refused)) => {
                Step::Undeliverable(PermanentFailure::PermanentReply(refused.clone()))
            }
            (None, None) if self.rules.forbids_transmission(&self.refusals) => {
                Step::Undeliverable(PermanentFailure::RequireTls {
                    domain: self.rules.name.clone(),
                    host_failures: self.refusals.as_slice().into(),
                })
            }
            (None, None) => Step::Defer(self.deferral(None, true)),
        }
    }

    fn deferral(&self, unknown: Option<Arc<str>>, may_bounce: bool) -> Deferral {
        let (domain, refusals) = (self.rules.name.clone(), self.refusals.clone());
        let unconfirmed = match unknown {
            Some(_) => self.unconfirmed.saturating_add(1),
            None if may_bounce => 0,
            None => self.unconfirmed,
        };
        Deferral { domain, refusals, unknown, unconfirmed, may_bounce }
    }

    fn is_refused_by_policy(&self) -> bool {
        self.refusals.iter().any(HostFailure::is_by_policy)
    }
}

/// Returns whether the old policy may still apply. An attacker who blocks DNS or HTTPS must not be
/// able to end it.
fn is_doubtful(why: &NoPolicy) -> bool {
    why.is_temporary() && !matches!(why, NoPolicy::Expired { .. })
}
