//! One test per requirement, named by its row.

use std::sync::Arc;

use mta_sts::{
    Failure, Mode, NoPolicy, Policy,
    ResultType::{
        CertificateExpired, CertificateHostMismatch, CertificateNotTrusted, DaneRequired,
        DnssecInvalid, StarttlsNotSupported, StsPolicyFetchError, StsPolicyInvalid,
        StsWebpkiInvalid, TlsaInvalid, ValidationFailure,
    },
    delivery::{
        CertificateChecks, Delivery, HostFailure, HostFailureReason, MinTlsLevel, Misconfiguration,
        Mx, PermanentFailure, Recheck, RequiredBy, Route, SendDecision, SessionOutcome, SmtpReply,
        Step, TlsLevel, TlsaStatus,
    },
};

use super::{
    advise, attempt, deferred, deliver, dns_failed, domain, enforce, enforcing, failure, invalid,
    only_address, policy, rechecking, refused_for_now, reports, session, to, valid,
};

#[test]
fn s1_1_01_the_policy_domain_is_the_next_hop() {
    let route = to(&["mx1.example.net"]);
    assert_eq!(route.policy_domain(), Some(&domain("example.org")));
    let delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
    assert_eq!(delivery.policy_domain(), Some(&domain("example.org")));
    assert_eq!(delivery.policy(), Ok(&enforce()));
}

#[test]
fn s2_01_a_met_policy_does_not_override_failing_dane() {
    for mode in [Mode::Enforce, Mode::Testing, Mode::None] {
        let policy = policy(mode, &["*.example.net"]);
        let mut delivery = Delivery::new(
            to(&["mx1.example.net", "mx2.example.net"]),
            Ok(policy),
            MinTlsLevel::Opportunistic,
        );
        let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
        assert_eq!(attempt.requirement().tls(), TlsLevel::Dane);
        let mismatch =
            CertificateChecks::new().with_pkix(Ok(())).with_dane(Err(failure(ValidationFailure)));
        let outcome = SessionOutcome::Encrypted(mismatch);
        let refusal = session(&mut delivery, attempt, outcome).unwrap_err();
        assert_eq!(
            *refusal.reason(),
            HostFailureReason::CertificateInvalid(RequiredBy::Dane, failure(ValidationFailure)),
        );
        let refusal = advise(&mut delivery, "mx2.example.net", TlsaStatus::Bogus).unwrap_err();
        assert_eq!(*refusal.reason(), HostFailureReason::DaneFailed);
    }
}

#[test]
fn s3_3_12_without_a_policy_mail_goes_as_if_there_were_no_mta_sts() {
    let fetch = failure(StsPolicyFetchError);
    for why in [NoPolicy::NoRecord, NoPolicy::FetchFailed(fetch.into()), dns_failed()] {
        for outcome in [SessionOutcome::ClearText, invalid(CertificateExpired), valid()] {
            let route = to(&["mx1.example.com"]);
            let mut delivery = Delivery::new(route, Err(why.clone()), MinTlsLevel::Opportunistic);
            assert_eq!(delivery.policy(), Err(&why));
            deliver(&mut delivery, "mx1.example.com", outcome);
        }
    }
}

#[test]
fn s3_4_01_the_policy_domain_of_a_smart_host_is_the_smart_host() {
    let mx = [Mx::new(10, "out1.relay.example"), Mx::new(20, "out2.relay.example")];
    let route = Route::for_smart_host(domain("relay.example"), mx);
    assert_eq!(route.policy_domain(), Some(&domain("relay.example")));
    let policy = policy(Mode::Enforce, &["out2.relay.example"]);
    let mut delivery = Delivery::new(route, Ok(policy), MinTlsLevel::Opportunistic);
    assert!(attempt(&mut delivery, "out1.relay.example", valid()).is_err());
    deliver(&mut delivery, "out2.relay.example", valid());
    assert_eq!(delivery.poll_report().unwrap().policy_domain(), &domain("relay.example"));
}

#[test]
fn s3_4_01_a_smart_host_without_mx_is_matched_itself() {
    let route = Route::for_smart_host(domain("relay.example"), []);
    let mut delivery = Delivery::new(
        route,
        Ok(policy(Mode::Enforce, &["relay.example"])),
        MinTlsLevel::Opportunistic,
    );
    deliver(&mut delivery, "relay.example", valid());
}

fn through_smart_host(mx: &[Mx], policy: Result<Arc<Policy>, NoPolicy>) -> Delivery {
    let route = Route::for_smart_host(domain("relay.example"), mx.iter().cloned());
    Delivery::new(route, policy, MinTlsLevel::Opportunistic)
}

/// What the operator has configured wrongly is no reason to return every message to its sender.
#[test]
fn s3_4_01_a_smart_host_that_leads_nowhere_defers_mail() {
    let own = Mx::new(10, "out1.relay.example").with_is_self(true);
    let behind = Mx::new(20, "out2.relay.example");
    let testing = policy(Mode::Testing, &["*.relay.example"]);
    for (mx, why, hosts) in [
        (vec![Mx::new(0, ".")], Misconfiguration::NullMx, vec!["relay.example"]),
        (vec![Mx::new(0, ""), Mx::new(5, ".")], Misconfiguration::NullMx, vec!["relay.example"]),
        (vec![own.clone()], Misconfiguration::OwnHost, vec!["out1.relay.example"]),
        (
            vec![own, behind],
            Misconfiguration::OwnHost,
            vec!["out1.relay.example", "out2.relay.example"],
        ),
    ] {
        for policy in [Ok(testing.clone()), Err(NoPolicy::NoRecord), Err(dns_failed())] {
            let mut delivery = through_smart_host(&mx, policy);
            for _ in 0..2 {
                let deferral = deferred(&mut delivery);
                let told: Vec<_> = deferral.host_failures().iter().map(HostFailure::host).collect();
                assert_eq!(told, hosts);
                let reasons = deferral.host_failures().iter().map(HostFailure::reason);
                assert!(
                    reasons
                        .into_iter()
                        .all(|reason| *reason == HostFailureReason::Misconfigured(why))
                );
                assert_eq!(deferral.status().to_string(), "4.3.5");
            }
            assert_eq!(reports(&mut delivery), []);
        }
    }
}

/// The hosts before the own one are tried, and then it is as without them.
#[test]
fn s3_4_01_a_smart_host_is_tried_up_to_the_own_host() {
    let mx =
        [Mx::new(10, "out1.relay.example"), Mx::new(20, "out2.relay.example").with_is_self(true)];
    let mut delivery = through_smart_host(&mx, Err(NoPolicy::NoRecord));
    attempt(&mut delivery, "out1.relay.example", SessionOutcome::Unreachable).unwrap_err();
    assert_eq!(deferred(&mut delivery).host_failures().len(), 2);
    let mut delivery = through_smart_host(&mx, Err(NoPolicy::NoRecord));
    deliver(&mut delivery, "out1.relay.example", valid());
}

