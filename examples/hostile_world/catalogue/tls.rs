//! Faults of TLS at the Policy Host, whose policy is valid otherwise.

use mta_sts_testkit::Certificate;

use super::scenario::{GOOD, NO_POLICY, Page, Phase, Scenario, UNKNOWN, scenario};

const fn certificate(certificate: Certificate) -> Phase {
    Phase { certificate, expected: NO_POLICY, ..GOOD }
}

pub(super) const ALL: &[Scenario] = &[
    scenario(
        "tls-expired",
        "the certificate has expired",
        &["S3.3-01"],
        certificate(Certificate::Expired),
    ),
    scenario(
        "tls-not-yet-valid",
        "the certificate is not valid yet",
        &["S3.3-01"],
        certificate(Certificate::NotYetValid),
    ),
    scenario(
        "tls-self-signed",
        "the certificate is self-signed",
        &["S3.3-01"],
        certificate(Certificate::SelfSigned),
    ),
    scenario(
        "tls-own-authority",
        "the certificate is self-signed, and that of an authority",
        &["S3.3-01"],
        certificate(Certificate::OwnAuthority),
    ),
    scenario(
        "tls-unknown-issuer",
        "the certificate is issued by an authority that is not trusted",
        &["S3.3-01"],
        certificate(Certificate::Untrusted),
    ),
    scenario(
        "tls-unknown-issuer-presented",
        "the same, and the server presents that authority too",
        &["S3.3-01"],
        certificate(Certificate::UntrustedChain),
    ),
    scenario(
        "tls-issued-by-server",
        "the certificate is signed with the key of a valid certificate of another server",
        &["S3.3-01"],
        certificate(Certificate::SignedByServer),
    ),
    scenario(
        "tls-incomplete-chain",
        "the server does not present the intermediate authority",
        &["S3.3-01"],
        certificate(Certificate::MissingIntermediate),
    ),
    scenario(
        "tls-for-clients",
        "the certificate is for TLS clients only",
        &["S3.3-01"],
        certificate(Certificate::ForClients),
    ),
    scenario(
        "tls-without-key",
        "the server does not have the key of its certificate",
        &["S3.3-01"],
        certificate(Certificate::WithoutKey),
    ),
    scenario(
        "tls-other-name",
        "the certificate is for another name",
        &["S3.3-01"],
        certificate(Certificate::WrongName),
    ),
    scenario(
        "tls-domain-only",
        "the certificate is for the domain, not for its Policy Host",
        &["S3.3-01"],
        certificate(Certificate::Parent),
    ),
    scenario(
        "tls-common-name",
        "the name of the host is the common name only",
        &["S3.3-02", "C-01"],
        certificate(Certificate::CommonName),
    ),
    scenario(
        "tls-address",
        "the certificate is for the address",
        &["S3.3-01"],
        certificate(Certificate::Address),
    ),
    scenario(
        "tls-wildcard-above",
        "the certificate has a wildcard two labels above the host",
        &["S3.3-03", "C-04"],
        certificate(Certificate::WildcardAbove),
    ),
    scenario(
        "tls-wildcard-partial",
        "the wildcard of the certificate is a part of a label",
        &["S3.3-03", "C-04"],
        certificate(Certificate::PartialWildcard),
    ),
    scenario(
        "tls-absent",
        "the Policy Host speaks HTTP without TLS",
        &["S3.2-03"],
        Phase { page: Page::Plain(PLAIN), expected: NO_POLICY, ..GOOD },
    ),
    scenario(
        "tls-hangs",
        "the handshake does not end",
        &["S3.3-10"],
        Phase { page: Page::Hangs, expected: UNKNOWN, ..GOOD },
    ),
    scenario(
        "tls-closed",
        "the Policy Host closes the connection",
        &["S3.3-12"],
        Phase { page: Page::Closes, expected: NO_POLICY, ..GOOD },
    ),
    scenario(
        "tls-truncated",
        "the connection ends without close_notify, before the end of a policy of unknown length",
        &["S3.3-12"],
        Phase { page: Page::Cut(OPEN_ENDED), expected: NO_POLICY, ..GOOD },
    ),
];

const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n";

/// Somebody on the way has cut off the line with the second MX host.
const OPEN_ENDED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.{domain}\n";
