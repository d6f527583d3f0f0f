use alloc::{boxed::Box, string::ToString};
use core::{fmt, time::Duration};

use thiserror::Error;
use time::UtcDateTime;
use webpki::{EndEntityCert, Error as Webpki};

use super::{
    names::DnsIds,
    pki_types::{TrustAnchor, UnixTime},
};
use crate::{
    excerpt::Printable,
    failure::{Failure, ResultType},
};

/// An error of webpki in so many words: some quote what a stranger has put into a certificate.
struct Brief<'a>(&'a Webpki);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsupported = "its signature is of a kind that is not supported";
        match self.0 {
            Webpki::UnsupportedSignatureAlgorithmContext(_)
            | Webpki::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                f.write_str(unsupported)
            }
            error => {
                let words = error.to_string();
                let end = words.find(['(', '{']).unwrap_or(words.len());
                write!(f, "{}", Printable(words.get(..end).unwrap_or_default().trim_end()))
            }
        }
    }
}

/// Why a certificate is not valid for a host.
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

    /// The host that it should be valid for.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &CertificateErrorKind {
        &self.kind
    }

    /// What it counts as in a report on an MX host.
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        self.kind.result_type()
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Self {
        let CertificateError { host, kind } = error;
        Self::new(kind.result_type(), kind.reason_code(), host, kind.to_string())
    }
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateErrorKind {
    /// There is no certificate.
    #[error("no certificate was presented")]
    Missing,
    /// What it should be valid for is not the name of a host.
    #[error("this is not the name of a host, so no certificate can be valid for it")]
    NoHostName,
    /// It cannot be read.
    #[error("the certificate cannot be read: {}", Brief(.0))]
    Malformed(Webpki),
    /// It, or one of its chain, is not valid any more.
    #[error("the certificate, or one that it is signed by, expired at {0}")]
    Expired(UtcDateTime),
    /// It, or one of its chain, is not valid yet.
    #[error("the certificate, or one that it is signed by, is not valid before {0}")]
    NotYetValid(UtcDateTime),
    /// It is for other hosts.
    #[error("the certificate is not for this host; those it names: {0}")]
    NameMismatch(DnsIds),
    /// It leads to no trust anchor; perhaps an intermediate certificate was not presented.
    #[error("the certificate leads to no trusted authority, or one between was not presented")]
    UnknownIssuer,
    /// What the host has signed in the handshake was not signed by its key, as far as can be told: it
    /// may also be that the key is too short, or of a kind that the provider does not know.
    #[error(
        "the host does not hold the private key of the certificate that it presents, or the key is \
         too short or of a kind that is not supported"
    )]
    KeyMismatch,
    /// It, or one of its chain, was revoked.
    #[error("the certificate, or one that it is signed by, was revoked")]
    Revoked,
    /// It is for something other than servers.
    #[error("the certificate is not for servers")]
    NotForServers,
    /// A certificate of the chain may not be used for such names.
    #[error("the certificate is for a name that its authority may not vouch for")]
    NameConstraints,
    /// It breaks another rule.
    #[error("the certificate is not valid: {}", Brief(.0))]
    Other(Webpki),
}

impl CertificateErrorKind {
    pub(super) fn of(
        error: Webpki,
        certificate: &EndEntityCert<'_>,
        anchors: &[TrustAnchor<'_>],
    ) -> Self {
        match error {
            Webpki::CertExpired { not_after, .. } => Self::Expired(moment(not_after)),
            Webpki::CertNotValidYet { not_before, .. } => Self::NotYetValid(moment(not_before)),
            Webpki::CertNotValidForName(context) => {
                let names = DnsIds::of(certificate);
                Self::NameMismatch(names.with_presented(&context.presented, certificate))
            }
            // An authority of the right name whose key did not sign is another one of that name.
            Webpki::UnknownIssuer
            | Webpki::InvalidSignatureForPublicKey
            | Webpki::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Self::UnknownIssuer,
            // A certificate of one's own making (`openssl req -x509`) is that of an authority, too.
            // That it may not be used for a host tells less than that nobody vouches for it.
            Webpki::CaUsedAsEndEntity if is_of_nobody(certificate, anchors) => Self::UnknownIssuer,
            Webpki::CertRevoked => Self::Revoked,
            Webpki::RequiredEkuNotFoundContext(_) => Self::NotForServers,
            Webpki::NameConstraintViolation => Self::NameConstraints,
            Webpki::BadDer | Webpki::BadDerTime | Webpki::TrailingData(_) => Self::Malformed(error),
            _ => Self::Other(error),
        }
    }

    /// What it counts as in a report on an MX host (RFC 8460 §4.3.1). What has no type of its own is
    /// "certificate-not-trusted", which "covers multiple certificate-related failures".
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        match self {
            Self::Expired(_) => ResultType::CertificateExpired,
            Self::NameMismatch(_) => ResultType::CertificateHostMismatch,
            _ => ResultType::CertificateNotTrusted,
        }
    }

    /// A stable word for it.
    #[must_use]
    pub fn reason_code(&self) -> &'static str {
        match self {
            Self::Missing => "no-certificate",
            Self::NoHostName => "no-host-name",
            Self::Malformed(_) => "certificate-malformed",
            Self::Expired(_) => "certificate-expired",
            Self::NotYetValid(_) => "certificate-not-yet-valid",
            Self::NameMismatch(_) => "certificate-host-mismatch",
            Self::UnknownIssuer => "certificate-unknown-issuer",
            Self::KeyMismatch => "certificate-key-mismatch",
            Self::Revoked => "certificate-revoked",
            Self::NotForServers => "certificate-not-for-servers",
            Self::NameConstraints => "certificate-name-constraints",
            Self::Other(_) => "certificate-invalid",
        }
    }
}

/// Returns whether it is signed by itself, and no trust anchor vouches for it.
fn is_of_nobody(certificate: &EndEntityCert<'_>, anchors: &[TrustAnchor<'_>]) -> bool {
    certificate.issuer() == certificate.subject()
        && anchors.iter().all(|anchor| anchor.subject.as_ref() != certificate.subject())
}

pub(super) fn moment(at: UnixTime) -> UtcDateTime {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    UtcDateTime::from_unix_timestamp(seconds).unwrap_or(UtcDateTime::MAX)
}

/// What is before 1970 is its beginning.
pub(super) fn unix_time(at: UtcDateTime) -> UnixTime {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    #[test]
    fn what_a_stranger_has_put_into_a_certificate_makes_no_long_sentence() {
        let context = webpki::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![0xFF; 30_000],
            supported_algorithms: Vec::new(),
        };
        let error = Webpki::UnsupportedSignatureAlgorithmContext(context);
        let kind = CertificateErrorKind::Other(error);
        let expected =
            "the certificate is not valid: its signature is of a kind that is not supported";
        assert_eq!(kind.to_string(), expected);
    }
}