#[test]
fn s3_4_02_address_literals_have_no_policy() {
    let route = Route::for_address_literal("[192.0.2.1]");
    assert_eq!(route.policy_domain(), None);
    // Whatever a caller takes for its policy.
    let mut delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
    assert_eq!(delivery.policy_domain(), None);
    let error = mta_sts::Domain::parse("[192.0.2.1]").unwrap_err();
    assert_eq!(delivery.policy(), Err(&NoPolicy::from(error)));
    deliver(&mut delivery, "[192.0.2.1]", SessionOutcome::ClearText);
    assert_eq!(reports(&mut delivery), []);
}

#[test]
fn s3_4_02_the_floor_holds_for_address_literals() {
    let route = Route::for_address_literal("[192.0.2.1]");
    let mut delivery = Delivery::new(route, Err(NoPolicy::NoRecord), MinTlsLevel::Encrypted);
    let refusal = attempt(&mut delivery, "[192.0.2.1]", SessionOutcome::ClearText).unwrap_err();
    assert_eq!(*refusal.reason(), HostFailureReason::NoStarttls(RequiredBy::Operator));
    assert!(deferred(&mut delivery).may_bounce());
}

/// Names of 245 to 253 bytes and labels with `_`: legal for mail, and too long or not fit for the names
/// that MTA-STS makes of them.
#[test]
fn s3_1_names_that_no_policy_can_exist_for_are_delivered_to() {
    let long = [245, 253].map(super::long_name);
    for name in ["a_b.example", "_x.EXAMPLE.org.", &long[0], &long[1]] {
        let shown = name.to_ascii_lowercase();
        let shown = shown.trim_end_matches('.');
        let new = |mx: &[Mx], floor| {
            let route = Route::for_mail_domain(name, mx.iter().cloned());
            assert_eq!(route.policy_domain(), None);
            Delivery::new(route, Ok(enforce()), floor)
        };
        let host = || Mx::new(10, "mx1.example.com");
        // No policy, no report, whatever a caller takes for one.
        for outcome in [SessionOutcome::ClearText, invalid(CertificateExpired), valid()] {
            let mut delivery = new(&[host()], MinTlsLevel::Opportunistic);
            assert!(matches!(delivery.policy(), Err(NoPolicy::NotADomain(_))));
            deliver(&mut delivery, "mx1.example.com", outcome);
            assert_eq!(reports(&mut delivery), []);
        }
        // The implicit MX, the floor, DANE, loops and null MX are as ever.
        let mut delivery = new(&[], MinTlsLevel::Opportunistic);
        deliver(&mut delivery, shown, valid());
        let mut delivery = new(&[host()], MinTlsLevel::Encrypted);
        attempt(&mut delivery, "mx1.example.com", SessionOutcome::ClearText).unwrap_err();
        let mut delivery = new(&[host()], MinTlsLevel::Opportunistic);
        let attempt = advise(&mut delivery, "mx1.example.com", TlsaStatus::Usable).unwrap();
        assert_eq!(attempt.requirement().tls(), TlsLevel::Dane);
        let mut delivery = new(&[host().with_is_self(true)], MinTlsLevel::Opportunistic);
        let Step::Undeliverable(why) = delivery.poll() else { panic!() };
        assert_eq!(why, PermanentFailure::OwnHost(shown.into()));
        let mut delivery = new(&[Mx::new(0, ".")], MinTlsLevel::Opportunistic);
        let Step::Undeliverable(why) = delivery.poll() else { panic!() };
        assert_eq!(why, PermanentFailure::NullMx(shown.into()));
    }
}

/// What has a policy keeps it, and an address literal is one.
#[test]
fn s3_4_02_any_mail_domain_gets_the_route_that_it_needs() {
    let mx = || [Mx::new(10, "mx1.example.com")];
    let route = Route::for_mail_domain("Example.ORG.", mx());
    assert_eq!(route.policy_domain(), Some(&domain("example.org")));
    let mut delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    let route = Route::for_mail_domain("[192.0.2.1]", mx());
    let mut delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
    deliver(&mut delivery, "[192.0.2.1]", SessionOutcome::ClearText);
    assert_eq!(reports(&mut delivery), []);
}

#[test]
fn s3_4_04_without_mx_the_domain_itself_is_the_candidate() {
    let route = || Route::for_recipient(domain("example.org"), []);
    let listed = policy(Mode::Enforce, &["example.org"]);
    let mut delivery = Delivery::new(route(), Ok(listed), MinTlsLevel::Opportunistic);
    deliver(&mut delivery, "example.org", valid());

    let mut delivery = Delivery::new(route(), Ok(enforce()), MinTlsLevel::Opportunistic);
    let refusal = attempt(&mut delivery, "example.org", valid()).unwrap_err();
    assert_eq!(*refusal.reason(), HostFailureReason::NotListed);
    rechecking(&mut delivery);
}

#[test]
fn s3_4_05_a_null_mx_is_the_end_if_no_policy_is_enforced_or_dnssec_proves_it() {
    for (root, is_secure, policy) in [
        (".", true, Ok(enforce())),
        ("", false, Ok(policy(Mode::Testing, &["*.example.net"]))),
        (".", false, Ok(policy(Mode::None, &[]))),
        (".", false, Err(NoPolicy::NoRecord)),
    ] {
        let route = Route::for_recipient(domain("example.org"), [Mx::new(0, root)]);
        let route = route.with_secure_mx(is_secure);
        let mut delivery = Delivery::new(route, policy.clone(), MinTlsLevel::Opportunistic);
        for _ in 0..2 {
            let Step::Undeliverable(why) = delivery.poll() else { panic!() };
            assert_eq!(why, PermanentFailure::NullMx("example.org".into()));
            // There is nothing to be rechecked.
            delivery.handle_recheck(Recheck::Current(Err(NoPolicy::NoRecord)));
        }
        assert_eq!(reports(&mut delivery), []);
    }
}

