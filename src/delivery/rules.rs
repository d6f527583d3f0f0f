//! The decisions: the requirements of a session, and whether it satisfies them. They are pure
//! functions of the policy, the minimum TLS level, DANE and the host.

use alloc::{boxed::Box, sync::Arc};

use super::{
    refusal::{HostFailure, HostFailureReason, Misconfiguration, RequiredBy},
    require_tls::RequireTls,
    requirement::{MinTlsLevel, Requirement, TlsLevel, TlsaStatus},
    route::{MxLookup, Route},
    session::{Session, SessionOutcome},
};
use crate::{domain::Domain, failure::Failure, mode::Mode, no_policy::NoPolicy, policy::Policy};

/// The settings that do not change during a delivery.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) domain: Option<Domain>,
    /// The name of the domain in sentences, or `None` for an address literal.
    pub(super) name: Option<Arc<str>>,
    /// The policy, never of mode `none`.
    pub(super) policy: Result<Arc<Policy>, NoPolicy>,
    pub(super) floor: MinTlsLevel,
    /// `true` if the policy was set by the operator, and is not the domain's own.
    pub(super) is_operators_policy: bool,
    /// The level that `enforce` requires if the host has usable TLSA records: DANE, with or without
    /// PKIX.
    pub(super) enforced_beside_dane: TlsLevel,
    /// The tag of the message by REQUIRETLS.
    pub(super) require_tls: RequireTls,
    lookup: MxLookup,
}

/// The decision about a session, or about an attempt that did not result in one.
pub(super) enum Judgement {
    Send(Session),
    /// There is no TLS, and it is not required.
    NoTls,
    Leave(HostFailureReason),
}

impl Rules {
    pub(super) fn new(
        route: &Route,
        policy: Result<Arc<Policy>, NoPolicy>,
        floor: MinTlsLevel,
    ) -> Self {
        let Route { domain, name, lookup, .. } = route;
        let policy = active(policy);
        let (domain, name) = (domain.clone().ok(), name.clone());
        Self {
            domain,
            name,
            policy,
            floor,
            is_operators_policy: false,
            enforced_beside_dane: TlsLevel::Dane,
            require_tls: RequireTls::Unspecified,
            lookup: *lookup,
        }
    }

    /// Returns whether a null MX, or the sender itself as a host, counts as a statement of the
    /// domain. Under `enforce`, MX records that may be forged only name hosts to try.
    pub(super) fn believes_mx(&self) -> bool {
        self.lookup.is_secure || !self.enforces()
    }

    /// Returns the reason for a null MX. A smart host is "administratively configured" (RFC 8461
    /// §3.4): only the operator can fix the route to it.
    pub(super) fn null_mx(&self) -> HostFailureReason {
        if self.lookup.is_smart_host {
            HostFailureReason::Misconfigured(Misconfiguration::NullMx)
        } else {
            HostFailureReason::NullMx
        }
    }

    /// Returns the reason for a host that is the sender itself, or not preferred to it.
    pub(super) fn own_host(&self) -> HostFailureReason {
        if self.lookup.is_smart_host {
            HostFailureReason::Misconfigured(Misconfiguration::OwnHost)
        } else {
            HostFailureReason::OwnHost
        }
    }

    /// Returns the failure of a host, or of the domain itself, for this reason.
    pub(super) fn refusal(&self, host: Arc<str>, reason: HostFailureReason) -> HostFailure {
        let (is_by_policy, is_final) = (self.is_by_policy(&reason), is_final(&reason));
        let domain = self.name.clone();
        HostFailure { domain, host, reason: Box::new(reason), is_by_policy, is_final }
    }

