//! The steps in and out of order, and connections that are used again.

use mta_sts::{
    Failure, Mode, NoPolicy,
    ResultType::ValidationFailure,
    delivery::{
        CertificateChecks, ConnectDecision, Delivery, HostFailureReason, MinTlsLevel, Mx,
        PermanentFailure, Recheck, Route, SendDecision, Session, SessionOutcome, SmtpReply, Step,
        TlsaStatus,
    },
};

use super::{
    advise, attempt, deferred, deliver, enforce, enforcing, failure, invalid, only_address, policy,
    rechecking, refused_for_now, reports, to, valid,
};

#[test]
fn a_temporary_refusal_leads_to_the_next_host() {
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
    let transaction = attempt(&mut delivery, "mx1.example.net", valid()).unwrap();
    refused_for_now(&mut delivery, transaction);
    deliver(&mut delivery, "mx2.example.net", valid());
    assert!(matches!(delivery.poll(), Step::Delivered));
}

#[test]
fn a_permanent_refusal_ends_the_walk() {
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
    let transaction = attempt(&mut delivery, "mx1.example.net", valid()).unwrap();
    delivery.handle_reply(transaction, SmtpReply::Permanent);
    let Step::Undeliverable(PermanentFailure::PermanentReply(refusal)) = delivery.poll() else {
        panic!()
    };
    assert_eq!(
        (refusal.host(), refusal.reason()),
        ("mx1.example.net", &HostFailureReason::PermanentReply)
    );
    assert!(matches!(delivery.poll(), Step::Undeliverable(_)));
}

#[test]
fn without_a_policy_a_failed_handshake_is_followed_by_clear_text_once() {
    let policy = Err(NoPolicy::NoRecord);
    let mut delivery = Delivery::new(to(&["mx1.example.net"]), policy, MinTlsLevel::Opportunistic);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    let failed = || SessionOutcome::HandshakeFailed(failure(ValidationFailure));
    let SendDecision::RetryPlaintext(attempt) = only_address(&mut delivery, attempt, failed())
    else {
        panic!()
    };
    assert_eq!(attempt.host(), "mx1.example.net");
    // Nobody asked for a handshake.
    let SendDecision::Reject(refusal) = only_address(&mut delivery, attempt, failed()) else {
        panic!()
    };
    assert_eq!(*refusal.reason(), HostFailureReason::Unreachable);
    assert_eq!(reports(&mut delivery).len(), 1);
    assert!(deferred(&mut delivery).may_bounce());
}

#[test]
fn what_is_dropped_is_given_up() {
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net", "mx3.example.net"]);
    drop(delivery.poll());
    drop(advise(&mut delivery, "mx2.example.net", TlsaStatus::Insecure).unwrap());
    drop(attempt(&mut delivery, "mx3.example.net", valid()).unwrap());
    let deferral = rechecking(&mut delivery);
    let reasons: Vec<_> = deferral.host_failures().iter().map(|r| (r.host(), r.reason())).collect();
    assert_eq!(
        reasons,
        [
            ("mx1.example.net", &HostFailureReason::Abandoned),
            ("mx2.example.net", &HostFailureReason::Abandoned),
            ("mx3.example.net", &HostFailureReason::Abandoned),
        ],
    );
    assert!(!deferral.may_bounce());
    assert_eq!(rechecking(&mut delivery).host_failures().len(), 3);
}

