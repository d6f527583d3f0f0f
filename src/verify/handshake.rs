//! Certificates as rustls meets them, in a handshake.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use std::sync::OnceLock;

use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme, WantsVerifier,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
    time_provider::TimeProvider,
};
use thiserror::Error as ThisError;
use time::UtcDateTime;

use super::{
    CertificateError, CertificateErrorKind, MxCertificate, Trust,
    error::{moment, unix_time},
    pki_types::{CertificateDer, ServerName, UnixTime},
    webpki::CertRevocationList,
};

/// What a sender trusts, and the cryptography it uses: one for all its connections.
///
/// ```
/// # use rustls::{RootCertStore, crypto::CryptoProvider};
/// use mta_sts::verify::{TrustStore, TrustStoreError};
///
/// # fn example(roots: RootCertStore, provider: CryptoProvider) -> Result<(), TrustStoreError> {
/// // `webpki_roots::TLS_SERVER_ROOTS`, or `rustls_native_certs::load_native_certs()`;
/// // `rustls::crypto::ring::default_provider()`, or that of aws-lc-rs.
/// let trust = TrustStore::new(roots, provider)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TrustStore {
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    roots: Arc<RootCertStore>,
    crls: Arc<[CertRevocationList<'static>]>,
}

/// What no connection could be made with.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum TrustStoreError {
    /// There are no roots: no certificate would ever be valid.
    #[error("no root certificates to trust")]
    NoRoots,
    /// The provider of cryptography does not do.
    #[error("this provider of cryptography does not do: {0}")]
    Provider(Error),
}

impl TrustStore {
    /// Trusts these roots.
    ///
    /// # Errors
    ///
    /// If there are none, or if nothing can be done with the provider.
    pub fn new(
        roots: impl Into<Arc<RootCertStore>>,
        provider: impl Into<Arc<CryptoProvider>>,
    ) -> Result<Self, TrustStoreError> {
        let roots = roots.into();
        if roots.is_empty() {
            return Err(TrustStoreError::NoRoots);
        }
        let clock = Arc::new(At(UnixTime::since_unix_epoch(core::time::Duration::ZERO)));
        // TLS 1.2 and 1.3: §4.2 asks for 1.2 or later.
        let builder = ClientConfig::builder_with_details(provider.into(), clock)
            .with_safe_default_protocol_versions()
            .map_err(TrustStoreError::Provider)?;
        Ok(Self { builder, roots, crls: Arc::default() })
    }

    /// Has certificates looked up in these revocation lists, too, as [`Trust::with_crls`] does.
    #[must_use]
    pub fn with_crls(self, crls: impl IntoIterator<Item = CertRevocationList<'static>>) -> Self {
        Self { crls: crls.into_iter().collect(), ..self }
    }

    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.builder.crypto_provider().signature_verification_algorithms
    }

    fn check(
        &self,
        host: &str,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        let crls: Vec<&CertRevocationList<'_>> = self.crls.iter().collect();
        let trust = Trust::new(&self.roots.roots, self.algorithms().all).with_crls(&crls);
        MxCertificate::new(chain).verify(host, moment(now), &trust)
    }
}

impl core::fmt::Debug for TrustStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { builder, roots, crls } = self;
        f.debug_struct("TrustStore")
            .field("builder", builder)
            .field("roots", &roots.len())
            .field("crls", &crls.len())
            .finish()
    }
}

/// Looks at the certificate of *one* host, in the handshake of one connection.
///
/// The host is the name that the connection was made with: the name in the MX record (§4.2).
///
/// ```
/// use std::sync::Arc;
///
/// use mta_sts::verify::{HostVerifier, TrustStore};
/// use rustls::ClientConnection;
/// use time::UtcDateTime;
///
/// # fn example(trust: &TrustStore, now: UtcDateTime) -> Result<(), Box<dyn std::error::Error>> {
/// // Under mode `testing`: the handshake goes on whatever the certificate is.
/// let verifier = HostVerifier::testing(trust);
/// let config = verifier.client_config(now);
/// let connection = ClientConnection::new(Arc::new(config), "mx.example.com".try_into()?)?;
/// // After STARTTLS and the handshake: what is to be reported.
/// if let Some(Err(error)) = verifier.verdict() {
///     eprintln!("{error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HostVerifier {
    trust: TrustStore,
    is_strict: bool,
    verdict: OnceLock<Result<(), CertificateError>>,
    host: OnceLock<Box<str>>,
    /// Set if the host does not hold the key of a certificate that is valid.
    imposture: OnceLock<Result<(), CertificateError>>,
}

