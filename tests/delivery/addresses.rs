//! Hosts with several addresses: each in its order (RFC 5321 §5.1), each connection a session.

use std::net::IpAddr;

use mta_sts::{
    Mode, NoPolicy,
    ResultType::{CertificateExpired, ValidationFailure},
    delivery::{
        Attempt, CertificateChecks, Delivery, HostFailureReason, MinTlsLevel, Recheck, RequiredBy,
        SendDecision, SessionOutcome, SmtpReply, Step, TlsLevel, TlsaStatus,
    },
};

use super::{
    advise, deferred, deliver, enforce, enforcing, failure, invalid, policy, rechecking, reports,
    to, valid,
};

const HOST: &str = "mx1.example.net";

fn handshake() -> SessionOutcome {
    SessionOutcome::HandshakeFailed(failure(ValidationFailure))
}

/// The attempt for the next address, after one that came to this.
#[track_caller]
fn next(delivery: &mut Delivery, attempt: Attempt, outcome: SessionOutcome) -> Attempt {
    match delivery.handle_session(attempt, outcome) {
        SendDecision::NextAddress(attempt) => {
            assert_eq!(attempt.host(), HOST);
            attempt
        }
        other => panic!("{other:?}"),
    }
}

fn without_policy() -> Delivery {
    Delivery::new(
        to(&[HOST, "mx2.example.net"]),
        Err(NoPolicy::NoRecord),
        MinTlsLevel::Opportunistic,
    )
}

#[test]
fn what_one_address_lacks_another_may_give() {
    for first in [
        SessionOutcome::Unreachable,
        SessionOutcome::ClearText,
        handshake(),
        invalid(CertificateExpired),
    ] {
        let mut delivery = enforcing(&[HOST]);
        let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        let requirement = attempt.requirement();
        let attempt = next(&mut delivery, attempt, first.clone());
        assert_eq!(attempt.requirement(), requirement);
        let verdict = delivery.handle_session(attempt, valid());
        let SendDecision::Send(transaction) = verdict else { panic!("{verdict:?}") };
        assert!(delivery.handle_reply(transaction, SmtpReply::Accepted).is_none());
        assert!(matches!(delivery.poll(), Step::Delivered));
        // Nothing is told of a host that took the message; each session is counted.
        assert_eq!(delivery.host_failures(), []);
        let sessions = if first == SessionOutcome::Unreachable { 1 } else { 2 };
        assert_eq!(reports(&mut delivery).len(), sessions);
    }
}

#[test]
fn clear_text_is_tried_when_no_address_speaks_tls() {
    for outcomes in [
        vec![handshake()],
        vec![handshake(), handshake()],
        vec![handshake(), SessionOutcome::Unreachable],
        vec![SessionOutcome::Unreachable, handshake()],
    ] {
        let mut delivery = without_policy();
        let mut attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        for outcome in outcomes {
            attempt = next(&mut delivery, attempt, outcome);
            assert_eq!(attempt.requirement().tls(), TlsLevel::Opportunistic);
        }
        let SendDecision::RetryPlaintext(attempt) = delivery.handle_no_address(attempt) else {
            panic!()
        };
        assert_eq!(attempt.requirement().tls(), TlsLevel::Never);
        // From the first address on, and once.
        let attempt = next(&mut delivery, attempt, SessionOutcome::Unreachable);
        let attempt = next(&mut delivery, attempt, SessionOutcome::Unreachable);
        let SendDecision::Reject(refusal) = delivery.handle_no_address(attempt) else { panic!() };
        assert_eq!(*refusal.reason(), HostFailureReason::Unreachable);
        deliver(&mut delivery, "mx2.example.net", valid());
    }
}

/// The one that speaks TLS has refused the message for now: no reason to send it in clear text.
#[test]
fn no_clear_text_where_an_address_spoke_tls() {
    let mut delivery = without_policy();
    let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
    let attempt = next(&mut delivery, attempt, handshake());
    let SendDecision::Send(transaction) = delivery.handle_session(attempt, valid()) else {
        panic!()
    };
    let attempt = delivery.handle_reply(transaction, SmtpReply::Transient).unwrap();
    let SendDecision::Reject(refusal) = delivery.handle_no_address(attempt) else { panic!() };
    assert_eq!(*refusal.reason(), HostFailureReason::TransientReply);
}

#[test]
fn a_temporary_refusal_leads_to_the_next_address() {
    let mut delivery = enforcing(&[HOST]);
    let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
    let SendDecision::Send(transaction) = delivery.handle_session(attempt, valid()) else {
        panic!()
    };
    let attempt = delivery.handle_reply(transaction, SmtpReply::Transient).unwrap();
    assert_eq!(attempt.requirement().tls(), TlsLevel::Pkix);
    let SendDecision::Send(transaction) = delivery.handle_session(attempt, valid()) else {
        panic!()
    };
    assert!(delivery.handle_reply(transaction, SmtpReply::Accepted).is_none());
    assert!(matches!(delivery.poll(), Step::Delivered));
}

#[test]
fn a_host_without_addresses_is_unreachable() {
    let mut delivery = enforcing(&[HOST]);
    let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
    let SendDecision::Reject(refusal) = delivery.handle_no_address(attempt) else { panic!() };
    assert_eq!(*refusal.reason(), HostFailureReason::Unreachable);
    assert!(deferred(&mut delivery).may_bounce());
    assert_eq!(reports(&mut delivery), []);
}

