//! The public key of a certificate.

use core::fmt;

use super::{
    algorithm::{self, Algorithm},
    der::{Elements, INTEGER, SEQUENCE},
};
use pki_types::SignatureVerificationAlgorithm;

/// The public key of a certificate, its `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PublicKey<'a> {
    pub(super) algorithm: Algorithm<'a>,
    pub(super) octets: &'a [u8],
}

/// The lengths of RSA keys that the cryptography of rustls and webpki supports, in bits. Shorter
/// ones are weak (RFC 9325 §4.5).
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

impl<'a> PublicKey<'a> {
    /// Reads the contents of a `SubjectPublicKeyInfo`, without its tag and length.
    pub(super) fn of(info: &'a [u8]) -> Option<Self> {
        let mut fields = Elements(info);
        let algorithm = Algorithm(fields.expect(SEQUENCE)?);
        Some(Self { algorithm, octets: fields.octets()? })
    }

    /// Returns whether the key has the usual form. Only some cryptography supports others, such as
    /// a compressed point (RFC 5480 §2.2).
    pub(super) fn is_usual(&self) -> bool {
        if self.algorithm.is(algorithm::EC) {
            return matches!(self.octets, [4, point @ ..] if !point.is_empty() && point.len() % 2 == 0);
        }
        !self.algorithm.is(algorithm::RSA)
            || self.rsa_exponent_bits().is_some_and(|bits| bits <= 33)
    }

    /// Returns whether signatures by the key can be verified with these algorithms.
    pub(super) fn is_supported(&self, by: &[&dyn SignatureVerificationAlgorithm]) -> bool {
        let is_known = by.iter().any(|by| by.public_key_alg_id().as_ref() == self.algorithm.0);
        let is_rsa = self.algorithm.is(algorithm::RSA);
        let has_length = || self.rsa_bits().is_some_and(|bits| RSA_BITS.contains(&bits));
        is_known && (!is_rsa || (has_length() && self.is_usual()))
    }

    /// Returns the length of the modulus (RFC 8017 appendix A.1.1), if this is an RSA key.
    fn rsa_bits(&self) -> Option<usize> {
        if !self.algorithm.is(algorithm::RSA) {
            return None;
        }
        bits(Elements(self.octets).sequence()?.expect(INTEGER)?)
    }

    fn rsa_exponent_bits(&self) -> Option<usize> {
        let mut numbers = Elements(self.octets).sequence()?;
        numbers.expect(INTEGER)?;
        bits(numbers.expect(INTEGER)?)
    }
}

/// Returns the length of a positive number in bits.
fn bits(integer: &[u8]) -> Option<usize> {
    let zeros = integer.iter().take_while(|&&octet| octet == 0).count();
    let (first, rest) = integer.get(zeros..)?.split_first()?;
    let first = usize::try_from(u8::BITS.checked_sub(first.leading_zeros())?).ok()?;
    rest.len().checked_mul(8)?.checked_add(first)
}

/// Writes the key for a sentence: `RSA, 1024 bits`.
impl fmt::Display for PublicKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.algorithm.fmt(f)?;
        match self.rsa_bits() {
            Some(bits) => write!(f, ", {bits} bits"),
            None => Ok(()),
        }
    }
}
