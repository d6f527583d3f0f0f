//! The certificates of MX hosts in a handshake by rustls: strict under `enforce`, told of under
//! `testing`.

use std::sync::Arc;

use mta_sts::{
    Failure,
    ResultType::{CertificateNotTrusted, ValidationFailure},
    verify::{HostVerifier, TrustStore, TrustStoreError},
};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind, RootCertStore,
    ServerConfig, ServerConnection, SignatureScheme,
    crypto::CryptoProvider,
    server::{ClientHello, ResolvesServerCert},
    sign::{CertifiedKey, Signer, SigningKey},
    version::{TLS12, TLS13},
};

use crate::{
    limits::with_unknown_extension,
    pki::{
        NOW, Pki, der, host, key,
        matrix::{Fault, Row, rows},
        tls::{BOTH, config, impostor, providers, ring, trust},
    },
};

/// A handshake; what each side says of it.
fn shake(client: ClientConfig, server: ServerConfig) -> (Result<(), Error>, Result<(), Error>) {
    let (client, server) = (Arc::new(client), Arc::new(server));
    shake_between(&mut client_of(&client), &mut ServerConnection::new(server).unwrap())
}

fn client_of(config: &Arc<ClientConfig>) -> ClientConnection {
    let name = "mx.example.com".try_into().unwrap();
    ClientConnection::new(Arc::clone(config), name).unwrap()
}

fn shake_between(
    client: &mut ClientConnection,
    server: &mut ServerConnection,
) -> (Result<(), Error>, Result<(), Error>) {
    let (mut at_client, mut at_server) = (Ok(()), Ok(()));
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        if !bytes.is_empty() && at_server.is_ok() {
            server.read_tls(&mut &bytes[..]).unwrap();
            at_server = server.process_new_packets().map(drop);
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        if !bytes.is_empty() && at_client.is_ok() {
            client.read_tls(&mut &bytes[..]).unwrap();
            at_client = client.process_new_packets().map(drop);
        }
    }
    (at_client, at_server)
}

fn fault(verifier: &HostVerifier) -> Option<Fault> {
    let error = verifier.result().expect("it has looked").clone().err()?;
    let failure = Failure::from(error.clone());
    assert_eq!(failure.subject(), "mx.example.com");
    let reason = error.kind().reason_code();
    Some(Fault(error.result_type(), reason, failure.message().into()))
}

#[test]
fn every_certificate() {
    let pki = Pki::new();
    for provider in providers() {
        let trust = trust(&pki, provider);
        for version in BOTH {
            for row in rows(&pki, "mx.example.com") {
                let server = || config(row.chain.clone(), row.key.clone_key(), &[version]);
                let strict = HostVerifier::enforcing(&trust);
                let (at_client, _) = shake(strict.client_config(NOW), server());
                assert_eq!(fault(&strict), row.fault, "{}", row.what);
                assert_eq!(at_client.is_ok(), row.fault.is_none(), "{}: {at_client:?}", row.what);

                let lenient = HostVerifier::testing(&trust);
                let both = shake(lenient.client_config(NOW), server());
                assert_eq!(both, (Ok(()), Ok(())), "{}", row.what);
                assert_eq!(fault(&lenient), row.fault, "{}", row.what);
            }
        }
    }
}

#[test]
fn the_host_is_told_why() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    for row in rows(&pki, "mx.example.com") {
        let Some(Fault(_, reason, _)) = row.fault else { continue };
        let server = config(row.chain, row.key, &[&TLS13]);
        let (_, at_server) = shake(HostVerifier::enforcing(&trust).client_config(NOW), server);
        let expected = match reason {
            "certificate-expired" | "certificate-not-yet-valid" => {
                AlertDescription::CertificateExpired
            }
            "certificate-unknown-issuer"
            | "certificate-self-signed"
            | "certificate-chain-incomplete" => AlertDescription::UnknownCA,
            "certificate-revoked" => AlertDescription::CertificateRevoked,
            "certificate-not-for-servers" => AlertDescription::UnsupportedCertificate,
            "certificate-host-mismatch" => AlertDescription::BadCertificate,
            _ => AlertDescription::CertificateUnknown,
        };
        assert_eq!(at_server, Err(Error::AlertReceived(expected)), "{}", row.what);
    }
}

/// Presents a good certificate without its key.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

