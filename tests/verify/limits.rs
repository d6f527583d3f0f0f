//! Certificates that nobody can judge, and what is said of them.

use mta_sts::{
    Failure, ResultType,
    pki_types::{CertificateDer, SignatureVerificationAlgorithm},
    verify::{MxCertificate, VerifyOptions},
};
use rcgen::{
    CertificateParams, CustomExtension, KeyPair, KeyUsagePurpose, PKCS_ED25519, PKCS_RSA_SHA256,
    PublicKeyData, SignatureAlgorithm, date_time_ymd,
};
use webpki::ring;

use crate::{
    assert_fails, assert_not_trusted,
    pki::{NOW, Pki, der, host, key},
    verdict,
};

const ALL: &[&dyn SignatureVerificationAlgorithm] =
    &[ring::ECDSA_P256_SHA256, ring::ED25519, ring::RSA_PKCS1_2048_8192_SHA256];

/// A key of RSA whose modulus has so many bits.
struct Rsa(Vec<u8>);

impl Rsa {
    fn of_bits(bits: usize) -> Self {
        let mut modulus = vec![0xFF; bits.div_ceil(8)];
        modulus[0] >>= (8 - bits % 8) % 8;
        if modulus[0] >= 0x80 {
            modulus.insert(0, 0);
        }
        let integers = [der::element(2, &modulus), der::element(2, &[1, 0, 1])].concat();
        Self(der::element(0x30, &integers))
    }
}

impl PublicKeyData for Rsa {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

fn chain_of(
    pki: &Pki,
    params: &CertificateParams,
    key: &impl PublicKeyData,
) -> Vec<CertificateDer<'static>> {
    vec![params.signed_by(key, &pki.middle).unwrap().der().clone(), pki.middle.der().clone()]
}

