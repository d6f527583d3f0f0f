//! Certificate revocation lists.

use alloc::{string::ToString as _, sync::Arc, vec::Vec};
use core::fmt;

use pki_types::{SignatureVerificationAlgorithm, TrustAnchor};
use thiserror::Error;
use webpki::{CertRevocationList, OwnedCertRevocationList, VerifiedPath};

use super::{
    algorithm::Algorithm,
    der::{Elements, INTEGER, SEQUENCE},
    error::Fault,
    key::PublicKey,
    name::Name,
    outline::Outline,
};

/// A certificate revocation list ([RFC 5280 §5]) with some or all of the certificates that an
/// authority has revoked. Clones share their contents.
///
/// A list applies to a certificate if it is from the certificate's issuer: it has the issuer's
/// name, is signed by the issuer's key, and that key may sign lists (`cRLSign`). Any other list is
/// ignored ([RFC 5280 §6.3.3]), so that a list of another authority with the same name revokes
/// nothing. Of several lists of one issuer, each applies.
///
/// [RFC 5280 §5]: https://www.rfc-editor.org/rfc/rfc5280#section-5
/// [RFC 5280 §6.3.3]: https://www.rfc-editor.org/rfc/rfc5280#section-6.3.3
#[derive(Clone)]
pub struct RevocationList {
    der: Arc<[u8]>,
    entries: Arc<CertRevocationList<'static>>,
}

/// The error for bytes that are not a supported revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the revocation list cannot be used: {0}")]
pub struct RevocationListError(Fault);

impl RevocationList {
    /// Reads a list in DER, as it is published. Decode a list in PEM first.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes are not a list, or if they are a delta list or an indirect
    /// one, which are not supported.
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationListError> {
        let entries = OwnedCertRevocationList::from_der(der)
            .map_err(|why| RevocationListError(Fault::new(why)))?;
        Ok(Self { der: der.into(), entries: Arc::new(entries.into()) })
    }

    /// Returns whether the list is from this issuer and contains this serial number.
    fn revokes(
        &self,
        serial: &[u8],
        issuer: &Issuer<'_>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        let is_named = matches!(self.entries.find_serial(serial), Ok(Some(_)));
        is_named && SignedList::of(&self.der).is_some_and(|list| list.is_of(issuer, algorithms))
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = SignedList::of(&self.der).map(|list| list.issuer.to_string());
        f.debug_struct("RevocationList").field("issuer", &issuer).finish_non_exhaustive()
    }
}

/// Returns whether one of the lists revokes a certificate of the path.
///
/// It does not matter which part of an authority's certificates a list is for: a serial number
/// belongs to one certificate of the authority, and a certificate that is not listed counts as not
/// revoked.
pub(super) fn is_revoked(
    path: &VerifiedPath<'_>,
    lists: &[RevocationList],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> bool {
    let is_listed = |serial: &[u8], issuer: Option<&Issuer<'_>>| {
        issuer.is_some_and(|by| lists.iter().any(|list| list.revokes(serial, by, algorithms)))
    };
    let between: Vec<_> = path
        .intermediate_certificates()
        .map(|authority| (authority.serial(), authority.der()))
        .collect();
    let mut issuer = Issuer::of_anchor(path.anchor());
    for (serial, certificate) in between.iter().rev() {
        if is_listed(serial, issuer.as_ref()) {
            return true;
        }
        issuer = Issuer::of_certificate(certificate);
    }
    is_listed(path.end_entity().serial(), issuer.as_ref())
}

/// An authority that may sign revocation lists.
struct Issuer<'a> {
    name: Name<'a>,
    key: PublicKey<'a>,
}

impl<'a> Issuer<'a> {
    fn of_anchor(anchor: &'a TrustAnchor<'_>) -> Option<Self> {
        let key = PublicKey::of(&anchor.subject_public_key_info)?;
        Some(Self { name: Name(&anchor.subject), key })
    }

    fn of_certificate(certificate: &'a [u8]) -> Option<Self> {
        let outline = Outline::of(certificate).filter(Outline::signs_revocation_lists)?;
        Some(Self { name: outline.subject, key: outline.key })
    }
}

/// The signed part of a list, and its signature (RFC 5280 §5.1.1).
struct SignedList<'a> {
    signed: &'a [u8],
    issuer: Name<'a>,
    algorithm: Algorithm<'a>,
    signature: &'a [u8],
}

impl<'a> SignedList<'a> {
    fn of(list: &'a [u8]) -> Option<Self> {
        let mut list = Elements(list).sequence()?;
        let signed = list.next()?;
        let mut fields = Elements(signed.contents);
        fields.expect(INTEGER)?; // version
        fields.sequence()?; // algorithm of the signature
        let issuer = Name(fields.expect(SEQUENCE)?);
        let algorithm = Algorithm(list.expect(SEQUENCE)?);
        Some(Self { signed: signed.whole, issuer, algorithm, signature: list.octets()? })
    }

    fn is_of(
        &self,
        issuer: &Issuer<'_>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        let is_verifier = |by: &&&dyn SignatureVerificationAlgorithm| {
            by.signature_alg_id().as_ref() == self.algorithm.0
                && by.public_key_alg_id().as_ref() == issuer.key.algorithm.0
        };
        self.issuer == issuer.name
            && algorithms.iter().filter(is_verifier).any(|by| {
                by.verify_signature(issuer.key.octets, self.signed, self.signature).is_ok()
            })
    }
}
