//! Certificates with one fault each, and some with none.

use mta_sts::ResultType::{
    self, CertificateExpired as Expired, CertificateHostMismatch as Mismatch,
    CertificateNotTrusted as NotTrusted,
};
use rcgen::{
    CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ED25519,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Authority, Pki, SERIAL, authority, host, key};

/// What a server presents, and what is wrong with it.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) fault: Option<Fault>,
}

/// Its type if the server is an MX host, its reason, and its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) ResultType, pub(crate) &'static str, pub(crate) String);

/// All of them, for a host in `example.com`.
pub(crate) fn rows(pki: &Pki, name: &str) -> Vec<Row> {
    let kinds = [of_the_host(pki, name), of_its_names(pki, name), of_its_chain(pki, name)];
    kinds.into_iter().flatten().collect()
}

fn of_the_host(pki: &Pki, name: &str) -> Vec<Row> {
    let of = |what, change: &dyn Fn(&mut CertificateParams), fault| {
        let mut params = host(&[name]);
        change(&mut params);
        row(what, &params, &pki.middle, 2, fault)
    };
    vec![
        of("good", &|_| {}, None),
        of(
            "expired",
            &|params| params.not_after = date_time_ymd(2026, 6, 15),
            fault(
                Expired,
                "certificate-expired",
                "the certificate expired at 2026-06-15T00:00:00Z",
            ),
        ),
        of(
            "not yet valid",
            &|params| params.not_before = date_time_ymd(2026, 6, 16),
            not_trusted(
                "certificate-not-yet-valid",
                "the certificate is not valid before 2026-06-16T00:00:00Z",
            ),
        ),
        of(
            "revoked",
            &|params| params.serial_number = Some(SERIAL.into()),
            not_trusted(
                "certificate-revoked",
                "the certificate, or one that it is signed by, was revoked",
            ),
        ),
        of(
            "for clients",
            &|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            not_trusted("certificate-not-for-servers", "the certificate is not for servers"),
        ),
    ]
}

fn of_its_names(pki: &Pki, name: &str) -> Vec<Row> {
    let of = |what, names: &[&str], fault| row(what, &host(names), &pki.middle, 2, fault);
    let mut common_name = host(&[]);
    common_name.distinguished_name.push(DnType::CommonName, name);
    let told = format!("no host, only CN={name}, and a common name does not count (RFC 8461 §4.2)");
    let first = name.split('.').next().unwrap();
    let partial = format!("{first}*.example.com");
    let some = ["*.com", "b.example", "*", "a.example", "x*.a", "y*.a", "z*.a"];
    let told_of_some = format!(
        "b.example, a.example; not usable: \"*.com\" ({TOP_LEVEL}), \"*\" ({TOP_LEVEL}), \"x*.a\" \
         ({PARTIAL}) and 2 more",
    );
    vec![
        of("a wildcard", &["*.example.com"], None),
        of("one of many", &["a.example", "b.example", name], None),
        of("another name", &["www.example.com"], mismatch("www.example.com")),
        of("the domain", &["example.com"], mismatch("example.com")),
        row("common name only", &common_name, &pki.middle, 2, mismatch(&told)),
        of("an address only", &["192.0.2.1"], mismatch("no host, only an address: 192.0.2.1")),
        of("part of a label", &[&partial], unusable(&partial, PARTIAL)),
        of("two wildcards", &["*.*.com"], unusable("*.*.com", PARTIAL)),
        of("a wildcard for all", &["*.com"], unusable("*.com", TOP_LEVEL)),
        of("a part of a label", &["mta-*.example.com"], unusable("mta-*.example.com", PARTIAL)),
        of("some of each kind", &some, mismatch(&told_of_some)),
    ]
}

