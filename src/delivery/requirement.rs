/// The least that the operator asks of every session, whatever a domain publishes.
///
/// A policy of mode `testing` or `none` does not lower it, nor does the lack of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Floor {
    /// TLS if the host offers it, else clear text.
    #[default]
    Opportunistic,
    /// TLS, with any certificate.
    Encrypted,
    /// TLS with a valid certificate: by DANE where the host has usable TLSA records, else by PKIX.
    ///
    /// The certificate proves that this is the host which the MX record names, and nothing about the
    /// record. Whoever can forge DNS names a host of his own, with a valid certificate. Only a policy of
    /// mode `enforce` that lists the host, or MX records that DNSSEC proves, tie the host to the domain
    /// (RFC 8461 §10, RFC 7672 §1.3.2).
    Authenticated,
    /// TLS with a certificate that DANE holds for valid: "mandatory DANE" (RFC 7672 §6). What is said of
    /// MX records under [`Authenticated`](Self::Authenticated) holds here, too.
    Dane,
}

/// What a lookup of the TLSA records at `_25._tcp.` and the host's name gave.
///
/// A sender without DANE says [`NotSigned`](Self::NotSigned) for every host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dane {
    /// The answer is insecure, or proves that there are no records: MTA-STS stands alone.
    NotSigned,
    /// Secure records, one of them usable at least: they alone judge the certificate, and TLS is
    /// required even without an MTA-STS policy (RFC 7672 §2.2). Under `enforce` the host must still
    /// be listed.
    Usable,
    /// Secure records, none of them usable: TLS is required without regard to the certificate (RFC
    /// 7672 §2.2), which MTA-STS may still judge.
    Unusable,
    /// DNSSEC says that the answer is bogus: the host is as good as unreachable (RFC 7672 §2.1.2).
    /// MTA-STS is no way round it (RFC 8461 §2).
    Failed,
    /// There is no answer now, such as after a timeout or SERVFAIL, or it could not be found out whether
    /// the answer is secure (indeterminate, RFC 4033 §5): the host is skipped like an unreachable one,
    /// as with [`Failed`](Self::Failed), even if a policy would be met. Otherwise, who blocks the
    /// lookup would switch DANE off (RFC 7672 §2.1.2).
    TemporaryFailure,
}

/// How much TLS a session needs before anything of a message may go over it.
///
/// That includes the envelope: no `MAIL`, no `RCPT`, no `DATA` before
/// [`handle_session`](super::Delivery::handle_session) has said
/// [`Send`](super::Verdict::Send).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tls {
    /// Do not ask for `STARTTLS`: a handshake with this host has just failed, and nobody demands
    /// TLS. Connect anew, in clear text.
    Never,
    /// Ask for `STARTTLS` if it is offered, take any certificate; without it, stay in clear text.
    Opportunistic,
    /// TLS, with any certificate.
    Encrypted,
    /// TLS with a certificate that is not expired, chains to a trusted root, and has a DNS-ID for
    /// the MX host (RFC 8461 §4.2): [`Attempt::host`](super::Attempt::host), not the recipient's
    /// domain and not a pattern of the policy.
    Pkix,
    /// TLS with a certificate that matches the host's TLSA records. PKIX has no say.
    Dane,
    /// TLS with a certificate that satisfies both: see
    /// [`Delivery::with_pkix_beside_dane`](super::Delivery::with_pkix_beside_dane).
    DaneAndPkix,
}

/// What to ask of a session with one host.
///
/// Send the host's name as SNI (RFC 8461 §7.1), and resume no TLS session: what resumes is not
/// validated, so that a failure would look like a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    pub(super) tls: Tls,
    pub(super) validates_pkix: bool,
}

impl Requirement {
    /// Of a host with which no handshake came about.
    pub(super) const IN_CLEAR_TEXT: Self = Self { tls: Tls::Never, validates_pkix: false };

    /// How much TLS the session needs.
    #[must_use]
    pub fn tls(self) -> Tls {
        self.tls
    }

    /// Whether to use the connection in clear text when there is no `STARTTLS`. If not, close it:
    /// under `enforce` the same host is never tried in clear text (RFC 8461 §5).
    #[must_use]
    pub fn allows_clear_text(self) -> bool {
        self.tls <= Tls::Opportunistic
    }

    /// Whether to validate the certificate by PKIX and to tell the result in
    /// [`Checks::pkix`](super::Checks::pkix).
    ///
    /// True also where the result only counts in a report: under a policy of mode `testing`, and
    /// beside DANE. End the handshake on a failure only if
    /// [`is_pkix_fatal`](Self::is_pkix_fatal). Where it is false the result is welcome too: it may
    /// allow the connection to be used for more domains.
    #[must_use]
    pub fn validates_pkix(self) -> bool {
        self.validates_pkix
    }

    /// Whether nothing may be sent if PKIX does not hold the certificate for valid.
    #[must_use]
    pub fn is_pkix_fatal(self) -> bool {
        matches!(self.tls, Tls::Pkix | Tls::DaneAndPkix)
    }

    /// Whether nothing may be sent if the certificate does not match the host's TLSA records; tell
    /// the result in [`Checks::dane`](super::Checks::dane).
    #[must_use]
    pub fn is_dane_fatal(self) -> bool {
        matches!(self.tls, Tls::Dane | Tls::DaneAndPkix)
    }
}
