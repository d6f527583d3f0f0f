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
#[path = "../examples/tokio/main.rs"]
mod tokio_;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use mta_sts::{
    Domain, NoPolicy, Policy,
    delivery::{
        Attempt, ConnectDecision, Delivery, MinTlsLevel, Mx as Host, Route, SendDecision,
        SessionOutcome, Step, TlsaStatus,
    },
    verify::TrustStore,
};
use mta_sts_testkit::{Certificate, Mx, World};
use rustls::crypto::ring;

type Begin = fn(SocketAddr, &Attempt, &TrustStore) -> SessionOutcome;
type Deliver = fn(&mut Delivery, Attempt, &[SocketAddr], &TrustStore);

/// `blocking` and `demo` have their SMTP in common.
const GLUES: [(&str, Begin, Deliver); 2] = [
    (
        "blocking",
        |address, attempt, trust| blocking::smtp::session::begin(address, attempt, trust).1,
        |delivery, attempt, addresses, trust| {
            blocking::smtp::session::deliver(delivery, attempt, addresses, trust, &domain());
        },
    ),
    (
        "tokio",
        |address, attempt, trust| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(tokio_::begin(address, attempt, trust)).1
        },
        |delivery, attempt, addresses, trust| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(tokio_::deliver(delivery, attempt, addresses, trust, &domain()));
        },
    ),
];

fn domain() -> Domain {
    Domain::parse("example.com").unwrap()
}

fn policy(mode: &str) -> Arc<Policy> {
    let text = format!("version: STSv1\nmode: {mode}\nmx: mx.example.com\nmax_age: 604800\n");
    Arc::new(Policy::parse(text.as_bytes()).unwrap())
}

type Applies = Result<Arc<Policy>, NoPolicy>;

fn trust_of(world: &World) -> TrustStore {
    TrustStore::new(world.roots(), ring::default_provider()).unwrap()
}

fn attempt(policy: Applies) -> (Delivery, Attempt) {
    let hosts = [Host::new(10, "mx.example.com")];
    let route = Route::for_recipient(domain(), hosts);
    let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
    let Step::Consider(candidate) = delivery.poll() else { panic!("there is a host") };
    let ConnectDecision::Attempt(attempt) = delivery.handle_tlsa(candidate, TlsaStatus::Insecure)
    else {
        panic!("the host is listed")
    };
    (delivery, attempt)
}

/// What is to be done after a session with a host that behaves so.
fn verdict(begin: Begin, manner: Mx, policy: Applies) -> (SessionOutcome, &'static str) {
    let world = World::new();
    let host = world.mx("mx.example.com", manner);
    let (mut delivery, attempt) = attempt(policy);
    let outcome = begin(host.address(), &attempt, &trust_of(&world));
    (outcome.clone(), verdict_on(&mut delivery, attempt, outcome))
}

fn verdict_on(delivery: &mut Delivery, attempt: Attempt, outcome: SessionOutcome) -> &'static str {
    let mut verdict = delivery.handle_session(attempt, outcome);
    if let SendDecision::NextAddress(attempt) = verdict {
        verdict = delivery.handle_no_address(attempt);
    }
    match verdict {
        SendDecision::Send(transaction) if transaction.session().is_encrypted() => "send",
        SendDecision::Send(_) => "send in clear text",
        SendDecision::Reject(_) => "leave",
        SendDecision::RetryPlaintext(_) => "retry",
        SendDecision::NextAddress(_) => "next address",
    }
}

#[test]
fn nothing_is_sent_over_a_connection_that_failed() {
    for (glue, begin, _) in GLUES {
        for certificate in [Certificate::ExpiredWithoutKey, Certificate::WithoutKey] {
            for (mode, policy) in [
                ("testing", Ok(policy("testing"))),
                ("none", Ok(policy("none"))),
                ("no record", Err(NoPolicy::NoRecord)),
            ] {
                let verdict = verdict(begin, Mx::Starttls(certificate), policy).1;
                assert_eq!(verdict, "retry", "{glue}: {certificate:?}, {mode}");
            }
            let verdict = verdict(begin, Mx::Starttls(certificate), Ok(policy("enforce"))).1;
            assert_eq!(verdict, "leave", "{glue}: {certificate:?}, enforce");
        }
    }
}

