//! The certificates of MX hosts (§4.2).
//!
//! A policy says that its MX hosts have valid certificates; whoever connects to one must look. That
//! means a chain to a trust anchor, now, and a DNS-ID of the certificate that is the name of the
//! *host*: neither that of the recipient's domain nor a pattern of the policy. What is trusted and
//! which algorithms verify signatures is for the caller to say, as in rustls: nothing is trusted, and
//! no cryptography chosen, behind anyone's back.
//!
//! ```
//! use mta_sts::{
//!     ResultType,
//!     verify::{CertificateErrorKind, MxCertificate, Trust, pki_types::CertificateDer},
//! };
//! use time::macros::utc_datetime;
//!
//! // Of rustls: a `RootCertStore`'s `roots`, a `CryptoProvider`'s `signature_verification_algorithms.all`.
//! let trust = Trust::new(&[], &[]);
//! // What the host presented: `peer_certificates` of a connection.
//! let chain = [CertificateDer::from(&b"no certificate at all"[..])];
//!
//! let certificate = MxCertificate::new(&chain);
//! let result = certificate.verify("mx.example.com", utc_datetime!(2026-01-01 0:00), &trust);
//! let error = result.unwrap_err();
//! assert!(matches!(error.kind(), CertificateErrorKind::Malformed(_)));
//! assert_eq!(error.result_type(), ResultType::CertificateNotTrusted);
//! ```
//!
//! The result is what [`Checks::pkix`](crate::delivery::Checks::pkix) takes, once the error has become
//! a [`Failure`](crate::Failure).

mod error;
#[cfg(feature = "rustls")]
mod handshake;
mod names;

use time::UtcDateTime;
use webpki::{
    EndEntityCert, ExpirationPolicy, KeyUsage, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy,
};
// The crates whose types are in this interface.
#[cfg(feature = "rustls")]
pub use rustls;
pub use {pki_types, webpki};

#[cfg(feature = "rustls")]
pub use self::handshake::{HostVerifier, TrustStore, TrustStoreError};
use self::pki_types::{
    CertificateDer, DnsName, ServerName, SignatureVerificationAlgorithm, TrustAnchor,
};
pub use self::{
    error::{CertificateError, CertificateErrorKind},
    names::DnsIds,
};

/// What to hold a certificate against.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    anchors: &'a [TrustAnchor<'a>],
    algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    crls: &'a [&'a webpki::CertRevocationList<'a>],
}

impl<'a> Trust<'a> {
    /// Trusts these anchors, and signatures by these algorithms.
    #[must_use]
    pub const fn new(
        anchors: &'a [TrustAnchor<'a>],
        algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    ) -> Self {
        Self { anchors, algorithms, crls: &[] }
    }

    /// Has certificates looked up in these revocation lists, too (§4.2 leaves it to the sender).
    ///
    /// Every certificate of the chain is looked up. One whose issuer has no list here counts as not
    /// revoked, and an old list is better than none: that a list could not be fetched stops no mail.
    #[must_use]
    pub const fn with_crls(self, crls: &'a [&'a webpki::CertRevocationList<'a>]) -> Self {
        Self { crls, ..self }
    }
}

/// The certificate that an MX host presented, with those that came with it.
#[derive(Clone, Copy, Debug)]
pub struct MxCertificate<'a> {
    chain: &'a [CertificateDer<'a>],
}

impl<'a> MxCertificate<'a> {
    /// The chain as it was presented: the host's own certificate first.
    #[must_use]
    pub const fn new(chain: &'a [CertificateDer<'a>]) -> Self {
        Self { chain }
    }

    /// Whether it is valid for a host at this time.
    ///
    /// `host` is the name in the MX record that is being connected to; a trailing dot does not count.
    /// "The certificate presented by the receiving MTA MUST not be expired and MUST chain to a root CA
    /// that is trusted by the Sending MTA. The certificate MUST have a subject alternative name (SAN)
    /// with a DNS-ID matching the hostname" (§4.2). The common name does not count (RFC 9525 §2), and
    /// a wildcard only stands for the whole of one label, the first (RFC 9525 §6.3).
    ///
    /// # Errors
    ///
    /// If it is not. Of two faults the more telling one, in the order of
    /// [`ResultType`](crate::ResultType).
    pub fn verify(
        &self,
        host: &str,
        now: UtcDateTime,
        trust: &Trust<'_>,
    ) -> Result<(), CertificateError> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let error = |kind| CertificateError::new(host, kind);
        let name = DnsName::try_from(host).map_err(|_| error(CertificateErrorKind::NoHostName))?;
        let (first, intermediates) =
            self.chain.split_first().ok_or_else(|| error(CertificateErrorKind::Missing))?;
        let certificate = EndEntityCert::try_from(first)
            .map_err(|why| error(CertificateErrorKind::Malformed(why)))?;
        let path = check_path(&certificate, intermediates, now, trust);
        let named = certificate.verify_is_valid_for_subject_name(&ServerName::DnsName(name));
        let faults = [path, named].into_iter().filter_map(Result::err);
        let kinds = faults.map(|why| CertificateErrorKind::of(why, &certificate, trust.anchors));
        kinds.max_by_key(CertificateErrorKind::result_type).map_or(Ok(()), |kind| Err(error(kind)))
    }

    /// The host names that it is for, its DNS-IDs; none if it cannot be read.
    #[must_use]
    pub fn names(&self) -> DnsIds {
        let certificate = self.chain.first().map(EndEntityCert::try_from);
        certificate.and_then(Result::ok).map_or_else(DnsIds::default, |it| DnsIds::of(&it))
    }
}

fn check_path(
    certificate: &EndEntityCert<'_>,
    intermediates: &[CertificateDer<'_>],
    now: UtcDateTime,
    trust: &Trust<'_>,
) -> Result<(), webpki::Error> {
    let revocation = RevocationOptionsBuilder::new(trust.crls).ok().map(|options| {
        options
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Allow)
            .with_expiration_policy(ExpirationPolicy::Ignore)
            .build()
    });
    let usage = KeyUsage::server_auth();
    certificate
        .verify_for_usage(
            trust.algorithms,
            trust.anchors,
            intermediates,
            error::unix_time(now),
            usage,
            revocation,
            None,
        )
        .map(|_| ())
}