/// Who can forge MX records could otherwise have mail bounced that he cannot read.
#[test]
fn a_18_under_enforce_what_mx_records_say_of_the_domain_itself_is_deferred() {
    let own = |preference| Mx::new(preference, "mx1.example.net").with_is_self(true);
    for (mx, reason, status) in [
        (vec![Mx::new(0, ".")], HostFailureReason::NullMx, "4.1.10"),
        (vec![Mx::new(0, ""), Mx::new(1, ".")], HostFailureReason::NullMx, "4.1.10"),
        (vec![own(10)], HostFailureReason::OwnHost, "4.4.6"),
        (vec![own(10), Mx::new(20, "mx2.example.net")], HostFailureReason::OwnHost, "4.4.6"),
        // Not a host of the policy's.
        (
            vec![Mx::new(10, "mx1.example.com").with_is_self(true)],
            HostFailureReason::OwnHost,
            "4.4.6",
        ),
    ] {
        let route = Route::for_recipient(domain("example.org"), mx.clone());
        let mut delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
        assert!(!rechecking(&mut delivery).may_bounce());
        delivery.handle_recheck(Recheck::Unknown("timed out".into()));
        assert!(!deferred(&mut delivery).may_bounce());
        delivery.handle_recheck(Recheck::Current(Ok(enforce())));
        let deferral = deferred(&mut delivery);
        assert!(deferral.may_bounce());
        assert!(
            deferral
                .host_failures()
                .iter()
                .all(|failure| *failure.reason() == reason && failure.is_by_policy())
        );
        assert_eq!(deferral.status().to_string(), status);
        assert_eq!(reports(&mut delivery), []);
        // A domain that enforces nothing any more has the last word.
        delivery.handle_recheck(Recheck::Current(Err(NoPolicy::NoRecord)));
        let Step::PolicyChanged(policy) = delivery.poll() else { panic!() };
        let route = Route::for_recipient(domain("example.org"), mx);
        let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
        let Step::Undeliverable(why) = delivery.poll() else { panic!() };
        assert_eq!(why.status().to_string(), status.replacen('4', "5", 1));
    }
}

#[test]
fn a_18_an_own_host_behind_others_waits_for_the_recheck_too() {
    for is_secure in [false, true] {
        let mx =
            [Mx::new(10, "mx1.example.net"), Mx::new(20, "mx2.example.net").with_is_self(true)];
        let route = Route::for_recipient(domain("example.org"), mx).with_secure_mx(is_secure);
        let mut delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
        attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable).unwrap_err();
        if !is_secure {
            rechecking(&mut delivery);
            delivery.handle_recheck(Recheck::Current(Ok(enforce())));
        }
        assert!(deferred(&mut delivery).may_bounce());
    }
}

#[test]
fn s3_4_01_a_smart_host_under_enforce_defers_too() {
    let own = Mx::new(10, "out1.relay.example").with_is_self(true);
    let enforcing = || Ok(policy(Mode::Enforce, &["*.relay.example"]));
    for mx in [Mx::new(0, "."), own] {
        let mut delivery = through_smart_host(std::slice::from_ref(&mx), enforcing());
        rechecking(&mut delivery);
        delivery.handle_recheck(Recheck::Current(enforcing()));
        assert_eq!(deferred(&mut delivery).status().to_string(), "4.3.5");
        let route = Route::for_smart_host(domain("relay.example"), [mx]).with_secure_mx(true);
        let mut delivery = Delivery::new(route, enforcing(), MinTlsLevel::Opportunistic);
        assert_eq!(deferred(&mut delivery).status().to_string(), "4.3.5");
    }
}

#[test]
fn s3_4_05_the_root_among_hosts_is_left_out() {
    let mut delivery = enforcing(&[".", "mx1.example.net", "."]);
    deliver(&mut delivery, "mx1.example.net", valid());
}

#[test]
fn s4_01_both_conditions_hold_each_alone() {
    for (host, outcome, sent) in [
        ("mx1.example.net", valid(), true),
        ("mx1.example.com", valid(), false),
        ("mx1.example.net", SessionOutcome::ClearText, false),
        ("mx1.example.net", invalid(CertificateHostMismatch), false),
        ("mx1.example.com", SessionOutcome::ClearText, false),
    ] {
        let mut delivery = enforcing(&[host]);
        assert_eq!(attempt(&mut delivery, host, outcome).is_ok(), sent, "{host}");
    }
}

#[test]
fn s4_1_01_the_name_in_the_mx_record_is_matched() {
    let mut delivery = enforcing(&["MX1.Example.NET."]);
    deliver(&mut delivery, "mx1.example.net", valid());
}

#[test]
fn s4_2_02_the_certificate_is_to_name_the_mx_host() {
    let mut delivery = enforcing(&["mx1.example.net."]);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    assert_eq!((attempt.host(), attempt.requirement().tls()), ("mx1.example.net", TlsLevel::Pkix));
    assert!(attempt.requirement().is_pkix_fatal() && attempt.requirement().validates_pkix());
}

#[test]
fn s5_01_enforce_never_delivers_to_a_failing_host() {
    for (outcome, reason) in [
        (SessionOutcome::ClearText, HostFailureReason::NoStarttls(RequiredBy::Policy)),
        (
            SessionOutcome::HandshakeFailed(failure(ValidationFailure)),
            HostFailureReason::HandshakeFailed(RequiredBy::Policy, failure(ValidationFailure)),
        ),
        (
            invalid(CertificateExpired),
            HostFailureReason::CertificateInvalid(RequiredBy::Policy, failure(CertificateExpired)),
        ),
        (
            SessionOutcome::Encrypted(CertificateChecks::new()),
            HostFailureReason::CertificateUnchecked(RequiredBy::Policy),
        ),
        // Without usable TLSA records, DANE has nothing to say for a certificate.
        (
            SessionOutcome::Encrypted(CertificateChecks::new().with_dane(Ok(()))),
            HostFailureReason::CertificateUnchecked(RequiredBy::Policy),
        ),
    ] {
        let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net"]);
        let refusal = attempt(&mut delivery, "mx1.example.net", outcome).unwrap_err();
        assert_eq!(*refusal.reason(), reason);
        assert!(refusal.is_by_policy());
        deliver(&mut delivery, "mx2.example.net", valid());
    }
}

#[test]
fn s5_02_enforce_never_tries_the_same_host_in_clear_text() {
    let mut delivery = enforcing(&["mx1.example.net"]);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    assert!(!attempt.requirement().allows_clear_text());
    let failed = SessionOutcome::HandshakeFailed(failure(ValidationFailure));
    let verdict = only_address(&mut delivery, attempt, failed);
    assert!(matches!(verdict, SendDecision::Reject(_)), "{verdict:?}");
    rechecking(&mut delivery);
}

#[test]
fn s5_03_testing_delivers_as_though_there_were_no_failure_and_counts_it() {
    for (host, outcome, failed) in [
        ("mx1.example.net", SessionOutcome::ClearText, vec![StarttlsNotSupported]),
        ("mx1.example.net", invalid(CertificateExpired), vec![CertificateExpired]),
        ("mx1.example.com", valid(), vec![ValidationFailure]),
        (
            "mx1.example.com",
            invalid(CertificateExpired),
            vec![ValidationFailure, CertificateExpired],
        ),
        ("mx1.example.net", valid(), vec![]),
    ] {
        let testing = policy(Mode::Testing, &["*.example.net"]);
        let mut delivery = Delivery::new(to(&[host]), Ok(testing), MinTlsLevel::Opportunistic);
        deliver(&mut delivery, host, outcome);
        assert_eq!(reports(&mut delivery), [("sts", host.to_owned(), failed)]);
    }
}