    /// Returns whether a newer policy, or a recheck for one, may change the failure.
    fn is_by_policy(&self, reason: &HostFailureReason) -> bool {
        match *reason {
            HostFailureReason::NotListed => true,
            // Without a domain there is no policy.
            HostFailureReason::MxNotSecure => self.domain.is_some(),
            HostFailureReason::NoStarttls(by)
            | HostFailureReason::StarttlsRefused { by, .. }
            | HostFailureReason::HandshakeFailed(by, _)
            | HostFailureReason::CertificateInvalid(by, _)
            | HostFailureReason::CertificateUnchecked(by) => by == RequiredBy::Policy,
            HostFailureReason::NullMx
            | HostFailureReason::OwnHost
            | HostFailureReason::Misconfigured(_) => !self.believes_mx(),
            // The policy may be the reason why the attempt failed.
            HostFailureReason::Abandoned => self.enforces(),
            _ => false,
        }
    }

    /// Returns whether the policy, if there is one, lists the host (RFC 8461 §4.1).
    pub(super) fn lists(&self, host: &str) -> bool {
        self.policy.as_ref().is_ok_and(|policy| policy.matches(host))
    }

    /// Returns whether the policy may exclude a host. "follow any policy published by the recipient
    /// domain, but do not fail if this is unsuccessful" (RFC 8689 §4.2.2).
    pub(super) fn enforces(&self) -> bool {
        self.require_tls != RequireTls::No
            && self.policy.as_ref().is_ok_and(|policy| policy.mode() == Mode::Enforce)
    }

    /// Returns whether TLSA records count, as well as a failure to look them up. For a message with
    /// `TLS-Required: No` they do only if the operator requires DANE where it is offered.
    fn heeds_dane(&self) -> bool {
        self.require_tls != RequireTls::No || self.floor >= MinTlsLevel::Authenticated
    }

    /// Returns whether it is certain that the host is one of the domain's (RFC 8689 §4.2.1, step 2).
    /// Without an MX record, the certificate for the domain itself proves this.
    fn identifies(&self, host: &str) -> bool {
        self.lookup.is_secure || self.lookup.is_empty || (self.enforces() && self.lists(host))
    }

    /// Returns whether `MAIL` must have the parameter `REQUIRETLS`.
    pub(super) fn sends_requiretls(&self, session: &Session, dane: TlsaStatus) -> bool {
        let has_dane = dane == TlsaStatus::Usable && session.is_dane_valid();
        match self.require_tls {
            RequireTls::Yes => true,
            RequireTls::Bounce => {
                session.offers_requiretls()
                    && (session.is_pkix_valid() || has_dane)
                    && self.identifies(session.host())
            }
            RequireTls::Unspecified | RequireTls::No => false,
        }
    }

    /// Returns whether the message must not be transmitted to the domain, because each host failed to
    /// satisfy what it requires (RFC 8689 §4.2.1).
    pub(super) fn forbids_transmission(&self, failures: &[HostFailure]) -> bool {
        // A host that is the sender itself is no host to try (RFC 5321 §5.1).
        let is_tried = |failure: &&HostFailure| *failure.reason() != HostFailureReason::OwnHost;
        let mut tried = failures.iter().filter(is_tried).peekable();
        self.require_tls == RequireTls::Yes
            && tried.peek().is_some()
            && tried.all(|failure| failure.is_final)
    }