#[derive(Debug)]
struct Forger(Arc<dyn SigningKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl SigningKey for Forger {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(offered)
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[test]
fn whoever_does_not_hold_the_key_is_refused_in_both_modes() {
    let pki = Pki::new();
    for provider in providers() {
        let trust = trust(&pki, provider);
        for version in BOTH {
            let [row, other, ..] = &rows(&pki, "mx.example.com")[..] else { panic!() };
            let key = ring().key_provider.load_private_key(other.key.clone_key()).unwrap();
            let forged = CertifiedKey::new(row.chain.clone(), Arc::new(Forger(key)));
            let server = || {
                ServerConfig::builder_with_provider(ring())
                    .with_protocol_versions(&[version])
                    .unwrap()
                    .with_no_client_auth()
                    .with_cert_resolver(Arc::new(Impostor(Arc::new(forged.clone()))))
            };
            for verifier in [HostVerifier::enforcing(&trust), HostVerifier::testing(&trust)] {
                let (at_client, _) = shake(verifier.client_config(NOW), server());
                let error = at_client.expect_err("the signature is forged");
                assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");
                let told =
                    "the host does not hold the private key of the certificate that it presents";
                let expected =
                    Fault(CertificateNotTrusted, "certificate-key-mismatch", told.into());
                assert_eq!(fault(&verifier), Some(expected));
            }
        }
    }
}

/// ring does not verify by a point that is compressed, and the host may well hold the key.
#[test]
fn nobody_is_accused_for_a_compressed_point() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let key = key();
    let compressed = Compressed::new(key.public_key_raw());
    let leaf = host(&["mx.example.com"]).signed_by(&compressed, &pki.middle).unwrap();
    for version in BOTH {
        let chain = vec![leaf.der().clone(), pki.middle.der().clone()];
        let verifier = HostVerifier::testing(&trust);
        let (at_client, _) = shake(verifier.client_config(NOW), impostor(chain, version, &key));
        assert!(at_client.is_err());
        let told = "the certificate's key (EC on P-256) is one that the cryptography in use does not \
                    support";
        let expected = Fault(CertificateNotTrusted, "certificate-unsupported-key", told.into());
        assert_eq!(fault(&verifier), Some(expected));
    }
}

/// A key on P-256, with its point in compressed form (RFC 5480 §2.2).
struct Compressed(Vec<u8>);

impl Compressed {
    fn new(uncompressed: &[u8]) -> Self {
        let sign = 2 + (uncompressed[64] & 1);
        Self([&[sign], &uncompressed[1..33]].concat())
    }
}

impl rcgen::PublicKeyData for Compressed {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

#[test]
fn bytes_that_are_no_certificate_have_no_key() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let [row, ..] = &rows(&pki, "mx.example.com")[..] else { panic!() };
    let key = ring().key_provider.load_private_key(row.key.clone_key()).unwrap();
    let junk = CertifiedKey::new(vec![b"junk".to_vec().into()], key);
    for (verifier, version) in
        [(HostVerifier::enforcing(&trust), &TLS13), (HostVerifier::testing(&trust), &TLS12)]
    {
        let server = ServerConfig::builder_with_provider(ring())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Impostor(Arc::new(junk.clone()))));
        let (at_client, _) = shake(verifier.client_config(NOW), server);
        assert!(at_client.is_err());
        let Some(Fault(_, reason, _)) = fault(&verifier) else { panic!("it was good") };
        assert_eq!(reason, "certificate-malformed");
    }
}

/// What a host may present that webpki does not read: TLS comes about where any certificate does.
#[test]
fn a_certificate_that_is_refused_has_a_key_all_the_same() {
    let pki = Pki::new();
    let good = host(&["mx.example.com"]);
    for provider in providers() {
        let trust = trust(&pki, provider);
        for version in BOTH {
            for (params, is_version_1, code) in [
                (&good, true, "certificate-unsupported-version"),
                (&with_unknown_extension(), false, "certificate-unsupported-extension"),
            ] {
                let key = key();
                let made = params.signed_by(&key, &pki.middle).unwrap();
                let leaf =
                    if is_version_1 { der::version_1(made.der()) } else { made.der().clone() };
                let chain = vec![leaf, pki.middle.der().clone()];

                let lenient = HostVerifier::testing(&trust);
                let server = impostor(chain.clone(), version, &key);
                let both = shake(lenient.client_config(NOW), server);
                assert_eq!(both, (Ok(()), Ok(())), "{code}");
                assert_eq!(fault(&lenient).map(|fault| fault.1), Some(code));

                let strict = HostVerifier::enforcing(&trust);
                let server = impostor(chain.clone(), version, &key);
                assert!(shake(strict.client_config(NOW), server).0.is_err(), "{code}");
                assert_eq!(fault(&strict).map(|fault| fault.1), Some(code));

                // Whoever does not hold its key is refused in both modes.
                let lenient = HostVerifier::testing(&trust);
                let server = impostor(chain, version, &crate::pki::key());
                let (at_client, _) = shake(lenient.client_config(NOW), server);
                assert!(matches!(at_client, Err(Error::InvalidCertificate(_))), "{at_client:?}");
            }
        }
    }
}

