//! An authority, and the certificates it gives out.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
};

/// Which certificate a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// A valid one.
    Good,
    /// One of the year 2000.
    Expired,
    /// One for another name.
    WrongName,
    /// One by an authority that nobody trusts.
    Untrusted,
    /// One by itself.
    SelfSigned,
    /// One by itself that is that of an authority, as `openssl req -x509` makes them.
    OwnAuthority,
    /// A valid one, without its key.
    WithoutKey,
    /// One of the year 2000, without its key.
    ExpiredWithoutKey,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) struct Pki {
    root: Authority,
    stranger: Authority,
}

impl Pki {
    pub(crate) fn new() -> Self {
        Self { root: authority("Root"), stranger: authority("Stranger") }
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    /// A server of this name.
    pub(crate) fn server(&self, name: &str, kind: Certificate) -> Arc<ServerConfig> {
        let resolver = SingleCertAndKey::from(self.certify(name, kind));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        Arc::new(config)
    }

    fn certify(&self, name: &str, kind: Certificate) -> Arc<CertifiedKey> {
        let name = if kind == Certificate::WrongName { "www.example.org" } else { name };
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        (params.not_before, params.not_after) =
            if matches!(kind, Certificate::Expired | Certificate::ExpiredWithoutKey) {
                (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1))
            } else {
                (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1))
            };
        if kind == Certificate::OwnAuthority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = key();
        let certificate = match kind {
            Certificate::SelfSigned | Certificate::OwnAuthority => params.self_signed(&key),
            Certificate::Untrusted => params.signed_by(&key, &self.stranger),
            _ => params.signed_by(&key, &self.root),
        };
        let chain = vec![certificate.expect("a certificate").der().clone()];
        let key = match kind {
            Certificate::WithoutKey | Certificate::ExpiredWithoutKey => self::key(),
            _ => key,
        };
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let key = ring::default_provider().key_provider.load_private_key(secret);
        Arc::new(CertifiedKey::new(chain, key.expect("a key")))
    }
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, key()).expect("an authority")
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
