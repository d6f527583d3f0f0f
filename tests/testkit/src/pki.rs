//! An authority, and the certificates it gives out.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ALL_VERSIONS, ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS12,
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
    /// One that is not valid yet.
    NotYetValid,
    /// A valid one, over TLS 1.2 only.
    Tls12,
    /// One by an intermediate authority, which is presented.
    Intermediate,
    /// The same, but the intermediate authority is not presented.
    MissingIntermediate,
    /// One that the key of another server's certificate has signed, with that certificate after it.
    SignedByServer,
    /// One that is for TLS clients only.
    ForClients,
    /// One with the name as its common name, and no other.
    CommonName,
    /// One for the address 127.0.0.1 only.
    Address,
    /// One for the domain above the name.
    Parent,
    /// One for the name, by a wildcard in the place of its first label.
    Wildcard,
    /// One for a wildcard two labels above the name.
    WildcardAbove,
    /// One for a wildcard that is a part of a label: `m*.example.com`.
    PartialWildcard,
}

const TLS12_ONLY: &[&SupportedProtocolVersion] = &[&TLS12];

type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) struct Pki {
    root: Authority,
    intermediate: Authority,
    stranger: Authority,
    /// No authority, but a server whose key signs certificates.
    server: Authority,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let root = authority("Root");
        let intermediate = of_authority("Intermediate");
        let server = CertificateParams::new(["other.example".to_owned()]).expect("a name");
        let signed = |params| CertifiedIssuer::signed_by(params, key(), &root).expect("an issuer");
        Self {
            intermediate: signed(intermediate),
            server: signed(server),
            stranger: authority("Stranger"),
            root,
        }
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    /// A server of this name.
    pub(crate) fn server(&self, name: &str, kind: Certificate) -> Arc<ServerConfig> {
        let resolver = SingleCertAndKey::from(self.certify(name, kind));
        let versions = if kind == Certificate::Tls12 { TLS12_ONLY } else { ALL_VERSIONS };
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        Arc::new(config)
    }

    fn certify(&self, name: &str, kind: Certificate) -> Arc<CertifiedKey> {
        let key = key();
        let mut chain = self.chain(params(name, kind), &key, kind);
        if kind == Certificate::Sha512 {
            chain[0] = with_sha512(&chain[0]);
        }
        let key = match kind {
            Certificate::WithoutKey | Certificate::ExpiredWithoutKey => self::key(),
            _ => key,
        };
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let key = ring::default_provider().key_provider.load_private_key(secret);
        Arc::new(CertifiedKey::new(chain, key.expect("a key")))
    }

    /// Signs a certificate. Returns it, and what is presented after it.
    fn chain(
        &self,
        params: CertificateParams,
        key: &KeyPair,
        kind: Certificate,
    ) -> Vec<CertificateDer<'static>> {
        let signed = |issuer: &Authority| params.signed_by(key, issuer);
        let (certificate, further) = match kind {
            Certificate::SelfSigned | Certificate::OwnAuthority => (params.self_signed(key), None),
            Certificate::Untrusted => (signed(&self.stranger), None),
            Certificate::UntrustedChain => (signed(&self.stranger), Some(&self.stranger)),
            Certificate::Intermediate => (signed(&self.intermediate), Some(&self.intermediate)),
            Certificate::MissingIntermediate => (signed(&self.intermediate), None),
            Certificate::SignedByServer => (signed(&self.server), Some(&self.server)),
            _ => (signed(&self.root), None),
        };
        let certificate = certificate.expect("a certificate").der().clone();
        [certificate].into_iter().chain(further.map(|issuer| issuer.der().clone())).collect()
    }
}

/// What is to stand in a server's certificate.
fn params(name: &str, kind: Certificate) -> CertificateParams {
    let parent = name.split_once('.').map_or(name, |(_, parent)| parent);
    let names: Vec<String> = match kind {
        Certificate::WrongName => vec!["www.example.org".into()],
        Certificate::Names(names, _) => names.iter().map(|&name| name.to_owned()).collect(),
        Certificate::CommonName => Vec::new(),
        Certificate::Address => vec!["127.0.0.1".into()],
        Certificate::Parent => vec![parent.into()],
        Certificate::Wildcard => vec![format!("*.{parent}")],
        Certificate::WildcardAbove => {
            vec![format!("*.{}", parent.split_once('.').map_or(parent, |(_, above)| above))]
        }
        Certificate::PartialWildcard => vec![format!("m*.{parent}")],
        _ => vec![name.into()],
    };
    let mut params = CertificateParams::new(names).expect("names");
    (params.not_before, params.not_after) = validity(kind);
    match kind {
        Certificate::Names(_, common_name) => {
            params.distinguished_name.push(DnType::CommonName, common_name);
        }
        Certificate::CommonName => params.distinguished_name.push(DnType::CommonName, name),
        Certificate::OwnAuthority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        Certificate::ForClients => {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        _ => {}
    }
    params
}

/// The dates between which a certificate is valid.
fn validity(kind: Certificate) -> (OffsetDateTime, OffsetDateTime) {
    let years = |from, to| (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    let days = |days: u16| Duration::days(days.into());
    match kind {
        Certificate::Expired | Certificate::ExpiredWithoutKey => years(2000, 2001),
        // Half a day is for the time that a test takes.
        Certificate::Days(past, left) => {
            let now = OffsetDateTime::now_utc() + Duration::hours(12);
            (now - days(past), now + days(left))
        }
        Certificate::NotYetValid => years(2099, 2100),
        _ => years(2020, 2100),
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
    CertifiedIssuer::self_signed(of_authority(name), key()).expect("an authority")
}

/// What stands in the certificate of an authority.
fn of_authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
