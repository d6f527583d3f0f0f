//! The path from a certificate to a trust anchor.

use alloc::{boxed::Box, string::ToString as _, vec::Vec};

use pki_types::{CertificateDer, TrustAnchor};
use time::UtcDateTime;
use webpki::{EndEntityCert, Error as Webpki, KeyUsage, VerifiedPath};

use super::{
    algorithm::Algorithm,
    crl,
    error::{CertificateErrorKind as Kind, Fault, moment, unix_time},
    key::PublicKey,
    name::Name,
    outline::Outline,
    trust::VerifyOptions,
};

/// The presented certificates, and the options to verify them with.
pub(super) struct Chain<'a> {
    pub(super) certificate: &'a EndEntityCert<'a>,
    /// The presented certificates, the host's own first.
    pub(super) presented: &'a [CertificateDer<'a>],
    pub(super) now: UtcDateTime,
    pub(super) trust: &'a VerifyOptions<'a>,
}

impl Chain<'_> {
    /// Checks that signatures by the host's key can be verified: in the handshake, the host must
    /// prove that it holds the key.
    pub(super) fn check_key(&self) -> Result<(), Kind> {
        let key =
            self.presented.first().and_then(|der| Outline::of(der)).map(|outline| outline.key);
        match key {
            Some(key) if key.is_supported(self.trust.algorithms) => Ok(()),
            key => {
                let key = key.map_or("it cannot be read".into(), |key| key.to_string().into());
                Err(Kind::UnsupportedKey { authority: None, key })
            }
        }
    }

    /// Checks that the chain leads to a trust anchor.
    pub(super) fn check_path(&self) -> Result<(), Kind> {
        self.path(self.certificate, self.trust.anchors).map_err(|error| self.kind_of(error))
    }

    /// Looks for a path through the certificates that can be read. An error in another one is no
    /// error of the host's own certificate.
    fn path(
        &self,
        certificate: &EndEntityCert<'_>,
        anchors: &[TrustAnchor<'_>],
    ) -> Result<(), Webpki> {
        let between = self.presented.iter().skip(1).filter(|der| is_readable(der));
        let between: Vec<_> = between.map(|der| CertificateDer::from(der.as_ref())).collect();
        self.path_between(certificate, anchors, &between)
    }

    fn path_between(
        &self,
        certificate: &EndEntityCert<'_>,
        anchors: &[TrustAnchor<'_>],
        between: &[CertificateDer<'_>],
    ) -> Result<(), Webpki> {
        let VerifyOptions { algorithms, lists, .. } = *self.trust;
        let now = unix_time(self.now);
        let check = |path: &VerifiedPath<'_>| {
            if !path.intermediate_certificates().all(|authority| may_sign(&authority.der())) {
                return Err(Webpki::EndEntityUsedAsCa);
            }
            if crl::is_revoked(path, lists, algorithms) { Err(Webpki::CertRevoked) } else { Ok(()) }
        };
        // If the check refuses a path, webpki looks for another one.
        certificate
            .verify_for_usage(
                algorithms,
                anchors,
                between,
                now,
                KeyUsage::server_auth(),
                None,
                Some(&check),
            )
            .map(|_| ())
    }

    /// Returns the kind of error that an error of webpki means for this chain.
    fn kind_of(&self, error: Webpki) -> Kind {
        match error {
            Webpki::CertExpired { not_after, .. } if self.is_its_own(&error) => {
                Kind::Expired(moment(not_after))
            }
            Webpki::CertNotValidYet { not_before, .. } if self.is_its_own(&error) => {
                Kind::NotYetValid(moment(not_before))
            }
            Webpki::CertExpired { not_after: at, .. } => {
                let kind = |authority| Kind::AuthorityExpired { authority, at: moment(at) };
                self.authority_with(&error).map_or_else(|| self.untrusted(), kind)
            }
            Webpki::CertNotValidYet { not_before: at, .. } => {
                let kind = |authority| Kind::AuthorityNotYetValid { authority, at: moment(at) };
                self.authority_with(&error).map_or_else(|| self.untrusted(), kind)
            }
            Webpki::UnsupportedSignatureAlgorithmContext(context) => {
                unsupported(&context.signature_algorithm_id)
            }
            Webpki::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
                let (signature, key) =
                    (&context.signature_algorithm_id, &context.public_key_algorithm_id);
                let is_of_key = Algorithm(signature).is_of_family(Algorithm(key));
                match self.unsupported_authority() {
                    Some(kind) if is_of_key => kind,
                    _ if is_of_key => unsupported(signature),
                    _ => self.untrusted(),
                }
            }
            Webpki::InvalidSignatureForPublicKey => {
                self.unsupported_authority().unwrap_or_else(|| self.untrusted())
            }
            Webpki::UnknownIssuer => self.untrusted(),
            Webpki::EndEntityUsedAsCa => match self.authority_that(|der| !may_sign(der)) {
                Some(authority) => Kind::AuthorityKeyUsage { authority },
                None => Kind::Other(Fault::new(error)),
            },
            // A certificate made by its owner (`openssl req -x509`) is also that of an authority.
            // That it has no trusted issuer is more informative than that it must not be used for a
            // host.
            Webpki::CaUsedAsEndEntity => match self.untrusted() {
                Kind::SelfSigned => Kind::SelfSigned,
                _ => Kind::Other(Fault::new(error)),
            },
            // An authority's certificate is not for servers; only the host's own has a kind for
            // that.
            Webpki::RequiredEkuNotFoundContext(_) if !self.is_its_own(&error) => {
                Kind::Other(Fault::new(error))
            }
            _ => Kind::of(error),
        }
    }

    /// Returns whether the host's own certificate has this error, regardless of its issuer.
    fn is_its_own(&self, fault: &Webpki) -> bool {
        self.path_between(self.certificate, &[], &[]).as_ref() == Err(fault)
    }

    /// Returns the name of the authority in the chain whose certificate has this error.
    fn authority_with(&self, fault: &Webpki) -> Option<Box<str>> {
        self.authority_that(|der| {
            let certificate = EndEntityCert::try_from(der);
            certificate.is_ok_and(|leaf| self.path_between(&leaf, &[], &[]).as_ref() == Err(fault))
        })
    }

    /// Returns the name of the first presented authority that has issued the certificate, directly
    /// or not, and whose own certificate has a fault.
    fn authority_that(&self, has_fault: impl Fn(&CertificateDer<'_>) -> bool) -> Option<Box<str>> {
        let has_signed = |der: &&CertificateDer<'_>| {
            let anchor = webpki::anchor_from_trusted_cert(der);
            anchor.is_ok_and(|anchor| self.path(self.certificate, &[anchor]).is_ok())
        };
        let mut between = self.presented.iter().skip(1).filter(|&der| has_fault(der));
        let authority = between.find(has_signed);
        authority.and_then(|der| Outline::of(der)).map(|outline| outline.subject.to_string().into())
    }

    /// Returns an error if an authority's key is not supported, so that its signatures cannot be
    /// verified.
    fn unsupported_authority(&self) -> Option<Kind> {
        let presented: Vec<_> = self.outlines().collect();
        let between = presented.iter().map(|outline| (outline.subject, outline.key));
        let mut authorities = between.chain(self.anchors());
        let (name, key) = authorities.find(|(name, key)| {
            presented.iter().any(|outline| outline.issuer == *name)
                && !(key.is_supported(self.trust.algorithms) && key.is_usual())
        })?;
        let authority = Some(name.to_string().into());
        Some(Kind::UnsupportedKey { authority, key: key.to_string().into() })
    }

    /// Returns the reason why no trusted authority has issued the certificate.
    fn untrusted(&self) -> Kind {
        let presented: Vec<_> = self.outlines().collect();
        let Some(own) = presented.first() else { return Kind::of(Webpki::UnknownIssuer) };
        let is_trusted = |name: Name<'_>| self.anchors().any(|(anchor, _)| anchor == name);
        let others = || presented.iter().skip(1);
        let is_issued = others().any(|other| other.subject == own.issuer && other.key != own.key);
        if own.is_self_issued() && !is_issued && !is_trusted(own.issuer) {
            return Kind::SelfSigned;
        }
        // Each certificate has one issuer, so that the path up is no longer than the list.
        let up = presented.iter().fold(own, |below, _| {
            others().find(|other| other.subject == below.issuer).unwrap_or(below)
        });
        if let Some(kind) = self.unusable_authority() {
            return kind;
        }
        let has_namesake = is_trusted(up.issuer);
        let (authority, count) = (up.issuer.to_string().into(), self.presented.len());
        if core::ptr::eq(up, own) && !has_namesake {
            return Kind::IncompleteChain { authority, presented: count };
        }
        Kind::UnknownIssuer { authority, presented: count, has_namesake }
    }

    /// Returns the error of an unusable authority that the chain needs, if there is one and a
    /// trusted root is above it.
    fn unusable_authority(&self) -> Option<Kind> {
        let presented: Vec<_> = self.outlines().collect();
        let mut between = self.presented.iter().skip(1).filter_map(|der| {
            let fault = EndEntityCert::try_from(der).err()?;
            Some((Outline::of(der)?, fault))
        });
        let (authority, fault) = between.find(|(name, _)| {
            let is_trusted = self.anchors().any(|(anchor, _)| anchor == name.issuer);
            is_trusted && presented.iter().any(|below| below.issuer == name.subject)
        })?;
        let (authority, fault) = (authority.subject.to_string().into(), Fault::new(fault));
        Some(Kind::AuthorityInvalid { authority, fault })
    }

    fn outlines(&self) -> impl Iterator<Item = Outline<'_>> {
        self.presented.iter().filter_map(|der| Outline::of(der))
    }

    fn anchors(&self) -> impl Iterator<Item = (Name<'_>, PublicKey<'_>)> {
        self.trust.anchors.iter().filter_map(|anchor| {
            Some((Name(&anchor.subject), PublicKey::of(&anchor.subject_public_key_info)?))
        })
    }
}

fn unsupported(algorithm: &[u8]) -> Kind {
    Kind::UnsupportedSignature { algorithm: Algorithm(algorithm).to_string().into() }
}

/// Returns whether the key of an authority may sign certificates: "If a key usage extension is
/// present, verify that the keyCertSign bit is set" (RFC 5280 §6.1.4(n)). webpki does not check it.
fn may_sign(authority: &[u8]) -> bool {
    Outline::of(authority).is_some_and(|outline| outline.signs_certificates())
}

fn is_readable(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok()
}
