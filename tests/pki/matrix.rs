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
    let good = host(&[name]);
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = good.clone();
        change(&mut params);
        params
    };
    let expired = with(&|params| params.not_after = date_time_ymd(2026, 6, 15));
    let early = with(&|params| params.not_before = date_time_ymd(2026, 6, 16));
    let revoked = with(&|params| params.serial_number = Some(SERIAL.into()));
    let client = ExtendedKeyUsagePurpose::ClientAuth;
    let purpose = with(&|params| params.extended_key_usages = vec![client.clone()]);
    let mut common_name = host(&[]);
    common_name.distinguished_name.push(DnType::CommonName, name);
    let first = name.split('.').next().unwrap();
    let partial = format!("{first}*.example.com");
    let constrained = pki.constrained("example.net");

    let mismatch = |names: &str| {
        let told = format!("the certificate is not for this host; those it names: {names}");
        Some(Fault(Mismatch, "certificate-host-mismatch", told))
    };
    let odd = |name: &str| mismatch(&format!("none; not for any host: \"{name}\""));
    let fault = |kind, reason, told: &str| Some(Fault(kind, reason, told.into()));
    let unknown = || {
        let told =
            "the certificate leads to no trusted authority, or one between was not presented";
        fault(NotTrusted, "certificate-unknown-issuer", told)
    };
    let of = |what, params: &CertificateParams, fault| row(what, params, &pki.middle, 2, fault);
    vec![
        of("good", &good, None),
        of("a wildcard", &host(&["*.example.com"]), None),
        of("one of many", &host(&["a.example", "b.example", name]), None),
        row("by the root", &good, &pki.root, 1, None),
        of(
            "expired",
            &expired,
            fault(
                Expired,
                "certificate-expired",
                "the certificate, or one that it is signed by, expired at 2026-06-15 0:00:00.0 +00",
            ),
        ),
        of(
            "not yet valid",
            &early,
            fault(
                NotTrusted,
                "certificate-not-yet-valid",
                "the certificate, or one that it is signed by, is not valid before 2026-06-16 \
                 0:00:00.0 +00",
            ),
        ),
        of("another name", &host(&["www.example.com"]), mismatch("www.example.com")),
        of("the domain", &host(&["example.com"]), mismatch("example.com")),
        of("common name only", &common_name, mismatch("none")),
        of("an address only", &host(&["192.0.2.1"]), mismatch("none")),
        of("part of a label", &host(&[&partial]), odd(&partial)),
        of("two wildcards", &host(&["*.*.com"]), odd("*.*.com")),
        of("a wildcard for all", &host(&["*.com"]), odd("*.com")),
        of("a part of a label", &host(&["mta-*.example.com"]), odd("mta-*.example.com")),
        of(
            "some of each kind",
            &host(&["*.com", "b.example", "*", "a.example", "x*.a", "y*.a", "z*.a"]),
            mismatch(
                "b.example, a.example; not for any host: \"*.com\", \"*\", \"x*.a\" and 2 more",
            ),
        ),
        row("another root", &good, &pki.stranger, 2, unknown()),
        row("another root of this name", &good, &double("Root", KeyKind::Same), 2, unknown()),
        row("another root, of another kind", &good, &double("Root", KeyKind::Other), 2, unknown()),
        row("another authority between", &good, &double("Middle", KeyKind::Same), 1, unknown()),
        own("self-signed, as an authority", &own_authority(&good), unknown()),
        row("nothing between", &good, &pki.middle, 1, unknown()),
        own("self-signed", &good, unknown()),
        of(
            "revoked",
            &revoked,
            fault(
                NotTrusted,
                "certificate-revoked",
                "the certificate, or one that it is signed by, was revoked",
            ),
        ),
        of(
            "for clients",
            &purpose,
            fault(NotTrusted, "certificate-not-for-servers", "the certificate is not for servers"),
        ),
        row(
            "against name constraints",
            &good,
            &constrained,
            2,
            fault(
                NotTrusted,
                "certificate-name-constraints",
                "the certificate is for a name that its authority may not vouch for",
            ),
        ),
    ]
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