/// Such as by an early return after an error: it may be the policy that it failed by.
#[test]
fn s5_05_what_is_given_up_under_enforce_waits_for_a_recheck() {
    type GiveUp = fn(&mut Delivery);
    let drop_candidate = |delivery: &mut Delivery| drop(delivery.poll());
    let drop_attempt = |delivery: &mut Delivery| {
        drop(advise(delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap());
    };
    let drop_transaction = |delivery: &mut Delivery| {
        drop(attempt(delivery, "mx1.example.net", valid()).unwrap());
    };
    let drop_reused = |delivery: &mut Delivery| {
        let attempt = advise(delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
        drop(delivery.reuse(attempt, &connection("mx1.example.net", valid())).unwrap());
    };
    let given_up: [(GiveUp, bool); 4] = [
        (drop_candidate, true),
        (drop_attempt, true),
        (drop_transaction, false),
        (drop_reused, false),
    ];
    for (give_up, is_by_policy) in given_up {
        let mut delivery = enforcing(&["mx1.example.net"]);
        give_up(&mut delivery);
        if is_by_policy {
            assert!(!rechecking(&mut delivery).may_bounce());
            delivery.handle_recheck(Recheck::Unknown("timed out".into()));
            assert!(!deferred(&mut delivery).may_bounce());
            delivery.handle_recheck(Recheck::Current(Ok(enforce())));
        }
        let deferral = deferred(&mut delivery);
        assert!(deferral.may_bounce());
        assert_eq!(*deferral.host_failures()[0].reason(), HostFailureReason::Abandoned);
        assert_eq!(deferral.host_failures()[0].is_by_policy(), is_by_policy);

        for policy in [Ok(policy(Mode::Testing, &["*.example.net"])), Err(NoPolicy::NoRecord)] {
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
            give_up(&mut delivery);
            assert!(deferred(&mut delivery).may_bounce());
        }
    }
}

#[test]
fn what_comes_late_changes_nothing() {
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
    let Step::Consider(late) = delivery.poll() else { panic!() };
    let attempt = advise(&mut delivery, "mx2.example.net", TlsaStatus::Insecure).unwrap();
    let ConnectDecision::Skip(refusal) = delivery.handle_tlsa(late, TlsaStatus::Insecure) else {
        panic!()
    };
    assert_eq!(
        (refusal.host(), refusal.reason()),
        ("mx1.example.net", &HostFailureReason::Abandoned)
    );
    assert_eq!(delivery.host_failures().len(), 1);
    rechecking(&mut delivery);
    let SendDecision::Reject(refusal) = only_address(&mut delivery, attempt, valid()) else {
        panic!()
    };
    assert_eq!(
        (refusal.host(), refusal.reason()),
        ("mx2.example.net", &HostFailureReason::Abandoned)
    );
    assert_eq!(reports(&mut delivery), []);
    assert_eq!(rechecking(&mut delivery).host_failures().len(), 2);
}

#[test]
fn a_late_refusal_changes_nothing() {
    for reply in [SmtpReply::Transient, SmtpReply::Permanent] {
        let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
        let late = attempt(&mut delivery, "mx1.example.net", valid()).unwrap();
        let transaction = attempt(&mut delivery, "mx2.example.net", valid()).unwrap();
        delivery.handle_reply(late, reply);
        assert_eq!(delivery.host_failures().len(), 1);
        delivery.handle_reply(transaction, SmtpReply::Accepted);
        assert!(matches!(delivery.poll(), Step::Delivered));
    }
}

/// A message that was accepted must not be sent twice.
#[test]
fn a_late_acceptance_counts() {
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
    let late = attempt(&mut delivery, "mx1.example.net", valid()).unwrap();
    let second = advise(&mut delivery, "mx2.example.net", TlsaStatus::Insecure).unwrap();
    delivery.handle_reply(late, SmtpReply::Accepted);
    let verdict = only_address(&mut delivery, second, valid());
    assert!(matches!(verdict, SendDecision::Reject(_)), "{verdict:?}");
    assert!(matches!(delivery.poll(), Step::Delivered));
}

#[test]
fn what_another_delivery_gave_changes_nothing() {
    let mut lax = Delivery::new(
        to(&["mx1.example.net"]),
        Ok(policy(Mode::Testing, &["*.example.net"])),
        MinTlsLevel::Opportunistic,
    );
    let mut strict = enforcing(&["mx1.example.net", "mx2.example.net"]);
    let Step::Consider(foreign) = lax.poll() else { panic!() };
    let Step::Consider(own) = strict.poll() else { panic!() };
    assert!(matches!(strict.handle_tlsa(foreign, TlsaStatus::Insecure), ConnectDecision::Skip(_)));
    assert!(matches!(strict.handle_tlsa(own, TlsaStatus::Insecure), ConnectDecision::Attempt(_)));

    let testing = policy(Mode::Testing, &["*.example.net"]);
    let mut lax = Delivery::new(to(&["mx1.example.net"]), Ok(testing), MinTlsLevel::Opportunistic);
    let foreign = advise(&mut lax, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    let verdict = only_address(&mut strict, foreign, SessionOutcome::ClearText);
    assert!(matches!(verdict, SendDecision::Reject(_)), "{verdict:?}");

    let foreign = attempt(&mut enforcing(&["mx1.example.net"]), "mx1.example.net", valid());
    strict.handle_reply(foreign.unwrap(), SmtpReply::Accepted);
    deliver(&mut strict, "mx2.example.net", valid());
}

/// A connection on which nothing was demanded, and what was found out about it.
fn connection(host: &str, outcome: SessionOutcome) -> Session {
    let policy = Err(NoPolicy::NoRecord);
    let mut delivery = Delivery::new(to(&[host]), policy, MinTlsLevel::Opportunistic);
    attempt(&mut delivery, host, outcome).unwrap().session().clone()
}

#[test]
fn a_connection_carries_mail_of_another_domain_if_it_satisfies_its_policy() {
    for (session, fits) in [
        (connection("mx1.example.net", valid()), true),
        (connection("mx2.example.net", valid()), false),
        (connection("mx1.example.net", SessionOutcome::ClearText), false),
        (connection("mx1.example.net", SessionOutcome::Encrypted(CertificateChecks::new())), false),
        (connection("mx1.example.net", invalid(mta_sts::ResultType::CertificateExpired)), false),
    ] {
        let mut delivery = enforcing(&["mx1.example.net"]);
        let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
        match delivery.reuse(attempt, &session) {
            Ok(transaction) => {
                assert!(fits, "{session:?}");
                assert_eq!(transaction.session(), &session);
                delivery.handle_reply(transaction, SmtpReply::Accepted);
                assert!(matches!(delivery.poll(), Step::Delivered));
                assert_eq!(reports(&mut delivery), []);
            }
            Err(attempt) => {
                assert!(!fits, "{session:?}");
                let transaction = super::session(&mut delivery, attempt, valid()).unwrap();
                delivery.handle_reply(transaction, SmtpReply::Accepted);
            }
        }
    }
}

/// A host may close an idle connection whenever it likes: that says nothing of the message.
#[test]
fn a_reused_connection_that_was_closed_leads_to_a_new_one() {
    let kept = connection("mx1.example.net", valid());
    for outcome in [valid(), SessionOutcome::ClearText, SessionOutcome::Unreachable] {
        let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
        let mut attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
        // Of several that were kept, none is open any more.
        for _ in 0..3 {
            let requirement = attempt.requirement();
            let transaction = delivery.reuse(attempt, &kept).unwrap();
            attempt = delivery.reconnect(transaction).unwrap();
            assert_eq!((attempt.host(), attempt.requirement()), ("mx1.example.net", requirement));
        }
        assert_eq!(delivery.host_failures(), []);
        match super::session(&mut delivery, attempt, outcome.clone()) {
            Ok(transaction) => {
                assert_eq!(outcome, valid());
                // It is this connection's own end if it is lost now.
                let transaction = delivery.reconnect(transaction).unwrap_err();
                delivery.handle_reply(transaction, SmtpReply::Accepted);
                assert!(matches!(delivery.poll(), Step::Delivered));
                assert_eq!(reports(&mut delivery).len(), 1);
            }
            Err(_) => deliver(&mut delivery, "mx2.example.net", valid()),
        }
    }
}

#[test]
fn a_late_transaction_does_not_get_a_new_connection() {
    let kept = connection("mx1.example.net", valid());
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    let late = delivery.reuse(attempt, &kept).unwrap();
    let second = advise(&mut delivery, "mx2.example.net", TlsaStatus::Insecure).unwrap();
    let late = delivery.reconnect(late).unwrap_err();
    delivery.handle_reply(late, SmtpReply::Transient);
    assert!(matches!(only_address(&mut delivery, second, valid()), SendDecision::Send(_)));
    assert_eq!(delivery.host_failures().len(), 1);

    // Dropped after the way back: nothing has satisfied the policy.
    let mut delivery = enforcing(&["mx1.example.net"]);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    let transaction = delivery.reuse(attempt, &kept).unwrap();
    drop(delivery.reconnect(transaction).unwrap());
    assert!(!rechecking(&mut delivery).may_bounce());
}

/// Another domain may share the host and not list it.
#[test]
fn a_connection_does_not_carry_mail_of_a_domain_that_does_not_list_the_host() {
    let mut delivery = Delivery::new(
        to(&["mx1.example.net"]),
        Ok(policy(Mode::Enforce, &["mx2.example.net"])),
        MinTlsLevel::Opportunistic,
    );
    assert!(advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).is_err());
}

#[test]
fn a_late_attempt_does_not_get_a_connection() {
    let session = connection("mx1.example.net", valid());
    let mut delivery = enforcing(&["mx1.example.net"]);
    let late = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    rechecking(&mut delivery);
    assert!(delivery.reuse(late, &session).is_err());
}

#[test]
fn a_delivery_keeps_its_policy() {
    let policy = enforce();
    let delivery =
        Delivery::new(to(&["mx1.example.net"]), Ok(policy.clone()), MinTlsLevel::Opportunistic);
    assert!(std::sync::Arc::ptr_eq(delivery.policy().unwrap(), &policy));
}

#[test]
fn a_delivery_can_be_moved_between_threads() {
    fn is_send_and_sync<T: Send + Sync + 'static>() {}
    is_send_and_sync::<Delivery>();
    is_send_and_sync::<Step>();
    is_send_and_sync::<SendDecision>();
}

/// `MX 10 mx2` and `MX 20 MX2.` are one host, which has said all that it has to say.
#[test]
fn a_host_with_several_records_is_asked_once() {
    let names = ["mx1.example.net", "MX1.example.net.", "mx2.example.net", "mx1.EXAMPLE.net"];
    let outcomes = [
        SessionOutcome::ClearText,
        invalid(mta_sts::ResultType::CertificateExpired),
        SessionOutcome::HandshakeFailed(failure(ValidationFailure)),
        SessionOutcome::Unreachable,
    ];
    for outcome in outcomes {
        let mut delivery = enforcing(&names);
        attempt(&mut delivery, "mx1.example.net", outcome).unwrap_err();
        assert!(reports(&mut delivery).len() <= 1);
        deliver(&mut delivery, "mx2.example.net", valid());
        assert_eq!(delivery.host_failures().len(), 1);
    }
    for (names, dane, reason) in [
        (
            ["mx1.example.com", "MX1.example.com."],
            TlsaStatus::Insecure,
            HostFailureReason::NotListed,
        ),
        (["mx1.example.net", "mx1.example.net"], TlsaStatus::Bogus, HostFailureReason::DaneFailed),
        (
            ["MX1.example.net", "mx1.example.net."],
            TlsaStatus::Indeterminate,
            HostFailureReason::DaneUnknown,
        ),
    ] {
        let mut delivery = enforcing(&names);
        let host = names[0].to_ascii_lowercase();
        let refusal = advise(&mut delivery, &host, dane).unwrap_err();
        assert_eq!(*refusal.reason(), reason);
        assert!(matches!(delivery.poll(), Step::Recheck(_) | Step::Defer(_)));
        assert_eq!(delivery.host_failures(), [refusal]);
        assert!(reports(&mut delivery).len() <= 1);
    }
}

/// The best preference counts, for the host itself and for those behind it.
#[test]
fn a_host_with_several_records_has_the_best_preference_of_them() {
    let domain = super::domain("example.org");
    let own = |preference| Mx::new(preference, "own.example.net").with_is_self(true);
    let mx = [
        Mx::new(30, "mx1.example.net"),
        own(40),
        Mx::new(20, "mx2.example.net"),
        Mx::new(5, "MX1.example.net."),
        own(10),
        // Found by its address, which one record tells and another does not.
        Mx::new(50, "own.example.net"),
    ];
    let route = Route::for_recipient(domain, mx);
    let mut delivery = Delivery::new(route, Err(NoPolicy::NoRecord), MinTlsLevel::Opportunistic);
    attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable).unwrap_err();
    let deferral = deferred(&mut delivery);
    let reasons: Vec<_> = deferral.host_failures().iter().map(|r| (r.host(), r.reason())).collect();
    assert_eq!(
        reasons,
        [
            ("mx1.example.net", &HostFailureReason::Unreachable),
            ("own.example.net", &HostFailureReason::OwnHost),
            ("mx2.example.net", &HostFailureReason::OwnHost),
        ],
    );
}

/// What may happen to one host.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    NotListed,
    NoStarttls,
    BadCertificate,
    Unreachable,
    BadDane,
    Dropped,
    Transient,
    Permanent,
}

