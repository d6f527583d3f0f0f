//! Faults of MX records, of SMTP and of STARTTLS. The policy is valid, of mode enforce unless said.

use mta_sts_testkit::{Certificate, Mx};

use super::scenario::{
    Applies, Delivery, GOOD, HOST, Host, NO_POLICY, Page, Phase, Scenario, TESTING, scenario,
};

/// A host that must not receive a message.
const fn refused(name: &'static str, manner: Mx) -> Host {
    Host { name, manner, delivery: Delivery::Forbidden, ..HOST }
}

/// The host of the policy, which must not receive a message.
const fn bad(manner: Mx) -> Host {
    refused("mx.{domain}", manner)
}

const STARTTLS: Mx = Mx::Starttls(Certificate::Good);
/// Somebody on the way answers an EHLO that is still to come.
const INJECTS: Mx = Mx::Injects("250-injected\r\n250 PIPELINING\r\n", Certificate::Good);

/// A policy of two hosts.
const TWO: Phase = Phase {
    page: Page::Policy(
        "version: STSv1\nmode: enforce\nmx: mx.{domain}\nmx: mx2.{domain}\nmax_age: 604800\n",
    ),
    expected: &[Applies::Policy(&["mx.{domain}", "mx2.{domain}"])],
    ..GOOD
};

const SECOND: Host = Host { preference: 20, name: "mx2.{domain}", ..HOST };

const WILDCARD: Phase = Phase {
    page: Page::Policy("version: STSv1\nmode: enforce\nmx: *.{domain}\nmax_age: 604800\n"),
    expected: &[Applies::Policy(&["*.{domain}"])],
    ..GOOD
};

const TESTED: Phase = Phase { page: Page::Policy(TESTING), expected: NO_POLICY, ..GOOD };

pub(super) const ALL: &[Scenario] = &[
    scenario("smtp-starttls-absent", "the host has no STARTTLS", &["S5-01", "S4-01"], GOOD)
        .hosts(&[bad(Mx::ClearText)]),
    scenario("smtp-starttls-stripped", "STARTTLS was written over on the way", &["S5-01"], GOOD)
        .hosts(&[bad(Mx::StarttlsStripped)]),
    scenario("smtp-starttls-454", "the host refuses STARTTLS for now", &["S5-01", "S5-02"], GOOD)
        .hosts(&[bad(Mx::AnswersStarttls("454 4.7.0 TLS not available"))]),
    scenario("smtp-starttls-502", "the host refuses STARTTLS", &["S5-01", "S5-02"], GOOD)
        .hosts(&[bad(Mx::AnswersStarttls("502 5.5.1 not implemented"))]),
    scenario("smtp-handshake-closed", "the host closes instead of TLS", &["S5-01", "S5-02"], GOOD)
        .hosts(&[bad(Mx::SpeaksAfterStarttls(""))]),
    scenario("smtp-handshake-garbage", "the host speaks SMTP instead of TLS", &["S5-02"], GOOD)
        .hosts(&[bad(Mx::SpeaksAfterStarttls("250 ok, go on in clear text\r\n"))]),
    scenario(
        "smtp-starttls-injection",
        "replies are injected before the handshake (CVE-2011-0411): a client drops them, or gives up",
        &["S5-01"],
        GOOD,
    )
    .hosts(&[Host { manner: INJECTS, delivery: Delivery::Allowed, ..HOST }]),
    scenario("smtp-ehlo-502", "the host knows HELO only", &["S5-01"], GOOD)
        .hosts(&[bad(Mx::AnswersEhlo("502 5.5.1 not implemented"))]),
    scenario("smtp-mx-not-listed", "the host is not in the policy", &["S4-01", "S5-01"], GOOD)
        .hosts(&[refused("other.{domain}", STARTTLS)]),
    scenario(
        "smtp-mx-prefix",
        "the host is one label below that of the policy",
        &["S4.1-01"],
        GOOD,
    )
    .hosts(&[refused("a.mx.{domain}", STARTTLS)]),
    scenario(
        "smtp-mx-two-labels",
        "the host is two labels below the wildcard",
        &["S4.1-02"],
        WILDCARD,
    )
    .hosts(&[refused("a.mx.{domain}", STARTTLS)]),
    scenario("smtp-mx-no-label", "the host is the name below the wildcard", &["S4.1-02"], WILDCARD)
        .hosts(&[refused("{domain}", STARTTLS)]),
    scenario(
        "smtp-mx-suffix",
        "the host only ends with the wildcard's text",
        &["S4.1-02"],
        WILDCARD,
    )
    .hosts(&[refused("evil-{domain}", STARTTLS)]),
    scenario(
        "smtp-mx-wildcard",
        "the host is one label below the wildcard",
        &["S4.1-02"],
        WILDCARD,
    ),
    scenario(
        "smtp-mx-alias",
        "the host is an alias of that of the policy",
        &["S4.1-01", "C-05"],
        GOOD,
    )
    .hosts(&[refused("alias.{domain}", Mx::Starttls(Certificate::Wildcard))])
    .aliases(&[("alias.{domain}", "mx.{domain}")]),
    scenario("smtp-mx-mixed-case", "the MX record has upper case letters", &["S4.1-03"], GOOD)
        .hosts(&[Host { name: "MX.{domain}", ..HOST }]),
    scenario(
        "smtp-mx-implicit",
        "there is no MX record, and the policy lists the domain itself",
        &["S3.4-04"],
        Phase {
            page: Page::Policy("version: STSv1\nmode: enforce\nmx: {domain}\nmax_age: 604800\n"),
            expected: &[Applies::Policy(&["{domain}"])],
            ..GOOD
        },
    )
    .hosts(&[Host { name: "{domain}", ..HOST }]),
    scenario(
        "smtp-first-not-listed",
        "only the second host is in the policy",
        &["S5.1-01", "S8.4-01"],
        GOOD,
    )
    .hosts(&[refused("other.{domain}", STARTTLS), Host { preference: 20, ..HOST }]),
    scenario("smtp-first-without-starttls", "only the second host has STARTTLS", &["S5.1-01"], TWO)
        .hosts(&[bad(Mx::ClearText), SECOND]),
    scenario(
        "smtp-first-self-signed",
        "only the second host has a valid certificate",
        &["S5.1-01"],
        TWO,
    )
    .hosts(&[bad(Mx::Starttls(Certificate::SelfSigned)), SECOND]),
    scenario("smtp-first-421", "the first host greets with 421", &["S5.1-01"], TWO)
        .hosts(&[bad(Mx::Greets("421 4.3.2 come back later")), SECOND]),
    scenario("smtp-first-closed", "the first host closes the connection", &["S5.1-01"], TWO)
        .hosts(&[bad(Mx::Closes), SECOND]),
    scenario(
        "smtp-testing-not-listed",
        "mode testing, and the host is not in the policy",
        &["S5-03"],
        TESTED,
    )
    .hosts(&[refused("other.{domain}", STARTTLS)]),
    scenario(
        "smtp-testing-self-signed",
        "mode testing, and the certificate is not valid",
        &["S5-03"],
        TESTED,
    )
    .hosts(&[bad(Mx::Starttls(Certificate::SelfSigned))]),
    scenario("smtp-testing-without-starttls", "mode testing, and no STARTTLS", &["S5-03"], TESTED)
        .hosts(&[bad(Mx::ClearText)]),
];
