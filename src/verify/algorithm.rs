//! The algorithms of keys and signatures, and their names.

use core::fmt;

use super::der::{Elements, OBJECT_IDENTIFIER};

/// The algorithm of a key or of a signature: the contents of an `AlgorithmIdentifier` (RFC 5280
/// §4.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Algorithm<'a>(pub(super) &'a [u8]);

/// `rsaEncryption` (RFC 8017 appendix A.1).
pub(super) const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];

/// `id-ecPublicKey` (RFC 5480 §2.1.1).
pub(super) const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];

/// The prefixes of the identifiers of all algorithms with keys of one family.
const FAMILIES: [&[u8]; 2] =
    [&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1], &[0x2A, 0x86, 0x48, 0xCE, 0x3D]];

/// The names of the algorithms in use (RFC 8017, RFC 3279, RFC 5758, RFC 8410, RFC 9881).
const NAMES: [(&[u8], &str); 23] = [
    (RSA, "RSA"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 2], "md2WithRSAEncryption"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 4], "md5WithRSAEncryption"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 5], "sha1WithRSAEncryption"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10], "RSASSA-PSS"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11], "sha256WithRSAEncryption"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12], "sha384WithRSAEncryption"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 13], "sha512WithRSAEncryption"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 14], "sha224WithRSAEncryption"),
    (EC, "EC"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 1], "ecdsa-with-SHA1"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 1], "ecdsa-with-SHA224"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2], "ecdsa-with-SHA256"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3], "ecdsa-with-SHA384"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 4], "ecdsa-with-SHA512"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 1], "DSA"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 3], "dsa-with-sha1"),
    (&[0x2B, 0x65, 0x70], "Ed25519"),
    (&[0x2B, 0x65, 0x71], "Ed448"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2], "dsa-with-sha256"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17], "ML-DSA-44"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], "ML-DSA-65"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19], "ML-DSA-87"),
];

/// The curves that may be parameters of [`EC`] (RFC 5480 §2.1.1.1, RFC 5639 §4.1).
const CURVES: [(&[u8], &str); 8] = [
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 1], "P-192"),
    (&[0x2B, 0x81, 4, 0, 33], "P-224"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7], "P-256"),
    (&[0x2B, 0x81, 4, 0, 34], "P-384"),
    (&[0x2B, 0x81, 4, 0, 35], "P-521"),
    (&[0x2B, 0x81, 4, 0, 10], "secp256k1"),
    (&[0x2B, 0x24, 3, 3, 2, 8, 1, 1, 7], "brainpoolP256r1"),
    (&[0x2B, 0x24, 3, 3, 2, 8, 1, 1, 11], "brainpoolP384r1"),
];

impl<'a> Algorithm<'a> {
    fn id(self) -> &'a [u8] {
        Elements(self.0).expect(OBJECT_IDENTIFIER).unwrap_or_default()
    }

    pub(super) fn is(self, id: &[u8]) -> bool {
        self.id() == id
    }

    /// Returns whether a signature with this algorithm can be made by a key for `other`: for
    /// example, no RSA signature is made by a key on a curve.
    pub(super) fn is_of_family(self, other: Algorithm<'_>) -> bool {
        let family = FAMILIES.iter().find(|family| self.id().starts_with(family));
        match family {
            Some(family) => other.id().starts_with(family),
            None => self.id() == other.id(),
        }
    }
}

/// Writes the name for a sentence: `ecdsa-with-SHA512`, `EC on P-521`, `1.2.3.4`.
impl fmt::Display for Algorithm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Elements(self.0);
        let id = fields.expect(OBJECT_IDENTIFIER).unwrap_or_default();
        named(f, id, &NAMES)?;
        match fields.expect(OBJECT_IDENTIFIER) {
            Some(curve) if id == EC => {
                f.write_str(" on ")?;
                named(f, curve, &CURVES)
            }
            _ => Ok(()),
        }
    }
}

/// Writes the name of an object identifier, or its numbers (X.690 §8.19).
fn named(f: &mut fmt::Formatter<'_>, id: &[u8], names: &[(&[u8], &str)]) -> fmt::Result {
    if let Some((_, name)) = names.iter().find(|(known, _)| *known == id) {
        return f.write_str(name);
    }
    let mut number = 0_u64;
    let mut is_first = true;
    for octet in id.iter().take(MAX_OCTETS) {
        number = number.wrapping_shl(7) | u64::from(octet & 0x7F);
        if octet & 0x80 != 0 {
            continue;
        }
        if core::mem::take(&mut is_first) {
            let root = (number / 40).min(2);
            write!(f, "{root}.{}", number.saturating_sub(root.saturating_mul(40)))?;
        } else {
            write!(f, ".{number}")?;
        }
        number = 0;
    }
    if is_first { f.write_str("an unknown algorithm") } else { Ok(()) }
}

/// The maximum length of an object identifier. No meaningful one is longer.
const MAX_OCTETS: usize = 32;
