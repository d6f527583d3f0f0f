//! Faults that begin after a policy was fetched, or that take time.
//!
//! In the first phase, all is well unless said. In the second one, the fault begins: a client that has
//! asked before is asked again.

use mta_sts_testkit::{Addresses, Certificate, Dns};

use super::scenario::{Applies, GOOD, Lag, NO_POLICY, Page, Phase, Scenario, UNKNOWN, scenario};

/// A policy that ends within a second.
const SHORT: Phase = Phase {
    page: Page::Policy("version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 1\n"),
    ..GOOD
};

/// A policy that lists another host.
const OTHER: Page =
    Page::Policy("version: STSv1\nmode: enforce\nmx: mx2.{domain}\nmax_age: 604800\n");
const OTHER_POLICY: &[Applies] = &[Applies::Policy(&["mx2.{domain}"])];

const NONE: Page = Page::Policy("version: STSv1\nmode: none\nmax_age: 86400\n");

/// A new id, and the policy as before.
const NEW_ID: Phase = Phase { id: "2", ..GOOD };

/// A new id, and a policy that must not be believed.
const FORGED: Phase = Phase { page: OTHER, ..NEW_ID };

pub(super) const ALL: &[Scenario] = &[
    scenario("time-dns-servfail", "then the nameserver fails", KEEP, GOOD)
        .then(&[Phase { dns: Dns::ServFail, ..GOOD }]),
    scenario("time-dns-silent", "then the nameserver does not answer", KEEP, GOOD)
        .then(&[Phase { dns: Dns::Silent, ..GOOD }]),
    scenario("time-record-gone", "then the record is gone", KEEP, GOOD)
        .then(&[Phase { dns: Dns::NoSuchName, ..GOOD }]),
    scenario("time-record-two", "then there are two records", KEEP, GOOD).then(&[Phase {
        dns: Dns::Records(&[&[b"v=STSv1; id=1;"], &[b"v=STSv1; id=2;"]]),
        ..GOOD
    }]),
    scenario("time-record-broken", "then the record has no id", KEEP, GOOD)
        .then(&[Phase { dns: Dns::Records(&[&[b"v=STSv1;"]]), ..GOOD }]),
    scenario("time-all-gone", "then there is neither a record nor a Policy Host", KEEP, GOOD).then(
        &[Phase {
            dns: Dns::NoSuchName,
            addresses: Addresses::NoSuchName,
            page: Page::Closes,
            ..GOOD
        }],
    ),
    scenario("time-new-id-host-down", "then there is a new id, and no Policy Host", KEEP, GOOD)
        .then(&[Phase { page: Page::Closes, ..NEW_ID }]),
    scenario(
        "time-new-id-host-hangs",
        "then there is a new id, and the Policy Host hangs",
        KEEP,
        GOOD,
    )
    .then(&[Phase { page: Page::Hangs, ..NEW_ID }]),
    scenario("time-new-id-404", "then there is a new id, and status 404", KEEP, GOOD)
        .then(&[Phase { page: Page::Response("HTTP/1.1 404 Not Found", "gone\n"), ..NEW_ID }]),
    scenario(
        "time-new-id-invalid",
        "then there is a new id, and the policy is not valid",
        KEEP,
        GOOD,
    )
    .then(&[Phase { page: Page::Policy("version: STSv1\nmode: none\n"), ..NEW_ID }]),
    scenario(
        "time-new-id-redirect",
        "then there is a new id, and a redirect to a policy of mode none",
        &["S3.3-13", "S3.3-06"],
        GOOD,
    )
    .then(&[Phase {
        page: Page::Redirect(
            "HTTP/1.1 302 Found\r\nLocation: /none.txt",
            "version: STSv1\nmode: none\nmax_age: 86400\n",
        ),
        ..NEW_ID
    }]),
    scenario(
        "time-new-id-self-signed",
        "then somebody forges an id, and serves mode none with a self-signed certificate",
        &["S3.3-13", "S3.3-01"],
        GOOD,
    )
    .then(&[Phase { certificate: Certificate::SelfSigned, page: NONE, ..NEW_ID }]),
    scenario(
        "time-new-id-other-name",
        "then somebody forges an id, and serves another policy with a certificate of another name",
        &["S3.3-13", "S3.3-01"],
        GOOD,
    )
    .then(&[Phase { certificate: Certificate::WrongName, ..FORGED }]),
    scenario("time-new-id-500", "then there is a new id, and a page with status 500", KEEP, GOOD)
        .then(&[Phase {
            page: Page::Response(
                "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html",
                "<html>\n",
            ),
            ..NEW_ID
        }]),
    scenario("time-id-flaps", "the id changes each time, the policy does not", &["S3.1-06"], GOOD)
        .then(&[NEW_ID, Phase { id: "1", ..GOOD }]),
    scenario(
        "time-new-policy",
        "then there is a new id, and a policy that lists another host",
        &["S3.1-06", "S10.3-01"],
        GOOD,
    )
    .then(&[
        Phase { expected: OTHER_POLICY, lag: Lag::WhileFetching, ..FORGED },
        Phase { expected: OTHER_POLICY, lag: Lag::UnlessAsked, ..FORGED },
    ]),
    scenario(
        "time-new-id-lower",
        "then there is a new id that sorts before the old one, and another policy",
        &["S3.1-06"],
        Phase { id: "9", ..GOOD },
    )
    .then(&[
        Phase { expected: OTHER_POLICY, lag: Lag::WhileFetching, ..FORGED },
        Phase { expected: OTHER_POLICY, lag: Lag::UnlessAsked, ..FORGED },
    ]),
    scenario(
        "time-mode-none",
        "then there is a new id, and a policy of mode none without an MX host",
        &["S8.3-01", "S3.2-07"],
        GOOD,
    )
    .then(&[
        Phase { page: NONE, expected: NO_POLICY, lag: Lag::WhileFetching, ..NEW_ID },
        Phase { page: NONE, expected: NO_POLICY, lag: Lag::UnlessAsked, ..NEW_ID },
    ]),
    scenario(
        "time-expired-dns-fails",
        "the policy ends after a second, then the nameserver fails",
        &["S3.2-10", "S3.1-14"],
        SHORT,
    )
    .then(&[Phase { dns: Dns::ServFail, expected: UNKNOWN, ..SHORT }]),
    scenario(
        "time-expired-record-gone",
        "the policy ends after a second, then the record is gone",
        &["S3.2-10"],
        SHORT,
    )
    .then(&[Phase { dns: Dns::NoSuchName, expected: NO_POLICY, ..SHORT }]),
    scenario(
        "time-expired-host-down",
        "the policy ends after a second, then the Policy Host is down, and the id has not changed",
        &["S3.2-10", "S3.3-12"],
        SHORT,
    )
    .then(&[Phase { page: Page::Closes, expected: NO_POLICY, ..SHORT }]),
    scenario(
        "time-expired-policy-changed",
        "the policy ends after a second, then there is another one with the same id",
        &["S3.2-10"],
        SHORT,
    )
    .then(&[Phase { page: OTHER, expected: OTHER_POLICY, ..SHORT }]),
    scenario(
        "time-back-off",
        "the policy cannot be fetched, and the client is asked again at once",
        &["S3.3-08"],
        Phase { page: Page::Closes, expected: NO_POLICY, ..GOOD },
    )
    .then(&[Phase { page: Page::Closes, expected: NO_POLICY, max_fetches: Some(0), ..GOOD }]),
    scenario(
        "time-known",
        "all is well, and the client is asked again at once",
        &["S3-01", "S3.3-13"],
        GOOD,
    )
    .then(&[GOOD]),
];

/// What has been fetched applies until its end, whatever fails.
const KEEP: &[&str] = &["S3.3-13", "S3.1-11"];