#[test]
fn s5_03_testing_counts_a_failed_handshake_once() {
    let testing = policy(Mode::Testing, &["*.example.net"]);
    let mut delivery =
        Delivery::new(to(&["mx1.example.net"]), Ok(testing), MinTlsLevel::Opportunistic);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
    let failed = SessionOutcome::HandshakeFailed(failure(CertificateExpired));
    let SendDecision::RetryPlaintext(attempt) = only_address(&mut delivery, attempt, failed) else {
        panic!()
    };
    assert_eq!(attempt.requirement().tls(), TlsLevel::Never);
    let transaction = session(&mut delivery, attempt, SessionOutcome::ClearText).unwrap();
    assert!(!transaction.session().is_encrypted());
    delivery.handle_reply(transaction, SmtpReply::Accepted);
    let counted = ("sts", "mx1.example.net".to_owned(), vec![CertificateExpired]);
    assert_eq!(reports(&mut delivery), [counted]);
}

#[test]
fn s5_04_none_is_as_if_there_were_no_policy() {
    let none = policy(Mode::None, &["*.example.net"]);
    for outcome in [SessionOutcome::ClearText, invalid(CertificateExpired), valid()] {
        let route = to(&["mx1.example.com"]);
        let mut delivery = Delivery::new(route, Ok(none.clone()), MinTlsLevel::Opportunistic);
        assert_eq!(delivery.policy(), Err(&NoPolicy::ModeNone));
        let attempt = advise(&mut delivery, "mx1.example.com", TlsaStatus::Insecure).unwrap();
        assert!(!attempt.requirement().validates_pkix());
        let transaction = session(&mut delivery, attempt, outcome).unwrap();
        delivery.handle_reply(transaction, SmtpReply::Accepted);
        assert!(reports(&mut delivery).iter().all(|(_, _, failures)| failures.is_empty()));
    }
}

#[test]
fn s5_05_no_permanent_failure_before_a_recheck() {
    let mut delivery = enforcing(&["mx1.example.net"]);
    attempt(&mut delivery, "mx1.example.net", SessionOutcome::ClearText).unwrap_err();
    for _ in 0..3 {
        assert!(!rechecking(&mut delivery).may_bounce());
    }
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    assert!(deferred(&mut delivery).may_bounce());
}

#[test]
fn s5_05_a_new_policy_is_tried_at_once() {
    let changed = policy(Mode::Enforce, &["*.example.com"]);
    let none = policy(Mode::None, &[]);
    for current in [Ok(changed), Ok(none), Err(NoPolicy::NoRecord), Err(NoPolicy::ModeNone)] {
        let mut delivery = enforcing(&["mx1.example.com"]);
        attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
        rechecking(&mut delivery);
        delivery.handle_recheck(Recheck::Current(current.clone()));
        let Step::PolicyChanged(new) = delivery.poll() else { panic!("{current:?}") };
        assert_eq!(new, current);
        let mut delivery = Delivery::new(to(&["mx1.example.com"]), new, MinTlsLevel::Opportunistic);
        deliver(&mut delivery, "mx1.example.com", valid());
    }
}

#[test]
fn s5_05_what_could_not_be_rechecked_is_not_bounced() {
    for (answer, why) in [
        (Recheck::Unknown("timed out".into()), "timed out"),
        // Somebody wants it to look as if the policy were gone.
        (
            Recheck::Current(Err(dns_failed())),
            "the MTA-STS record could not be looked up: timed out",
        ),
    ] {
        let mut delivery = enforcing(&["mx1.example.com"]);
        attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
        rechecking(&mut delivery);
        delivery.handle_recheck(answer);
        let deferral = deferred(&mut delivery);
        assert_eq!((deferral.may_bounce(), deferral.unknown()), (false, Some(why)));
        // A later recheck may know.
        delivery.handle_recheck(Recheck::Current(Ok(enforce())));
        assert!(deferred(&mut delivery).may_bounce());
    }
}

/// "If a valid … policy" is not there any more, delivery goes on without (§3.3), whether or not it could
/// be found out what comes next; so it does if the cache has got another policy meanwhile.
#[test]
fn s3_3_12_a_policy_that_has_ended_or_was_replaced_is_a_changed_policy() {
    let ended = |mode, cause: NoPolicy| NoPolicy::Expired {
        mode,
        ended_at: time::macros::utc_datetime!(2026-01-01 0:00),
        cause: cause.into(),
    };
    let fetch = NoPolicy::FetchFailed(failure(StsPolicyFetchError).into());
    let replaced = policy(Mode::Enforce, &["*.example.com"]);
    for now in [
        Err(ended(Mode::Enforce, dns_failed())),
        Err(ended(Mode::Enforce, fetch)),
        Err(ended(Mode::Testing, NoPolicy::HeldBack)),
        Err(ended(Mode::Enforce, NoPolicy::Overloaded)),
        Err(NoPolicy::NoRecord),
        Err(NoPolicy::Disabled),
        Ok(replaced),
    ] {
        let unconfirmed = Recheck::Unconfirmed { answer: now.clone(), why: "timed out".into() };
        for answer in [Recheck::Current(now.clone()), unconfirmed] {
            let mut delivery = enforcing(&["mx1.example.com"]);
            attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
            rechecking(&mut delivery);
            delivery.handle_recheck(answer);
            let Step::PolicyChanged(new) = delivery.poll() else { panic!("{now:?}") };
            assert_eq!(new, now);
            let route = to(&["mx1.example.com"]);
            deliver(
                &mut Delivery::new(route, new, MinTlsLevel::Opportunistic),
                "mx1.example.com",
                valid(),
            );
        }
    }
}

#[test]
fn s5_05_an_answer_that_proves_nothing_leaves_the_old_policy() {
    let fetch = NoPolicy::FetchFailed(failure(StsPolicyFetchError).into());
    for answer in [
        Ok(enforce()),
        Err(dns_failed()),
        Err(fetch),
        Err(NoPolicy::HeldBack),
        Err(NoPolicy::Overloaded),
    ] {
        let mut delivery = enforcing(&["mx1.example.com"]);
        attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
        rechecking(&mut delivery);
        delivery.handle_recheck(Recheck::Unconfirmed { answer, why: "timed out".into() });
        let deferral = deferred(&mut delivery);
        assert_eq!((deferral.may_bounce(), deferral.unknown()), (false, Some("timed out")));
    }
}

#[test]
fn s5_05_a_recheck_before_the_end_of_the_walk_changes_nothing() {
    let mut delivery = enforcing(&["mx1.example.com", "mx2.example.com"]);
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    attempt(&mut delivery, "mx2.example.com", valid()).unwrap_err();
    rechecking(&mut delivery);
}

#[test]
fn s5_06_failures_are_transient() {
    let mut delivery = enforcing(&["mx1.example.com", "mx2.example.net"]);
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    attempt(&mut delivery, "mx2.example.net", invalid(CertificateExpired)).unwrap_err();
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    rechecking(&mut delivery);
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    let deferral = deferred(&mut delivery);
    let hosts: Vec<_> = deferral.host_failures().iter().map(HostFailure::host).collect();
    assert_eq!(hosts, ["mx1.example.com", "mx2.example.net"]);
    assert_eq!(deferral.host_failures(), delivery.host_failures());
}