    /// Returns the requirement of a session with the host, or the reason why there must be none.
    pub(super) fn require(
        &self,
        host: &str,
        dane: TlsaStatus,
    ) -> Result<Requirement, HostFailureReason> {
        // "Sending MTAs MUST NOT deliver the message to hosts that fail MX matching" (RFC 8461 §5),
        // even if they satisfy DANE. This comes first, because a newer policy may list the host.
        if self.enforces() && !self.lists(host) {
            return Err(HostFailureReason::NotListed);
        }
        // "the client MUST also validate the SMTP server name using MTA-STS" (RFC 8689 §4.2.1).
        if self.require_tls == RequireTls::Yes && !self.identifies(host) {
            return Err(HostFailureReason::MxNotSecure);
        }
        // "MUST NOT allow MTA-STS Policy validation to override a failing DANE validation" (RFC
        // 8461 §2).
        match dane {
            TlsaStatus::Bogus if self.heeds_dane() => return Err(HostFailureReason::DaneFailed),
            TlsaStatus::Indeterminate if self.heeds_dane() => {
                return Err(HostFailureReason::DaneUnknown);
            }
            TlsaStatus::Insecure | TlsaStatus::Unusable if self.floor == MinTlsLevel::Dane => {
                return Err(HostFailureReason::DaneRequired);
            }
            _ => {}
        }
        let tls = self.level(dane);
        // The purpose of mode `testing` is to report what would have failed. The bounce of a message
        // that requires TLS says so itself if the session satisfies everything.
        let validates_pkix =
            self.policy.is_ok() || tls == TlsLevel::Pkix || self.require_tls == RequireTls::Bounce;
        Ok(Requirement { tls, validates_pkix, requiretls: self.require_tls == RequireTls::Yes })
    }

    /// Returns the level of TLS that a session needs.
    fn level(&self, dane: TlsaStatus) -> TlsLevel {
        let tag = self.require_tls;
        if dane == TlsaStatus::Usable && self.enforces() {
            self.enforced_beside_dane
        } else if dane == TlsaStatus::Usable && self.heeds_dane() {
            TlsLevel::Dane
        } else if self.enforces()
            || self.floor == MinTlsLevel::Authenticated
            || tag == RequireTls::Yes
        {
            TlsLevel::Pkix
        } else if (dane == TlsaStatus::Unusable && self.heeds_dane())
            || self.floor == MinTlsLevel::Encrypted
            || tag == RequireTls::Bounce
        {
            TlsLevel::Encrypted
        } else {
            TlsLevel::Opportunistic
        }
    }

    /// Decides whether the session satisfies the requirement.
    pub(super) fn judge(
        &self,
        host: &Arc<str>,
        dane: TlsaStatus,
        requirement: Requirement,
        outcome: SessionOutcome,
        offers_requiretls: bool,
    ) -> Judgement {
        let tls = requirement.tls;
        let session = match &outcome {
            SessionOutcome::Unreachable => return Judgement::Leave(HostFailureReason::Unreachable),
            SessionOutcome::GreetingRefused => {
                return Judgement::Leave(HostFailureReason::GreetingRefused);
            }
            SessionOutcome::ConnectionLost => {
                return Judgement::Leave(HostFailureReason::ConnectionLost);
            }
            SessionOutcome::HandshakeFailed(_) | SessionOutcome::CertificateRejected(_) => {
                return self.judge_no_tls(dane, tls, outcome);
            }
            SessionOutcome::ClearText | SessionOutcome::StarttlsRefused { .. } => {
                Session::in_clear_text(host.clone())
            }
            SessionOutcome::Encrypted(checks) => {
                Session::encrypted(host.clone(), checks, offers_requiretls)
            }
        };
        if session.satisfies(requirement) {
            return Judgement::Send(session);
        }
        if session.has_level(tls) {
            return Judgement::Leave(HostFailureReason::NoRequiretls);
        }
        Judgement::Leave(self.what_is_missing(dane, tls, outcome))
    }

    /// Decides about an attempt whose handshake failed.
    fn judge_no_tls(&self, dane: TlsaStatus, tls: TlsLevel, outcome: SessionOutcome) -> Judgement {
        match tls {
            TlsLevel::Never => Judgement::Leave(HostFailureReason::Unreachable),
            TlsLevel::Opportunistic => Judgement::NoTls,
            _ => Judgement::Leave(self.what_is_missing(dane, tls, outcome)),
        }
    }

