//! Clients that are wrong in one way each.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use mta_sts::{Domain, blocking::Fetcher, cache::PolicyAnswer};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// A fetcher that believes too much.
#[derive(Clone)]
pub(crate) struct NaiveFetcher {
    pub(crate) policy_hosts: SocketAddr,
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) follows_redirects: bool,
    pub(crate) takes_any_status: bool,
    /// Parses the first bytes only.
    pub(crate) max_len: usize,
}

impl NaiveFetcher {
    /// Creates a fetcher that is wrong in no way that matters here.
    pub(crate) fn new(policy_hosts: SocketAddr, config: Arc<ClientConfig>) -> Self {
        Self {
            policy_hosts,
            config,
            follows_redirects: false,
            takes_any_status: false,
            max_len: 64 * 1024,
        }
    }

    fn get(&self, host: &str, path: &str) -> io::Result<String> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let tls =
            ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        let tcp = TcpStream::connect(self.policy_hosts)?;
        tcp.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut stream = StreamOwned::new(tls, tcp);
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut response = Vec::new();
        // What came before an error is taken.
        let _ = stream.take(100_000).read_to_end(&mut response);
        let response = String::from_utf8(response).map_err(io::Error::other)?;
        let target = response.split("Location: ").nth(1).and_then(|rest| rest.lines().next());
        match target {
            Some(path) if self.follows_redirects && path.starts_with('/') => self.get(host, path),
            Some(url) if self.follows_redirects => {
                let rest = url.trim_start_matches("https://");
                let (authority, path) = rest.split_once('/').unwrap();
                self.get(authority.split(':').next().unwrap(), &format!("/{path}"))
            }
            _ => Ok(response),
        }
    }
}

impl Fetcher for NaiveFetcher {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        // Nothing is not a policy.
        let failed = || PolicyAnswer::from_body(domain, b"");
        let Ok(response) = self.get(&domain.policy_host(), "/.well-known/mta-sts.txt") else {
            return failed();
        };
        let Some((head, body)) = response.split_once("\r\n\r\n") else { return failed() };
        let is_good = self.takes_any_status || head.starts_with("HTTP/1.1 200 ");
        if !is_good {
            return failed();
        }
        PolicyAnswer::from_body(domain, &body.as_bytes()[..body.len().min(self.max_len)])
    }
}

/// Returns a configuration that verifies certificates.
pub(crate) fn careful(roots: RootCertStore) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// Returns a configuration that takes any certificate.
pub(crate) fn careless() -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Careless))
        .with_no_client_auth();
    Arc::new(config)
}

/// A verifier that takes any certificate, and any signature.
#[derive(Debug)]
struct Careless;

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let all: WebPkiSupportedAlgorithms =
            ring::default_provider().signature_verification_algorithms;
        all.supported_schemes()
    }
}
