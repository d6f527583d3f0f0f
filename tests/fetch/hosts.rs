//! Policy hosts: their certificates, their TLS, and how they hang up (§3.3).

use std::time::Duration;

use mta_sts::{
    Instant, Policy, ResultType,
    fetch::{Config, Exchange, FetchError, Step},
};
use rustls::{
    ServerConfig,
    server::{ResolvesServerCertUsingSni, WebPkiClientVerifier},
    version::{TLS12, TLS13},
};

use crate::{
    BODY,
    pki::{
        NOW, Pki,
        matrix::{Fault, Row, rows, steady},
        tls::{BOTH, Server, config, impostor, providers, ring, trust},
    },
    world::{Outcome, Script, domain, exchange, fetch, talk},
};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 64\r\n\r\n";

fn response() -> Vec<u8> {
    [HEAD.as_bytes(), BODY].concat()
}

fn good(pki: &Pki) -> Row {
    rows(pki, "mta-sts.example.com").swap_remove(0)
}

fn server_of(row: Row) -> Server {
    Server::new(config(row.chain, row.key, BOTH), &response())
}

#[track_caller]
fn assert_fails(got: Outcome, kind: ResultType, reason: &str, message: &str) {
    let error = got.expect_err("it should fail");
    let failure = error.to_failure(&domain());
    assert_eq!((failure.result_type(), failure.reason_code()), (kind, reason));
    assert_eq!((failure.message(), failure.subject()), (message, "mta-sts.example.com"));
}

#[track_caller]
fn assert_tls(got: Outcome, alert: Option<u8>, message: &str) {
    let (message, reason) =
        (format!("TLS failed: {message}"), if alert.is_some() { "tls-alert" } else { "tls" });
    assert!(
        matches!(&got, Err(FetchError::Tls { alert: found, .. }) if *found == alert),
        "{got:?}"
    );
    assert_fails(got, ResultType::StsPolicyFetchError, reason, &message);
}

#[test]
fn s3_3_01_every_certificate() {
    let pki = Pki::new();
    for provider in providers() {
        let trust = trust(&pki, provider);
        for version in BOTH {
            for row in rows(&pki, "mta-sts.example.com") {
                let server = config(row.chain, row.key, &[version]);
                let got = fetch(&mut exchange(&trust), &mut Server::new(server, &response()));
                match row.fault {
                    None => assert_eq!(
                        got.as_deref(),
                        Ok(&Policy::parse(BODY).unwrap()),
                        "{}",
                        row.what
                    ),
                    // Whatever it would be at an MX host.
                    Some(Fault(_, reason, told)) => {
                        assert_fails(got, ResultType::StsWebpkiInvalid, reason, &told);
                    }
                }
            }
        }
    }
}

#[test]
fn s3_3_01_a_certificate_without_its_key() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let told = "the host does not hold the private key of the certificate that it presents";
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    for key in [crate::pki::key(), ed25519] {
        for version in BOTH {
            let [good, .., bad] = &rows(&pki, "mta-sts.example.com")[..] else { panic!() };
            let serve = |row: &Row| {
                let config = impostor(row.chain.clone(), version, &key);
                fetch(&mut exchange(&trust), &mut Server::new(config, &response()))
            };
            let got = serve(good);
            assert_fails(got, ResultType::StsWebpkiInvalid, "certificate-key-mismatch", told);
            // What is wrong with the certificate itself was there first.
            let Some(Fault(_, reason, told)) = &bad.fault else { panic!() };
            assert_fails(serve(bad), ResultType::StsWebpkiInvalid, reason, told);
        }
    }
}

