//! Verification of certificates in a handshake of rustls.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use std::sync::OnceLock;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme, WantsVerifier,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    time_provider::TimeProvider,
};
use thiserror::Error as ThisError;
use time::UtcDateTime;

use super::{
    CertificateError, CertificateErrorKind, MxCertificate, RevocationList, VerifyOptions,
    error::{moment, unix_time},
    signature,
};

/// The trusted roots and the cryptography of a sender, shared by all its connections.
///
/// ```
/// # use mta_sts::rustls::{RootCertStore, crypto::CryptoProvider};
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
    crls: Arc<[RevocationList]>,
}

/// The reason why a [`TrustStore`] could not be created.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum TrustStoreError {
    /// There are no roots, so that no certificate would be valid.
    #[error("no root certificates to trust")]
    NoRoots,
    /// The crypto provider is not usable.
    #[error("unusable crypto provider: {0}")]
    Provider(Error),
}

impl TrustStore {
    /// Creates a trust store with these roots and this crypto provider.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no roots, or if the provider is not usable.
    pub fn new(
        roots: impl Into<Arc<RootCertStore>>,
        provider: impl Into<Arc<CryptoProvider>>,
    ) -> Result<Self, TrustStoreError> {
        let roots = roots.into();
        if roots.is_empty() {
            return Err(TrustStoreError::NoRoots);
        }
        let clock = Arc::new(At(UnixTime::since_unix_epoch(core::time::Duration::ZERO)));
        // TLS 1.2 and 1.3: RFC 8461 §7.2 requires 1.2 or later.
        let builder = ClientConfig::builder_with_details(provider.into(), clock)
            .with_safe_default_protocol_versions()
            .map_err(TrustStoreError::Provider)?;
        Ok(Self { builder, roots, crls: Arc::default() })
    }

    #[cfg(test)]
    pub(crate) fn root_count(&self) -> usize {
        self.roots.len()
    }

