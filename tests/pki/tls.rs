//! A server, and those who trust its certificate, in memory.

use std::{
    io::{Read as _, Write as _},
    sync::Arc,
};

use mta_sts::verify::TrustStore;
use rcgen::KeyPair;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use super::Pki;

pub(crate) const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// Every cryptography that this was built with.
pub(crate) fn providers() -> Vec<CryptoProvider> {
    vec![
        rustls::crypto::ring::default_provider(),
        #[cfg(feature = "aws-lc-rs")]
        rustls::crypto::aws_lc_rs::default_provider(),
    ]
}

pub(crate) fn ring() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Trusts the root, and looks into the revocation list of the authority in the middle.
pub(crate) fn trust(pki: &Pki, provider: impl Into<Arc<CryptoProvider>>) -> TrustStore {
    let mut roots = RootCertStore::empty();
    roots.add(pki.root.der().clone()).unwrap();
    TrustStore::new(roots, provider).unwrap().with_crls([pki.revocations(2027)])
}

pub(crate) fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    ServerConfig::builder_with_provider(ring())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// The same, but for a key that is not that of the certificate.
pub(crate) fn impostor(
    chain: Vec<CertificateDer<'static>>,
    version: &'static SupportedProtocolVersion,
    key: &KeyPair,
) -> ServerConfig {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let key = ring().key_provider.load_private_key(key).unwrap();
    let forged = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    ServerConfig::builder_with_provider(ring())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(forged))
}

/// A server that answers one request.
pub(crate) struct Server {
    pub(crate) tls: ServerConnection,
    pub(crate) request: Vec<u8>,
    /// What it has to say.
    response: Option<Vec<u8>>,
    /// Whether it says that it is all.
    is_orderly: bool,
}

impl Server {
    pub(crate) fn new(config: ServerConfig, response: &[u8]) -> Self {
        let tls = ServerConnection::new(Arc::new(config)).unwrap();
        Self { tls, request: Vec::new(), response: Some(response.to_vec()), is_orderly: true }
    }

    /// Ends without a `close_notify`.
    pub(crate) fn disorderly(self) -> Self {
        Self { is_orderly: false, ..self }
    }

    pub(crate) fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes).unwrap();
            // What it cannot read it answers with an alert.
            if self.tls.process_new_packets().is_err() {
                return;
            }
            let _ = self.tls.reader().read_to_end(&mut self.request);
        }
        if self.request.ends_with(b"\r\n\r\n")
            && let Some(response) = self.response.take()
        {
            self.tls.set_buffer_limit(None);
            self.tls.writer().write_all(&response).unwrap();
            if self.is_orderly {
                self.tls.send_close_notify();
            }
        }
    }

    pub(crate) fn send(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes).unwrap();
        }
        bytes
    }
}