/// A bounce waits for a recheck if the policy has ruled out any of the addresses.
#[test]
fn s5_05_the_policys_part_at_any_address_counts() {
    let reason = |outcomes: [SessionOutcome; 2]| {
        let mut delivery = enforcing(&[HOST]);
        let mut attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        for outcome in outcomes {
            attempt = next(&mut delivery, attempt, outcome);
        }
        let SendDecision::Reject(refusal) = delivery.handle_no_address(attempt) else { panic!() };
        assert_eq!(delivery.host_failures(), std::slice::from_ref(&refusal));
        if refusal.is_by_policy() {
            rechecking(&mut delivery);
        } else {
            deferred(&mut delivery);
        }
        (refusal.reason().clone(), refusal.is_by_policy())
    };
    let unreachable = || SessionOutcome::Unreachable;
    assert_eq!(reason([unreachable(), unreachable()]), (HostFailureReason::Unreachable, false));
    for outcomes in
        [[unreachable(), SessionOutcome::ClearText], [SessionOutcome::ClearText, unreachable()]]
    {
        let (reason, is_by_policy) = reason(outcomes);
        assert!(matches!(reason, HostFailureReason::NoStarttls(_)) && is_by_policy);
    }
}

/// Dropped between two addresses, the second may have failed by the policy.
#[test]
fn s5_05_what_is_given_up_between_addresses_waits_for_a_recheck() {
    for (outcome, reason) in [
        (SessionOutcome::Unreachable, HostFailureReason::Unreachable),
        (valid(), HostFailureReason::TransientReply),
    ] {
        let mut delivery = enforcing(&[HOST]);
        let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        match delivery.handle_session(attempt, outcome) {
            SendDecision::NextAddress(attempt) => drop(attempt),
            SendDecision::Send(transaction) => {
                drop(delivery.handle_reply(transaction, SmtpReply::Transient));
            }
            other => panic!("{other:?}"),
        }
        let deferral = rechecking(&mut delivery);
        assert_eq!(*deferral.host_failures()[0].reason(), reason);
        delivery.handle_recheck(Recheck::Current(Ok(enforce())));
        assert!(deferred(&mut delivery).may_bounce());
    }
}

/// RFC 8460 §4.4: each session has its `receiving-ip`.
#[test]
fn r4_4_each_connection_is_reported_with_its_address() {
    let addresses: [IpAddr; 3] =
        ["192.0.2.1", "2001:db8::1", "192.0.2.3"].map(|address| address.parse().unwrap());
    let testing = policy(Mode::Testing, &["*.example.net"]);
    let mut delivery = Delivery::new(to(&[HOST]), Ok(testing), MinTlsLevel::Opportunistic);
    let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
    let attempt = next(&mut delivery, attempt.with_receiving_ip(addresses[0]), handshake());
    // One of which nobody tells the address.
    let attempt = next(&mut delivery, attempt, handshake());
    let attempt = attempt.with_receiving_ip(addresses[1]);
    let SendDecision::Send(transaction) = delivery.handle_session(attempt, valid()) else {
        panic!()
    };
    let attempt = delivery.handle_reply(transaction, SmtpReply::Transient).unwrap();
    let attempt = attempt.with_receiving_ip(addresses[2]);
    assert!(matches!(delivery.handle_session(attempt, valid()), SendDecision::Send(_)));
    let told: Vec<_> = std::iter::from_fn(|| delivery.poll_report())
        .map(|report| (report.receiving_ip(), report.is_success()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(addresses[0]), false),
            (None, false),
            (Some(addresses[1]), true),
            (Some(addresses[2]), true),
        ],
    );
}

#[test]
fn a_late_attempt_has_no_next_address() {
    let mut delivery = enforcing(&[HOST, "mx2.example.net"]);
    let late = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
    let second = advise(&mut delivery, "mx2.example.net", TlsaStatus::Insecure).unwrap();
    let SendDecision::Reject(refusal) = delivery.handle_no_address(late) else { panic!() };
    assert_eq!((refusal.host(), refusal.reason()), (HOST, &HostFailureReason::Abandoned));
    assert!(matches!(delivery.handle_session(second, valid()), SendDecision::Send(_)));
}

/// A reused connection that was closed has taught nothing of the host.
#[test]
fn clear_text_is_tried_after_a_reused_connection_that_was_closed() {
    let session = {
        let mut delivery = without_policy();
        let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        let verdict = delivery.handle_session(attempt, SessionOutcome::ClearText);
        let SendDecision::Send(transaction) = verdict else { panic!("{verdict:?}") };
        transaction.session().clone()
    };
    for first in [SessionOutcome::Unreachable, SessionOutcome::GreetingRefused, handshake()] {
        let mut delivery = without_policy();
        let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        let attempt = next(&mut delivery, attempt, first);
        let transaction = delivery.reuse(attempt, &session).unwrap();
        let attempt = delivery.reconnect(transaction).unwrap();
        let attempt = next(&mut delivery, attempt, handshake());
        let verdict = delivery.handle_no_address(attempt);
        assert!(matches!(verdict, SendDecision::RetryPlaintext(_)), "{verdict:?}");
    }
}

#[test]
fn a_refused_greeting_does_not_hide_what_another_address_lacks() {
    let mut delivery = without_policy();
    let attempt = advise(&mut delivery, HOST, TlsaStatus::Usable).unwrap();
    let attempt = next(&mut delivery, attempt, SessionOutcome::GreetingRefused);
    let mismatch = CertificateChecks::new().with_dane(Err(failure(ValidationFailure)));
    let attempt = next(&mut delivery, attempt, SessionOutcome::Encrypted(mismatch));
    let SendDecision::Reject(refusal) = delivery.handle_no_address(attempt) else { panic!() };
    assert!(matches!(refusal.reason(), HostFailureReason::CertificateInvalid(RequiredBy::Dane, _)));
}
