//! The TLS handshake of one attempt, and its outcome.

use alloc::{boxed::Box, string::ToString, sync::Arc};
use core::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pki_types::{InvalidDnsNameError, ServerName};
use rustls::ClientConfig;
use time::UtcDateTime;

use crate::{
    delivery::{Attempt, CertificateChecks, SessionOutcome},
    failure::{Failure, ResultType},
    verify::{HostVerifier, TrustStore, describe_tls_error},
};

/// The TLS handshake of one attempt: the settings for rustls, and the outcome of the session.
///
/// Create one for each connection, after the host has accepted `STARTTLS`. Then call the method for the event:
///
/// | event | method |
/// | --- | --- |
/// | the handshake is complete, and the host has answered the next `EHLO` | [`completed`](Self::completed) |
/// | the handshake failed, in whatever way | [`failed`](Self::failed) |
/// | the handshake is complete, and then the host refused `EHLO`, or the connection was lost | [`lost`](Self::lost) |
///
/// If the certificate is not valid, that is what they say, however the handshake ended: it is what the
/// owner of the host can fix.
///
/// A mail server that looks up TLSA records checks the certificate against them itself, after the
/// handshake or within it, and supplies the result by [`set_dane_result`](Self::set_dane_result).
///
/// ```
/// use mta_sts::{delivery::{Attempt, SessionOutcome}, smtp::Handshake, time::UtcDateTime, verify::TrustStore};
///
/// # fn example(attempt: &Attempt, trust: &TrustStore, connect: impl FnOnce(rustls::ClientConfig, rustls::pki_types::ServerName<'static>) -> std::io::Result<()>) {
/// let handshake = Handshake::new(attempt, trust, UtcDateTime::now());
/// let outcome: SessionOutcome = match handshake.server_name() {
///     Ok(name) => match connect(handshake.client_config(), name) {
///         Ok(()) => handshake.completed(),
///         Err(error) => handshake.failed(&error),
///     },
///     Err(error) => handshake.failed(&error),
/// };
/// # drop(outcome);
/// # }
/// ```
#[derive(Debug)]
pub struct Handshake {
    host: Box<str>,
    verifier: Arc<HostVerifier>,
    is_fatal: bool,
    is_dane_fatal: bool,
    dane: Mutex<Option<Result<(), Failure>>>,
    now: UtcDateTime,
}

impl Handshake {
    /// Creates the handshake of an attempt. If the requirement is
    /// [a valid certificate](crate::delivery::Requirement::is_pkix_fatal), one that is not valid
    /// ends the handshake; otherwise it is only noted.
    #[must_use]
    pub fn new(attempt: &Attempt, trust: &TrustStore, now: UtcDateTime) -> Self {
        let is_fatal = attempt.requirement().is_pkix_fatal();
        let verifier =
            if is_fatal { HostVerifier::enforcing(trust) } else { HostVerifier::testing(trust) };
        let is_dane_fatal = attempt.requirement().is_dane_fatal();
        let (host, dane) = (attempt.host().into(), Mutex::new(None));
        Self { host, verifier, is_fatal, is_dane_fatal, dane, now }
    }

    /// Returns whether the certificate must match the host's TLSA records, because
    /// [`TlsaStatus::Usable`](crate::delivery::TlsaStatus::Usable) was supplied. Nothing is sent without
    /// the [result](Self::set_dane_result) of that check.
    #[must_use]
    pub fn needs_dane(&self) -> bool {
        self.is_dane_fatal
    }

    /// Sets the result of checking the certificate against the TLSA records of the host ([RFC 7672
    /// §3]), before the event of the handshake is supplied. Of several results, a failure counts.
    ///
    /// [RFC 7672 §3]: https://www.rfc-editor.org/rfc/rfc7672#section-3
    pub fn set_dane_result(&self, result: Result<(), Failure>) {
        let mut dane = self.dane();
        if !matches!(*dane, Some(Err(_))) {
            *dane = Some(result);
        }
    }

    /// Returns the settings for this connection: TLS 1.2 or 1.3, without resumption.
    #[must_use]
    pub fn client_config(&self) -> ClientConfig {
        self.verifier.client_config(self.now)
    }

