use mta_sts::{
    pki_types::{CertificateDer, SignatureVerificationAlgorithm},
    verify::{DnsIds, MxCertificate, VerifyOptions},
};
use time::{UtcDateTime, macros::utc_datetime};
use webpki::ring;

use super::check_error;

const NOW: UtcDateTime = utc_datetime!(2026-06-15 12:00);

const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] =
    &[ring::ECDSA_P256_SHA256, ring::ED25519, ring::RSA_PKCS1_2048_8192_SHA256];

/// What `mx.example.com` presents: certificates, each with its length in two bytes before it. The
/// last one is trusted.
pub fn certificate(input: &[u8]) {
    let chain = chain(input);
    let anchors = chain.last().and_then(|last| webpki::anchor_from_trusted_cert(last).ok());
    let trust = VerifyOptions::new(anchors.as_slice(), ALGORITHMS);
    let certificate = MxCertificate::new(&chain);
    let names = certificate.names();
    check_names(&names);
    match certificate.verify("mx.example.com", NOW, &trust) {
        Ok(()) => assert!(
            names.len() > 10
                || names.iter().any(|name| ["mx.example.com", "*.example.com"].contains(&name)),
            "valid for {names}"
        ),
        Err(error) => check_error(&error),
    }
}

fn chain(mut rest: &[u8]) -> Vec<CertificateDer<'_>> {
    let mut chain = Vec::new();
    while let [high, low, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let (der, tail) = tail.split_at(len.min(tail.len()));
        chain.push(CertificateDer::from(der));
        rest = tail;
    }
    chain
}

fn check_names(names: &DnsIds) {
    assert_eq!(names.iter().count(), names.len().min(10));
    assert!(names.iter().all(|name| name.len() <= 253 && !name.contains(char::is_control)));
}
