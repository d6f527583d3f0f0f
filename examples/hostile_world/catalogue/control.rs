//! Domains without a fault: who is wrong here cannot be judged by the others.

use mta_sts_testkit::{Certificate, Dns, Mx};

use super::scenario::{GOOD, HOST, Host, NO_POLICY, Page, Phase, Scenario, TESTING, scenario};

pub(super) const ALL: &[Scenario] = &[
    scenario("control-enforce", "a policy of mode enforce", &["S3-01", "S7.1-01"], GOOD),
    scenario(
        "control-testing",
        "a policy of mode testing, and an MX host without STARTTLS",
        &["S5-03"],
        Phase { page: Page::Policy(TESTING), expected: NO_POLICY, ..GOOD },
    )
    .hosts(&[Host { manner: Mx::ClearText, ..HOST }]),
    scenario(
        "control-none",
        "a policy of mode none, and an MX host without STARTTLS",
        &["S5-04"],
        Phase {
            page: Page::Policy("version: STSv1\nmode: none\nmax_age: 86400\n"),
            expected: NO_POLICY,
            ..GOOD
        },
    )
    .hosts(&[Host { manner: Mx::Starttls(Certificate::SelfSigned), ..HOST }]),
    scenario(
        "control-no-record",
        "no record; the Policy Host serves a policy without one",
        &["S3.1-10"],
        Phase { dns: Dns::NoSuchName, expected: NO_POLICY, ..GOOD },
    ),
    scenario(
        "control-tls-1-2",
        "Policy Host and MX host speak TLS 1.2 only",
        &["S7.2-01", "S7.2-02"],
        Phase { certificate: Certificate::Tls12, ..GOOD },
    )
    .hosts(&[Host { manner: Mx::Starttls(Certificate::Tls12), ..HOST }]),
    scenario(
        "control-intermediate",
        "certificates of an intermediate authority, which is presented",
        &["S3.3-01", "S4.2-01"],
        Phase { certificate: Certificate::Intermediate, ..GOOD },
    )
    .hosts(&[Host { manner: Mx::Starttls(Certificate::Intermediate), ..HOST }]),
    scenario(
        "control-wildcard",
        "certificates with a wildcard in the place of the first label",
        &["S3.3-03", "S4.2-04"],
        Phase { certificate: Certificate::Wildcard, ..GOOD },
    )
    .hosts(&[Host { manner: Mx::Starttls(Certificate::Wildcard), ..HOST }]),
];
