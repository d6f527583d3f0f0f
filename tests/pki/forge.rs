//! A server that sends records of any kind under the keys of its connection.

use std::sync::Arc;

use rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, ContentType, Error, ServerConfig,
    SupportedCipherSuite, SupportedProtocolVersion, Tls12CipherSuite, Tls13CipherSuite,
    crypto::{
        CryptoProvider,
        cipher::{
            AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundChunks,
            OutboundOpaqueMessage, OutboundPlainMessage, Tls12AeadAlgorithm, Tls13AeadAlgorithm,
            UnsupportedOperationError,
        },
    },
};

use super::{matrix::Row, tls::ring};

/// Data of the application that begins with this are a record of the type that comes next.
const MARK: &[u8] = b"\0forged\0";

/// What a server has to write to its connection, for a record of this type and payload.
pub(crate) fn record(kind: ContentType, payload: &[u8]) -> Vec<u8> {
    [MARK, &[u8::from(kind)], payload].concat()
}

/// A server that presents this.
pub(crate) fn config(row: Row, version: &'static SupportedProtocolVersion) -> ServerConfig {
    let config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[version])
        .unwrap();
    config.with_no_client_auth().with_single_cert(row.chain, row.key).unwrap()
}

fn provider() -> CryptoProvider {
    let mut provider = CryptoProvider::clone(&ring());
    provider.cipher_suites = provider.cipher_suites.iter().filter_map(forging).collect();
    provider
}

fn forging(suite: &SupportedCipherSuite) -> Option<SupportedCipherSuite> {
    Some(match suite {
        SupportedCipherSuite::Tls13(suite)
            if suite.common.suite == CipherSuite::TLS13_AES_128_GCM_SHA256 =>
        {
            let aead_alg = Box::leak(Box::new(Forging13(suite.aead_alg)));
            let common = CipherSuiteCommon { ..suite.common };
            let suite = Tls13CipherSuite { common, aead_alg, ..**suite };
            SupportedCipherSuite::Tls13(Box::leak(Box::new(suite)))
        }
        SupportedCipherSuite::Tls12(suite)
            if suite.common.suite == CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 =>
        {
            let aead_alg = Box::leak(Box::new(Forging12(suite.aead_alg)));
            let common = CipherSuiteCommon { ..suite.common };
            let suite = Tls12CipherSuite { common, aead_alg, ..**suite };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(suite)))
        }
        _ => return None,
    })
}

struct Forging13(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for Forging13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Forger(self.0.encrypter(key, iv)))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }
}

struct Forging12(&'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for Forging12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(Forger(self.0.encrypter(key, iv, extra)))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }
}

struct Forger(Box<dyn MessageEncrypter>);

impl MessageEncrypter for Forger {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let payload = message.payload.to_vec();
        let Some([kind, payload @ ..]) = payload.strip_prefix(MARK) else {
            return self.0.encrypt(message, seq);
        };
        let (typ, payload) = (ContentType::from(*kind), OutboundChunks::Single(payload));
        self.0.encrypt(OutboundPlainMessage { typ, version: message.version, payload }, seq)
    }

    fn encrypted_payload_len(&self, len: usize) -> usize {
        self.0.encrypted_payload_len(len)
    }
}