    fn what_is_missing(
        &self,
        dane: TlsaStatus,
        tls: TlsLevel,
        outcome: SessionOutcome,
    ) -> HostFailureReason {
        let demanded_by = self.who_demands_tls(dane);
        let (checks, rejected) = match outcome {
            SessionOutcome::Encrypted(checks) => (checks, None),
            SessionOutcome::CertificateRejected(checks) => {
                let failure = checks.failure().cloned();
                (checks, failure)
            }
            SessionOutcome::HandshakeFailed(failure) => {
                return HostFailureReason::HandshakeFailed(demanded_by, failure);
            }
            SessionOutcome::StarttlsRefused { is_temporary } => {
                return HostFailureReason::StarttlsRefused { by: demanded_by, is_temporary };
            }
            SessionOutcome::ClearText
            | SessionOutcome::Unreachable
            | SessionOutcome::GreetingRefused
            | SessionOutcome::ConnectionLost => return HostFailureReason::NoStarttls(demanded_by),
        };
        let (by, check) = match tls {
            TlsLevel::Dane => (RequiredBy::Dane, checks.dane),
            // DANE comes first, because a newer policy does not change it. A failed check comes
            // before one that was not made.
            TlsLevel::DaneAndPkix => match (checks.dane, checks.pkix) {
                (Some(Err(failure)), _) => (RequiredBy::Dane, Some(Err(failure))),
                (Some(Ok(())), pkix) | (None, pkix @ Some(Err(_))) => (RequiredBy::Policy, pkix),
                (None, _) => (RequiredBy::Dane, None),
            },
            TlsLevel::Pkix if self.enforces() => (RequiredBy::Policy, checks.pkix),
            TlsLevel::Pkix if self.require_tls == RequireTls::Yes => {
                (RequiredBy::Sender, checks.pkix)
            }
            TlsLevel::Pkix => (RequiredBy::Operator, checks.pkix),
            // Any certificate would have been accepted.
            _ => (demanded_by, None),
        };
        match (check, rejected) {
            (Some(Err(failure)), _) => HostFailureReason::CertificateInvalid(by, failure),
            // The certificate was rejected by a check that was not required.
            (_, Some(failure)) => HostFailureReason::HandshakeFailed(demanded_by, failure),
            _ => HostFailureReason::CertificateUnchecked(by),
        }
    }

    /// Returns the source of the requirement for TLS. The policy comes first, because it may have
    /// been replaced meanwhile (RFC 8461 §5.1).
    fn who_demands_tls(&self, dane: TlsaStatus) -> RequiredBy {
        if self.enforces() {
            RequiredBy::Policy
        } else if self.heeds_dane() && matches!(dane, TlsaStatus::Usable | TlsaStatus::Unusable) {
            RequiredBy::Dane
        } else if matches!(self.require_tls, RequireTls::Yes | RequireTls::Bounce) {
            RequiredBy::Sender
        } else {
            RequiredBy::Operator
        }
    }
}

/// Returns the policy, if it is not of mode `none`: "treat the Policy Domain as though it does not have
/// any active policy" (RFC 8461 §5).
pub(super) fn active(policy: Result<Arc<Policy>, NoPolicy>) -> Result<Arc<Policy>, NoPolicy> {
    policy.and_then(|policy| match policy.mode() {
        Mode::None => Err(NoPolicy::ModeNone),
        Mode::Testing | Mode::Enforce => Ok(policy),
    })
}

/// Returns whether the host would fail a message that requires TLS again. Hosts that could not be
/// checked may satisfy the requirement later, and what the operator requires is no failure of the
/// domain.
fn is_final(reason: &HostFailureReason) -> bool {
    match reason {
        HostFailureReason::NotListed
        | HostFailureReason::MxNotSecure
        | HostFailureReason::NoRequiretls
        | HostFailureReason::NoStarttls(_)
        | HostFailureReason::StarttlsRefused { is_temporary: false, .. }
        | HostFailureReason::CertificateInvalid(..) => true,
        HostFailureReason::HandshakeFailed(_, failure) => {
            failure.reason_code() != Failure::HANDSHAKE_INTERRUPTED
        }
        _ => false,
    }
}
