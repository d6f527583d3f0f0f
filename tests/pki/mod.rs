//! Certificates made for a test, and servers that present them.

#![allow(dead_code, reason = "not every test needs all of it")]

pub(crate) mod der;
#[cfg(feature = "rustls")]
pub(crate) mod forge;
#[cfg(feature = "rustls")]
pub(crate) mod matrix;
#[cfg(feature = "rustls")]
pub(crate) mod tls;

use mta_sts::{
    pki_types::{CertificateDer, TrustAnchor},
    verify::RevocationList,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints, RevokedCertParams, SerialNumber, date_time_ymd,
};
use time::{UtcDateTime, macros::utc_datetime};

/// When certificates are looked at.
pub(crate) const NOW: UtcDateTime = utc_datetime!(2026-06-15 12:00);

/// Of the certificates that are told of in revocation lists.
pub(crate) const SERIAL: u64 = 42;

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A root, an authority below it, and another root of which nobody has heard.
pub(crate) struct Pki {
    pub(crate) root: Authority,
    pub(crate) middle: Authority,
    pub(crate) stranger: Authority,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let root = CertifiedIssuer::self_signed(authority("Root"), key()).unwrap();
        let stranger = CertifiedIssuer::self_signed(authority("Stranger"), key()).unwrap();
        let middle = CertifiedIssuer::signed_by(authority("Middle"), key(), &root).unwrap();
        Self { root, middle, stranger }
    }

    /// Its root alone is trusted.
    pub(crate) fn anchor(&self) -> TrustAnchor<'_> {
        webpki::anchor_from_trusted_cert(self.root.der()).unwrap()
    }

    /// A certificate by the authority in the middle, with that one's own.
    pub(crate) fn chain(&self, params: &CertificateParams) -> Vec<CertificateDer<'static>> {
        vec![leaf(params, &self.middle), self.middle.der().clone()]
    }

    /// An authority by the root that may only vouch for names below one.
    pub(crate) fn constrained(&self, below: &str) -> Authority {
        let mut params = authority("Constrained");
        let permitted_subtrees = vec![GeneralSubtree::DnsName(below.to_owned())];
        let excluded_subtrees = Vec::new();
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
        CertifiedIssuer::signed_by(params, key(), &self.root).unwrap()
    }

    /// A list of the authority in the middle, by which the certificates of [`SERIAL`] are revoked.
    pub(crate) fn revocations(&self, next_update: i32) -> RevocationList {
        revocations(&self.middle, next_update)
    }
}

/// A list of this authority, by which the certificates of [`SERIAL`] are revoked.
pub(crate) fn revocations(by: &Authority, next_update: i32) -> RevocationList {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(SERIAL),
        revocation_time: date_time_ymd(2026, 2, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 2, 1),
        next_update: date_time_ymd(next_update, 3, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    RevocationList::from_der(list.signed_by(by).unwrap().der()).unwrap()
}

/// What a host's certificate says: valid in 2026, for these names.
pub(crate) fn host(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params.distinguished_name.push(DnType::CommonName, "a host");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

pub(crate) fn leaf(params: &CertificateParams, by: &Authority) -> CertificateDer<'static> {
    params.signed_by(&key(), by).unwrap().der().clone()
}

pub(crate) fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}