#[test]
fn a_verifier_that_is_used_twice_knows_nothing() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let [good, ..] = &rows(&pki, "mx.example.com")[..] else { panic!() };
    for verifier in [HostVerifier::enforcing(&trust), HostVerifier::testing(&trust)] {
        let client = verifier.client_config(NOW);
        let server = || config(good.chain.clone(), good.key.clone_key(), BOTH);
        assert_eq!(shake(client.clone(), server()), (Ok(()), Ok(())));
        assert_eq!(fault(&verifier), None);
        let (at_client, _) = shake(client, server());
        assert!(matches!(at_client, Err(Error::InvalidCertificate(_))), "{at_client:?}");
        let told = "the certificate was not checked: this verifier is for one connection and was used \
                    for more";
        assert_eq!(
            fault(&verifier),
            Some(Fault(ValidationFailure, "verifier-reused", told.into())),
        );
    }
}

/// RFC 8446 §4.4.2.2 has `digitalSignature` in the `keyUsage` of such a certificate. It is not looked
/// at, for the reason that `MxCertificate::verify` gives.
#[test]
fn the_usage_of_a_key_does_not_end_a_handshake() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let mut params = host(&["mx.example.com"]);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyEncipherment];
    for version in BOTH {
        let key = key();
        let leaf = params.signed_by(&key, &pki.middle).unwrap().der().clone();
        let server = impostor(vec![leaf, pki.middle.der().clone()], version, &key);
        let verifier = HostVerifier::enforcing(&trust);
        assert_eq!(shake(verifier.client_config(NOW), server), (Ok(()), Ok(())));
        assert_eq!(fault(&verifier), None);
    }
}

#[test]
fn no_session_is_resumed() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let [row, ..] = &rows(&pki, "mx.example.com")[..] else { panic!() };
    for version in BOTH {
        let server = Arc::new(config(row.chain.clone(), row.key.clone_key(), &[version]));
        let verifier = HostVerifier::testing(&trust);
        let client = Arc::new(verifier.client_config(NOW));
        for kind in [Some(HandshakeKind::Full), None] {
            let mut client = client_of(&client);
            let (at_client, _) = shake_between(
                &mut client,
                &mut ServerConnection::new(Arc::clone(&server)).unwrap(),
            );
            // The second connection is one too many for this verifier, and is not let through.
            assert_eq!(at_client.is_ok(), kind.is_some(), "{at_client:?}");
            assert!(kind.is_none() || client.handshake_kind() == kind);
        }
    }
}

#[test]
fn nothing_is_said_of_what_was_not_seen() {
    let pki = Pki::new();
    let verifier = HostVerifier::enforcing(&trust(&pki, ring()));
    assert_eq!(verifier.result(), None);
}

#[test]
fn the_time_is_the_one_that_was_given() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let Row { chain, key, .. } = rows(&pki, "mx.example.com").swap_remove(0);
    for (now, reason) in [
        (time::UtcDateTime::MIN, "certificate-not-yet-valid"),
        (time::UtcDateTime::MAX, "certificate-expired"),
    ] {
        let verifier = HostVerifier::testing(&trust);
        let server = config(chain.clone(), key.clone_key(), BOTH);
        let _ = shake(verifier.client_config(now), server);
        assert_eq!(fault(&verifier).map(|fault| fault.1), Some(reason));
    }
}

#[test]
fn trust_in_nothing() {
    let nobody = TrustStore::new(RootCertStore::empty(), ring()).unwrap_err();
    assert_eq!(nobody, TrustStoreError::NoRoots);
    assert_eq!(nobody.to_string(), "no root certificates to trust");
    let mut roots = RootCertStore::empty();
    roots.add(Pki::new().root.der().clone()).unwrap();
    let nothing = CryptoProvider { cipher_suites: Vec::new(), ..CryptoProvider::clone(&ring()) };
    let useless = TrustStore::new(roots, nothing).unwrap_err();
    assert!(matches!(useless, TrustStoreError::Provider(_)));
    let told = useless.to_string();
    assert!(told.starts_with("unusable crypto provider: "), "{told}");
}

#[test]
fn an_address_is_no_name() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let row = rows(&pki, "mx.example.com").swap_remove(0);
    let verifier = HostVerifier::testing(&trust);
    let client = Arc::new(verifier.client_config(NOW));
    let name = "192.0.2.1".try_into().unwrap();
    let mut client = ClientConnection::new(client, name).unwrap();
    let server = Arc::new(config(row.chain, row.key, BOTH));
    let _ = shake_between(&mut client, &mut ServerConnection::new(server).unwrap());
    let error = verifier.result().unwrap().clone().unwrap_err();
    assert_eq!(error.host(), "192.0.2.1");
    let _ = host(&[]);
}
