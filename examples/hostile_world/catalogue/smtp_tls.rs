//! Faults of the certificates of MX hosts. The policy is valid, of mode enforce.

use mta_sts_testkit::{Certificate, Mx};

use super::scenario::{Delivery, GOOD, HOST, Host, Scenario, scenario};

const fn host(certificate: Certificate) -> Host {
    Host { manner: Mx::Starttls(certificate), delivery: Delivery::Forbidden, ..HOST }
}

/// A fault of the certificate.
const fn fault(
    name: &'static str,
    reason: &'static str,
    rows: &'static [&'static str],
    hosts: &'static [Host],
) -> Scenario {
    scenario(name, reason, rows, GOOD).hosts(hosts)
}

const CHAIN: &[&str] = &["S4.2-01", "S5-01"];
const NAME: &[&str] = &["S4.2-02", "S5-01"];
const WILDCARD: &[&str] = &["S4.2-04", "C-04"];

pub(super) const ALL: &[Scenario] = &[
    fault("smtp-tls-expired", "it has expired", CHAIN, &[host(Certificate::Expired)]),
    fault(
        "smtp-tls-not-yet-valid",
        "it is not valid yet",
        CHAIN,
        &[host(Certificate::NotYetValid)],
    ),
    fault("smtp-tls-self-signed", "it is self-signed", CHAIN, &[host(Certificate::SelfSigned)]),
    fault(
        "smtp-tls-own-authority",
        "it is self-signed, and that of an authority",
        CHAIN,
        &[host(Certificate::OwnAuthority)],
    ),
    fault(
        "smtp-tls-unknown-issuer",
        "its issuer is not trusted",
        CHAIN,
        &[host(Certificate::UntrustedChain)],
    ),
    fault(
        "smtp-tls-issued-by-server",
        "it is signed with the key of a valid certificate of another server",
        CHAIN,
        &[host(Certificate::SignedByServer)],
    ),
    fault(
        "smtp-tls-incomplete-chain",
        "its intermediate authority is not presented",
        CHAIN,
        &[host(Certificate::MissingIntermediate)],
    ),
    fault(
        "smtp-tls-without-key",
        "the host lacks its key",
        CHAIN,
        &[host(Certificate::WithoutKey)],
    ),
    fault("smtp-tls-other-name", "it is for another name", NAME, &[host(Certificate::WrongName)]),
    fault(
        "smtp-tls-domain-only",
        "it is for the domain of the recipient, not for the host",
        NAME,
        &[host(Certificate::Parent)],
    ),
    fault(
        "smtp-tls-common-name",
        "the name of the host is its common name only",
        &["S4.2-02", "C-01"],
        &[host(Certificate::CommonName)],
    ),
    fault(
        "smtp-tls-wildcard-above",
        "its wildcard is two labels above the host",
        WILDCARD,
        &[host(Certificate::WildcardAbove)],
    ),
    fault(
        "smtp-tls-wildcard-partial",
        "its wildcard is a part of a label",
        WILDCARD,
        &[host(Certificate::PartialWildcard)],
    ),
];