const EVENTS: [Event; 8] = [
    Event::NotListed,
    Event::NoStarttls,
    Event::BadCertificate,
    Event::Unreachable,
    Event::BadDane,
    Event::Dropped,
    Event::Transient,
    Event::Permanent,
];

fn happen(delivery: &mut Delivery, event: Event) {
    let Step::Consider(candidate) = delivery.poll() else { return };
    let dane = if event == Event::BadDane { TlsaStatus::Bogus } else { TlsaStatus::Insecure };
    let ConnectDecision::Attempt(attempt) = delivery.handle_tlsa(candidate, dane) else { return };
    let outcome = match event {
        Event::NoStarttls => SessionOutcome::ClearText,
        Event::BadCertificate => invalid(mta_sts::ResultType::CertificateExpired),
        Event::Unreachable => SessionOutcome::Unreachable,
        _ => valid(),
    };
    let SendDecision::Send(transaction) = only_address(delivery, attempt, outcome) else { return };
    match event {
        Event::Transient => refused_for_now(delivery, transaction),
        Event::Permanent => drop(delivery.handle_reply(transaction, SmtpReply::Permanent)),
        _ => {}
    }
}

fn may_bounce(delivery: &mut Delivery) -> bool {
    match delivery.poll() {
        Step::Undeliverable(_) => true,
        Step::Defer(deferral) | Step::Recheck(deferral) => deferral.may_bounce(),
        other => panic!("{other:?}"),
    }
}

