//! The reasons why a certificate is not valid.

use alloc::{boxed::Box, string::ToString as _};
use core::time::Duration;

use pki_types::UnixTime;
use thiserror::Error;
use time::UtcDateTime;
use webpki::Error as Webpki;

pub use super::words::Fault;
use super::{
    names::DnsIds,
    words::{IncompleteChain, UnknownIssuer, UnsupportedKey},
};
use crate::{
    excerpt::Printable,
    failure::{Failure, ResultType},
    rfc3339::Rfc3339,
};

/// The reason why a certificate is not valid for a host.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {kind}", Printable(host))]
pub struct CertificateError {
    host: Box<str>,
    kind: CertificateErrorKind,
}

impl CertificateError {
    pub(super) fn new(host: &str, kind: CertificateErrorKind) -> Self {
        Self { host: host.into(), kind }
    }

    /// Returns the host that the certificate should be valid for.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> &CertificateErrorKind {
        &self.kind
    }

    /// Returns the result type for a report on an MX host.
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        self.kind.result_type()
    }
}

impl From<&CertificateError> for Failure {
    fn from(CertificateError { host, kind }: &CertificateError) -> Self {
        Self::new(kind.result_type(), kind.reason_code(), host.clone(), kind.to_string())
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Self {
        Self::from(&error)
    }
}

/// The kind of a [`CertificateError`].
///
/// Authorities are named by the common name of their certificates, such as `CN=Example Root`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateErrorKind {
    /// The host presented no certificate.
    #[error("no certificate was presented")]
    Missing,
    /// The name that the certificate should be valid for is not a host name.
    #[error("this is not the name of a host, so no certificate can be valid for it")]
    NoHostName,
    /// The certificate cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Malformed(Fault),
    /// The certificate is of an older version of X.509 than 3.
    #[error(
        "the certificate is of X.509 version 1 or 2, which knows no names of hosts: make one of version 3"
    )]
    UnsupportedVersion,
    /// The certificate has an unknown critical extension ([RFC 5280 §4.2]).
    ///
    /// [RFC 5280 §4.2]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2
    #[error("the certificate has a critical extension that is not supported")]
    UnsupportedExtension,
    /// The certificate has expired at this time.
    #[error("the certificate expired at {}", Rfc3339(*.0))]
    Expired(UtcDateTime),
    /// The certificate of an authority in the chain has expired.
    #[error("the certificate of {authority}, by which it is signed, expired at {}", Rfc3339(*.at))]
    AuthorityExpired {
        /// The name of the authority.
        authority: Box<str>,
        /// The end of its certificate's validity.
        at: UtcDateTime,
    },
    /// The certificate of an authority in the chain cannot be used.
    #[error("the certificate of {authority}, by which it is signed, cannot be used: {fault}")]
    AuthorityInvalid {
        /// The name of the authority.
        authority: Box<str>,
        /// The fault of its certificate.
        fault: Fault,
    },
    /// An authority in the chain must not sign certificates: its `keyUsage` lacks `keyCertSign` ([RFC
    /// 5280 §4.2.1.3]).
    ///
    /// [RFC 5280 §4.2.1.3]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3
    #[error(
        "the key usage of {authority}, by which the certificate is signed, does not permit to sign \
         certificates (keyCertSign)"
    )]
    AuthorityKeyUsage {
        /// The name of the authority.
        authority: Box<str>,
    },
    /// The certificate is not valid before this time.
    #[error("the certificate is not valid before {}", Rfc3339(*.0))]
    NotYetValid(UtcDateTime),
    /// The certificate of an authority in the chain is not valid yet.
    #[error(
        "the certificate of {authority}, by which it is signed, is not valid before {}",
        Rfc3339(*.at)
    )]
    AuthorityNotYetValid {
        /// The name of the authority.
        authority: Box<str>,
        /// The beginning of its certificate's validity.
        at: UtcDateTime,
    },
    /// The certificate is for other hosts.
    #[error("the certificate is not for this host: it names {0}")]
    NameMismatch(DnsIds),
    /// The certificate is self-signed: no authority has issued it.
    #[error("the certificate is self-signed: no authority vouches for it")]
    SelfSigned,
    /// The certificate of its issuer was not presented, and is not trusted.
    #[error("{}", IncompleteChain { authority, presented: *presented })]
    IncompleteChain {
        /// The name of the issuer.
        authority: Box<str>,
        /// The number of certificates that were presented.
        presented: usize,
    },
    /// The chain leads to no trust anchor.
    #[error("{}", UnknownIssuer { authority, presented: *presented, has_namesake: *has_namesake })]
    UnknownIssuer {
        /// The name of the authority at the end of the chain.
        authority: Box<str>,
        /// The number of certificates that were presented.
        presented: usize,
        /// `true` if a trust anchor has the same name.
        has_namesake: bool,
    },
    /// The cryptography in use does not support this key, which may be a valid one.
    #[error("{}", UnsupportedKey { authority: authority.as_deref(), key })]
    UnsupportedKey {
        /// The name of the authority that has the key, or `None` for the host's own key.
        authority: Option<Box<str>>,
        /// The algorithm of the key, and its length.
        key: Box<str>,
    },
    /// The cryptography in use does not support signatures of this algorithm, which may be valid
    /// ones.
    #[error(
        "the certificate, or one that it is signed by, is signed with {algorithm}, which the \
         cryptography in use does not support"
    )]
    UnsupportedSignature {
        /// The name of the algorithm, or its object identifier.
        algorithm: Box<str>,
    },
    /// The signature of the handshake was not made by the key of the certificate.
    #[error("the host does not hold the private key of the certificate that it presents")]
    KeyMismatch,
    /// The certificate, or one of its chain, was revoked.
    #[error("the certificate, or one that it is signed by, was revoked")]
    Revoked,
    /// The certificate is not for servers.
    #[error("the certificate is not for servers")]
    NotForServers,
    /// A certificate of the chain must not be used for such names.
    #[error("the certificate is for a name that its authority may not vouch for")]
    NameConstraints,
    /// The certificate violates another rule.
    #[error("the certificate is not valid: {0}")]
    Other(Fault),
    /// A [`HostVerifier`](super::HostVerifier) was used for several connections. This is an error
    /// in the sender's program, and says nothing about the host.
    #[error(
        "the certificate was not checked: this verifier is for one connection and was used for more"
    )]
    VerifierReused,
}

