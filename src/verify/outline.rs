//! The parts of a certificate that are read without webpki.

use super::{
    der::{BIT_STRING, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE},
    key::PublicKey,
    name::Name,
};

/// The parts of a certificate (RFC 5280 §4.1), of any version and with any extensions.
#[derive(Clone, Debug)]
pub(super) struct Outline<'a> {
    pub(super) issuer: Name<'a>,
    pub(super) subject: Name<'a>,
    pub(super) key: PublicKey<'a>,
    /// The key as a `SubjectPublicKeyInfo`, including tag and length.
    #[cfg(feature = "rustls")]
    pub(super) key_info: &'a [u8],
    extensions: Option<Elements<'a>>,
}

/// The tags `[0]` and `[3]` of a `TBSCertificate`.
const VERSION: u8 = 0xA0;
const EXTENSIONS: u8 = 0xA3;

/// `id-ce-keyUsage`, and its bits `keyCertSign` and `cRLSign` (RFC 5280 §4.2.1.3).
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const KEY_CERT_SIGN: u8 = 0b0000_0100;
const CRL_SIGN: u8 = 0b0000_0010;

impl<'a> Outline<'a> {
    /// Reads a certificate. Returns `None` if the bytes are not one.
    pub(super) fn of(certificate: &'a [u8]) -> Option<Self> {
        let mut fields = Elements(certificate).sequence()?.sequence()?;
        if fields.clone().next()?.tag == VERSION {
            fields.next();
        }
        fields.expect(INTEGER)?; // serial number
        fields.sequence()?; // algorithm of the signature
        let issuer = Name(fields.expect(SEQUENCE)?);
        fields.sequence()?; // validity
        let subject = Name(fields.expect(SEQUENCE)?);
        let key = fields.next().filter(|key| key.tag == SEQUENCE)?;
        let extensions = fields.find(|field| field.tag == EXTENSIONS);
        let extensions = extensions.and_then(|field| Elements(field.contents).sequence());
        Some(Self {
            issuer,
            subject,
            key: PublicKey::of(key.contents)?,
            #[cfg(feature = "rustls")]
            key_info: key.whole,
            extensions,
        })
    }

    /// Returns whether subject and issuer are equal, as in a root and in a self-signed certificate.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject && !self.subject.0.is_empty()
    }

    /// Returns whether the key may sign certificates. A key without `keyUsage` may.
    pub(super) fn signs_certificates(&self) -> bool {
        self.permits(KEY_CERT_SIGN)
    }

    /// Returns whether the key may sign revocation lists. A key without `keyUsage` may.
    pub(super) fn signs_revocation_lists(&self) -> bool {
        self.permits(CRL_SIGN)
    }

    /// Returns whether `keyUsage` permits this usage: it is absent, or it has this bit in its first
    /// octet. A malformed one permits nothing.
    fn permits(&self, usage: u8) -> bool {
        let Some(mut extensions) = self.extensions.clone() else { return true };
        let key_usage = extensions.find_map(|extension| {
            let mut fields = Elements(extension.contents);
            fields.expect(OBJECT_IDENTIFIER).filter(|&id| id == KEY_USAGE)?;
            Some(fields)
        });
        key_usage.is_none_or(|mut fields| {
            let value = fields.find(|field| field.tag == OCTET_STRING);
            let bits = value.and_then(|value| Elements(value.contents).expect(BIT_STRING));
            // The first octet is the number of unused bits in the last one.
            bits.and_then(|bits| bits.get(1)).is_some_and(|bits| bits & usage != 0)
        })
    }
}