    /// Returns the server name: the MX host, which is also the SNI ([RFC 8461 §7.1]).
    ///
    /// # Errors
    ///
    /// Returns an error if the host has no name for a certificate, such as an address literal in
    /// brackets.
    ///
    /// [RFC 8461 §7.1]: https://www.rfc-editor.org/rfc/rfc8461#section-7.1
    pub fn server_name(&self) -> Result<ServerName<'static>, InvalidDnsNameError> {
        ServerName::try_from(self.host.to_string())
    }

    /// Returns the outcome of a complete handshake, after the host has answered the next `EHLO`.
    #[must_use]
    pub fn completed(self) -> SessionOutcome {
        SessionOutcome::Encrypted(self.checks())
    }

    /// Returns the outcome of a failed handshake. If the error is, or contains, one of rustls, it is
    /// described in words for the owner of the host.
    #[must_use]
    pub fn failed(self, error: &(dyn Error + 'static)) -> SessionOutcome {
        if let Some(rejected) = self.rejected() {
            return rejected;
        }
        let tls = find::<rustls::Error>(error);
        let is_of_host = match tls {
            Some(tls) => !is_passing(tls),
            None => find::<InvalidDnsNameError>(error).is_some(),
        };
        // A certificate that was not required to be valid is still the best description, but it is
        // not why a connection was lost, and under DANE it says nothing.
        if is_of_host
            && !self.is_dane_fatal
            && let Some(Err(failure)) = self.result()
        {
            return SessionOutcome::HandshakeFailed(failure);
        }
        let code = if is_of_host { "tls" } else { Failure::HANDSHAKE_INTERRUPTED };
        let message = tls.map_or_else(|| error.to_string().into(), describe_tls_error);
        let result_type = ResultType::ValidationFailure;
        let failure = Failure::new(result_type, code, &*self.host, message.into_string());
        SessionOutcome::HandshakeFailed(failure)
    }

    /// Returns the outcome of a session that ended after the handshake: `ended` is
    /// [`GreetingRefused`](SessionOutcome::GreetingRefused) or
    /// [`ConnectionLost`](SessionOutcome::ConnectionLost).
    #[must_use]
    pub fn lost(self, ended: SessionOutcome) -> SessionOutcome {
        self.rejected().unwrap_or(ended)
    }

    fn result(&self) -> Option<Result<(), Failure>> {
        Some(self.verifier.result()?.clone().map_err(Failure::from))
    }

    /// Returns the checks that were made.
    fn checks(&self) -> CertificateChecks {
        let mut checks = CertificateChecks::new();
        if let Some(result) = self.result() {
            checks = checks.with_pkix(result);
        }
        match self.dane().clone() {
            Some(result) if self.is_dane_fatal => checks.with_dane(result),
            _ => checks,
        }
    }

    /// Returns the outcome of a session whose certificate failed a check that was required.
    fn rejected(&self) -> Option<SessionOutcome> {
        let is_rejected = (self.is_fatal && matches!(self.result(), Some(Err(_))))
            || (self.is_dane_fatal && matches!(*self.dane(), Some(Err(_))));
        is_rejected.then(|| SessionOutcome::CertificateRejected(self.checks()))
    }

    fn dane(&self) -> MutexGuard<'_, Option<Result<(), Failure>>> {
        self.dane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the error of this type that an error of a handshake is, or whose cause it is, also as the
/// content of an I/O error.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let found = error.downcast_ref().or_else(|| inner?.downcast_ref());
        if found.is_some() {
            return found;
        }
        next = error.source();
    }
    None
}

/// Returns whether an error may be the sender's own, or that of a host which is overloaded.
fn is_passing(error: &rustls::Error) -> bool {
    use rustls::{AlertDescription, Error};

    matches!(
        error,
        Error::FailedToGetRandomBytes
            | Error::FailedToGetCurrentTime
            | Error::General(_)
            | Error::AlertReceived(
                AlertDescription::InternalError | AlertDescription::UserCanceled
            )
    )
}
