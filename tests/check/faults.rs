//! Faults of certificates and of TLS, at the Policy Host and at the MX host: the first line says the same of
//! both, and the second one what to do.

use mta_sts_testkit::{Certificate, Mx, MxHost, Site, Web, World};

use crate::world::{POLICY, check, codes, first_line, report, run, site, visit, world, world_args};

/// A certificate, the code of its fault, what is said of it, and what to do.
type Fault = (Certificate, &'static str, &'static str, &'static str);

const BY_ANYBODY: &str = "install a certificate for {host} of a public certificate authority";
const BY_NAME: &str = "install a certificate with the DNS name {host}";

const CERTIFICATES: [Fault; 11] = [
    (
        Certificate::SelfSigned,
        "certificate-self-signed",
        "the certificate is self-signed: no authority vouches for it",
        BY_ANYBODY,
    ),
    (
        Certificate::OwnAuthority,
        "certificate-self-signed",
        "the certificate is self-signed: no authority vouches for it",
        BY_ANYBODY,
    ),
    (
        Certificate::Untrusted,
        "certificate-chain-incomplete",
        "only the host's own certificate was presented, and not that of its issuer, CN=Stranger: the full \
         chain has to be served",
        "install the full chain that the certificate authority gives now (fullchain.pem)",
    ),
    (
        Certificate::UntrustedChain,
        "certificate-unknown-issuer",
        "the chain of 2 certificates ends at CN=Stranger, which is not a trusted root",
        BY_ANYBODY,
    ),
    (
        Certificate::Expired,
        "certificate-expired",
        "the certificate expired at 2001-01-01T00:00:00Z",
        "renew the certificate, and reload the server",
    ),
    (
        Certificate::WrongName,
        "certificate-host-mismatch",
        "the certificate is not for this host: it names www.example.org",
        BY_NAME,
    ),
    (
        Certificate::Names(&[], "mta-sts.example.com"),
        "certificate-host-mismatch",
        "the certificate is not for this host: it names no host, only CN=mta-sts.example.com, and a common \
         name does not count (RFC 8461 §4.2)",
        BY_NAME,
    ),
    (
        Certificate::Names(&["192.0.2.1"], "x"),
        "certificate-host-mismatch",
        "the certificate is not for this host: it names no host, only an address: 192.0.2.1",
        BY_NAME,
    ),
    (
        Certificate::Names(&["*.com"], "x"),
        "certificate-host-mismatch",
        "the certificate is not for this host: it names no host, only CN=x, and a common name does not count \
         (RFC 8461 §4.2); not usable: \"*.com\" (a wildcard over a top-level domain is not accepted)",
        BY_NAME,
    ),
    (
        // Two labels below the wildcard, and none.
        Certificate::Names(&["*.com.example", "*.www.example.com", "example.com"], "x"),
        "certificate-host-mismatch",
        "the certificate is not for this host: it names *.www.example.com, example.com, *.com.example",
        BY_NAME,
    ),
    (
        Certificate::WithoutKey,
        "certificate-key-mismatch",
        "the host does not hold the private key of the certificate that it presents",
        "install the private key that belongs to the certificate",
    ),
];

#[track_caller]
fn assert_begins((said, status): &(String, i32), host: &str, message: &str, help: &str) {
    let mut lines = said.lines();
    let expected = format!("example.com: broken: {host} (127.0.0.1): {message}");
    assert_eq!(lines.next(), Some(&*expected));
    assert_eq!(lines.next(), Some(&*format!("  help: {}", help.replace("{host}", host))), "{said}");
    assert_eq!(*status, 1, "{said}");
}

fn mx_report(world: &World, host: &MxHost) -> serde_json::Value {
    let port = host.address().port().to_string();
    report(world, &["--mx", "--smtp-port", &port, "example.com"])
}

#[test]
fn certificates_of_policy_hosts() {
    for (certificate, code, message, help) in CERTIFICATES {
        let world = world(Site { certificate, ..site(POLICY) });
        assert_begins(&check(&world, &["example.com"]), "mta-sts.example.com", message, help);
        let report = report(&world, &["example.com"]);
        assert_eq!(codes(&report), [code]);
        // The result type of a report (RFC 8460 §4.3.2.2), and the reason.
        let why = report["sender"]["no_policy"].as_str().unwrap();
        assert!(why.ends_with(&format!(" (sts-webpki-invalid, {code})")), "{why}");
    }
}

#[test]
fn certificates_of_mx_hosts() {
    for (certificate, code, message, help) in CERTIFICATES {
        let world = world(site(&POLICY.replace("enforce", "testing")));
        let host = world.mx("mx.example.com", Mx::Starttls(certificate));
        // In mode testing it is as bad: it would not do in mode enforce.
        let said = visit(&world, &host, &[]);
        assert_begins(&said, "mx.example.com", message, help);
        if code != "certificate-key-mismatch" {
            let shown = [
                format!("        127.0.0.1: STARTTLS, {message}\n          names   "),
                "\n          issuer  CN=".to_owned(),
                "\n          expires 2".to_owned(),
                format!("\n          not valid: {message}\n"),
            ];
            for text in &shown {
                assert!(said.0.contains(text), "no {text:?} in\n{}", said.0);
            }
        }
        let report = mx_report(&world, &host);
        assert_eq!(codes(&report), [code, "policy-testing"]);
        let result = match code {
            "certificate-expired" | "certificate-host-mismatch" => code,
            "certificate-key-mismatch" => "validation-failure",
            _ => "certificate-not-trusted",
        };
        assert_eq!(report["mx"]["hosts"][0]["delivery"]["reports"][0], result, "{code}");
    }
}

/// What others may be able to verify is no fault of the publisher.
#[test]
fn a_signature_that_this_cryptography_does_not_know() {
    let message = "the certificate, or one that it is signed by, is signed with ecdsa-with-SHA512, which the \
                   cryptography in use does not support";
    let said =
        |host: &str| format!("example.com: could not be checked: {host} (127.0.0.1): {message}");
    let world = world(Site { certificate: Certificate::Sha512, ..site(POLICY) });
    let (text, status) = check(&world, &["example.com"]);
    assert_eq!((first_line(&text), status), (&*said("mta-sts.example.com"), 2));
    assert!(text.contains(&format!("\n  not verified: {message}\n")), "{text}");

    world.set("example.com", site(POLICY));
    let host = world.mx("mx.example.com", Mx::Starttls(Certificate::Sha512));
    let (text, status) = visit(&world, &host, &[]);
    assert_eq!((first_line(&text), status), (&*said("mx.example.com"), 2));
    let unknown = "  Whether it delivers to mx.example.com is not known: the cryptography in use cannot verify the \
                   certificate.\n";
    assert!(text.contains(unknown), "{text}");
    let report = mx_report(&world, &host);
    assert_eq!(codes(&report), ["certificate-unsupported-signature"]);
    assert_eq!(report["findings"][0]["kind"], "failure");
}

/// A root of that name with another key is not the one that signed it.
#[test]
fn a_root_of_the_same_name() {
    let (world, other) = (world(site(POLICY)), World::new());
    let (its, others) = (world_args(&world), world_args(&other));
    let [.., ca, root] = others.as_args();
    let output = run(&[&its.as_args()[..], &["--allow-private", ca, root, "example.com"]].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = "example.com: broken: mta-sts.example.com (127.0.0.1): the certificate is signed by CN=Root, \
                    the name of a trusted root, but a signature in it is by another authority of the same name";
    assert_eq!(first_line(&said), expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn alerts() {
    let nothing = "there is no cipher suite in common with the host: TLS 1.2 needs ECDHE with AES-GCM or \
                   ChaCha20-Poly1305, TLS 1.3 has its own";
    for (alert, name, message) in [
        (70, "protocol_version", "the host offers no TLS 1.2 or newer (RFC 8461 §7.2)"),
        (40, "handshake_failure", nothing),
        (71, "insufficient_security", nothing),
        (112, "unrecognized_name", "the host has no certificate for this name"),
        (
            80,
            "internal_error",
            "the host reports an internal error, as many do that have no certificate for the name",
        ),
    ] {
        let message = format!("TLS failed: {message} (TLS alert {alert}, {name})");
        let web = Web::Plain(vec![0x15, 3, 3, 0, 2, 2, alert]);
        let world = world(Site { web, ..site(POLICY) });
        let help = "offer TLS 1.2 or 1.3 at port 443, with a certificate for {host}";
        assert_begins(&check(&world, &["example.com"]), "mta-sts.example.com", &message, help);
        assert_eq!(codes(&report(&world, &["example.com"])), ["tls-alert"]);
    }
}

/// A `ServerHello` of TLS 1.1, from a host that does not send an alert.
#[test]
fn a_host_of_tls_1_1() {
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x13, 0]);
    let world = world(Site { web: Web::Plain(hello), ..site(POLICY) });
    let message = "TLS failed: the host offers no TLS 1.2 or newer (RFC 8461 §7.2)";
    let help = "offer TLS 1.2 or 1.3 at port 443, with a certificate for {host}";
    assert_begins(&check(&world, &["example.com"]), "mta-sts.example.com", message, help);
}

#[test]
fn connections_that_are_closed() {
    let world = world(Site { web: Web::Closes, ..site(POLICY) });
    let message = "the connection to the policy host failed: it closed the connection";
    let help = "run a web server at port 443 of {host}";
    assert_begins(&check(&world, &["example.com"]), "mta-sts.example.com", message, help);

    world.set("example.com", site(POLICY));
    let host = world.mx("mx.example.com", Mx::SpeaksAfterStarttls(""));
    let (said, _) = visit(&world, &host, &[]);
    let expected =
        "example.com: broken: mx.example.com (127.0.0.1): TLS failed: the connection was lost: ";
    assert!(first_line(&said).starts_with(expected), "{said}");
}
