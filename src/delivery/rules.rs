//! The decision itself: what a session must give, and whether it did. Pure functions of the policy,
//! the operator's floor, DANE and the host.

use alloc::{boxed::Box, sync::Arc};

use super::{
    refusal::{DemandedBy, Misconfiguration, Reason, Refusal},
    requirement::{Dane, Floor, Requirement, Tls},
    route::Route,
    session::{Session, SessionOutcome},
};
use crate::{domain::Domain, mode::Mode, no_policy::NoPolicy, policy::Policy};

/// What does not change during a delivery.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) domain: Option<Domain>,
    /// The name of the domain in sentences; `None` for an address literal.
    pub(super) name: Option<Arc<str>>,
    /// Never of mode `none`.
    pub(super) policy: Result<Arc<Policy>, NoPolicy>,
    pub(super) floor: Floor,
    /// Whether the policy is one that the operator has set, not the domain's own.
    pub(super) is_operators_policy: bool,
    /// What `enforce` demands where the host has usable TLSA records: DANE, with or without PKIX.
    pub(super) enforced_beside_dane: Tls,
    is_smart_host: bool,
    has_secure_mx: bool,
}

/// What to do with a session that has come about, or has not.
pub(super) enum Judgement {
    Send(Session),
    /// There is no TLS, and nothing demands it.
    NoTls,
    Leave(Reason),
}

impl Rules {
    pub(super) fn new(route: &Route, policy: Result<Arc<Policy>, NoPolicy>, floor: Floor) -> Self {
        let &Route { ref domain, ref name, is_smart_host, has_secure_mx, .. } = route;
        // "treat the Policy Domain as though it does not have any active policy" (§5).
        let policy = policy.and_then(|policy| match policy.mode() {
            Mode::None => Err(NoPolicy::ModeNone),
            Mode::Testing | Mode::Enforce => Ok(policy),
        });
        let (domain, name) = (domain.clone().ok(), name.clone());
        Self {
            domain,
            name,
            policy,
            floor,
            is_operators_policy: false,
            enforced_beside_dane: Tls::Dane,
            is_smart_host,
            has_secure_mx,
        }
    }

    /// Returns whether what the MX records say of the domain itself is to be believed. Under
    /// `enforce`, MX records that may be forged name hosts to try, and no more.
    pub(super) fn believes_mx(&self) -> bool {
        self.has_secure_mx || !self.enforces()
    }

    /// Returns the reason for a null MX. A smart host is "administratively configured" (§3.4): what is
    /// wrong with the way to it is the operator's to mend.
    pub(super) fn null_mx(&self) -> Reason {
        if self.is_smart_host {
            Reason::Misconfigured(Misconfiguration::NullMx)
        } else {
            Reason::NullMx
        }
    }

    /// Returns the reason for a host that is the sender itself, or not preferred to it.
    pub(super) fn own_host(&self) -> Reason {
        if self.is_smart_host {
            Reason::Misconfigured(Misconfiguration::OwnHost)
        } else {
            Reason::OwnHost
        }
    }

    /// Returns the refusal of a host, or of the domain itself.
    pub(super) fn refusal(&self, host: Arc<str>, reason: Reason) -> Refusal {
        let is_by_policy = self.is_by_policy(&reason);
        Refusal { domain: self.name.clone(), host, reason: Box::new(reason), is_by_policy }
    }

    /// Returns whether a newer policy, or a look at it, may change that.
    fn is_by_policy(&self, reason: &Reason) -> bool {
        match *reason {
            Reason::NotListed => true,
            Reason::NoStarttls(by)
            | Reason::StarttlsRefused { by, .. }
            | Reason::HandshakeFailed(by, _)
            | Reason::CertificateInvalid(by, _)
            | Reason::CertificateUnchecked(by) => by == DemandedBy::Policy,
            Reason::NullMx | Reason::OwnHost | Reason::Misconfigured(_) => !self.believes_mx(),
            // It may be the policy that the attempt has failed by.
            Reason::GivenUp => self.enforces(),
            _ => false,
        }
    }

    /// Whether the policy, if there is one, lists the host (§4.1).
    pub(super) fn lists(&self, host: &str) -> bool {
        self.policy.as_ref().is_ok_and(|policy| policy.matches(host))
    }

    pub(super) fn enforces(&self) -> bool {
        self.policy.as_ref().is_ok_and(|policy| policy.mode() == Mode::Enforce)
    }