impl CertificateErrorKind {
    /// Converts an error of webpki, without regard to the chain.
    pub(super) fn of(error: Webpki) -> Self {
        match error {
            Webpki::CertRevoked => Self::Revoked,
            Webpki::RequiredEkuNotFoundContext(_) | Webpki::EmptyEkuExtension => {
                Self::NotForServers
            }
            Webpki::NameConstraintViolation => Self::NameConstraints,
            Webpki::UnsupportedCertVersion => Self::UnsupportedVersion,
            Webpki::UnsupportedCriticalExtension => Self::UnsupportedExtension,
            Webpki::BadDer | Webpki::BadDerTime | Webpki::TrailingData(_) => {
                Self::Malformed(Fault::new(error))
            }
            _ => Self::Other(Fault::new(error)),
        }
    }

    /// Converts an error of webpki about a certificate that it refuses to read.
    pub(super) fn of_refused(error: Webpki) -> Self {
        match Self::of(error) {
            Self::Other(fault) => Self::Malformed(fault),
            kind => kind,
        }
    }

    /// Returns the result type for a report on an MX host ([RFC 8460 §4.3.1]). Errors without a
    /// type of their own are "certificate-not-trusted", which "covers multiple certificate-related
    /// failures", including those of the chain.
    ///
    /// [RFC 8460 §4.3.1]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3.1
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        match self {
            Self::Expired(_) => ResultType::CertificateExpired,
            Self::NameMismatch(_) => ResultType::CertificateHostMismatch,
            Self::VerifierReused => ResultType::ValidationFailure,
            _ => ResultType::CertificateNotTrusted,
        }
    }

    /// Returns the reason code, a stable identifier of the exact cause.
    #[must_use]
    pub fn reason_code(&self) -> &'static str {
        match self {
            Self::Missing => "no-certificate",
            Self::NoHostName => "no-host-name",
            Self::Malformed(_) => "certificate-malformed",
            Self::UnsupportedVersion => "certificate-unsupported-version",
            Self::UnsupportedExtension => "certificate-unsupported-extension",
            Self::Expired(_) => "certificate-expired",
            Self::AuthorityExpired { .. } => "certificate-authority-expired",
            Self::AuthorityInvalid { .. } => "certificate-authority-invalid",
            Self::AuthorityKeyUsage { .. } => "certificate-authority-key-usage",
            Self::NotYetValid(_) => "certificate-not-yet-valid",
            Self::AuthorityNotYetValid { .. } => "certificate-authority-not-yet-valid",
            Self::NameMismatch(_) => "certificate-host-mismatch",
            Self::SelfSigned => "certificate-self-signed",
            Self::IncompleteChain { .. } => "certificate-chain-incomplete",
            Self::UnknownIssuer { .. } => "certificate-unknown-issuer",
            Self::UnsupportedKey { .. } => "certificate-unsupported-key",
            Self::UnsupportedSignature { .. } => "certificate-unsupported-signature",
            Self::KeyMismatch => "certificate-key-mismatch",
            Self::Revoked => "certificate-revoked",
            Self::NotForServers => "certificate-not-for-servers",
            Self::NameConstraints => "certificate-name-constraints",
            Self::Other(_) => "certificate-invalid",
            Self::VerifierReused => Failure::VERIFIER_REUSED,
        }
    }
}

pub(super) fn moment(at: UnixTime) -> UtcDateTime {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    UtcDateTime::from_unix_timestamp(seconds).unwrap_or(UtcDateTime::MAX)
}

/// Converts a time. A time before 1970 becomes its beginning.
pub(super) fn unix_time(at: UtcDateTime) -> UnixTime {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}
