//! The certificates of MX hosts (RFC 8461 §4.2, RFC 9525): one of each fault, made for the test.

#![cfg(feature = "verify")]

mod authorities;
#[cfg(feature = "rustls")]
mod handshake;
mod issuers;
mod limits;
#[path = "../pki/mod.rs"]
mod pki;
mod revocation;

use mta_sts::{
    Failure, ResultType,
    delivery::CertificateChecks,
    pki_types::{CertificateDer, SignatureVerificationAlgorithm},
    verify::{CertificateErrorKind as Kind, MxCertificate, VerifyOptions},
};
use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, date_time_ymd};
use time::{UtcDateTime, macros::utc_datetime};
use webpki::ring;

use self::pki::{NOW, Pki, host, leaf};

const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[ring::ECDSA_P256_SHA256];

/// What comes of a chain that is presented as that of `mx.example.com`.
fn verdict(pki: &Pki, chain: &[CertificateDer<'_>]) -> Result<(), Failure> {
    verdict_on("mx.example.com", pki, chain)
}

fn verdict_on(name: &str, pki: &Pki, chain: &[CertificateDer<'_>]) -> Result<(), Failure> {
    let anchors = [pki.anchor()];
    let trust = VerifyOptions::new(&anchors, ALGORITHMS);
    MxCertificate::new(chain).verify(name, NOW, &trust).map_err(Failure::from)
}

/// A failure has this type, this reason and this sentence.
#[track_caller]
fn assert_fails(got: Result<(), Failure>, result: ResultType, reason: &str, message: &str) {
    let failure = got.expect_err("it should not be valid");
    assert_eq!((failure.result_type(), failure.reason_code()), (result, reason));
    assert_eq!(failure.message(), message);
    assert_eq!(failure.subject(), "mx.example.com");
    let _ = CertificateChecks::new().with_pkix(Err(failure));
}

#[track_caller]
fn assert_mismatch(names: &[&str], told: &str) {
    let pki = Pki::new();
    assert_fails(
        verdict(&pki, &pki.chain(&host(names))),
        ResultType::CertificateHostMismatch,
        "certificate-host-mismatch",
        &format!("the certificate is not for this host: it names {told}"),
    );
}

#[track_caller]
fn assert_not_trusted(got: Result<(), Failure>, reason: &str, message: &str) {
    assert_fails(got, ResultType::CertificateNotTrusted, reason, message);
}

#[test]
fn good_ones() {
    let pki = Pki::new();
    for names in [
        &["mx.example.com"][..],
        &["MX.Example.COM"],
        &["*.example.com"],
        &["other.example", "mx.example.com"],
    ] {
        assert_eq!(verdict(&pki, &pki.chain(&host(names))), Ok(()), "{names:?}");
    }
    let chain = pki.chain(&host(&["mx.example.com"]));
    for name in ["mx.example.com.", "MX.EXAMPLE.com"] {
        assert_eq!(verdict_on(name, &pki, &chain), Ok(()), "{name}");
    }
    let by_root = [leaf(&host(&["mx.example.com"]), &pki.root)];
    assert_eq!(verdict(&pki, &by_root), Ok(()));
    let mut without_purpose = host(&["mx.example.com"]);
    without_purpose.extended_key_usages.clear();
    assert_eq!(verdict(&pki, &pki.chain(&without_purpose)), Ok(()));
}

#[test]
fn s4_2_01_not_expired() {
    let pki = Pki::new();
    let mut params = host(&["mx.example.com"]);
    params.not_after = date_time_ymd(2026, 6, 15);
    assert_fails(
        verdict(&pki, &pki.chain(&params)),
        ResultType::CertificateExpired,
        "certificate-expired",
        "the certificate expired at 2026-06-15T00:00:00Z",
    );
    params.not_after = date_time_ymd(2026, 6, 16);
    assert_eq!(verdict(&pki, &pki.chain(&params)), Ok(()));
}

#[test]
fn s4_2_01_valid_already() {
    let pki = Pki::new();
    let mut params = host(&["mx.example.com"]);
    params.not_before = date_time_ymd(2026, 6, 16);
    assert_not_trusted(
        verdict(&pki, &pki.chain(&params)),
        "certificate-not-yet-valid",
        "the certificate is not valid before 2026-06-16T00:00:00Z",
    );
}

#[test]
fn s4_2_01_chains_to_a_trusted_root() {
    let pki = Pki::new();
    let params = host(&["mx.example.com"]);
    let self_signed = params.self_signed(&pki::key()).unwrap().der().clone();
    let expectations = [
        (
            vec![leaf(&params, &pki.stranger), pki.stranger.der().clone()],
            "certificate-unknown-issuer",
            "the chain of 2 certificates ends at CN=Stranger, which is not a trusted root",
        ),
        (
            vec![leaf(&params, &pki.stranger)],
            "certificate-chain-incomplete",
            "only the host's own certificate was presented, and not that of its issuer, CN=Stranger: \
             the full chain has to be served",
        ),
        (
            vec![leaf(&params, &pki.middle), pki.stranger.der().clone()],
            "certificate-chain-incomplete",
            "2 certificates were presented, and not that of its issuer, CN=Middle: the full chain has \
             to be served",
        ),
        (
            vec![self_signed],
            "certificate-self-signed",
            "the certificate is self-signed: no authority vouches for it",
        ),
    ];
    for (chain, code, message) in expectations {
        assert_not_trusted(verdict(&pki, &chain), code, message);
    }
}

#[test]
fn s4_2_02_the_host_itself_is_named() {
    // A policy may list another host, and the recipient's domain may be example.com: no matter.
    assert_mismatch(&["mx2.example.com"], "mx2.example.com");
    assert_mismatch(&["example.com"], "example.com");
    let many = ["a.example", "B.example", "c.example", "d.example", "e.example"];
    assert_mismatch(&many, "a.example, b.example, c.example and 2 more");
}

#[test]
fn s4_2_04_a_wildcard_is_the_whole_first_label() {
    let deeper = "; `*` stands for exactly one label (RFC 9525 §6.3)";
    assert_mismatch(&["*.mx.example.com"], &format!("*.mx.example.com{deeper}"));
    assert_mismatch(
        &["*.com.", "mx.example.com."],
        "no host, only CN=a host, and a common name does not count (RFC 8461 §4.2); not usable: \"*.com.\" (it ends in a dot), \"mx.example.com.\" (it ends in a dot)",
    );
    // RFC 9525 §6.3: what is no such wildcard is not a name of a host.
    for invalid in [
        "mx*.example.com",
        "m*.example.com",
        "*.*.com",
        "*.*.example.com",
        "mx.*.com",
        "*.com",
        "*",
    ] {
        let why = match invalid {
            "*.com" | "*" => "a wildcard over a top-level domain is not accepted",
            _ => "a wildcard stands for the whole of the first label",
        };
        let told = format!(
            "no host, only CN=a host, and a common name does not count (RFC 8461 §4.2); not usable: \
             \"{invalid}\" ({why})",
        );
        assert_mismatch(&[invalid], &told);
    }
    let pki = Pki::new();
    let chain = pki.chain(&host(&["*.example.com"]));
    for below in ["example.com", "mx.a.example.com"] {
        let failure = verdict_on(below, &pki, &chain).unwrap_err();
        assert_eq!(failure.result_type(), ResultType::CertificateHostMismatch, "{below}");
    }
}

#[test]
fn c_01_the_common_name_does_not_count() {
    let pki = Pki::new();
    let mut params = host(&[]);
    params.distinguished_name.push(DnType::CommonName, "mx.example.com");
    let told = "the certificate is not for this host: it names no host, only CN=mx.example.com, and a \
                common name does not count (RFC 8461 §4.2)";
    let (kind, reason) = (ResultType::CertificateHostMismatch, "certificate-host-mismatch");
    assert_fails(verdict(&pki, &pki.chain(&params)), kind, reason, told);
    assert_mismatch(&["192.0.2.1"], "no host, only an address: 192.0.2.1");
}

#[test]
fn for_servers() {
    let pki = Pki::new();
    let mut params = host(&["mx.example.com"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let message = "the certificate is not for servers";
    assert_not_trusted(verdict(&pki, &pki.chain(&params)), "certificate-not-for-servers", message);
}

#[test]
fn within_name_constraints() {
    let pki = Pki::new();
    let chain = |below| {
        let by = pki.constrained(below);
        [leaf(&host(&["mx.example.com"]), &by), by.der().clone()]
    };
    assert_eq!(verdict(&pki, &chain("example.com")), Ok(()));
    assert_not_trusted(
        verdict(&pki, &chain("example.net")),
        "certificate-name-constraints",
        "the certificate is for a name that its authority may not vouch for",
    );
}

#[test]
fn an_unknown_algorithm() {
    let pki = Pki::new();
    let (anchors, chain) = ([pki.anchor()], pki.chain(&host(&["mx.example.com"])));
    let others: [&dyn SignatureVerificationAlgorithm; 1] = [ring::ED25519];
    let trust = VerifyOptions::new(&anchors, &others);
    let error = MxCertificate::new(&chain).verify("mx.example.com", NOW, &trust).unwrap_err();
    assert!(matches!(error.kind(), Kind::UnsupportedSignature { .. }), "{error}");
    assert_eq!(error.result_type(), ResultType::CertificateNotTrusted);
    assert_eq!(
        error.kind().to_string(),
        "the certificate, or one that it is signed by, is signed with ecdsa-with-SHA256, which the \
         cryptography in use does not support",
    );
}

#[test]
fn of_two_faults_the_more_telling_one() {
    let pki = Pki::new();
    let mut params = host(&["other.example"]);
    let untrusted = verdict(&pki, &[leaf(&params, &pki.stranger)]).unwrap_err();
    assert_eq!(untrusted.result_type(), ResultType::CertificateHostMismatch);
    params.not_after = date_time_ymd(2026, 2, 1);
    let expired = verdict(&pki, &pki.chain(&params)).unwrap_err();
    assert_eq!(expired.result_type(), ResultType::CertificateExpired);
}

#[test]
fn nothing_that_can_be_checked() {
    let pki = Pki::new();
    let none = verdict(&pki, &[]);
    assert_not_trusted(none, "no-certificate", "no certificate was presented");
    let chain = pki.chain(&host(&["mx.example.com"]));
    for name in ["", ".", "mx..example.com", "münchen.example", "[192.0.2.1]", "a b"] {
        let failure = verdict_on(name, &pki, &chain).unwrap_err();
        assert_eq!(failure.reason_code(), "no-host-name", "{name}");
    }
    // An address is not looked for among the names.
    let failure = verdict_on("192.0.2.1", &pki, &pki.chain(&host(&["192.0.2.1"]))).unwrap_err();
    assert_eq!(failure.result_type(), ResultType::CertificateNotTrusted);
}

#[test]
fn at_any_time() {
    let pki = Pki::new();
    let (anchors, chain) = ([pki.anchor()], pki.chain(&host(&["mx.example.com"])));
    let trust = VerifyOptions::new(&anchors, ALGORITHMS);
    let at = |now| MxCertificate::new(&chain).verify("mx.example.com", now, &trust);
    assert_eq!(at(utc_datetime!(2026-01-01 0:00)), Ok(()));
    assert_eq!(at(utc_datetime!(2027-01-01 0:00)), Ok(()));
    let kind = |now| at(now).unwrap_err().kind().clone();
    let (begin, end) = (utc_datetime!(2026-01-01 0:00), utc_datetime!(2027-01-01 0:00));
    assert_eq!(kind(utc_datetime!(2025-12-31 23:59:59)), Kind::NotYetValid(begin));
    assert_eq!(kind(utc_datetime!(2027-01-01 0:00:01)), Kind::Expired(end));
    assert_eq!(kind(UtcDateTime::MIN), Kind::NotYetValid(begin));
    assert_eq!(kind(UtcDateTime::MAX), Kind::Expired(end));
}

#[test]
fn names_are_those_of_hosts() {
    let pki = Pki::new();
    let chain =
        pki.chain(&host(&["mx.example.com", "m*.example.com", "*.Example.net", "192.0.2.1"]));
    let names = MxCertificate::new(&chain).names();
    assert_eq!(names.iter().collect::<Vec<_>>(), ["mx.example.com", "*.example.net"]);
    assert_eq!((names.len(), names.is_empty()), (2, false));
    assert_eq!(names.to_string(), "mx.example.com, *.example.net");

    let many: Vec<String> = (0..500).map(|n| format!("mx{n}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let chain = pki.chain(&host(&many));
    let names = MxCertificate::new(&chain).names();
    assert_eq!((names.len(), names.iter().count()), (500, 10), "no more are kept");

    assert!(MxCertificate::new(&[]).names().is_empty());
    assert!(MxCertificate::new(&[CertificateDer::from(vec![0x30])]).names().is_empty());
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let params: CertificateParams = host(&["mx.example.com"]);
    let der = params.self_signed(&pki::key()).unwrap().der().to_vec();
    let len = der.len();
    (prop::collection::vec((0..len, any::<u8>()), 0..4), 0..=len).prop_map(move |(changes, cut)| {
        let mut der = der.clone();
        for (at, byte) in changes {
            der[at] = byte;
        }
        der.truncate(cut);
        der
    })
}

proptest! {
    #[test]
    fn no_bytes_are_valid_that_nobody_signed(der in damaged(), second in damaged()) {
        let chain = [CertificateDer::from(der), CertificateDer::from(second)];
        let trust = VerifyOptions::new(&[], ALGORITHMS);
        let error = MxCertificate::new(&chain).verify("mx.example.com", NOW, &trust).unwrap_err();
        prop_assert!(error.to_string().starts_with("mx.example.com: "));
        let _ = MxCertificate::new(&chain).names();
    }
}