impl HostVerifier {
    /// Ends the handshake if the certificate is not valid: "Sending MTAs MUST NOT deliver the message
    /// to hosts that fail MX matching or certificate validation" (§5, `enforce`).
    #[must_use]
    pub fn enforcing(trust: &TrustStore) -> Arc<Self> {
        Self::new(trust, true)
    }

    /// Lets the handshake go on, and keeps what is wrong with the certificate for
    /// [`verdict`](Self::verdict): "messages may be delivered as though there were no MTA-STS
    /// validation failure" (§5, `testing`).
    ///
    /// That the host holds the key of the certificate is checked nevertheless, and ends the handshake
    /// if it does not; a certificate that cannot be read at all has none. So look at the outcome of
    /// the handshake first: a verdict says nothing about a connection that does not exist.
    #[must_use]
    pub fn testing(trust: &TrustStore) -> Arc<Self> {
        Self::new(trust, false)
    }

    fn new(trust: &TrustStore, is_strict: bool) -> Arc<Self> {
        Arc::new(Self {
            trust: trust.clone(),
            is_strict,
            verdict: OnceLock::new(),
            host: OnceLock::new(),
            imposture: OnceLock::new(),
        })
    }

    /// What came of it; `None` if no certificate was looked at: the handshake did not come that far,
    /// or an earlier session was resumed. The latter is no success.
    #[must_use]
    pub fn verdict(&self) -> Option<&Result<(), CertificateError>> {
        self.imposture.get().or_else(|| self.verdict.get())
    }

    /// Notes that what the host has signed in the handshake was not signed by the key of its
    /// certificate. If the certificate is not valid either, that was there first.
    fn check_key<T>(&self, proof: Result<T, Error>) -> Result<T, Error> {
        if let (Err(Error::InvalidCertificate(_)), Some(Ok(()))) = (&proof, self.verdict.get()) {
            let host = self.host.get().map_or("", |host| host);
            let error = CertificateError::new(host, CertificateErrorKind::KeyMismatch);
            let _ = self.imposture.set(Err(error));
        }
        proof
    }

    /// For a connection that is looked at by this: TLS 1.2 or 1.3, no certificate of the client's, and
    /// no resumption, since a session that is resumed shows no certificate.
    #[must_use]
    pub fn client_config(self: &Arc<Self>, now: UtcDateTime) -> ClientConfig {
        let builder = self.trust.builder.clone().dangerous();
        let verifier = Arc::<Self>::clone(self);
        let mut config = builder.with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.time_provider = Arc::new(At(unix_time(now)));
        config
    }
}

impl ServerCertVerifier for HostVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<CertificateDer<'_>> =
            core::iter::once(end_entity).chain(intermediates).map(borrowed).collect();
        let host = server_name.to_str();
        let verdict = self.trust.check(&host, &chain, now);
        let _ = self.host.set(host.as_ref().into());
        let error = verdict.as_ref().err().filter(|_| self.is_strict).map(told);
        if self.verdict.set(verdict).is_err() {
            return Err(Error::General("a HostVerifier is for one connection".into()));
        }
        error.map_or(Ok(ServerCertVerified::assertion()), Err)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_key(verify_tls12_signature(message, cert, dss, self.trust.algorithms()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_key(verify_tls13_signature(message, cert, dss, self.trust.algorithms()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms().supported_schemes()
    }
}

fn borrowed<'a>(certificate: &'a CertificateDer<'_>) -> CertificateDer<'a> {
    CertificateDer::from(certificate.as_ref())
}

/// The same in the words of rustls, which has the right alert sent to the host.
fn told(error: &CertificateError) -> Error {
    use CertificateErrorKind as Kind;
    use rustls::CertificateError as Told;
    Error::InvalidCertificate(match error.kind() {
        Kind::Malformed(_) => Told::BadEncoding,
        Kind::Expired(_) => Told::Expired,
        Kind::NotYetValid(_) => Told::NotValidYet,
        Kind::NameMismatch(_) => Told::NotValidForName,
        Kind::UnknownIssuer => Told::UnknownIssuer,
        Kind::Revoked => Told::Revoked,
        Kind::NotForServers => Told::InvalidPurpose,
        _ => Told::Other(OtherError(Arc::new(error.clone()))),
    })
}

/// The time, as it was given.
#[derive(Debug)]
struct At(UnixTime);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}
