//! Revocation lists (RFC 5280 §6.3.3): which of them count, and for whom.

use mta_sts::{
    Failure,
    pki_types::CertificateDer,
    verify::{MxCertificate, RevocationList, VerifyOptions},
};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, KeyUsagePurpose};

use crate::{
    ALGORITHMS, assert_not_trusted,
    pki::{Authority, NOW, Pki, SERIAL, authority, host, key, leaf, revocations},
    verdict,
};

const REVOKED: &str = "the certificate, or one that it is signed by, was revoked";

#[test]
fn s4_2_03_revoked() {
    let pki = Pki::new();
    let mut params = host(&["mx.example.com"]);
    params.serial_number = Some(SERIAL.into());
    let revoked = pki.chain(&params);
    params.serial_number = Some((SERIAL + 1).into());
    let other = pki.chain(&params);
    // In an old list, too.
    for next_update in [2026, 2027] {
        let (anchors, lists) = ([pki.anchor()], [pki.revocations(next_update)]);
        let trust = VerifyOptions::new(&anchors, ALGORITHMS).with_crls(&lists);
        let verdict = |chain: &[CertificateDer<'_>]| {
            MxCertificate::new(chain).verify("mx.example.com", NOW, &trust).map_err(Failure::from)
        };
        assert_not_trusted(
            verdict(&revoked),
            "certificate-revoked",
            "the certificate, or one that it is signed by, was revoked",
        );
        assert_eq!(verdict(&other), Ok(()));
        // Its issuer has no list here.
        assert_eq!(verdict(&[leaf(&host(&["mx.example.com"]), &pki.root)]), Ok(()));
    }
    assert_eq!(verdict(&pki, &revoked), Ok(()), "nobody asked for lists");
}

fn verdict_by(
    pki: &Pki,
    lists: &[RevocationList],
    chain: &[CertificateDer<'_>],
) -> Result<(), Failure> {
    let anchors = [pki.anchor()];
    let trust = VerifyOptions::new(&anchors, ALGORITHMS).with_crls(lists);
    MxCertificate::new(chain).verify("mx.example.com", NOW, &trust).map_err(Failure::from)
}

fn with_serial(serial: u64) -> CertificateParams {
    let mut params = host(&["mx.example.com"]);
    params.serial_number = Some(serial.into());
    params
}

/// Another authority of the same name.
fn namesake() -> Authority {
    CertifiedIssuer::self_signed(authority("Middle"), key()).unwrap()
}

#[test]
fn a_list_of_a_namesake_is_none() {
    let pki = Pki::new();
    let (its_own, another) = (pki.revocations(2027), revocations(&namesake(), 2027));
    let (good, revoked) = (pki.chain(&with_serial(1)), pki.chain(&with_serial(SERIAL)));
    let alone = [another.clone()];
    assert_eq!(verdict_by(&pki, &alone, &good), Ok(()));
    assert_eq!(verdict_by(&pki, &alone, &revoked), Ok(()), "its own issuer has no list here");
    for both in [[its_own.clone(), another.clone()], [another, its_own]] {
        assert_eq!(verdict_by(&pki, &both, &good), Ok(()));
        assert_not_trusted(verdict_by(&pki, &both, &revoked), "certificate-revoked", REVOKED);
    }
}

#[test]
fn a_list_by_a_key_that_signs_no_lists_is_none() {
    let pki = Pki::new();
    let mut params = authority("No Lists");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let by = CertifiedIssuer::signed_by(params.clone(), key(), &pki.root).unwrap();
    // rcgen makes no list for such an authority: the same key with other words makes it.
    params.key_usages.push(KeyUsagePurpose::CrlSign);
    let key = KeyPair::try_from(by.key().serialize_der()).unwrap();
    let lister = CertifiedIssuer::self_signed(params, key).unwrap();
    let lists = [revocations(&lister, 2027)];
    for serial in [1, SERIAL] {
        let chain = [leaf(&with_serial(serial), &by), by.der().clone()];
        assert_eq!(verdict_by(&pki, &lists, &chain), Ok(()), "{serial}");
    }
}

#[test]
fn an_authority_may_be_revoked() {
    let mut pki = Pki::new();
    let mut params = authority("Middle");
    params.serial_number = Some(SERIAL.into());
    pki.middle = CertifiedIssuer::signed_by(params, key(), &pki.root).unwrap();
    let (by_root, by_middle) = (revocations(&pki.root, 2027), pki.revocations(2027));
    let good = pki.chain(&with_serial(1));
    assert_eq!(verdict_by(&pki, &[by_middle], &good), Ok(()), "no list revokes its own issuer");
    assert_not_trusted(verdict_by(&pki, &[by_root], &good), "certificate-revoked", REVOKED);
}

#[test]
fn bytes_that_are_no_list() {
    for bytes in [&b""[..], b"junk", &[0x30, 0x80]] {
        let error = RevocationList::from_der(bytes).unwrap_err();
        assert_eq!(error.to_string(), "the revocation list cannot be used: it is damaged");
    }
    let list = format!("{:?}", Pki::new().revocations(2027));
    assert_eq!(list, "RevocationList { issuer: Some(\"CN=Middle\"), .. }");
}
