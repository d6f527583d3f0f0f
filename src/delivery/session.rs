//! The outcome of a connection to a host, and the host's reply to the message.

use alloc::sync::Arc;

use super::requirement::{Requirement, TlsLevel};
use crate::failure::{Failure, ResultType};

/// The outcome of an attempt, before anything of the message is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOutcome {
    /// There is no connection. By RFC 8461 appendix B, for an unreachable host, "it's not an
    /// MTA-STS error": nothing is reported.
    Unreachable,
    /// The host refuses sessions: its greeting, or its reply to `EHLO`, was an error such as 554.
    /// It counts like an unreachable host, even if the error is permanent: in clear text, the reply
    /// may come from an attacker.
    GreetingRefused,
    /// The connection was lost or timed out before `STARTTLS`. It counts like an unreachable host.
    ConnectionLost,
    /// The connection is in clear text: the host does not offer `STARTTLS`, or it was not used
    /// ([`TlsLevel::Never`]).
    ClearText,
    /// The host offers `STARTTLS` and replied to it with an error. The connection is still usable
    /// in clear text. It counts as `starttls-not-supported` ([RFC 8460 §4.3.1]), not as a failed
    /// handshake.
    ///
    /// [RFC 8460 §4.3.1]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3.1
    StarttlsRefused {
        /// `true` if the refusal is temporary, such as 454 ([RFC 3207 §4]).
        ///
        /// [RFC 3207 §4]: https://www.rfc-editor.org/rfc/rfc3207#section-4
        is_temporary: bool,
    },
    /// The TLS handshake failed for another reason than a check of the certificate. It counts under
    /// every policy that requires TLS. Use the reason code [`Failure::HANDSHAKE_INTERRUPTED`] for a lost
    /// connection or a time-out.
    HandshakeFailed(Failure),
    /// A check of the certificate ended the TLS handshake. A failure by PKIX counts under MTA-STS,
    /// one by DANE under the TLSA records ([RFC 8460 §4.3]).
    ///
    /// [RFC 8460 §4.3]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3
    CertificateRejected(CertificateChecks),
    /// The TLS handshake is complete, and these checks of the certificate were made.
    Encrypted(CertificateChecks),
}

/// The results of checking the certificate of a session.
///
/// A check without a result was not made: if it is required, nothing is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateChecks {
    pub(super) pkix: Option<Result<(), Failure>>,
    pub(super) dane: Option<Result<(), Failure>>,
}

impl SessionOutcome {
    /// Returns whether the session ended before `STARTTLS`.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable | Self::GreetingRefused | Self::ConnectionLost)
    }

    /// Returns whether the host was not checked because of a mistake of the sender.
    pub(super) fn is_senders_mistake(&self) -> bool {
        let failure = match self {
            Self::HandshakeFailed(failure) => Some(failure),
            Self::CertificateRejected(checks) | Self::Encrypted(checks) => checks.failure(),
            _ => None,
        };
        failure.is_some_and(|failure| failure.reason_code() == Failure::VERIFIER_REUSED)
    }

    /// Converts a rejection without a failed check to a failed handshake.
    pub(super) fn normalized(self, host: &str) -> Self {
        match self {
            Self::CertificateRejected(checks) if checks.failure().is_none() => {
                Self::HandshakeFailed(Failure::new(
                    ResultType::ValidationFailure,
                    "certificate-rejected",
                    host,
                    "the certificate was rejected for a reason that was not told",
                ))
            }
            outcome => outcome,
        }
    }
}

impl CertificateChecks {
    /// Creates checks without results.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the failure of PKIX, or else that of DANE.
    pub(super) fn failure(&self) -> Option<&Failure> {
        let failed = |check: &'_ Option<Result<(), Failure>>| matches!(check, Some(Err(_)));
        let check = [&self.pkix, &self.dane].into_iter().find(|check| failed(check))?;
        check.as_ref()?.as_ref().err()
    }

    /// Sets the result of checking that the certificate is valid for the MX host by PKIX ([RFC 8461
    /// §4.2]).
    ///
    /// [RFC 8461 §4.2]: https://www.rfc-editor.org/rfc/rfc8461#section-4.2
    #[must_use]
    pub fn with_pkix(self, result: Result<(), Failure>) -> Self {
        Self { pkix: Some(result), ..self }
    }

    /// Sets the result of checking that the certificate matches the TLSA records of the MX host
    /// ([RFC 7672 §3]). If the usage is DANE-TA and the certificate names only the recipient's
    /// domain, not the host, do not reuse the [`Session`] for other domains.
    ///
    /// [RFC 7672 §3]: https://www.rfc-editor.org/rfc/rfc7672#section-3
    #[must_use]
    pub fn with_dane(self, result: Result<(), Failure>) -> Self {
        Self { dane: Some(result), ..self }
    }
}

/// The properties of an open connection, to be stored with it as long as it is open.
///
/// Another message may be sent over the connection only if the session satisfies the requirements
/// of *its* domain: see [`Delivery::reuse`](super::Delivery::reuse).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    host: Arc<str>,
    encrypted: bool,
    valid: Validity,
    requiretls: bool,
}

/// The checks that a certificate has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Validity {
    pkix: bool,
    dane: bool,
}

impl Session {
    pub(super) fn in_clear_text(host: Arc<str>) -> Self {
        Self { host, encrypted: false, valid: Validity::default(), requiretls: false }
    }

    pub(super) fn encrypted(
        host: Arc<str>,
        checks: &CertificateChecks,
        offers_requiretls: bool,
    ) -> Self {
        let holds = |check: &Option<Result<(), Failure>>| matches!(check, Some(Ok(())));
        let valid = Validity { pkix: holds(&checks.pkix), dane: holds(&checks.dane) };
        Self { host, encrypted: true, valid, requiretls: offers_requiretls }
    }

    /// Returns the MX host at the other end.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether TLS is in use.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Returns whether the certificate is valid for the host by PKIX.
    #[must_use]
    pub fn is_pkix_valid(&self) -> bool {
        self.valid.pkix
    }

    /// Returns whether the certificate matches the host's TLSA records.
    #[must_use]
    pub fn is_dane_valid(&self) -> bool {
        self.valid.dane
    }

    /// Returns whether the host offers `REQUIRETLS` within TLS ([RFC 8689 §2]).
    ///
    /// [RFC 8689 §2]: https://www.rfc-editor.org/rfc/rfc8689#section-2
    #[must_use]
    pub fn offers_requiretls(&self) -> bool {
        self.requiretls
    }

    /// Returns whether the session satisfies a requirement. All decisions use this function.
    pub(super) fn satisfies(&self, requirement: Requirement) -> bool {
        self.has_level(requirement.tls) && (self.requiretls || !requirement.requiretls)
    }

    /// Returns whether the session satisfies a level of TLS.
    pub(super) fn has_level(&self, tls: TlsLevel) -> bool {
        match tls {
            TlsLevel::Never | TlsLevel::Opportunistic => true,
            TlsLevel::Encrypted => self.encrypted,
            TlsLevel::Pkix => self.valid.pkix,
            TlsLevel::Dane => self.valid.dane,
            TlsLevel::DaneAndPkix => self.valid.dane && self.valid.pkix,
        }
    }
}

/// The reply of a host to the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmtpReply {
    /// The host accepted the message.
    Accepted,
    /// The host refused the message temporarily (4yz).
    Transient,
    /// The connection was lost or timed out before the reply. If the end of the data was sent, it
    /// is unknown whether the host accepted the message.
    ConnectionLost,
    /// The host refused the message permanently (5yz). By the rules of SMTP, no other host is
    /// tried.
    Permanent,
}