#[test]
fn s5_1_01_hosts_are_tried_in_order_and_a_failing_one_leads_to_the_next() {
    let mut delivery = enforcing(&["mx3.example.net", "mx1.example.com", "mx2.example.net"]);
    attempt(&mut delivery, "mx3.example.net", SessionOutcome::ClearText).unwrap_err();
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    deliver(&mut delivery, "mx2.example.net", valid());
}

#[test]
fn s5_1_02_a_refusal_for_good_waits_for_the_recheck_if_the_policy_had_a_part() {
    let refused = |unlisted: &str| {
        let mut delivery = enforcing(&[unlisted, "mx2.example.net", "mx3.example.net"]);
        let first = attempt(&mut delivery, unlisted, SessionOutcome::Unreachable);
        assert!(first.is_err());
        let transaction = attempt(&mut delivery, "mx2.example.net", valid()).unwrap();
        delivery.handle_reply(transaction, SmtpReply::Permanent);
        delivery
    };
    // An ordinary matter of SMTP: no recheck, no other host.
    let mut delivery = refused("mx1.example.net");
    assert!(matches!(delivery.poll(), Step::Undeliverable(PermanentFailure::PermanentReply(_))));
    delivery.handle_recheck(Recheck::Unknown("timed out".into()));
    assert!(matches!(delivery.poll(), Step::Undeliverable(PermanentFailure::PermanentReply(_))));

    let mut delivery = refused("mx1.example.com");
    rechecking(&mut delivery);
    delivery.handle_recheck(Recheck::Unknown("timed out".into()));
    assert!(!deferred(&mut delivery).may_bounce());
    delivery.handle_recheck(Recheck::Current(Err(NoPolicy::NoRecord)));
    assert!(matches!(delivery.poll(), Step::PolicyChanged(Err(NoPolicy::NoRecord))));
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    let Step::Undeliverable(PermanentFailure::PermanentReply(refusal)) = delivery.poll() else {
        panic!()
    };
    assert_eq!(
        (refusal.host(), refusal.reason()),
        ("mx2.example.net", &HostFailureReason::PermanentReply)
    );
}

#[test]
fn s5_1_02_no_recheck_where_no_policy_had_a_part() {
    let testing = policy(Mode::Testing, &["*.example.net"]);
    let floor = MinTlsLevel::Authenticated;
    let mut delivery = Delivery::new(to(&["mx1.example.com"]), Ok(testing), floor);
    let refusal =
        attempt(&mut delivery, "mx1.example.com", invalid(CertificateExpired)).unwrap_err();
    assert!(!refusal.is_by_policy());
    assert!(deferred(&mut delivery).may_bounce());

    let mut delivery = enforcing(&["mx1.example.net"]);
    attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable).unwrap_err();
    assert!(deferred(&mut delivery).may_bounce());

    let mut delivery = enforcing(&["mx1.example.net"]);
    let transaction = attempt(&mut delivery, "mx1.example.net", valid()).unwrap();
    refused_for_now(&mut delivery, transaction);
    assert!(deferred(&mut delivery).may_bounce());
}

#[test]
fn s6_03_a_host_without_starttls_or_a_valid_certificate_is_reported() {
    for mode in [Mode::Testing, Mode::Enforce] {
        for (outcome, failed) in [
            (SessionOutcome::ClearText, StarttlsNotSupported),
            (invalid(CertificateHostMismatch), CertificateHostMismatch),
        ] {
            let policy = policy(mode, &["*.example.net"]);
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, Ok(policy.clone()), MinTlsLevel::Opportunistic);
            let _ = attempt(&mut delivery, "mx1.example.net", outcome);
            let report = delivery.poll_report().unwrap();
            assert_eq!(report.policy(), Some(&policy));
            assert_eq!(report.policy_domain(), &domain("example.org"));
            assert_eq!(report.failures()[0].result_type(), failed);
            assert_eq!(delivery.poll_report(), None);
        }
    }
}

#[test]
fn s6_04_an_unreachable_host_is_no_mta_sts_error() {
    for mode in [Mode::None, Mode::Testing, Mode::Enforce] {
        let policy = policy(mode, &["*.example.net"]);
        for dane in [TlsaStatus::Insecure, TlsaStatus::Usable, TlsaStatus::Unusable] {
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, Ok(policy.clone()), MinTlsLevel::Opportunistic);
            let attempt = advise(&mut delivery, "mx1.example.net", dane).unwrap();
            let refusal = session(&mut delivery, attempt, SessionOutcome::Unreachable).unwrap_err();
            assert_eq!(*refusal.reason(), HostFailureReason::Unreachable);
            assert_eq!(reports(&mut delivery), []);
            assert!(deferred(&mut delivery).may_bounce());
        }
    }
}

#[test]
fn s8_4_01_the_list_is_walked_unfiltered_up_to_the_own_host() {
    let mx = || {
        [
            Mx::new(10, "mx1.example.com"), // not listed
            Mx::new(20, "mx2.example.net").with_is_self(true),
            Mx::new(20, "mx3.example.net"), // as preferred as the own host
            Mx::new(15, "mx4.example.net"), // better, though late in the list
            Mx::new(30, "mx5.example.net"),
        ]
    };
    let route = || Route::for_recipient(domain("example.org"), mx());
    let mut delivery = Delivery::new(route(), Ok(enforce()), MinTlsLevel::Opportunistic);
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    attempt(&mut delivery, "mx4.example.net", SessionOutcome::Unreachable).unwrap_err();
    // Filtered first, the list would hold hosts behind the own one, and the message would loop.
    let deferral = rechecking(&mut delivery);
    let reasons: Vec<_> = deferral.host_failures().iter().map(|r| (r.host(), r.reason())).collect();
    assert_eq!(
        reasons,
        [
            ("mx1.example.com", &HostFailureReason::NotListed),
            ("mx2.example.net", &HostFailureReason::OwnHost),
            ("mx3.example.net", &HostFailureReason::OwnHost),
            ("mx4.example.net", &HostFailureReason::Unreachable),
            ("mx5.example.net", &HostFailureReason::OwnHost),
        ],
    );
}

#[test]
fn s8_4_01_if_no_host_is_better_than_the_own_one_mail_would_loop() {
    let mx = [Mx::new(10, "mx1.example.net").with_is_self(true), Mx::new(10, "mx2.example.net")];
    let route = Route::for_recipient(domain("example.org"), mx).with_secure_mx(true);
    let mut delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
    for _ in 0..2 {
        let Step::Undeliverable(why) = delivery.poll() else { panic!() };
        assert_eq!(why, PermanentFailure::OwnHost("example.org".into()));
    }
    assert_eq!(reports(&mut delivery), []);
}