/// Every walk over three hosts in which none takes the message.
#[test]
fn s5_05_no_walk_ends_in_a_bounce_before_a_recheck() {
    let pairs = EVENTS.into_iter().flat_map(|first| EVENTS.map(|second| (first, second)));
    let walks = pairs.flat_map(|(first, second)| EVENTS.map(|third| [first, second, third]));
    for walk in walks {
        let mut number = 0;
        let hosts = walk.map(|event| {
            number += 1;
            let domain = if event == Event::NotListed { "example.com" } else { "example.net" };
            format!("mx{number}.{domain}")
        });
        let mut delivery = enforcing(&hosts.each_ref().map(String::as_str));
        for event in walk {
            happen(&mut delivery, event);
        }

        // After a refusal for good no host is tried.
        let tried = walk.iter().position(|event| *event == Event::Permanent).unwrap_or(2);
        let is_by_policy = walk[..=tried].iter().any(|event| {
            matches!(event, Event::NotListed | Event::NoStarttls | Event::BadCertificate)
        });
        assert_eq!(may_bounce(&mut delivery), !is_by_policy, "{walk:?}");
        delivery.handle_recheck(Recheck::Unknown("overloaded".into()));
        assert_eq!(may_bounce(&mut delivery), !is_by_policy, "{walk:?}");
        delivery.handle_recheck(Recheck::Current(Ok(enforce())));
        assert!(may_bounce(&mut delivery), "{walk:?}");
    }
}

