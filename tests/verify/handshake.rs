//! The certificates of MX hosts in a handshake by rustls: strict under `enforce`, told of under
//! `testing`.

use std::sync::Arc;

use mta_sts::{
    Failure,
    ResultType::CertificateNotTrusted,
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

use crate::pki::{
    NOW, Pki, host,
    matrix::{Fault, Row, rows},
    tls::{BOTH, config, providers, ring, trust},
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
    let error = verifier.verdict().expect("it has looked").clone().err()?;
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
            "certificate-unknown-issuer" => AlertDescription::UnknownCA,
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
                let told = "the host does not hold the private key of the certificate that it \
                            presents, or the key is too short or of a kind that is not supported";
                let expected =
                    Fault(CertificateNotTrusted, "certificate-key-mismatch", told.into());
                assert_eq!(fault(&verifier), Some(expected));
            }
        }
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
    assert_eq!(verifier.verdict(), None);
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
    assert!(told.starts_with("this provider of cryptography does not do: "), "{told}");
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
    let error = verifier.verdict().unwrap().clone().unwrap_err();
    assert_eq!(error.host(), "192.0.2.1");
    let _ = host(&[]);
}