#[test]
fn what_a_certificate_is_worth() {
    for (glue, begin, _) in GLUES {
        for (certificate, mode, expected) in [
            (Certificate::Good, "enforce", "send"),
            (Certificate::Good, "testing", "send"),
            (Certificate::Expired, "testing", "send"),
            (Certificate::Untrusted, "none", "send"),
            (Certificate::Expired, "enforce", "leave"),
            (Certificate::OwnAuthority, "enforce", "leave"),
        ] {
            let verdict = verdict(begin, Mx::Starttls(certificate), Ok(policy(mode))).1;
            assert_eq!(verdict, expected, "{glue}: {certificate:?}, {mode}");
        }
    }
}

#[test]
fn what_ended_a_session_before_tls() {
    let refused = |is_temporary| SessionOutcome::StarttlsRefused { is_temporary };
    for (glue, begin, _) in GLUES {
        for (manner, outcome, in_testing, in_enforce) in [
            (Mx::Greets("554 5.7.1 no"), SessionOutcome::GreetingRefused, "leave", "leave"),
            (Mx::Greets("421 too busy"), SessionOutcome::GreetingRefused, "leave", "leave"),
            (Mx::AnswersEhlo("550 no"), SessionOutcome::GreetingRefused, "leave", "leave"),
            (
                Mx::AnswersEhlo("550-no\r\n550 no"),
                SessionOutcome::GreetingRefused,
                "leave",
                "leave",
            ),
            (Mx::Greets("SSH-2.0-x"), SessionOutcome::ConnectionLost, "leave", "leave"),
            (Mx::Closes, SessionOutcome::ConnectionLost, "leave", "leave"),
            (Mx::AnswersStarttls("454 later"), refused(true), "send in clear text", "leave"),
            (Mx::AnswersStarttls("502 what?"), refused(false), "send in clear text", "leave"),
            (Mx::AnswersStarttls("421 bye"), SessionOutcome::ConnectionLost, "leave", "leave"),
            (Mx::ClearText, SessionOutcome::ClearText, "send in clear text", "leave"),
        ] {
            for (mode, expected) in [("testing", in_testing), ("enforce", in_enforce)] {
                let found = verdict(begin, manner, Ok(policy(mode)));
                assert_eq!(found, (outcome.clone(), expected), "{glue}: {manner:?}, {mode}");
            }
        }
    }
}

#[test]
fn a_handshake_that_a_certificate_ended_is_told_as_that() {
    for (glue, begin, _) in GLUES {
        let manner = Mx::Starttls(Certificate::Expired);
        let (outcome, _) = verdict(begin, manner, Ok(policy("enforce")));
        let SessionOutcome::CertificateRejected(_) = outcome else { panic!("{glue}: {outcome:?}") };
        let manner = Mx::SpeaksAfterStarttls("HTTP/1.1 400 Bad Request\r\n\r\n");
        let (outcome, _) = verdict(begin, manner, Ok(policy("enforce")));
        let SessionOutcome::HandshakeFailed(failure) = outcome else {
            panic!("{glue}: {outcome:?}")
        };
        assert_eq!(failure.message(), "TLS failed: what answered does not speak TLS", "{glue}");
    }
}

#[test]
fn each_address_of_a_host_is_tried() {
    const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 21);
    let good = Mx::Starttls(Certificate::Good);
    let garbage = Mx::SpeaksAfterStarttls("no TLS, but more than a record has bytes in its header");
    for (glue, _, deliver) in GLUES {
        for (first, second, mode, expected) in [
            (Mx::Greets("421 too busy"), good, "enforce", [0, 1]),
            (Mx::Starttls(Certificate::Expired), good, "enforce", [0, 1]),
            (Mx::AnswersStarttls("454 later"), good, "enforce", [0, 1]),
            (good, Mx::Closes, "enforce", [1, 0]),
            (Mx::Closes, Mx::ClearText, "enforce", [0, 0]),
            (Mx::Closes, Mx::ClearText, "testing", [0, 1]),
            // Nobody demands TLS, and no address gives it.
            (garbage, Mx::Closes, "testing", [1, 0]),
            (garbage, Mx::Closes, "enforce", [0, 0]),
        ] {
            let world = World::new();
            let first = world.mx("mx.example.com", first);
            let second = world.mx_beside(&first, SECOND, second);
            let (mut delivery, attempt) = attempt(Ok(policy(mode)));
            let addresses = [first.address(), second.address()];
            deliver(&mut delivery, attempt, &addresses, &trust_of(&world));
            let taken = [first.messages().len(), second.messages().len()];
            assert_eq!(taken, expected, "{glue}: {:?}", delivery.host_failures());
        }
    }
}
