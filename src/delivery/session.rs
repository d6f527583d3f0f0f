use alloc::sync::Arc;

use super::requirement::Tls;
use crate::failure::{Failure, ResultType};

/// How far an attempt came, told before anything of the message is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOutcome {
    /// There is no connection. An unreachable host "is not a MTA-STS error" (RFC 8461 appendix B), and
    /// nothing is reported.
    Unreachable,
    /// The host refuses sessions: its greeting, or its answer to `EHLO`, was an error such as 554. It
    /// counts no more than an unreachable host, even if the error is a permanent one: in clear text,
    /// an attacker may have said it.
    GreetingRefused,
    /// The connection was lost, or went silent, before `STARTTLS`. It counts like an unreachable host.
    ConnectionLost,
    /// There is a connection in clear text: the host does not offer `STARTTLS`, or was not asked for
    /// it ([`Tls::Never`]).
    ClearText,
    /// The host offers `STARTTLS` and answered it with an error. The connection is still good in clear
    /// text. It counts as `starttls-not-supported` (RFC 8460 §4.3.1), and is no failed handshake.
    StarttlsRefused {
        /// Whether it is a refusal for now, such as 454 (RFC 3207 §4).
        is_temporary: bool,
    },
    /// The TLS handshake failed, and no check of the certificate has ended it. It counts under every
    /// policy that demands TLS.
    HandshakeFailed(Failure),
    /// A check of the certificate has ended the TLS handshake: there is no session. A failure by PKIX
    /// counts under MTA-STS, one by DANE under the TLSA records (RFC 8460 §4.3).
    CertificateRejected(Checks),
    /// The TLS handshake is done, and the certificate was checked as far as told.
    Encrypted(Checks),
}

/// What was found out about the certificate of a session.
///
/// A check that is missing was not made: where a requirement asks for it, nothing is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    pub(super) pkix: Option<Result<(), Failure>>,
    pub(super) dane: Option<Result<(), Failure>>,
}

impl SessionOutcome {
    /// Returns whether the session ended before TLS could be asked for.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable | Self::GreetingRefused | Self::ConnectionLost)
    }

    /// A rejection for which no check has a reason is any other failed handshake.
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

impl Checks {
    /// Nothing was checked.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns the first failure, that of PKIX before that of DANE.
    pub(super) fn failure(&self) -> Option<&Failure> {
        let failed = |check: &'_ Option<Result<(), Failure>>| matches!(check, Some(Err(_)));
        let check = [&self.pkix, &self.dane].into_iter().find(|check| failed(check))?;
        check.as_ref()?.as_ref().err()
    }

    /// Whether the certificate is valid for the MX host by PKIX (RFC 8461 §4.2).
    #[must_use]
    pub fn pkix(self, result: Result<(), Failure>) -> Self {
        Self { pkix: Some(result), ..self }
    }

    /// Whether the certificate matches the TLSA records of the MX host (RFC 7672 §3). Where the
    /// usage is DANE-TA and the certificate names only the recipient's domain, not the host, keep
    /// the [`Session`] from other domains.
    #[must_use]
    pub fn dane(self, result: Result<(), Failure>) -> Self {
        Self { dane: Some(result), ..self }
    }
}

/// What is known of an open connection, to be kept with it as long as it is open.
///
/// Another message may go over the connection only if this satisfies what *its* domain requires of
/// the host: ask [`Delivery::reuse`](super::Delivery::reuse).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    host: Arc<str>,
    encrypted: bool,
    pkix: bool,
    dane: bool,
}

impl Session {
    pub(super) fn in_clear_text(host: Arc<str>) -> Self {
        Self { host, encrypted: false, pkix: false, dane: false }
    }

    pub(super) fn encrypted(host: Arc<str>, checks: &Checks) -> Self {
        let holds = |check: &Option<Result<(), Failure>>| matches!(check, Some(Ok(())));
        Self { host, encrypted: true, pkix: holds(&checks.pkix), dane: holds(&checks.dane) }
    }

    /// The MX host at the other end.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether TLS is in use.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether PKIX holds the certificate for valid for the host.
    #[must_use]
    pub fn is_pkix_valid(&self) -> bool {
        self.pkix
    }

    /// Whether the certificate matches the host's TLSA records.
    #[must_use]
    pub fn is_dane_valid(&self) -> bool {
        self.dane
    }

    /// The one place that says what satisfies a requirement.
    pub(super) fn satisfies(&self, tls: Tls) -> bool {
        match tls {
            Tls::Never | Tls::Opportunistic => true,
            Tls::Encrypted => self.encrypted,
            Tls::Pkix => self.pkix,
            Tls::Dane => self.dane,
            Tls::DaneAndPkix => self.dane && self.pkix,
        }
    }
}

/// What a host said to the message, once it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// It took the message.
    Accepted,
    /// It refused the message for now (4yz).
    Transient,
    /// The connection was lost, or went silent, before it answered. Whether it has taken the message
    /// is not known if the end of the data was sent.
    ConnectionLost,
    /// It refused the message for good (5yz). This is a matter of SMTP: no other host is tried.
    Permanent,
}
