//! The keys of the certificates.

use std::error::Error;

use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};

/// Makes keys, the same ones of the same seed. They are not secret.
pub(crate) struct Keys {
    seed: u64,
    made: u64,
}

/// A key of ECDSA on P-256, whose signatures follow from what is signed (RFC 6979).
pub(crate) struct Key {
    secret: SigningKey,
    public: Vec<u8>,
}

impl Keys {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    pub(crate) fn next(&mut self) -> Result<Key, Box<dyn Error>> {
        self.made += 1;
        let mut scalar = *b"conformance of MTA-STS, seed, no";
        scalar[16..24].copy_from_slice(&self.seed.to_be_bytes());
        scalar[24..].copy_from_slice(&self.made.to_be_bytes());
        let secret = SigningKey::from_slice(&scalar).map_err(|error| error.to_string())?;
        let public = secret.verifying_key().to_encoded_point(false).as_bytes().to_vec();
        Ok(Key { secret, public })
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: Signature = self.secret.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}