fn verdict_by(
    pki: &Pki,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    chain: &[CertificateDer<'_>],
) -> Result<(), Failure> {
    let anchors = [pki.anchor()];
    let trust = VerifyOptions::new(&anchors, algorithms);
    MxCertificate::new(chain).verify("mx.example.com", NOW, &trust).map_err(Failure::from)
}

fn unsupported(key: &str) -> String {
    format!("the certificate's key ({key}) is one that the cryptography in use does not support")
}

#[test]
fn a_key_of_rsa_has_2048_bits_to_8192() {
    let pki = Pki::new();
    for bits in [512, 1024, 2047, 8193, 16384] {
        let chain = chain_of(&pki, &host(&["mx.example.com"]), &Rsa::of_bits(bits));
        let message = unsupported(&format!("RSA, {bits} bits"));
        assert_not_trusted(verdict_by(&pki, ALL, &chain), "certificate-unsupported-key", &message);
    }
    for bits in [2048, 3072, 4096, 8192] {
        let chain = chain_of(&pki, &host(&["mx.example.com"]), &Rsa::of_bits(bits));
        assert_eq!(verdict_by(&pki, ALL, &chain), Ok(()), "{bits}");
    }
}

#[test]
fn a_key_that_the_cryptography_does_not_know() {
    let pki = Pki::new();
    let params = host(&["mx.example.com"]);
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let chain = chain_of(&pki, &params, &ed25519);
    assert_eq!(verdict_by(&pki, ALL, &chain), Ok(()));
    let without: &[&dyn SignatureVerificationAlgorithm] = &[ring::ECDSA_P256_SHA256];
    let told = verdict_by(&pki, without, &chain);
    assert_not_trusted(told, "certificate-unsupported-key", &unsupported("Ed25519"));
    let chain =
        chain_of(&pki, &params, &KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap());
    let told = verdict_by(&pki, without, &chain);
    assert_not_trusted(told, "certificate-unsupported-key", &unsupported("EC on P-384"));
}

#[test]
fn what_is_wrong_besides_comes_first() {
    let pki = Pki::new();
    let mut params = host(&["mx.example.com"]);
    params.not_after = date_time_ymd(2026, 6, 1);
    assert_fails(
        verdict_by(&pki, ALL, &chain_of(&pki, &params, &Rsa::of_bits(1024))),
        ResultType::CertificateExpired,
        "certificate-expired",
        "the certificate expired at 2026-06-01T00:00:00Z",
    );
}

#[test]
fn a_certificate_of_version_1() {
    let pki = Pki::new();
    let [certificate, middle] = &pki.chain(&host(&["mx.example.com"]))[..] else { panic!() };
    assert_not_trusted(
        verdict(&pki, &[der::version_1(certificate), middle.clone()]),
        "certificate-unsupported-version",
        "the certificate is of X.509 version 1 or 2, which knows no names of hosts: make one of \
         version 3",
    );
}

#[test]
fn a_critical_extension_that_nobody_knows() {
    let pki = Pki::new();
    assert_not_trusted(
        verdict(&pki, &pki.chain(&with_unknown_extension())),
        "certificate-unsupported-extension",
        "the certificate has a critical extension that is not supported",
    );
}

pub(crate) fn with_unknown_extension() -> CertificateParams {
    let mut params = host(&["mx.example.com"]);
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
    params
}

#[test]
fn the_usage_of_a_key_does_not_count() {
    let pki = Pki::new();
    let mut params = host(&["mx.example.com"]);
    params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    assert_eq!(verdict(&pki, &pki.chain(&params)), Ok(()));
}

#[test]
fn the_signature_of_an_authority_with_a_short_key() {
    let pki = Pki::new();
    // Signed by RSA, as its authority says, whose key of 1,024 bits nobody verifies.
    let mut params = crate::pki::authority("Short");
    params.serial_number = Some(7.into());
    let short = params.signed_by(&Rsa::of_bits(1024), &pki.root).unwrap().der().clone();
    let named = rcgen::CertifiedIssuer::self_signed(params, key()).unwrap();
    let certificate = crate::pki::leaf(&host(&["mx.example.com"]), &named);
    let chain = [der::signed_by_rsa(&certificate), short];
    assert_not_trusted(
        verdict_by(&pki, ALL, &chain),
        "certificate-unsupported-key",
        "the key of CN=Short (RSA, 1024 bits) is one that the cryptography in use does not support",
    );
}

/// No cryptography in use verifies by an exponent of more than 33 bits, or by what is no key.
#[test]
fn keys_of_rsa_that_verify_nothing() {
    let pki = Pki::new();
    let params = host(&["mx.example.com"]);
    let mut wide = Rsa::of_bits(2048);
    wide.0 = {
        let modulus = [vec![0], vec![0xFF; 256]].concat();
        let exponent = [1, 0, 0, 0, 0, 1];
        der::element(0x30, &[der::element(2, &modulus), der::element(2, &exponent)].concat())
    };
    let told = verdict_by(&pki, ALL, &chain_of(&pki, &params, &wide));
    let message = unsupported("RSA, 2048 bits");
    assert_not_trusted(told, "certificate-unsupported-key", &message);
    let garbage = Rsa(vec![1, 2, 3]);
    let told = verdict_by(&pki, ALL, &chain_of(&pki, &params, &garbage));
    assert_not_trusted(told, "certificate-unsupported-key", &unsupported("RSA"));
}

/// The authority has a key on a curve that is not supported, though its signature is of a supported
/// kind.
#[test]
fn an_authority_on_a_curve_that_is_not_supported() {
    let mut pki = Pki::new();
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    pki.root = rcgen::CertifiedIssuer::self_signed(crate::pki::authority("Root"), p384).unwrap();
    let certificate = crate::pki::leaf(&host(&["mx.example.com"]), &pki.root);
    let by: &[&dyn SignatureVerificationAlgorithm] =
        &[ring::ECDSA_P256_SHA256, ring::ECDSA_P256_SHA384];
    assert_not_trusted(
        verdict_by(&pki, by, &[certificate]),
        "certificate-unsupported-key",
        "the key of CN=Root (EC on P-384) is one that the cryptography in use does not support",
    );
}

#[test]
fn names_of_any_length_make_no_long_sentence() {
    let pki = Pki::new();
    let long = format!("*{}.example", "x".repeat(20_000));
    let chain = pki.chain(&host(&[&long, &format!("{long}.net")]));
    let failure = verdict(&pki, &chain).unwrap_err();
    assert!(failure.message().len() < 1_000, "{}", failure.message().len());
}
