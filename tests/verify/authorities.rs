//! Faults of the authorities of a chain, told apart from those of the host's own certificate.

use mta_sts::{ResultType, pki_types::CertificateDer};
use rcgen::{CertifiedIssuer, DnType, date_time_ymd};

use crate::{
    assert_fails, assert_not_trusted,
    pki::{Authority, Pki, authority, der, host, key, leaf},
    verdict,
};

fn by(pki: &Pki, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Authority {
    let mut params = authority("Between");
    change(&mut params);
    CertifiedIssuer::signed_by(params, key(), &pki.root).unwrap()
}

#[test]
fn s4_2_01_an_expired_authority_is_no_expired_certificate() {
    let pki = Pki::new();
    let authority = by(&pki, |params| params.not_after = date_time_ymd(2026, 6, 1));
    let chain = [leaf(&host(&["mx.example.com"]), &authority), authority.der().clone()];
    assert_not_trusted(
        verdict(&pki, &chain),
        "certificate-authority-expired",
        "the certificate of CN=Between, by which it is signed, expired at 2026-06-01T00:00:00Z",
    );
    // If both have expired, the host's own is the one to tell of.
    let mut params = host(&["mx.example.com"]);
    params.not_after = date_time_ymd(2026, 5, 1);
    assert_fails(
        verdict(&pki, &[leaf(&params, &authority), authority.der().clone()]),
        ResultType::CertificateExpired,
        "certificate-expired",
        "the certificate expired at 2026-05-01T00:00:00Z",
    );
}

#[test]
fn an_authority_that_is_not_valid_yet() {
    let pki = Pki::new();
    let authority = by(&pki, |params| params.not_before = date_time_ymd(2026, 7, 1));
    let chain = [leaf(&host(&["mx.example.com"]), &authority), authority.der().clone()];
    assert_not_trusted(
        verdict(&pki, &chain),
        "certificate-authority-not-yet-valid",
        "the certificate of CN=Between, by which it is signed, is not valid before \
         2026-07-01T00:00:00Z",
    );
}

#[test]
fn an_authority_is_named_by_what_it_has() {
    let pki = Pki::new();
    let organization = |name: &str| {
        let mut params = authority("");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, name);
        CertifiedIssuer::self_signed(params, key()).unwrap()
    };
    let long = "x".repeat(500);
    for (name, told) in [
        ("Example Trust", "O=Example Trust".to_owned()),
        ("two\nlines", "O=two\\nlines".to_owned()),
        (&long, format!("O={}…", "x".repeat(128))),
    ] {
        let stranger = organization(name);
        let chain = [leaf(&host(&["mx.example.com"]), &stranger), stranger.der().clone()];
        let message =
            format!("the chain of 2 certificates ends at {told}, which is not a trusted root");
        assert_not_trusted(verdict(&pki, &chain), "certificate-unknown-issuer", &message);
    }
}

/// What stands beside the host's own certificate is not told as its fault.
#[test]
fn what_is_presented_besides_is_no_fault_of_the_hosts_own() {
    let pki = Pki::new();
    let good = host(&["mx.example.com"]);
    let complete = pki.chain(&good);
    let unrelated = der::version_1(pki.stranger.der());
    let garbage = CertificateDer::from(vec![1, 2, 3]);
    for beside in [&unrelated, &garbage] {
        let chain = [&complete[..], std::slice::from_ref(beside)].concat();
        assert_eq!(verdict(&pki, &chain), Ok(()));
        assert_not_trusted(
            verdict(&pki, &[complete[0].clone(), beside.clone()]),
            "certificate-chain-incomplete",
            "2 certificates were presented, and not that of its issuer, CN=Middle: the full chain has \
             to be served",
        );
    }
    // A private root of version 1.
    let leaf_of_stranger = leaf(&good, &pki.stranger);
    assert_not_trusted(
        verdict(&pki, &[leaf_of_stranger, unrelated]),
        "certificate-unknown-issuer",
        "the chain of 2 certificates ends at CN=Stranger, which is not a trusted root",
    );
    // One that the chain needs.
    let middle = der::version_1(pki.middle.der());
    assert_not_trusted(
        verdict(&pki, &[complete[0].clone(), middle]),
        "certificate-authority-invalid",
        "the certificate of CN=Middle, by which it is signed, cannot be used: it is of another \
         version of X.509 than 3",
    );
    let for_clients = by(&pki, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_not_trusted(
        verdict(&pki, &[leaf(&good, &for_clients), for_clients.der().clone()]),
        "certificate-invalid",
        "the certificate is not valid: it is signed by one that is not for servers",
    );
}

/// A namesake of the issuer that has expired has not signed it.
#[test]
fn an_expired_namesake_has_signed_nothing() {
    let pki = Pki::new();
    let between = by(&pki, |_| {});
    let namesake = by(&pki, |params| params.not_after = date_time_ymd(2026, 6, 1));
    let own = leaf(&host(&["mx.example.com"]), &between);
    let failure = verdict(&pki, &[own, namesake.der().clone()]).unwrap_err();
    assert_eq!(failure.reason_code(), "certificate-unknown-issuer", "{failure}");
}

#[test]
fn a_host_with_the_name_of_its_authority_is_not_self_signed() {
    let pki = Pki::new();
    let mut params = host(&["mx.example.com"]);
    params.distinguished_name = authority("Stranger").distinguished_name;
    let chain = [leaf(&params, &pki.stranger), pki.stranger.der().clone()];
    assert_not_trusted(
        verdict(&pki, &chain),
        "certificate-unknown-issuer",
        "the chain of 2 certificates ends at CN=Stranger, which is not a trusted root",
    );
}