#[test]
fn s8_4_01_the_best_of_several_own_hosts_counts() {
    let mx = [
        Mx::new(5, "mx1.example.net"),
        Mx::new(30, "mx2.example.net").with_is_self(true),
        Mx::new(10, "mx3.example.net").with_is_self(true),
        Mx::new(20, "mx4.example.net").with_is_self(false),
    ];
    let route = Route::for_recipient(domain("example.org"), mx).with_secure_mx(true);
    let mut delivery = Delivery::new(route, Ok(enforce()), MinTlsLevel::Opportunistic);
    attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable).unwrap_err();
    assert!(deferred(&mut delivery).may_bounce());
}

#[test]
fn d2_1_01_a_failed_tlsa_lookup_makes_the_host_unreachable() {
    for (dane, reason, counted) in [
        (TlsaStatus::Bogus, HostFailureReason::DaneFailed, vec![DnssecInvalid]),
        (TlsaStatus::Indeterminate, HostFailureReason::DaneUnknown, vec![]),
    ] {
        for policy in [Ok(enforce()), Err(NoPolicy::NoRecord)] {
            let route = to(&["mx1.example.net", "mx2.example.net"]);
            let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
            let refusal = advise(&mut delivery, "mx1.example.net", dane).unwrap_err();
            assert_eq!(*refusal.reason(), reason);
            assert!(!refusal.is_by_policy());
            let found: Vec<_> = reports(&mut delivery)
                .into_iter()
                .flat_map(|(policy_type, host, failures)| {
                    assert_eq!((policy_type, host.as_str()), ("tlsa", "mx1.example.net"));
                    failures
                })
                .collect();
            assert_eq!(found, counted);
            deliver(&mut delivery, "mx2.example.net", valid());
        }
    }
}

#[test]
fn d2_2_01_usable_records_demand_tls_that_they_authenticate() {
    let policies = [
        Ok(enforce()),
        Ok(policy(Mode::Testing, &["*.example.net"])),
        Ok(policy(Mode::None, &[])),
        Err(NoPolicy::NoRecord),
    ];
    for policy in policies {
        for (outcome, sent) in [
            (SessionOutcome::ClearText, false),
            (SessionOutcome::HandshakeFailed(failure(ValidationFailure)), false),
            (valid(), false),
            (SessionOutcome::Encrypted(CertificateChecks::new().with_dane(Ok(()))), true),
        ] {
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, policy.clone(), MinTlsLevel::Opportunistic);
            let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
            assert!(attempt.requirement().is_dane_fatal());
            assert!(!attempt.requirement().is_pkix_fatal());
            assert_eq!(session(&mut delivery, attempt, outcome).is_ok(), sent);
        }
    }
}

#[test]
fn d2_2_02_unusable_records_demand_tls_and_mta_sts_adds_its_own() {
    let testing = policy(Mode::Testing, &["*.example.net"]);
    for (policy, tls) in [
        (Ok(enforce()), TlsLevel::Pkix),
        (Ok(testing), TlsLevel::Encrypted),
        (Err(NoPolicy::NoRecord), TlsLevel::Encrypted),
    ] {
        let route = to(&["mx1.example.net"]);
        let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
        let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Unusable).unwrap();
        assert_eq!(attempt.requirement().tls(), tls);
        let refusal = session(&mut delivery, attempt, SessionOutcome::ClearText).unwrap_err();
        let by = if tls == TlsLevel::Pkix { RequiredBy::Policy } else { RequiredBy::Dane };
        assert_eq!(*refusal.reason(), HostFailureReason::NoStarttls(by));
        let (policy_type, _, failures) = reports(&mut delivery).remove(0);
        assert_eq!((policy_type, failures), ("tlsa", vec![TlsaInvalid, StarttlsNotSupported]));
    }
}

#[test]
fn d2_2_03_without_secure_records_mta_sts_stands_alone() {
    let testing = policy(Mode::Testing, &["*.example.net"]);
    for (policy, tls) in [
        (Ok(enforce()), TlsLevel::Pkix),
        (Ok(testing), TlsLevel::Opportunistic),
        (Err(NoPolicy::NoRecord), TlsLevel::Opportunistic),
    ] {
        let mut delivery =
            Delivery::new(to(&["mx1.example.net"]), policy, MinTlsLevel::Opportunistic);
        let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Insecure).unwrap();
        assert_eq!(attempt.requirement().tls(), tls);
    }
}

#[test]
fn d2_2_04_tlsa_records_never_change_the_order() {
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net", "mx3.example.net"]);
    for (host, dane) in [
        ("mx1.example.net", TlsaStatus::Insecure),
        ("mx2.example.net", TlsaStatus::Unusable),
        ("mx3.example.net", TlsaStatus::Usable),
    ] {
        let attempt = advise(&mut delivery, host, dane).unwrap();
        session(&mut delivery, attempt, SessionOutcome::Unreachable).unwrap_err();
    }
}

#[test]
fn d6_01_mandatory_dane_skips_hosts_without_usable_records() {
    for (dane, counted) in
        [(TlsaStatus::Insecure, DaneRequired), (TlsaStatus::Unusable, TlsaInvalid)]
    {
        let mut delivery =
            Delivery::new(to(&["mx1.example.net"]), Ok(enforce()), MinTlsLevel::Dane);
        let refusal = advise(&mut delivery, "mx1.example.net", dane).unwrap_err();
        assert_eq!(*refusal.reason(), HostFailureReason::DaneRequired);
        let counted = ("tlsa", "mx1.example.net".to_owned(), vec![counted]);
        assert_eq!(reports(&mut delivery), [counted]);
        assert!(deferred(&mut delivery).may_bounce());
    }
    let mut delivery = Delivery::new(to(&["mx1.example.net"]), Ok(enforce()), MinTlsLevel::Dane);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
    assert_eq!(attempt.requirement().tls(), TlsLevel::Dane);
}

#[test]
fn a_17_usable_dane_decides_the_certificate_and_both_are_reported() {
    let mut delivery = enforcing(&["mx1.example.com", "mx1.example.net"]);
    // The name is still for the policy to judge.
    let refusal = advise(&mut delivery, "mx1.example.com", TlsaStatus::Usable).unwrap_err();
    assert_eq!(*refusal.reason(), HostFailureReason::NotListed);
    let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
    assert!(attempt.requirement().validates_pkix() && !attempt.requirement().is_pkix_fatal());
    let checks =
        CertificateChecks::new().with_dane(Ok(())).with_pkix(Err(failure(CertificateExpired)));
    let sent = session(&mut delivery, attempt, SessionOutcome::Encrypted(checks));
    assert!(sent.is_ok());
    assert_eq!(
        reports(&mut delivery),
        [
            ("sts", "mx1.example.com".to_owned(), vec![ValidationFailure]),
            ("tlsa", "mx1.example.net".to_owned(), vec![]),
            ("sts", "mx1.example.net".to_owned(), vec![CertificateExpired]),
        ],
    );
}

