//! What permits an authority to sign certificates (RFC 5280 §6.1.4(k), (n) and (o)).

use mta_sts::pki_types::CertificateDer;
use rcgen::{
    CertificateParams, CertifiedIssuer, CustomExtension, IsCa,
    KeyUsagePurpose::{self, CrlSign, DigitalSignature, KeyCertSign},
};

use crate::{
    assert_not_trusted,
    pki::{Authority, Pki, authority, host, key, leaf},
    verdict,
};

/// `id-ce-keyUsage`.
const KEY_USAGE: &[u64] = &[2, 5, 29, 15];

fn between(usages: &[KeyUsagePurpose]) -> CertificateParams {
    let mut params = authority("Between");
    params.key_usages = usages.to_vec();
    params
}

/// An authority whose `keyUsage` has this value, critical or not.
fn with_key_usage(value: &[u8], is_critical: bool) -> CertificateParams {
    let mut params = between(&[]);
    let mut extension = CustomExtension::from_oid_content(KEY_USAGE, value.to_vec());
    extension.set_criticality(is_critical);
    params.custom_extensions.push(extension);
    params
}

fn chain_by(authorities: &[&Authority]) -> Vec<CertificateDer<'static>> {
    let own = leaf(&host(&["mx.example.com"]), authorities[0]);
    [own].into_iter().chain(authorities.iter().map(|by| by.der().clone())).collect()
}

fn chain_of(pki: &Pki, params: CertificateParams) -> Vec<CertificateDer<'static>> {
    chain_by(&[&CertifiedIssuer::signed_by(params, key(), &pki.root).unwrap()])
}

#[track_caller]
fn assert_may_not_sign(pki: &Pki, chain: &[CertificateDer<'_>]) {
    assert_not_trusted(
        verdict(pki, chain),
        "certificate-authority-key-usage",
        "the key usage of CN=Between, by which the certificate is signed, does not permit to sign \
         certificates (keyCertSign)",
    );
}

#[test]
fn a_key_usage_has_to_permit_the_signing_of_certificates() {
    let pki = Pki::new();
    for usages in [&[][..], &[KeyCertSign], &[DigitalSignature, KeyCertSign, CrlSign]] {
        assert_eq!(verdict(&pki, &chain_of(&pki, between(usages))), Ok(()), "{usages:?}");
    }
    for usages in [&[CrlSign][..], &[DigitalSignature], &[DigitalSignature, CrlSign]] {
        assert_may_not_sign(&pki, &chain_of(&pki, between(usages)));
    }
    for is_critical in [false, true] {
        let permits = with_key_usage(&[3, 2, 2, 0b0000_0100], is_critical);
        assert_eq!(verdict(&pki, &chain_of(&pki, permits)), Ok(()));
        let crl_sign = with_key_usage(&[3, 2, 1, 0b0000_0010], is_critical);
        assert_may_not_sign(&pki, &chain_of(&pki, crl_sign));
    }
}

#[test]
fn a_malformed_key_usage_permits_nothing() {
    let pki = Pki::new();
    for value in [&[][..], &[5, 0], &[3, 0], &[3, 1, 0], &[3, 0x82], &[4, 2, 2, 0b0000_0100]] {
        assert_may_not_sign(&pki, &chain_of(&pki, with_key_usage(value, true)));
    }
}

#[test]
fn every_authority_of_the_path_has_to_be_permitted() {
    let pki = Pki::new();
    let upper = CertifiedIssuer::signed_by(between(&[CrlSign]), key(), &pki.root).unwrap();
    let lower = CertifiedIssuer::signed_by(authority("Lower"), key(), &upper).unwrap();
    assert_may_not_sign(&pki, &chain_by(&[&lower, &upper]));
    let lower = CertifiedIssuer::signed_by(between(&[CrlSign]), key(), &pki.middle).unwrap();
    assert_may_not_sign(&pki, &chain_by(&[&lower, &pki.middle]));
}

/// Another certificate of the same authority may permit it.
#[test]
fn another_path_is_looked_for() {
    let pki = Pki::new();
    let good = CertifiedIssuer::signed_by(authority("Between"), key(), &pki.root).unwrap();
    let bad = between(&[CrlSign]).signed_by(good.key(), &pki.root).unwrap().der().clone();
    let own = leaf(&host(&["mx.example.com"]), &good);
    let good = good.der().clone();
    assert_may_not_sign(&pki, &[own.clone(), bad.clone()]);
    assert_eq!(verdict(&pki, &[own.clone(), bad.clone(), good.clone()]), Ok(()));
    assert_eq!(verdict(&pki, &[own, good, bad]), Ok(()));
}

/// A trust anchor is a name and a key (RFC 5280 §6.1.1(d)). Presented as a member of the chain, signed
/// by another root, it is an authority like others.
#[test]
fn a_root_is_bound_by_its_key_usage_only_below_another_root() {
    let mut pki = Pki::new();
    let sub = CertifiedIssuer::self_signed(between(&[CrlSign]), key()).unwrap();
    let crossed = between(&[CrlSign]).signed_by(sub.key(), &pki.root).unwrap().der().clone();
    let own = leaf(&host(&["mx.example.com"]), &sub);
    assert_may_not_sign(&pki, &[own.clone(), crossed.clone()]);
    pki.root = sub;
    assert_eq!(verdict(&pki, &[own.clone(), crossed]), Ok(()));
    assert_eq!(verdict(&pki, &[own]), Ok(()));
}

#[test]
fn an_authority_says_so_in_its_basic_constraints() {
    let pki = Pki::new();
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        for usages in [&[][..], &[KeyCertSign]] {
            let mut params = between(usages);
            params.is_ca = is_ca;
            assert_not_trusted(
                verdict(&pki, &chain_of(&pki, params)),
                "certificate-invalid",
                "the certificate is not valid: it is signed by one that is not that of an authority",
            );
        }
    }
}

#[test]
fn an_authority_has_no_unknown_critical_extension() {
    let pki = Pki::new();
    let with = |is_critical| {
        let mut params = authority("Between");
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(is_critical);
        params.custom_extensions.push(extension);
        chain_of(&pki, params)
    };
    assert_eq!(verdict(&pki, &with(false)), Ok(()));
    assert_not_trusted(
        verdict(&pki, &with(true)),
        "certificate-authority-invalid",
        "the certificate of CN=Between, by which it is signed, cannot be used: it has a critical \
         extension that is not supported",
    );
}