    /// What a session with the host must give, or why there must be none.
    pub(super) fn require(&self, host: &str, dane: Dane) -> Result<Requirement, Reason> {
        // "Sending MTAs MUST NOT deliver the message to hosts that fail MX matching" (§5), also if
        // DANE is content with them. Told first: a newer policy may list the host.
        if self.enforces() && !self.lists(host) {
            return Err(Reason::NotListed);
        }
        // "MUST NOT allow MTA-STS Policy validation to override a failing DANE validation" (§2).
        match dane {
            Dane::Failed => return Err(Reason::DaneFailed),
            Dane::TemporaryFailure => return Err(Reason::DaneUnknown),
            Dane::NotSigned | Dane::Unusable if self.floor == Floor::Dane => {
                return Err(Reason::DaneRequired);
            }
            Dane::NotSigned | Dane::Unusable | Dane::Usable => {}
        }
        let tls = if dane == Dane::Usable && self.enforces() {
            self.enforced_beside_dane
        } else if dane == Dane::Usable {
            Tls::Dane
        } else if self.enforces() || self.floor == Floor::Authenticated {
            Tls::Pkix
        } else if dane == Dane::Unusable || self.floor == Floor::Encrypted {
            Tls::Encrypted
        } else {
            Tls::Opportunistic
        };
        // A policy of mode `testing` is there to learn what would have failed.
        Ok(Requirement { tls, validates_pkix: self.policy.is_ok() || tls == Tls::Pkix })
    }

    /// Whether the session gives what is required of it.
    pub(super) fn judge(
        &self,
        host: &Arc<str>,
        dane: Dane,
        requirement: Requirement,
        outcome: SessionOutcome,
    ) -> Judgement {
        let tls = requirement.tls;
        let session = match &outcome {
            SessionOutcome::Unreachable => return Judgement::Leave(Reason::Unreachable),
            SessionOutcome::GreetingRefused => return Judgement::Leave(Reason::GreetingRefused),
            SessionOutcome::ConnectionLost => return Judgement::Leave(Reason::ConnectionLost),
            SessionOutcome::HandshakeFailed(_) | SessionOutcome::CertificateRejected(_) => {
                return self.judge_no_tls(dane, tls, outcome);
            }
            SessionOutcome::ClearText | SessionOutcome::StarttlsRefused { .. } => {
                Session::in_clear_text(host.clone())
            }
            SessionOutcome::Encrypted(checks) => Session::encrypted(host.clone(), checks),
        };
        if session.satisfies(tls) {
            return Judgement::Send(session);
        }
        Judgement::Leave(self.what_is_missing(dane, tls, outcome))
    }

    /// Judges a session whose handshake failed.
    fn judge_no_tls(&self, dane: Dane, tls: Tls, outcome: SessionOutcome) -> Judgement {
        match tls {
            Tls::Never => Judgement::Leave(Reason::Unreachable),
            Tls::Opportunistic => Judgement::NoTls,
            _ => Judgement::Leave(self.what_is_missing(dane, tls, outcome)),
        }
    }

    fn what_is_missing(&self, dane: Dane, tls: Tls, outcome: SessionOutcome) -> Reason {
        let demanded_by = self.who_demands_tls(dane);
        let (checks, rejected) = match outcome {
            SessionOutcome::Encrypted(checks) => (checks, None),
            SessionOutcome::CertificateRejected(checks) => {
                let failure = checks.failure().cloned();
                (checks, failure)
            }
            SessionOutcome::HandshakeFailed(failure) => {
                return Reason::HandshakeFailed(demanded_by, failure);
            }
            SessionOutcome::StarttlsRefused { is_temporary } => {
                return Reason::StarttlsRefused { by: demanded_by, is_temporary };
            }
            SessionOutcome::ClearText
            | SessionOutcome::Unreachable
            | SessionOutcome::GreetingRefused
            | SessionOutcome::ConnectionLost => return Reason::NoStarttls(demanded_by),
        };
        let (by, check) = match tls {
            Tls::Dane => (DemandedBy::Dane, checks.dane),
            // A newer policy changes nothing about DANE: that comes first.
            Tls::DaneAndPkix if !matches!(checks.dane, Some(Ok(()))) => {
                (DemandedBy::Dane, checks.dane)
            }
            Tls::DaneAndPkix => (DemandedBy::Policy, checks.pkix),
            Tls::Pkix if self.enforces() => (DemandedBy::Policy, checks.pkix),
            Tls::Pkix => (DemandedBy::Operator, checks.pkix),
            // Any certificate would have done.
            _ => (demanded_by, None),
        };
        match (check, rejected) {
            (Some(Err(failure)), _) => Reason::CertificateInvalid(by, failure),
            // Rejected by a check that nobody had asked for.
            (_, Some(failure)) => Reason::HandshakeFailed(demanded_by, failure),
            _ => Reason::CertificateUnchecked(by),
        }
    }

    /// The policy before all others: it is the one that may have been replaced meanwhile (§5.1).
    fn who_demands_tls(&self, dane: Dane) -> DemandedBy {
        if self.enforces() {
            DemandedBy::Policy
        } else if matches!(dane, Dane::Usable | Dane::Unusable) {
            DemandedBy::Dane
        } else {
            DemandedBy::Operator
        }
    }
}