/// The letter of §5, for operators who want it.
#[test]
fn a_17_an_operator_may_demand_pkix_beside_usable_dane() {
    let good = || Ok(());
    let bad = |result_type| Err(failure(result_type));
    let by_policy =
        HostFailureReason::CertificateInvalid(RequiredBy::Policy, failure(CertificateExpired));
    let by_dane =
        HostFailureReason::CertificateInvalid(RequiredBy::Dane, failure(ValidationFailure));
    for (checks, by_default, with_both) in [
        (CertificateChecks::new().with_dane(good()).with_pkix(good()), None, None),
        (
            CertificateChecks::new().with_dane(good()).with_pkix(bad(CertificateExpired)),
            None,
            Some(by_policy),
        ),
        (
            CertificateChecks::new().with_dane(good()),
            None,
            Some(HostFailureReason::CertificateUnchecked(RequiredBy::Policy)),
        ),
        (
            CertificateChecks::new().with_dane(bad(ValidationFailure)).with_pkix(good()),
            Some(by_dane.clone()),
            Some(by_dane.clone()),
        ),
        (
            CertificateChecks::new()
                .with_dane(bad(ValidationFailure))
                .with_pkix(bad(CertificateExpired)),
            Some(by_dane.clone()),
            Some(by_dane),
        ),
        (
            CertificateChecks::new().with_pkix(good()),
            Some(HostFailureReason::CertificateUnchecked(RequiredBy::Dane)),
            Some(HostFailureReason::CertificateUnchecked(RequiredBy::Dane)),
        ),
    ] {
        for (demands_both, expected) in [(false, &by_default), (true, &with_both)] {
            let mut delivery = enforcing(&["mx1.example.net"]).with_pkix_beside_dane(demands_both);
            let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
            let requirement = attempt.requirement();
            assert!(requirement.is_dane_fatal() && !requirement.allows_clear_text());
            assert_eq!(requirement.is_pkix_fatal(), demands_both);
            let outcome = SessionOutcome::Encrypted(checks.clone());
            let refusal = session(&mut delivery, attempt, outcome).err();
            assert_eq!(refusal.as_ref().map(HostFailure::reason), expected.as_ref());
        }
    }
    // Only `enforce` has it, and only where DANE would decide alone.
    for (mode, dane, tls) in [
        (Mode::Testing, TlsaStatus::Usable, TlsLevel::Dane),
        (Mode::Enforce, TlsaStatus::Unusable, TlsLevel::Pkix),
        (Mode::Enforce, TlsaStatus::Insecure, TlsLevel::Pkix),
    ] {
        let policy = Ok(policy(mode, &["*.example.net"]));
        let route = to(&["mx1.example.net"]);
        let delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
        let mut delivery = delivery.with_pkix_beside_dane(true);
        let attempt = advise(&mut delivery, "mx1.example.net", dane).unwrap();
        assert_eq!(attempt.requirement().tls(), tls);
    }
}

/// As the documentation of `Route::to_recipient` has it.
#[test]
fn s8_4_01_the_implicit_mx_may_be_the_own_host() {
    let domain = domain("example.org");
    let implicit = Mx::new(0, domain.as_str()).with_is_self(true);
    let route = Route::for_recipient(domain, [implicit]);
    let mut delivery = Delivery::new(route, Err(NoPolicy::NoRecord), MinTlsLevel::Opportunistic);
    let Step::Undeliverable(why) = delivery.poll() else { panic!() };
    assert_eq!(why, PermanentFailure::OwnHost("example.org".into()));
}

#[test]
fn a_18_a_host_that_is_not_listed_is_deferred_not_bounced() {
    let mut delivery = enforcing(&["mx1.example.com"]);
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    rechecking(&mut delivery);
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    deferred(&mut delivery);
}

/// The trap: a testing policy that lowers what the operator demands.
#[test]
fn a_policy_never_lowers_the_floor() {
    let policies = [
        Ok(policy(Mode::Testing, &["*.example.net"])),
        Ok(policy(Mode::None, &[])),
        Err(NoPolicy::NoRecord),
        Err(dns_failed()),
    ];
    for policy in policies {
        for (floor, outcome, reason) in [
            (
                MinTlsLevel::Encrypted,
                SessionOutcome::ClearText,
                HostFailureReason::NoStarttls(RequiredBy::Operator),
            ),
            (
                MinTlsLevel::Authenticated,
                invalid(CertificateExpired),
                HostFailureReason::CertificateInvalid(
                    RequiredBy::Operator,
                    failure(CertificateExpired),
                ),
            ),
            (
                MinTlsLevel::Authenticated,
                SessionOutcome::HandshakeFailed(failure(ValidationFailure)),
                HostFailureReason::HandshakeFailed(
                    RequiredBy::Operator,
                    failure(ValidationFailure),
                ),
            ),
        ] {
            let mut delivery = Delivery::new(to(&["mx1.example.net"]), policy.clone(), floor);
            let refusal = attempt(&mut delivery, "mx1.example.net", outcome).unwrap_err();
            assert_eq!(*refusal.reason(), reason);
        }
    }
}

#[test]
fn r4_3_01_a_validation_failure_comes_with_a_reason_code() {
    let mut delivery = enforcing(&["mx1.example.com"]);
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    assert_eq!(
        delivery.poll_report().unwrap().failures(),
        [Failure::new(
            ValidationFailure,
            "sts-mx-mismatch",
            "mx1.example.com",
            "the MTA-STS policy does not list the host",
        )],
    );
}

/// RFC 8460 §4.3.2.2: what kept a policy from being had is a failure of type `sts` of each session, and
/// no such session is a policy-compliant one (§4.2.1).
#[test]
fn r4_3_2_2_a_failed_discovery_fails_the_sessions_that_go_without() {
    let ended = |cause: NoPolicy| NoPolicy::Expired {
        mode: Mode::Enforce,
        ended_at: time::macros::utc_datetime!(2026-01-01 0:00),
        cause: cause.into(),
    };
    let mx = || "mx1.example.net".to_owned();
    for found in [StsPolicyFetchError, StsPolicyInvalid, StsWebpkiInvalid] {
        let failed = || NoPolicy::FetchFailed(failure(found).into());
        for why in [failed(), ended(failed()), ended(ended(failed()))] {
            for (outcome, expected) in [
                (valid(), vec![found]),
                (invalid(CertificateExpired), vec![found]),
                (SessionOutcome::ClearText, vec![found, StarttlsNotSupported]),
                (
                    SessionOutcome::HandshakeFailed(failure(CertificateNotTrusted)),
                    vec![found, CertificateNotTrusted],
                ),
            ] {
                let policy = || Err(why.clone());
                let mut delivery =
                    Delivery::new(to(&["mx1.example.net"]), policy(), MinTlsLevel::Encrypted);
                let _ = attempt(&mut delivery, "mx1.example.net", outcome);
                assert_eq!(reports(&mut delivery), [("sts", mx(), expected)], "{why}");
            }
            // Without a session there is nothing to count.
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, Err(why.clone()), MinTlsLevel::Opportunistic);
            let _ = attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable);
            assert_eq!(reports(&mut delivery), []);
            // Beside TLSA records it counts under both.
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, Err(why.clone()), MinTlsLevel::Opportunistic);
            let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
            let checks = CertificateChecks::new().with_dane(Ok(()));
            assert!(session(&mut delivery, attempt, SessionOutcome::Encrypted(checks)).is_ok());
            let expected = [("tlsa", mx(), vec![]), ("sts", mx(), vec![found])];
            assert_eq!(reports(&mut delivery), expected);
        }
    }
    let invalid = NoPolicy::InvalidRecord("it has no id".into());
    for why in [NoPolicy::NoRecord, invalid, dns_failed(), ended(dns_failed())] {
        let mut delivery =
            Delivery::new(to(&["mx1.example.net"]), Err(why), MinTlsLevel::Opportunistic);
        let _ = attempt(&mut delivery, "mx1.example.net", valid());
        assert_eq!(reports(&mut delivery), [("no-policy-found", mx(), vec![])]);
    }
}

