//! Verification of handshake signatures, which prove that a host holds the key of its certificate.

use alloc::string::ToString as _;

use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerMisbehaved,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
};
use webpki::RawPublicKeyEntity;

use super::{error::CertificateErrorKind, outline::Outline};

/// Verifies a signature of a handshake in TLS 1.3 by the key in a certificate (RFC 8446 §4.4.3).
///
/// Here and in TLS 1.2, only the key of the certificate is used. A certificate that is not valid
/// because of its version or its extensions has a key too. If any certificate is accepted, such as
/// under a policy of mode `testing` or with unusable TLSA records, the handshake succeeds.
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    verify_tls13_signature_with_raw_key(message, &key_of(certificate)?, signed, algorithms)
}

/// Verifies a signature of a handshake in TLS 1.2 (RFC 5246 §7.4.3). A scheme of TLS 1.2 leaves the
/// curve open, so that it may be one of several algorithms.
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = key_of(certificate)?;
    let key = RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
    let (_, candidates) = algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let is_valid =
        candidates.iter().any(|by| key.verify_signature(*by, message, signed.signature()).is_ok());
    if is_valid {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(CertificateError::BadSignature.into())
    }
}

/// Returns the reason why a signature could not be verified: the host does not hold the key, or the
/// key has a form that the cryptography in use may not support.
pub(super) fn why_unproven(certificate: &CertificateDer<'_>) -> CertificateErrorKind {
    match Outline::of(certificate).map(|outline| outline.key).filter(|key| !key.is_usual()) {
        Some(key) => {
            CertificateErrorKind::UnsupportedKey { authority: None, key: key.to_string().into() }
        }
        None => CertificateErrorKind::KeyMismatch,
    }
}

fn key_of<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<SubjectPublicKeyInfoDer<'a>, CertificateError> {
    let outline = Outline::of(certificate).ok_or(CertificateError::BadEncoding)?;
    Ok(SubjectPublicKeyInfoDer::from(outline.key_info))
}