    /// Sets the certificate revocation lists, as [`VerifyOptions::with_crls`] does. Default: none.
    #[must_use]
    pub fn with_crls(self, crls: impl IntoIterator<Item = RevocationList>) -> Self {
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
        let trust =
            VerifyOptions::new(&self.roots.roots, self.algorithms().all).with_crls(&self.crls);
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

/// A rustls certificate verifier for *one* connection to one host.
///
/// The host is the server name of the connection: the name in the MX record ([RFC 8461 §4.2]).
///
/// ```
/// use std::sync::Arc;
///
/// use mta_sts::{
///     rustls::ClientConnection,
///     time::UtcDateTime,
///     verify::{HostVerifier, TrustStore},
/// };
///
/// # fn example(trust: &TrustStore, now: UtcDateTime) -> Result<(), Box<dyn std::error::Error>> {
/// // Under mode `testing`: the handshake continues whatever the certificate is.
/// let verifier = HostVerifier::testing(trust);
/// let config = verifier.client_config(now);
/// let connection = ClientConnection::new(Arc::new(config), "mx.example.com".try_into()?)?;
/// // After STARTTLS and the handshake: the error to report.
/// if let Some(Err(error)) = verifier.result() {
///     eprintln!("{error}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// [RFC 8461 §4.2]: https://www.rfc-editor.org/rfc/rfc8461#section-4.2
#[derive(Debug)]
pub struct HostVerifier {
    trust: TrustStore,
    is_strict: bool,
    verdict: OnceLock<Result<(), CertificateError>>,
    host: OnceLock<Box<str>>,
    /// The error if the host does not hold the key of a valid certificate.
    imposture: OnceLock<Result<(), CertificateError>>,
    /// The error if there was a second handshake.
    reuse: OnceLock<Result<(), CertificateError>>,
}

impl HostVerifier {
    /// Creates a verifier that ends the handshake if the certificate is not valid: "Sending MTAs
    /// MUST NOT deliver the message to hosts that fail MX matching or certificate validation" ([RFC
    /// 8461 §5], `enforce`).
    ///
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    #[must_use]
    pub fn enforcing(trust: &TrustStore) -> Arc<Self> {
        Self::new(trust, true)
    }

    /// Creates a verifier that lets the handshake continue, and stores an error of the certificate
    /// for [`result`](Self::result): "messages may be delivered as though there were no MTA-STS
    /// validation failure" ([RFC 8461 §5], `testing`).
    ///
    /// It still checks that the host holds the key of the certificate, and ends the handshake if
    /// not, or if the certificate cannot be read. So check the outcome of the handshake first: a
    /// result has no meaning without a connection.
    ///
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
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
            reuse: OnceLock::new(),
        })
    }

    /// Returns the result of the check, or `None` if no certificate was checked: the handshake
    /// failed earlier, or an earlier session was resumed, which is no success.
    ///
    /// After use for a second connection, the result is
    /// [`VerifierReused`](CertificateErrorKind::VerifierReused), because it is unknown which
    /// connection a result would be about.
    #[must_use]
    pub fn result(&self) -> Option<&Result<(), CertificateError>> {
        self.reuse.get().or_else(|| self.imposture.get()).or_else(|| self.verdict.get())
    }

    /// Notes an error if the signature of the handshake was not made by the key of the certificate.
    /// An error of the certificate itself takes precedence.
    fn check_key<T>(
        &self,
        certificate: &CertificateDer<'_>,
        proof: Result<T, Error>,
    ) -> Result<T, Error> {
        if let (Err(Error::InvalidCertificate(_)), Some(Ok(()))) = (&proof, self.verdict.get()) {
            let host = self.host.get().map_or("", |host| host);
            let error = CertificateError::new(host, signature::why_unproven(certificate));
            let _ = self.imposture.set(Err(error));
        }
        proof
    }

    /// Creates the settings for the connection that this verifier is for: TLS 1.2 or 1.3, no client
    /// certificate, and no resumption, because the host presents no certificate in a resumed
    /// session.
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
        if self.host.set(host.as_ref().into()).is_err() {
            let error = CertificateError::new(&host, CertificateErrorKind::VerifierReused);
            let ending = to_rustls_error(&error);
            let _ = self.reuse.set(Err(error));
            return Err(ending);
        }
        let error = verdict.as_ref().err().filter(|_| self.is_strict).map(to_rustls_error);
        let _ = self.verdict.set(verdict);
        error.map_or(Ok(ServerCertVerified::assertion()), Err)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_key(cert, signature::verify_tls12(message, cert, dss, self.trust.algorithms()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_key(cert, signature::verify_tls13(message, cert, dss, self.trust.algorithms()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms().supported_schemes()
    }
}

fn borrowed<'a>(certificate: &'a CertificateDer<'_>) -> CertificateDer<'a> {
    CertificateDer::from(certificate.as_ref())
}

/// Converts to the error of rustls that sends the right alert to the host.
fn to_rustls_error(error: &CertificateError) -> Error {
    use CertificateErrorKind as Kind;
    use rustls::CertificateError as Told;
    Error::InvalidCertificate(match error.kind() {
        Kind::Malformed(_) | Kind::UnsupportedVersion => Told::BadEncoding,
        Kind::UnsupportedExtension => Told::UnhandledCriticalExtension,
        Kind::Expired(_) | Kind::AuthorityExpired { .. } => Told::Expired,
        Kind::NotYetValid(_) | Kind::AuthorityNotYetValid { .. } => Told::NotValidYet,
        Kind::NameMismatch(_) => Told::NotValidForName,
        Kind::SelfSigned | Kind::IncompleteChain { .. } | Kind::UnknownIssuer { .. } => {
            Told::UnknownIssuer
        }
        Kind::Revoked => Told::Revoked,
        Kind::NotForServers => Told::InvalidPurpose,
        _ => Told::Other(OtherError(Arc::new(error.clone()))),
    })
}

/// A clock that always returns the same time.
#[derive(Debug)]
struct At(UnixTime);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}