/// RFC 8460 §4.4: `no-policy-found` says that somebody has looked.
#[test]
fn r4_4_what_nobody_has_looked_for_is_not_reported() {
    let ended = |cause: NoPolicy| NoPolicy::Expired {
        mode: Mode::Enforce,
        ended_at: time::macros::utc_datetime!(2026-01-01 0:00),
        cause: cause.into(),
    };
    for why in [
        NoPolicy::Disabled,
        NoPolicy::Overloaded,
        NoPolicy::HeldBack,
        ended(NoPolicy::Overloaded),
        ended(ended(NoPolicy::HeldBack)),
        NoPolicy::ModeNone,
    ] {
        for outcome in [
            valid(),
            invalid(CertificateExpired),
            SessionOutcome::ClearText,
            SessionOutcome::HandshakeFailed(failure(ValidationFailure)),
        ] {
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, Err(why.clone()), MinTlsLevel::Encrypted);
            let _ = attempt(&mut delivery, "mx1.example.net", outcome);
            assert_eq!(reports(&mut delivery), [], "{why}");
        }
        // TLSA records were looked for all the same.
        let route = to(&["mx1.example.net"]);
        let mut delivery = Delivery::new(route, Err(why.clone()), MinTlsLevel::Opportunistic);
        let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
        let checks = CertificateChecks::new().with_dane(Ok(()));
        assert!(session(&mut delivery, attempt, SessionOutcome::Encrypted(checks)).is_ok());
        let counted = ("tlsa", "mx1.example.net".to_owned(), vec![]);
        assert_eq!(reports(&mut delivery), [counted]);
    }
}

#[test]
fn r4_4_a_policy_of_the_operators_is_not_reported_as_the_domains() {
    for mode in [Mode::Testing, Mode::Enforce] {
        for (host, outcome) in [
            ("mx1.example.net", valid()),
            ("mx1.example.net", invalid(CertificateExpired)),
            ("mx1.example.net", SessionOutcome::ClearText),
            ("mx1.example.net", SessionOutcome::HandshakeFailed(failure(ValidationFailure))),
            ("mx1.example.com", valid()),
        ] {
            for (is_operators, count) in [(true, 0), (false, 1)] {
                let pinned = policy(mode, &["*.example.net"]);
                let mut delivery =
                    Delivery::new(to(&[host]), Ok(pinned.clone()), MinTlsLevel::Encrypted)
                        .with_operators_policy(is_operators);
                assert_eq!(delivery.policy(), Ok(&pinned));
                // It decides all the same.
                let is_sent = attempt(&mut delivery, host, outcome.clone()).is_ok();
                let is_fit = host == "mx1.example.net" && outcome == valid();
                let is_lax =
                    mode == Mode::Testing && matches!(outcome, SessionOutcome::Encrypted(_));
                assert_eq!(is_sent, is_fit || is_lax);
                assert_eq!(reports(&mut delivery).len(), count);
            }
        }
    }
}

/// RFC 8460 §4.3: a failure of PKIX belongs to `sts`, one of DANE to `tlsa`, any other to both; told in
/// the handshake or after it.
#[test]
fn r4_3_what_has_ended_the_handshake_counts_where_it_belongs() {
    let pkix = || CertificateChecks::new().with_pkix(Err(failure(CertificateExpired)));
    let dane = || CertificateChecks::new().with_dane(Err(failure(ValidationFailure)));
    let both = || pkix().with_dane(Err(failure(ValidationFailure)));
    let mx = || "mx1.example.net".to_owned();
    let by_policy =
        HostFailureReason::CertificateInvalid(RequiredBy::Policy, failure(CertificateExpired));
    let by_dane =
        HostFailureReason::CertificateInvalid(RequiredBy::Dane, failure(ValidationFailure));
    let expired = || ("sts", mx(), vec![CertificateExpired]);
    for (records, checks, reason, counted) in [
        (TlsaStatus::Insecure, pkix(), &by_policy, vec![expired()]),
        (
            TlsaStatus::Unusable,
            pkix(),
            &by_policy,
            vec![("tlsa", mx(), vec![TlsaInvalid]), expired()],
        ),
        (TlsaStatus::Usable, dane(), &by_dane, vec![("tlsa", mx(), vec![ValidationFailure])]),
        (
            TlsaStatus::Usable,
            both(),
            &by_dane,
            vec![("tlsa", mx(), vec![ValidationFailure]), expired()],
        ),
    ] {
        for outcome in
            [SessionOutcome::CertificateRejected(checks.clone()), SessionOutcome::Encrypted(checks)]
        {
            let mut delivery = enforcing(&["mx1.example.net"]);
            let attempt = advise(&mut delivery, "mx1.example.net", records).unwrap();
            let refusal = session(&mut delivery, attempt, outcome).unwrap_err();
            assert_eq!(refusal.reason(), reason);
            assert_eq!(reports(&mut delivery), counted);
            // A newer policy changes nothing about the TLSA records.
            assert_eq!(refusal.is_by_policy(), *reason == by_policy);
        }
    }
    // Neither check: both policies demand TLS.
    for outcome in [
        SessionOutcome::HandshakeFailed(failure(ValidationFailure)),
        SessionOutcome::CertificateRejected(CertificateChecks::new()),
        SessionOutcome::CertificateRejected(CertificateChecks::new().with_pkix(Ok(()))),
    ] {
        let mut delivery = enforcing(&["mx1.example.net"]);
        let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
        session(&mut delivery, attempt, outcome).unwrap_err();
        let failed = || vec![ValidationFailure];
        assert_eq!(reports(&mut delivery), [("tlsa", mx(), failed()), ("sts", mx(), failed())]);
    }
}
