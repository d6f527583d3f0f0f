//! The requirements of a session, as a pure function of the policy, the minimum TLS level, DANE and
//! the host.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{
    refusal::{HostFailure, HostFailureReason, Misconfiguration, RequiredBy},
    require_tls::RequireTls,
    requirement::{MinTlsLevel, Requirement, TlsLevel, TlsaStatus},
    route::{MxLookup, Route},
    session::Session,
    tls_rules::TlsRules,
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
    /// `true` if a policy of mode `testing` counts as one of mode `enforce`.
    enforces_testing: bool,
    /// The hosts of which any certificate is accepted under `enforce`.
    any_certificate: Vec<Arc<str>>,
    lookup: MxLookup,
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
            enforces_testing: false,
            any_certificate: Vec::new(),
            lookup: *lookup,
        }
    }

    /// Applies the rules of the operator.
    pub(super) fn apply(&mut self, tls: &TlsRules, any_certificate: Vec<Arc<str>>) {
        self.any_certificate = any_certificate;
        if let Some(domain) = &self.domain {
            self.floor = self.floor.max(tls.min_tls_level(domain));
            self.enforces_testing = tls.enforces_testing(domain);
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
            | HostFailureReason::CertificateUnchecked(by) => {
                matches!(by, RequiredBy::Policy | RequiredBy::TestingPolicy)
            }
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
        let has_enforce = |policy: &Arc<Policy>| match policy.mode() {
            Mode::Enforce => true,
            Mode::Testing => self.enforces_testing,
            Mode::None => false,
        };
        self.require_tls != RequireTls::No && self.policy.as_ref().is_ok_and(has_enforce)
    }

    /// Returns whether the policy excludes the host if its certificate is not valid.
    pub(super) fn enforces_certificate(&self, host: &str) -> bool {
        self.enforces() && !self.any_certificate.iter().any(|exempt| **exempt == *host)
    }

    /// Returns whether TLSA records count, as well as a failure to look them up. For a message with
    /// `TLS-Required: No` they do only if the operator requires DANE where it is offered.
    pub(super) fn heeds_dane(&self) -> bool {
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
        let tls = self.level(host, dane);
        // The purpose of mode `testing` is to report what would have failed. The bounce of a message
        // that requires TLS says so itself if the session satisfies everything.
        let validates_pkix =
            self.policy.is_ok() || tls == TlsLevel::Pkix || self.require_tls == RequireTls::Bounce;
        Ok(Requirement { tls, validates_pkix, requiretls: self.require_tls == RequireTls::Yes })
    }

    /// Returns the level of TLS that a session needs.
    fn level(&self, host: &str, dane: TlsaStatus) -> TlsLevel {
        let tag = self.require_tls;
        if dane == TlsaStatus::Usable && self.enforces_certificate(host) {
            self.enforced_beside_dane
        } else if dane == TlsaStatus::Usable && self.heeds_dane() {
            TlsLevel::Dane
        } else if self.enforces_certificate(host)
            || self.floor == MinTlsLevel::Authenticated
            || tag == RequireTls::Yes
        {
            TlsLevel::Pkix
        } else if self.enforces()
            || (dane == TlsaStatus::Unusable && self.heeds_dane())
            || self.floor == MinTlsLevel::Encrypted
            || tag == RequireTls::Bounce
        {
            TlsLevel::Encrypted
        } else {
            TlsLevel::Opportunistic
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