#[test]
fn s5_1_02_an_operator_may_limit_rechecks_without_a_result() {
    for (max, bounced_at) in [(None, None), (Some(1), Some(1)), (Some(3), Some(3))] {
        let mut count = 0;
        for attempts in 1..=5 {
            let mut delivery = enforcing(&["mx1.example.com"]).with_unconfirmed(count);
            if let Some(max) = max {
                delivery = delivery.with_max_unconfirmed(max);
            }
            attempt(
                &mut delivery,
                "mx1.example.com",
                invalid(mta_sts::ResultType::CertificateExpired),
            )
            .unwrap_err();
            // Not before it was tried.
            let Step::Recheck(deferral) = delivery.poll() else { panic!() };
            assert_eq!((deferral.may_bounce(), deferral.unconfirmed()), (false, count));
            delivery.handle_recheck(Recheck::Unknown("timed out".into()));
            let deferral = deferred(&mut delivery);
            count = deferral.unconfirmed();
            assert_eq!(count, attempts);
            let is_over = bounced_at.is_some_and(|at| attempts >= at);
            assert_eq!(deferral.may_bounce(), is_over, "{max:?}, attempt {attempts}");
            assert!(deferral.unknown().is_some());
        }
        // A recheck that finds out ends the row.
        let mut delivery = enforcing(&["mx1.example.com"]).with_unconfirmed(count);
        attempt(&mut delivery, "mx1.example.com", invalid(mta_sts::ResultType::CertificateExpired))
            .unwrap_err();
        let Step::Recheck(_) = delivery.poll() else { panic!() };
        delivery.handle_recheck(Recheck::Current(Ok(enforce())));
        let deferral = deferred(&mut delivery);
        assert_eq!((deferral.may_bounce(), deferral.unconfirmed()), (true, 0));
    }
}