#[test]
fn s7_1_the_name_that_is_asked_for() {
    let pki = Pki::new();
    let mut server = server_of(good(&pki));
    fetch(&mut exchange(&trust(&pki, ring())), &mut server).unwrap();
    assert_eq!(server.tls.server_name(), Some("mta-sts.example.com"));
    assert_eq!(server.tls.alpn_protocol(), None, "it may know of none");
    let expected = b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nhost: mta-sts.example.com\r\n";
    assert!(server.request.starts_with(expected));
    let Row { chain, key, .. } = good(&pki);
    let mut config = config(chain, key, BOTH);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut server = Server::new(config, &response());
    fetch(&mut exchange(&trust(&pki, ring())), &mut server).unwrap();
    assert_eq!(server.tls.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn a_host_that_does_not_know_the_name() {
    let pki = Pki::new();
    let config = ServerConfig::builder_with_provider(ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(std::sync::Arc::new(ResolvesServerCertUsingSni::new()));
    let got = fetch(&mut exchange(&trust(&pki, ring())), &mut Server::new(config, b""));
    assert_tls(
        got,
        Some(49),
        "the host refuses this client, or has no certificate for the name (TLS alert 49, access_denied)",
    );
    let unrecognized = Script(b"\x15\x03\x03\x00\x02\x02\x70".to_vec());
    let got = fetch(&mut exchange(&trust(&pki, ring())), &mut { unrecognized });
    assert_tls(
        got,
        Some(112),
        "the host has no certificate for this name (TLS alert 112, unrecognized_name)",
    );
}

#[test]
fn one_version_only() {
    let pki = Pki::new();
    for version in [&TLS12, &TLS13] {
        let row = good(&pki);
        let mut server = Server::new(config(row.chain, row.key, &[version]), &response());
        assert!(fetch(&mut exchange(&trust(&pki, ring())), &mut server).is_ok());
        assert_eq!(server.tls.protocol_version(), Some(version.version));
    }
}

/// RFC 8996: TLS 1.1 is no more. rustls cannot serve it, so this is what such a host says.
#[test]
fn s4_2_tls_1_1_only() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let refusal = b"\x15\x03\x02\x00\x02\x02\x46".to_vec();
    let got = fetch(&mut exchange(&trust), &mut Script(refusal));
    assert_tls(
        got,
        Some(70),
        "the host offers no TLS 1.2 or newer (RFC 8461 §7.2) (TLS alert 70, protocol_version)",
    );

    // A ServerHello of TLS 1.1: a random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0x00, 0x2f, 0]);
    let mut hello = vec![0x16, 3, 2, 0, u8::try_from(body.len() + 4).unwrap()];
    hello.extend([2, 0, 0, u8::try_from(body.len()).unwrap()]);
    hello.extend(body);
    let got = fetch(&mut exchange(&trust), &mut Script(hello));
    assert_tls(got, None, "the host offers no TLS 1.2 or newer (RFC 8461 §7.2)");
}

#[test]
fn a_client_certificate_is_demanded() {
    let pki = Pki::new();
    for version in BOTH {
        let Row { chain, key, .. } = good(&pki);
        let mut roots = rustls::RootCertStore::empty();
        roots.add(pki.root.der().clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), ring()).build();
        let config = ServerConfig::builder_with_provider(ring())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(clients.unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        let mut server = Server::new(config, &response());
        let got = fetch(&mut exchange(&trust(&pki, ring())), &mut server);
        assert_tls(
            got,
            Some(116),
            "the host demands a certificate of the client, which senders do not have (TLS alert 116, certificate_required)",
        );
    }
}

#[test]
fn what_is_no_tls() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let plain = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let got = fetch(&mut exchange(&trust), &mut Script(plain));
    assert_tls(got, None, "what answered does not speak TLS: it speaks HTTP");
    let other = b"hello, world".to_vec();
    let got = fetch(&mut exchange(&trust), &mut Script(other));
    assert_tls(got, None, "what answered does not speak TLS");
}

/// With this version, hangs up after each number of bytes that the host says in all.
#[test]
fn it_hangs_up_at_any_byte() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    for version in BOTH {
        let row = steady(&pki, "mta-sts.example.com");
        let mut seen = Vec::new();
        for most in 0.. {
            let config = config(row.chain.clone(), row.key.clone_key(), &[version]);
            let mut server = Server::new(config, &response());
            let got = talk(&mut exchange(&trust), &mut server, &mut || usize::MAX, most);
            let stage = match got {
                Err(FetchError::Connection(how)) => {
                    assert_eq!(&*how, "it closed the connection during the TLS handshake");
                    0
                }
                Err(FetchError::Truncated) => 1,
                Ok(_) => 2,
                Err(other) => panic!("after {most} bytes: {other}"),
            };
            if seen.last() != Some(&stage) {
                seen.push(stage);
            }
            if stage == 2 {
                break;
            }
        }
        assert_eq!(seen, [0, 1, 2], "one after the other");
    }
}

