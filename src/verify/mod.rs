//! The certificates of MX hosts ([RFC 8461 §4.2]).
//!
//! A policy requires that its MX hosts have valid certificates, and a sender must check them. A
//! certificate is valid if it has a chain to a trust anchor now, and a DNS-ID that is the name of
//! the *host*, not that of the recipient's domain and not a pattern of the policy. The trust
//! anchors and the algorithms of signatures are arguments, as in rustls: there are no defaults.
//!
//! ```
//! use mta_sts::{
//!     ResultType,
//!     pki_types::CertificateDer,
//!     time::UtcDateTime,
//!     verify::{CertificateErrorKind, MxCertificate, VerifyOptions},
//! };
//!
//! // In rustls: `roots` of a `RootCertStore`, `signature_verification_algorithms.all` of a `CryptoProvider`.
//! let trust = VerifyOptions::new(&[], &[]);
//! // The certificates that the host presented: `peer_certificates` of a connection.
//! let chain = [CertificateDer::from(&b"no certificate at all"[..])];
//!
//! let certificate = MxCertificate::new(&chain);
//! let result = certificate.verify("mx.example.com", UtcDateTime::now(), &trust);
//! let error = result.unwrap_err();
//! assert!(matches!(error.kind(), CertificateErrorKind::Malformed(_)));
//! assert_eq!(error.result_type(), ResultType::CertificateNotTrusted);
//! ```
//!
//! Pass the result to a delivery with
//! [`CertificateChecks::with_pkix`](crate::delivery::CertificateChecks::with_pkix); the error converts
//! with `Failure::from`. With the feature `rustls`, a `HostVerifier` does this in a handshake; the
//! [table](crate::delivery#from-a-requirement-to-an-outcome) in `delivery` shows which one to use,
//! and what its result means.
//!
//! [RFC 8461 §4.2]: https://www.rfc-editor.org/rfc/rfc8461#section-4.2

mod algorithm;
mod certificate;
mod chain;
mod crl;
mod der;
mod error;
#[cfg(feature = "rustls")]
mod handshake;
mod key;
mod name;
mod names;
mod outline;
#[cfg(feature = "rustls")]
mod signature;
#[cfg(feature = "rustls")]
mod tls;
mod trust;
mod words;

#[cfg(feature = "rustls")]
pub use self::handshake::{HostVerifier, TrustStore, TrustStoreError};
#[cfg(feature = "fetch")]
pub(crate) use self::tls::NO_TLS;
#[cfg(feature = "rustls")]
pub(crate) use self::tls::describe as describe_tls_error;
pub use self::{
    certificate::MxCertificate,
    crl::{RevocationList, RevocationListError},
    error::{CertificateError, CertificateErrorKind, Fault},
    names::DnsIds,
    trust::VerifyOptions,
};
