//! The requirements of a session, and their sources.

use core::{fmt, str::FromStr};

use thiserror::Error;

/// The minimum TLS level that the operator requires of every session, whatever a domain publishes.
///
/// A policy of mode `testing` or `none` does not lower it, nor does the lack of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MinTlsLevel {
    /// TLS if the host offers it, else clear text.
    #[default]
    Opportunistic,
    /// TLS, with any certificate.
    Encrypted,
    /// TLS with a valid certificate: by DANE where the host has usable TLSA records, else by PKIX.
    ///
    /// The certificate proves that this is the host in the MX record, and nothing about the record.
    /// An attacker who can forge DNS can name a host of their own, with a valid certificate. Only a
    /// policy of mode `enforce` that lists the host, or MX records that are secured by DNSSEC, tie
    /// the host to the domain ([RFC 8461 §10], [RFC 7672 §1.3.2]).
    ///
    /// [RFC 7672 §1.3.2]: https://www.rfc-editor.org/rfc/rfc7672#section-1.3.2
    /// [RFC 8461 §10]: https://www.rfc-editor.org/rfc/rfc8461#section-10
    Authenticated,
    /// TLS with a certificate that is valid by DANE: "mandatory DANE" ([RFC 7672 §6]). The limits
    /// that [`Authenticated`](Self::Authenticated) describes for MX records apply here too.
    ///
    /// [RFC 7672 §6]: https://www.rfc-editor.org/rfc/rfc7672#section-6
    Dane,
}

impl MinTlsLevel {
    const ALL: [Self; 4] = [Self::Opportunistic, Self::Encrypted, Self::Authenticated, Self::Dane];

    /// Returns the value for a settings file: `opportunistic`, `encrypted`, `authenticated` or
    /// `dane`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opportunistic => "opportunistic",
            Self::Encrypted => "encrypted",
            Self::Authenticated => "authenticated",
            Self::Dane => "dane",
        }
    }
}

