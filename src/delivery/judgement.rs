//! The decision whether a session satisfies its requirement.

use alloc::sync::Arc;

use super::{
    refusal::{HostFailureReason, RequiredBy},
    require_tls::RequireTls,
    requirement::{Requirement, TlsLevel, TlsaStatus},
    rules::Rules,
    session::{Session, SessionOutcome},
};
use crate::mode::Mode;

/// The decision about a session, or about an attempt that did not result in one.
pub(super) enum Judgement {
    Send(Session),
    /// There is no TLS, and it is not required.
    NoTls,
    Leave(HostFailureReason),
}

impl Rules {
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
                return self.judge_no_tls(host, dane, tls, outcome);
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
        Judgement::Leave(self.what_is_missing(host, dane, tls, outcome))
    }

    /// Decides about an attempt whose handshake failed.
    fn judge_no_tls(
        &self,
        host: &str,
        dane: TlsaStatus,
        tls: TlsLevel,
        outcome: SessionOutcome,
    ) -> Judgement {
        match tls {
            TlsLevel::Never => Judgement::Leave(HostFailureReason::Unreachable),
            TlsLevel::Opportunistic => Judgement::NoTls,
            _ => Judgement::Leave(self.what_is_missing(host, dane, tls, outcome)),
        }
    }

    fn what_is_missing(
        &self,
        host: &str,
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
                (Some(Ok(())), pkix) | (None, pkix @ Some(Err(_))) => (self.by_policy(), pkix),
                (None, _) => (RequiredBy::Dane, None),
            },
            TlsLevel::Pkix if self.enforces_certificate(host) => (self.by_policy(), checks.pkix),
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

    /// Returns the source of what a policy requires.
    fn by_policy(&self) -> RequiredBy {
        match &self.policy {
            Ok(policy) if policy.mode() == Mode::Testing => RequiredBy::TestingPolicy,
            _ => RequiredBy::Policy,
        }
    }

    /// Returns the source of the requirement for TLS. The policy comes first, because it may have
    /// been replaced meanwhile (RFC 8461 §5.1).
    fn who_demands_tls(&self, dane: TlsaStatus) -> RequiredBy {
        if self.enforces() {
            self.by_policy()
        } else if self.heeds_dane() && matches!(dane, TlsaStatus::Usable | TlsaStatus::Unusable) {
            RequiredBy::Dane
        } else if matches!(self.require_tls, RequireTls::Yes | RequireTls::Bounce) {
            RequiredBy::Sender
        } else {
            RequiredBy::Operator
        }
    }
}
