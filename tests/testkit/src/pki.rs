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
use time::{Duration, OffsetDateTime};

/// Which certificate a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// A valid one.
    Good,
    /// One of the year 2000.
    Expired,
    /// A valid one that was valid for so many days, and will be for so many.
    Days(u16, u16),
    /// One for these names, with this common name.
    Names(&'static [&'static str], &'static str),
    /// One for another name.
    WrongName,
    /// One by an authority that nobody trusts.
    Untrusted,
    /// The same, with the certificate of that authority after it.
    UntrustedChain,
    /// One by the trusted authority, signed with ECDSA and SHA-512, which ring does not do on its curve.
    Sha512,
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
        let days = |days: u16| Duration::days(days.into());
        (params.not_before, params.not_after) = match kind {
            Certificate::Expired | Certificate::ExpiredWithoutKey => {
                (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1))
            }
            // Half a day is for the time that a test takes.
            Certificate::Days(past, left) => {
                let now = OffsetDateTime::now_utc() + Duration::hours(12);
                (now - days(past), now + days(left))
            }
            _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1)),
        };
        if let Certificate::Names(names, common_name) = kind {
            let names = names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
            let dates = (params.not_before, params.not_after);
            params = CertificateParams::new(names).expect("names");
            (params.not_before, params.not_after) = dates;
            params.distinguished_name.push(DnType::CommonName, common_name);
        }
        if kind == Certificate::OwnAuthority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = key();
        let certificate = match kind {
            Certificate::SelfSigned | Certificate::OwnAuthority => params.self_signed(&key),
            Certificate::Untrusted | Certificate::UntrustedChain => {
                params.signed_by(&key, &self.stranger)
            }
            _ => params.signed_by(&key, &self.root),
        };
        let mut chain = vec![certificate.expect("a certificate").der().clone()];
        match kind {
            Certificate::UntrustedChain => chain.push(self.stranger.der().clone()),
            Certificate::Sha512 => chain[0] = with_sha512(&chain[0]),
            _ => {}
        }
        let key = match kind {
            Certificate::WithoutKey | Certificate::ExpiredWithoutKey => self::key(),
            _ => key,
        };
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let key = ring::default_provider().key_provider.load_private_key(secret);
        Arc::new(CertifiedKey::new(chain, key.expect("a key")))
    }
}

/// The certificate with another signature algorithm. The signature is not a valid one of that.
fn with_sha512(certificate: &[u8]) -> CertificateDer<'static> {
    const ECDSA_WITH_SHA: [u8; 9] = [0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
    let mut bytes = certificate.to_vec();
    for at in ECDSA_WITH_SHA.len()..bytes.len() {
        if bytes[..at].ends_with(&ECDSA_WITH_SHA) {
            bytes[at] = 4;
        }
    }
    bytes.into()
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
