//! How a walk ends, and what a recheck changes about that.

use alloc::{string::ToString as _, sync::Arc};

use super::{
    conclusion::{Deferral, Recheck, Undeliverable},
    refusal::{Reason, Refusal},
    walk::{Delivery, Step},
};
use crate::{no_policy::NoPolicy, policy::Policy};

#[derive(Debug)]
pub(super) enum Stage {
    Walking,
    Delivered,
    /// Nothing about it could be changed by a policy.
    Undeliverable(Undeliverable),
    /// All hosts were tried, or one refused the message for good.
    Failed(Option<Refusal>),
}

#[derive(Debug)]
pub(super) enum Found {
    Changed(Result<Arc<Policy>, NoPolicy>),
    Unchanged,
    Unknown(Arc<str>),
}

impl Delivery {
    /// What the cache has said after [`Step::Recheck`]. Before all hosts were tried, or where no
    /// policy has a part in the failure, it changes nothing.
    ///
    /// A policy that has ended ([`NoPolicy::Expired`]) is a changed policy, whatever could not be
    /// found out: without a valid one, delivery continues as though there were no MTA-STS (RFC 8461
    /// §3.3). Any other [`NoPolicy`] that [`is_temporary`](NoPolicy::is_temporary) is no knowledge,
    /// and counts as [`Recheck::Unknown`].
    pub fn handle_recheck(&mut self, answer: Recheck) {
        if !matches!(self.stage, Stage::Failed(_)) || !self.is_refused_by_policy() {
            return;
        }
        self.recheck = Some(match answer {
            Recheck::Current(policy) if policy == self.rules.policy => Found::Unchanged,
            Recheck::Current(Err(why)) if is_doubtful(&why) => {
                Found::Unknown(why.to_string().into())
            }
            Recheck::Current(policy) => Found::Changed(policy),
            Recheck::Unconfirmed { answer, why } => match answer {
                Err(doubtful) if is_doubtful(&doubtful) => Found::Unknown(why),
                answer if answer == self.rules.policy => Found::Unknown(why),
                answer => Found::Changed(answer),
            },
            Recheck::Unknown(why) => Found::Unknown(why),
        });
    }

    /// Ends the delivery for a null MX. It is the domain's word, if that is to be believed, and not a
    /// mistake of the operator's.
    pub(super) fn no_mail_accepted(&mut self) -> Stage {
        let Some(domain) = self.rules.name.clone() else { return Stage::Failed(None) };
        let refusal = self.refuse(domain.clone(), self.rules.null_mx());
        match *refusal.reason {
            Reason::NullMx if !refusal.is_by_policy => {
                Stage::Undeliverable(Undeliverable::NullMx(domain))
            }
            _ => Stage::Failed(None),
        }
    }

    pub(super) fn all_tried(&self) -> Stage {
        let would_return =
            |refusal: &Refusal| *refusal.reason == Reason::OwnHost && !refusal.is_by_policy;
        match &self.rules.name {
            Some(domain) if self.refusals.iter().all(would_return) => {
                Stage::Undeliverable(Undeliverable::OwnHost(domain.clone()))
            }
            _ => Stage::Failed(None),
        }
    }

    pub(super) fn failed(&self, refused: Option<&Refusal>) -> Step {
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
                let may_bounce = self.max_unconfirmed.is_some_and(|max| count >= max);
                Step::Defer(self.deferral(Some(why), may_bounce))
            }
            (None, Some(refused)) => Step::Undeliverable(Undeliverable::Refused(refused.clone())),
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
        self.refusals.iter().any(Refusal::is_by_policy)
    }
}

/// Returns whether the old policy may still apply: an attacker who blocks DNS or HTTPS wants it
/// forgotten.
fn is_doubtful(why: &NoPolicy) -> bool {
    why.is_temporary() && !matches!(why, NoPolicy::Expired { .. })
}