impl fmt::Display for MinTlsLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error for a word that is not a [`MinTlsLevel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the minimum TLS level must be `opportunistic`, `encrypted`, `authenticated` or `dane`, in lower \
     case"
)]
pub struct ParseTlsLevelError(());

impl FromStr for MinTlsLevel {
    type Err = ParseTlsLevelError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|level| level.as_str() == word).ok_or(ParseTlsLevelError(()))
    }
}

/// The result of looking up the TLSA records at `_25._tcp.` and the host's name.
///
/// A sender without DANE supplies [`Insecure`](Self::Insecure) for every host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsaStatus {
    /// The answer is insecure, or proves that there are no records: only MTA-STS applies.
    Insecure,
    /// The records are secure, and at least one is usable. The certificate is checked against them
    /// alone, and TLS is required even without an MTA-STS policy ([RFC 7672 §2.2]). Under `enforce`
    /// the host must still be listed.
    ///
    /// [RFC 7672 §2.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.2
    Usable,
    /// The records are secure, and none is usable. TLS is required with any certificate ([RFC 7672
    /// §2.2]), unless MTA-STS requires a valid one.
    ///
    /// [RFC 7672 §2.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.2
    Unusable,
    /// The answer is bogus by DNSSEC: the host is treated as unreachable ([RFC 7672 §2.1.2]).
    /// MTA-STS does not override this ([RFC 8461 §2]).
    ///
    /// [RFC 7672 §2.1.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.1.2
    /// [RFC 8461 §2]: https://www.rfc-editor.org/rfc/rfc8461#section-2
    Bogus,
    /// There is no answer now, such as after a time-out or SERVFAIL, or it could not be determined
    /// if the answer is secure (indeterminate, [RFC 4033 §5]). The host is skipped like an
    /// unreachable one, as with [`Bogus`](Self::Bogus), even if a session would satisfy a policy.
    /// Otherwise an attacker who blocks the lookup could disable DANE ([RFC 7672 §2.1.2]).
    ///
    /// [RFC 4033 §5]: https://www.rfc-editor.org/rfc/rfc4033#section-5
    /// [RFC 7672 §2.1.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.1.2
    Indeterminate,
}

/// The level of TLS that a session needs before anything of a message may be sent over it.
///
/// This includes the envelope: no `MAIL`, no `RCPT`, no `DATA` before
/// [`handle_session`](super::Delivery::handle_session) has returned
/// [`Send`](super::SendDecision::Send).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsLevel {
    /// No `STARTTLS`: a handshake with this host has just failed, and TLS is not required. Connect
    /// again, in clear text.
    Never,
    /// `STARTTLS` with any certificate if the host offers it, else clear text.
    Opportunistic,
    /// TLS, with any certificate.
    Encrypted,
    /// TLS with a certificate that is not expired, chains to a trusted root, and has a DNS-ID for
    /// the MX host ([RFC 8461 §4.2]): [`Attempt::host`](super::Attempt::host), not the recipient's
    /// domain and not a pattern of the policy.
    ///
    /// [RFC 8461 §4.2]: https://www.rfc-editor.org/rfc/rfc8461#section-4.2
    Pkix,
    /// TLS with a certificate that matches the host's TLSA records. PKIX does not count.
    Dane,
    /// TLS with a certificate that satisfies both: see
    /// [`Delivery::with_pkix_beside_dane`](super::Delivery::with_pkix_beside_dane).
    DaneAndPkix,
}

/// The requirements of a session with one host.
///
/// Send the host's name as SNI ([RFC 8461 §7.1]), and do not resume TLS sessions: the certificate
/// of a resumed session is not validated, so that a failure would look like a success.
///
/// [RFC 8461 §7.1]: https://www.rfc-editor.org/rfc/rfc8461#section-7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    pub(super) tls: TlsLevel,
    pub(super) validates_pkix: bool,
    pub(super) requiretls: bool,
}

impl Requirement {
    /// The requirement of a host with which no handshake succeeded.
    pub(super) const IN_CLEAR_TEXT: Self =
        Self { tls: TlsLevel::Never, validates_pkix: false, requiretls: false };

    /// Returns the level of TLS that the session needs.
    #[must_use]
    pub fn tls(self) -> TlsLevel {
        self.tls
    }

    /// Returns whether to use the connection in clear text if there is no `STARTTLS`. If not, close
    /// it: under `enforce` the host is never tried in clear text ([RFC 8461 §5]).
    ///
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    #[must_use]
    pub fn allows_clear_text(self) -> bool {
        self.tls <= TlsLevel::Opportunistic
    }

    /// Returns whether to validate the certificate by PKIX. Supply the result in
    /// [`CertificateChecks::with_pkix`](super::CertificateChecks::with_pkix).
    ///
    /// It is also true if the result only counts in a report: under a policy of mode `testing`, and
    /// together with DANE. End the handshake on a failure only if
    /// [`is_pkix_fatal`](Self::is_pkix_fatal). The result is useful even if this is false: it may
    /// allow the connection to be reused for more domains.
    #[must_use]
    pub fn validates_pkix(self) -> bool {
        self.validates_pkix
    }

    /// Returns whether nothing may be sent unless the host offers `REQUIRETLS` in its reply to the
    /// `EHLO` after `STARTTLS` ([RFC 8689 §4.2.1]). Supply that with
    /// [`Attempt::with_requiretls_offered`](super::Attempt::with_requiretls_offered).
    ///
    /// [RFC 8689 §4.2.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.1
    #[must_use]
    pub fn needs_requiretls(self) -> bool {
        self.requiretls
    }

    /// Returns whether nothing may be sent if the certificate is not valid by PKIX.
    #[must_use]
    pub fn is_pkix_fatal(self) -> bool {
        matches!(self.tls, TlsLevel::Pkix | TlsLevel::DaneAndPkix)
    }

    /// Returns whether nothing may be sent if the certificate does not match the host's TLSA
    /// records. Supply the result in
    /// [`CertificateChecks::with_dane`](super::CertificateChecks::with_dane).
    #[must_use]
    pub fn is_dane_fatal(self) -> bool {
        matches!(self.tls, TlsLevel::Dane | TlsLevel::DaneAndPkix)
    }
}