#[test]
fn a_body_that_ends_with_the_connection() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let open = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    let response = [&open[..], BODY].concat();
    for version in BOTH {
        let server = || {
            let Row { chain, key, .. } = good(&pki);
            Server::new(config(chain, key, &[version]), &response)
        };
        assert!(fetch(&mut exchange(&trust), &mut server()).is_ok());
        // Anybody on the way can end a TCP connection: what has come may be half of it.
        let got = fetch(&mut exchange(&trust), &mut server().disorderly());
        assert_eq!(got, Err(FetchError::Truncated));
    }
}

#[test]
fn what_follows_a_whole_response_does_not_count() {
    let pki = Pki::new();
    let mut server = server_of(good(&pki)).disorderly();
    let mut exchange = exchange(&trust(&pki, ring()));
    while exchange.outcome().is_none() {
        if let Step::Send(bytes) = exchange.poll() {
            server.receive(bytes);
            continue;
        }
        let mut bytes = server.send();
        if !server.request.is_empty() {
            bytes.extend(b"\x17\x03\x03\0\x05hello");
        }
        exchange.handle_received(&bytes, Instant::START);
    }
    assert!(exchange.outcome().unwrap().is_ok());
}

#[test]
fn the_host_is_told_that_it_is_over() {
    let pki = Pki::new();
    let mut server = server_of(good(&pki));
    fetch(&mut exchange(&trust(&pki, ring())), &mut server).unwrap();
    assert!(server.tls.process_new_packets().unwrap().peer_has_closed());
}

#[test]
fn a_host_that_cannot_be_reached() {
    let pki = Pki::new();
    let mut exchange = exchange(&trust(&pki, ring()));
    exchange.handle_failure("connection refused\r\n", Instant::START);
    let got = exchange.outcome().unwrap().clone();
    let told = "the connection to the policy host failed: connection refused\\r\\n";
    assert_fails(got, ResultType::StsPolicyFetchError, "connection", told);
    // The first word counts.
    exchange.handle_failure("and again", Instant::START);
    exchange.handle_end(Instant::START);
    assert_eq!(exchange.outcome().unwrap().as_ref().unwrap_err().to_string(), told);
}

#[test]
fn s3_3_10_a_deadline_over_the_whole() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let config = Config::default().with_timeout(Duration::from_secs(5));
    let at = |millis| Instant::from(Duration::from_millis(millis));
    let start = || {
        let mut exchange = Exchange::new(&domain(), &trust, &config, NOW, Instant::START);
        assert!(matches!(exchange.poll(), Step::Send(_)));
        assert_eq!(exchange.poll(), Step::Wait { until: at(5000) });
        exchange
    };
    let (before, then) = (at(4999), at(5000));
    let events: [fn(&mut Exchange, Instant); 4] = [
        Exchange::handle_timeout,
        Exchange::handle_end,
        |exchange, now| exchange.handle_received(b"\x16", now),
        |exchange, now| exchange.handle_failure("reset", now),
    ];
    for event in events {
        let mut exchange = start();
        exchange.handle_timeout(before);
        assert!(exchange.outcome().is_none());
        event(&mut exchange, then);
        let got = exchange.outcome().unwrap().clone();
        let told = "the policy was not fetched in time";
        assert_fails(got, ResultType::StsPolicyFetchError, "deadline", told);
    }
    // A host that sends a byte now and then gains nothing by it.
    let mut exchange = start();
    let hello = [0x16, 3, 3, 0x40, 0];
    for second in 0..10 {
        let byte = hello.get(second).copied().unwrap_or(0);
        exchange.handle_received(&[byte], at(1000 * u64::try_from(second).unwrap()));
    }
    assert_eq!(exchange.outcome(), Some(&Err(FetchError::Deadline)));
}

#[test]
fn a_reset_in_the_middle() {
    let pki = Pki::new();
    let mut server = server_of(good(&pki));
    let mut exchange = exchange(&trust(&pki, ring()));
    while exchange.outcome().is_none() {
        if let Step::Send(bytes) = exchange.poll() {
            server.receive(bytes);
            continue;
        }
        let bytes = server.send();
        let half = bytes.len() / 2;
        exchange.handle_received(&bytes[..half], Instant::START);
        exchange.handle_failure("connection reset by peer", Instant::START);
    }
    let told = "the connection to the policy host failed: connection reset by peer";
    assert_eq!(exchange.outcome().unwrap().as_ref().unwrap_err().to_string(), told);
}
