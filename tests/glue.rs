//! What the examples make of a handshake: an outcome for a [`Delivery`], which must not send over a
//! connection that does not exist.

#![cfg(all(feature = "blocking", feature = "tokio"))]
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::duplicate_mod,
    reason = "examples, each with its own SMTP, over real sockets"
)]

#[path = "../examples/blocking.rs"]
mod blocking;
#[path = "../examples/demo/main.rs"]
mod demo;
#[path = "../examples/tokio/main.rs"]
mod tokio_;

use std::{net::SocketAddr, sync::Arc};

use mta_sts::{
    Domain, NoPolicy, Policy,
    delivery::{
        Advice, Attempt, Dane, Delivery, Floor, Mx as Host, Route, SessionOutcome, Step, Verdict,
    },
    verify::TrustStore,
};
use mta_sts_testkit::{Certificate, Mx, World};
use rustls::crypto::ring;

type Secure = fn(SocketAddr, &Attempt, &TrustStore) -> SessionOutcome;

const GLUES: [(&str, Secure); 3] = [
    ("blocking", |address, attempt, trust| {
        let mut connection = blocking::smtp::Connection::open(address).unwrap();
        assert!(connection.has_starttls().unwrap());
        blocking::secure(&mut connection, attempt, trust)
    }),
    ("demo", |address, attempt, trust| {
        let mut connection = demo::smtp::Connection::open(address).unwrap();
        assert!(connection.has_starttls().unwrap());
        demo::sender::secure(&mut connection, attempt, trust)
    }),
    ("tokio", |address, attempt, trust| {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut session = tokio_::smtp::Session::open(address).await.unwrap();
            assert!(session.has_starttls().await.unwrap());
            tokio_::secure(&mut session, attempt, trust).await
        })
    }),
];

fn policy(mode: &str) -> Arc<Policy> {
    let text = format!("version: STSv1\nmode: {mode}\nmx: mx.example.com\nmax_age: 604800\n");
    Arc::new(Policy::parse(text.as_bytes()).unwrap())
}

/// What is to be done after a handshake with a host of this certificate.
fn verdict(
    secure: Secure,
    certificate: Certificate,
    policy: Result<Arc<Policy>, NoPolicy>,
) -> &'static str {
    let world = World::new();
    let host = world.mx("mx.example.com", Mx::Starttls(certificate));
    let trust = TrustStore::new(world.roots(), ring::default_provider()).unwrap();
    let hosts = [Host::new(10, "mx.example.com")];
    let route = Route::to_recipient(Domain::parse("example.com").unwrap(), hosts);
    let mut delivery = Delivery::new(route, policy, Floor::Opportunistic);
    let Step::Consider(candidate) = delivery.poll() else { panic!("there is a host") };
    let Advice::Attempt(attempt) = delivery.handle_dane(candidate, Dane::NotSigned) else {
        panic!("the host is listed")
    };
    let outcome = secure(host.address(), &attempt, &trust);
    let mut verdict = delivery.handle_session(attempt, outcome);
    if let Verdict::NextAddress(attempt) = verdict {
        verdict = delivery.handle_no_address(attempt);
    }
    match verdict {
        Verdict::Send(transaction) if transaction.session().is_encrypted() => "send",
        Verdict::Send(_) => "send in clear text",
        Verdict::Leave(_) => "leave",
        Verdict::Retry(_) => "retry",
        Verdict::NextAddress(_) => "next address",
    }
}

#[test]
fn nothing_is_sent_over_a_connection_that_failed() {
    for (glue, secure) in GLUES {
        for certificate in [Certificate::ExpiredWithoutKey, Certificate::WithoutKey] {
            for (mode, policy) in [
                ("testing", Ok(policy("testing"))),
                ("none", Ok(policy("none"))),
                ("no record", Err(NoPolicy::NoRecord)),
            ] {
                let verdict = verdict(secure, certificate, policy);
                assert_eq!(verdict, "retry", "{glue}: {certificate:?}, {mode}");
            }
            let verdict = verdict(secure, certificate, Ok(policy("enforce")));
            assert_eq!(verdict, "leave", "{glue}: {certificate:?}, enforce");
        }
    }
}

#[test]
fn what_a_certificate_is_worth() {
    for (glue, secure) in GLUES {
        for (certificate, mode, expected) in [
            (Certificate::Good, "enforce", "send"),
            (Certificate::Good, "testing", "send"),
            (Certificate::Expired, "testing", "send"),
            (Certificate::Untrusted, "none", "send"),
            (Certificate::Expired, "enforce", "leave"),
            (Certificate::OwnAuthority, "enforce", "leave"),
        ] {
            let verdict = verdict(secure, certificate, Ok(policy(mode)));
            assert_eq!(verdict, expected, "{glue}: {certificate:?}, {mode}");
        }
    }
}