/// What a verifier says that was used twice is a mistake of the sender's: nothing follows from it.
#[test]
fn a_reused_verifier_says_nothing_of_the_host() {
    let mistake = || {
        let message = "the certificate was not checked";
        Failure::new(ValidationFailure, "verifier-reused", "mx1.example.net", message)
    };
    let checks = || CertificateChecks::new().with_pkix(Err(mistake()));
    for outcome in [
        SessionOutcome::HandshakeFailed(mistake()),
        SessionOutcome::CertificateRejected(checks()),
        SessionOutcome::Encrypted(checks()),
    ] {
        for policy in
            [Err(NoPolicy::NoRecord), Ok(policy(Mode::Testing, &["*.example.net"])), Ok(enforce())]
        {
            let enforces = policy.as_ref().is_ok_and(|policy| policy.mode() == Mode::Enforce);
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
            let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
            let SendDecision::NextAddress(attempt) =
                delivery.handle_session(attempt, outcome.clone())
            else {
                panic!("{outcome:?}");
            };
            // No clear text.
            let SendDecision::Reject(refusal) = delivery.handle_no_address(attempt) else {
                panic!()
            };
            assert_eq!(*refusal.reason(), HostFailureReason::Abandoned);
            assert_eq!(reports(&mut delivery), []);
            assert_eq!(may_bounce(&mut delivery), !enforces);
        }
    }
}