fn of_its_chain(pki: &Pki, name: &str) -> Vec<Row> {
    let good = host(&[name]);
    let of = |what, by: &Authority, presented, fault| row(what, &good, by, presented, fault);
    let stranger = "the chain of 2 certificates ends at CN=Stranger, which is not a trusted root";
    let namesake = "the chain of 2 certificates ends at CN=Root, the name of a trusted root, but a \
                    signature in it is by another authority of the same name";
    let namesake = || not_trusted("certificate-unknown-issuer", namesake);
    let incomplete = "only the host's own certificate was presented, and not that of its issuer, \
                      CN=Middle: the full chain has to be served";
    let incomplete = || not_trusted("certificate-chain-incomplete", incomplete);
    let own_making = "the certificate is self-signed: no authority vouches for it";
    let own_making = || not_trusted("certificate-self-signed", own_making);
    let constraints = "the certificate is for a name that its authority may not vouch for";
    vec![
        of("by the root", &pki.root, 1, None),
        of("another root", &pki.stranger, 2, not_trusted("certificate-unknown-issuer", stranger)),
        of("another root of this name", &double("Root", KeyKind::Same), 2, namesake()),
        of("another root, of another kind", &double("Root", KeyKind::Other), 2, namesake()),
        of("another authority between", &double("Middle", KeyKind::Same), 1, incomplete()),
        of("nothing between", &pki.middle, 1, incomplete()),
        own("self-signed", &good, own_making()),
        own("self-signed, as an authority", &own_authority(&good), own_making()),
        of(
            "against name constraints",
            &pki.constrained("example.net"),
            2,
            not_trusted("certificate-name-constraints", constraints),
        ),
    ]
}

const PARTIAL: &str = "a wildcard stands for the whole of the first label";
const TOP_LEVEL: &str = "a wildcard over a top-level domain is not accepted";

fn fault(kind: ResultType, reason: &'static str, told: &str) -> Option<Fault> {
    Fault(kind, reason, told.into()).into()
}

fn not_trusted(reason: &'static str, told: &str) -> Option<Fault> {
    fault(NotTrusted, reason, told)
}

fn mismatch(names: &str) -> Option<Fault> {
    let told = format!("the certificate is not for this host: it names {names}");
    fault(Mismatch, "certificate-host-mismatch", &told)
}

/// A certificate that has this name alone, which does not count, for this reason.
fn unusable(name: &str, why: &str) -> Option<Fault> {
    mismatch(&format!(
        "no host, only CN=a host, and a common name does not count (RFC 8461 §4.2); not usable: \
         \"{name}\" ({why})",
    ))
}

/// A good one that says just as many bytes in every handshake: its signatures are of one length.
pub(crate) fn steady(pki: &Pki, name: &str) -> Row {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let leaf = host(&[name]).signed_by(&key, &pki.middle).unwrap().der().clone();
    let chain = vec![leaf, pki.middle.der().clone()];
    Row { what: "steady", chain, key: der(key.serialize_der()), fault: None }
}

/// Whether a key is of the kind that the others are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Same,
    Other,
}

/// An authority that has a name which another one has.
fn double(name: &str, kind: KeyKind) -> Authority {
    let key = match kind {
        KeyKind::Same => key(),
        KeyKind::Other => KeyPair::generate_for(&PKCS_ED25519).unwrap(),
    };
    CertifiedIssuer::self_signed(authority(name), key).unwrap()
}

/// What `openssl req -x509` makes.
fn own_authority(params: &CertificateParams) -> CertificateParams {
    let mut params = params.clone();
    params.is_ca = authority("").is_ca;
    params.extended_key_usages = Vec::new();
    params
}

/// Presents the first so many certificates of the chain.
fn row(
    what: &'static str,
    params: &CertificateParams,
    by: &Authority,
    presented: usize,
    fault: Option<Fault>,
) -> Row {
    let key = key();
    let mut chain = vec![params.signed_by(&key, by).unwrap().der().clone(), by.der().clone()];
    chain.truncate(presented);
    Row { what, chain, key: der(key.serialize_der()), fault }
}

fn own(what: &'static str, params: &CertificateParams, fault: Option<Fault>) -> Row {
    let issuer = CertifiedIssuer::self_signed(params.clone(), key()).unwrap();
    let chain = vec![issuer.der().clone()];
    Row { what, chain, key: der(issuer.key().serialize_der()), fault }
}

fn der(bytes: Vec<u8>) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(bytes).into()
}
