//! What operators and senders read, word by word.

use mta_sts::{
    Mode, NoPolicy,
    ResultType::{
        CertificateExpired, CertificateHostMismatch, CertificateNotTrusted, TlsaInvalid,
        ValidationFailure,
    },
    delivery::{
        CertificateChecks, ConnectDecision, Delivery, HostFailure, MinTlsLevel, Mx, PolicyType,
        Recheck, Route, SendDecision, SessionOutcome, SmtpReply, Step, TlsaStatus,
    },
};

use super::{
    advise, attempt, deferred, domain, enforce, enforcing, failure, invalid, long_name, policy,
    rechecking, refused_for_now, session, to, valid,
};

/// The refusal of the only host of `example.org`.
fn refusal(
    host: &str,
    policy: Option<Mode>,
    floor: MinTlsLevel,
    dane: TlsaStatus,
    outcome: SessionOutcome,
) -> HostFailure {
    let policy =
        policy.map(|mode| self::policy(mode, &["*.example.net"])).ok_or(NoPolicy::NoRecord);
    let mut delivery = Delivery::new(to(&[host]), policy, floor);
    match advise(&mut delivery, host, dane) {
        Ok(attempt) => session(&mut delivery, attempt, outcome).unwrap_err(),
        Err(refusal) => refusal,
    }
}

#[track_caller]
fn check(refusal: &HostFailure, expected: &str) {
    assert_eq!(refusal.to_string(), expected);
}

fn handshake() -> SessionOutcome {
    SessionOutcome::HandshakeFailed(failure(ValidationFailure))
}

#[test]
fn of_the_policy() {
    let under_enforce = |host, outcome| {
        let mode = Some(Mode::Enforce);
        refusal(host, mode, MinTlsLevel::Opportunistic, TlsaStatus::Insecure, outcome)
    };
    let of = |outcome| under_enforce("mx1.example.net", outcome);
    check(
        &under_enforce("mx1.example.com", valid()),
        "mx1.example.com is not listed in the MTA-STS policy of example.org",
    );
    check(
        &of(SessionOutcome::ClearText),
        "mx1.example.net does not offer STARTTLS, which the MTA-STS policy of example.org demands",
    );
    check(
        &of(handshake()),
        "the TLS handshake with mx1.example.net failed, and the MTA-STS policy of example.org \
         demands TLS",
    );
    for (result_type, what) in [
        (CertificateExpired, "has expired"),
        (CertificateHostMismatch, "is for another name"),
        (CertificateNotTrusted, "is not trusted"),
        (ValidationFailure, "could not be validated"),
    ] {
        let refusal = of(invalid(result_type));
        assert_eq!(refusal.failure(), Some(&failure(result_type)));
        check(
            &refusal,
            &format!(
                "the certificate of mx1.example.net {what}, and the MTA-STS policy of example.org \
                 demands a valid one"
            ),
        );
    }
    check(
        &of(SessionOutcome::Encrypted(CertificateChecks::new())),
        "the certificate of mx1.example.net was not checked, and the MTA-STS policy of \
         example.org demands a valid one",
    );
    check(&of(SessionOutcome::Unreachable), "mx1.example.net could not be reached");
}

#[test]
fn of_the_operator() {
    let of =
        |floor, outcome| refusal("mx1.example.net", None, floor, TlsaStatus::Insecure, outcome);
    check(
        &of(MinTlsLevel::Encrypted, SessionOutcome::ClearText),
        "mx1.example.net does not offer STARTTLS, which this mail server demands",
    );
    check(
        &of(MinTlsLevel::Encrypted, handshake()),
        "the TLS handshake with mx1.example.net failed, and this mail server demands TLS",
    );
    check(
        &of(MinTlsLevel::Authenticated, invalid(CertificateExpired)),
        "the certificate of mx1.example.net has expired, and this mail \
         server demands a valid one",
    );
    check(
        &of(MinTlsLevel::Dane, valid()),
        "mx1.example.net has no usable TLSA records, which this mail server demands",
    );
}

#[test]
fn of_dane() {
    let of = |dane, outcome| {
        refusal("mx1.example.net", Some(Mode::Testing), MinTlsLevel::Opportunistic, dane, outcome)
    };
    check(
        &of(TlsaStatus::Bogus, valid()),
        "the TLSA records of mx1.example.net fail DNSSEC validation",
    );
    check(
        &of(TlsaStatus::Indeterminate, valid()),
        "the TLSA records of mx1.example.net could not be looked up",
    );
    check(
        &of(TlsaStatus::Usable, SessionOutcome::ClearText),
        "mx1.example.net does not offer STARTTLS, which its TLSA records demand",
    );
    check(
        &of(TlsaStatus::Unusable, handshake()),
        "the TLS handshake with mx1.example.net failed, and its TLSA records demand TLS",
    );
    let mismatch = CertificateChecks::new().with_dane(Err(failure(ValidationFailure)));
    check(
        &of(TlsaStatus::Usable, SessionOutcome::Encrypted(mismatch)),
        "the certificate of mx1.example.net does not match its TLSA records",
    );
    check(
        &of(TlsaStatus::Usable, valid()),
        "the certificate of mx1.example.net was not checked, and its TLSA records demand a valid one",
    );
}

#[test]
fn of_smtp() {
    let mut delivery = enforcing(&["mx1.example.net", "mx2.example.net", "mx3.example.net"]);
    let transaction = attempt(&mut delivery, "mx1.example.net", valid()).unwrap();
    refused_for_now(&mut delivery, transaction);
    drop(delivery.poll());
    let transaction = attempt(&mut delivery, "mx3.example.net", valid()).unwrap();
    delivery.handle_reply(transaction, SmtpReply::Permanent);
    let sentences: Vec<_> = delivery.host_failures().iter().map(HostFailure::to_string).collect();
    assert_eq!(
        sentences,
        [
            "mx1.example.net refused the message for now",
            "the attempt at mx2.example.net was given up",
            "mx3.example.net refused the message",
        ],
    );
    // What was given up may have failed by the policy.
    rechecking(&mut delivery);
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    let Step::Undeliverable(why) = delivery.poll() else { panic!() };
    assert_eq!(why.to_string(), "mx3.example.net refused the message");
}

/// One reason for each fact, with its enhanced status code.
#[test]
fn of_what_came_before_tls() {
    for (outcome, sentence, status) in [
        (SessionOutcome::Unreachable, "mx1.example.net could not be reached", "4.4.1"),
        (SessionOutcome::GreetingRefused, "mx1.example.net refused the connection", "4.3.2"),
        (SessionOutcome::ConnectionLost, "the connection to mx1.example.net was lost", "4.4.2"),
        (
            SessionOutcome::StarttlsRefused { is_temporary: true },
            "mx1.example.net refused STARTTLS for now, which the MTA-STS policy of example.org demands",
            "4.7.4",
        ),
        (
            SessionOutcome::StarttlsRefused { is_temporary: false },
            "mx1.example.net refused STARTTLS, which the MTA-STS policy of example.org demands",
            "4.7.4",
        ),
        (
            SessionOutcome::ClearText,
            "mx1.example.net does not offer STARTTLS, which the MTA-STS policy of example.org demands",
            "4.7.4",
        ),
    ] {
        let mode = Some(Mode::Enforce);
        let refusal = refusal(
            "mx1.example.net",
            mode,
            MinTlsLevel::Opportunistic,
            TlsaStatus::Insecure,
            outcome,
        );
        check(&refusal, sentence);
        assert_eq!(refusal.status().to_string(), status);
    }
    let mut delivery = enforcing(&["mx1.example.net"]);
    let transaction = attempt(&mut delivery, "mx1.example.net", valid()).unwrap();
    let attempt = delivery.handle_reply(transaction, SmtpReply::ConnectionLost).unwrap();
    let SendDecision::Reject(refusal) = delivery.handle_no_address(attempt) else { panic!() };
    check(&refusal, "the connection to mx1.example.net was lost");
    assert_eq!(deferred(&mut delivery).status().to_string(), "4.4.2");
}

#[test]
fn have_status_codes() {
    let of = |host, policy, floor, dane, outcome| {
        refusal(host, policy, floor, dane, outcome).status().to_string()
    };
    let (lax, enforce) = (MinTlsLevel::Opportunistic, Some(Mode::Enforce));
    let (mx1, secure) = ("mx1.example.net", TlsaStatus::Usable);
    assert_eq!(of("mx1.example.com", enforce, lax, TlsaStatus::Insecure, valid()), "4.7.0");
    assert_eq!(of(mx1, enforce, lax, TlsaStatus::Insecure, handshake()), "4.7.5");
    assert_eq!(of(mx1, enforce, lax, TlsaStatus::Insecure, invalid(CertificateExpired)), "4.7.5");
    assert_eq!(of(mx1, None, lax, secure, valid()), "4.7.5");
    assert_eq!(of(mx1, None, lax, TlsaStatus::Bogus, valid()), "4.7.5");
    assert_eq!(of(mx1, None, lax, TlsaStatus::Indeterminate, valid()), "4.4.3");
    assert_eq!(of(mx1, None, MinTlsLevel::Dane, TlsaStatus::Insecure, valid()), "4.7.4");

    // What the policy has ruled out comes first.
    let mut delivery = enforcing(&["mx1.example.com", mx1]);
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    attempt(&mut delivery, mx1, SessionOutcome::Unreachable).unwrap_err();
    assert_eq!(rechecking(&mut delivery).status().to_string(), "4.7.0");

    let mut delivery = enforcing(&[mx1]);
    let transaction = attempt(&mut delivery, mx1, valid()).unwrap();
    assert!(delivery.handle_reply(transaction, SmtpReply::Permanent).is_none());
    let Step::Undeliverable(why) = delivery.poll() else { panic!() };
    let status = why.status();
    assert_eq!((status.class(), status.subject(), status.detail()), (5, 0, 0));
    assert_eq!(delivery.host_failures()[0].status(), status);
}

#[test]
fn of_the_whole_walk() {
    let mut delivery = enforcing(&["mx1.example.com", "mx2.example.net"]);
    attempt(&mut delivery, "mx1.example.com", valid()).unwrap_err();
    attempt(&mut delivery, "mx2.example.net", SessionOutcome::Unreachable).unwrap_err();
    let sentence = "no host of example.org took the message: mx1.example.com is not listed in the \
                    MTA-STS policy of example.org; mx2.example.net could not be reached";
    assert_eq!(rechecking(&mut delivery).to_string(), sentence);
    delivery.handle_recheck(Recheck::Unknown("timed out".into()));
    assert_eq!(
        deferred(&mut delivery).to_string(),
        format!("{sentence}; whether the policy is still current could not be found out"),
    );
    delivery.handle_recheck(Recheck::Current(Ok(enforce())));
    assert_eq!(deferred(&mut delivery).to_string(), sentence);
}

#[test]
fn of_many_hosts_only_the_first_are_named() {
    let hosts: Vec<_> = (1..=7).map(|n| format!("mx{n}.example.net")).collect();
    for (len, end) in [
        (5, "mx5.example.net could not be reached"),
        (6, "mx5.example.net could not be reached; and 1 more"),
        (7, "mx5.example.net could not be reached; and 2 more"),
    ] {
        let names: Vec<_> = hosts[..len].iter().map(String::as_str).collect();
        let mut delivery = enforcing(&names);
        for name in &names {
            attempt(&mut delivery, name, SessionOutcome::Unreachable).unwrap_err();
        }
        let deferral = deferred(&mut delivery);
        assert!(deferral.to_string().ends_with(end), "{deferral}");
        assert_eq!(deferral.host_failures().len(), len);
    }
}

#[test]
fn of_what_is_undeliverable() {
    let null = Route::for_recipient(domain("example.org"), [Mx::new(0, ".")]);
    let own = [Mx::new(10, "mx1.example.net").with_is_self(true)];
    let own = Route::for_recipient(domain("example.org"), own);
    for (route, sentence) in [
        (null, "example.org accepts no mail, as its MX record says"),
        (
            own,
            "mail for example.org would come back to this mail server, to which no MX host of the \
             domain is preferred",
        ),
    ] {
        let mut delivery =
            Delivery::new(route, Err(NoPolicy::NoRecord), MinTlsLevel::Opportunistic);
        let Step::Undeliverable(why) = delivery.poll() else { panic!() };
        assert_eq!(why.to_string(), sentence);
    }
}

#[test]
fn of_a_smart_host_that_leads_nowhere() {
    for (mx, sentence) in [
        (
            Mx::new(0, "."),
            "no host of relay.example took the message: the smart host relay.example accepts no \
             mail, as its MX record says: check this mail server's configuration",
        ),
        (
            Mx::new(10, "out1.relay.example").with_is_self(true),
            "no host of relay.example took the message: out1.relay.example is not preferred to this \
             mail server, which is itself an MX host of the smart host relay.example: check this \
             mail server's configuration",
        ),
    ] {
        let route = Route::for_smart_host(domain("relay.example"), [mx]);
        let mut delivery =
            Delivery::new(route, Err(NoPolicy::NoRecord), MinTlsLevel::Opportunistic);
        assert_eq!(deferred(&mut delivery).to_string(), sentence);
    }
}

#[test]
fn of_the_own_host() {
    let mx = [Mx::new(10, "mx1.example.net"), Mx::new(20, "mx2.example.net").with_is_self(true)];
    let route = Route::for_recipient(domain("example.org"), mx);
    let mut delivery = Delivery::new(route, Err(NoPolicy::NoRecord), MinTlsLevel::Opportunistic);
    attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable).unwrap_err();
    deferred(&mut delivery);
    check(
        &delivery.host_failures()[1],
        "mx2.example.net is not preferred to this mail server, which is itself an MX host of \
         example.org",
    );
}

/// What strangers put into DNS does not get into notifications as it is, and no address does.
#[test]
fn quote_no_more_than_a_name() {
    let unlisted = |host: &str| {
        let mut delivery = enforcing(&[host]);
        let Step::Consider(candidate) = delivery.poll() else { panic!() };
        match delivery.handle_tlsa(candidate, TlsaStatus::Insecure) {
            ConnectDecision::Skip(refusal) => refusal.to_string(),
            ConnectDecision::Attempt(_) => panic!("{host} is listed"),
        }
    };
    let rest = "is not listed in the MTA-STS policy of example.org";
    for (host, shown) in [
        ("mx_1.example.com", "mx_1.example.com"),
        ("mail.example.123", "mail.example.123"),
        ("mx1..example.com", "\"mx1..example.com\""),
        ("mx1\r\nBcc: x@example.com", "\"mx1\\r\\nbcc: x@example.com\""),
        ("192.0.2.1", "the host given by its address"),
        ("2001:db8::1", "the host given by its address"),
        ("[IPv6:2001:db8::1]", "the host given by its address"),
        ("b\u{fc}cher.example", "\"b\\xc3\\xbccher.example\""),
    ] {
        assert_eq!(unlisted(host), format!("{shown} {rest}"));
    }
    for len in [244, 245, 253] {
        let long = long_name(len);
        assert_eq!(unlisted(&long), format!("{long} {rest}"));
    }
    let too_long = format!("{}a", long_name(253));
    assert!(unlisted(&too_long).starts_with('"'));
    let long = "_".repeat(1_000);
    assert_eq!(unlisted(&long), format!("\"{}\"… {rest}", "_".repeat(36)));
}

#[test]
fn of_a_mail_domain_that_is_no_policy_domain() {
    for (name, shown) in
        [("_dmarc.example.org", "_dmarc.example.org"), ("a b.example", "\"a b.example\"")]
    {
        let route = |mx| Route::for_mail_domain(name, mx);
        let new = |mx| Delivery::new(route(mx), Ok(enforce()), MinTlsLevel::Opportunistic);
        let Step::Undeliverable(why) = new(vec![Mx::new(0, ".")]).poll() else { panic!() };
        assert_eq!(why.to_string(), format!("{shown} accepts no mail, as its MX record says"));
        let mut delivery = new(vec![Mx::new(10, "mx1.example.net")]);
        attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable).unwrap_err();
        assert_eq!(
            deferred(&mut delivery).to_string(),
            format!("no host of {shown} took the message: mx1.example.net could not be reached"),
        );
    }
}

#[test]
fn of_address_literals_name_no_address() {
    // Mail servers keep literals in many forms: RFC 5321 §4.1.3, without brackets, with a port.
    for literal in [
        "[192.0.2.1]",
        "192.0.2.1",
        "192.0.2.1:25",
        "[192.0.2.1]:25",
        "[IPv6:2001:db8::1]",
        "IPv6:2001:db8::1",
        "ipv6:2001:DB8::1",
        "2001:db8::1",
        "[2001:db8::1]:25",
        "[2001:db8::1",
        "2001:db8::1]",
        "fe80::1%eth0",
    ] {
        let route = Route::for_address_literal(literal);
        let level = MinTlsLevel::Authenticated;
        let mut delivery = Delivery::new(route, Err(NoPolicy::NoRecord), level);
        let outcome = invalid(CertificateNotTrusted);
        attempt(&mut delivery, literal, outcome).unwrap_err();
        assert_eq!(
            deferred(&mut delivery).to_string(),
            "the host did not take the message: the certificate of the host given by its address \
             is not trusted, and this mail server demands a valid one",
            "{literal}",
        );
    }
}

/// The text of a failure may come from a host, and is for the log.
#[test]
fn hold_nothing_of_what_a_host_said() {
    let said = mta_sts::Failure::new(TlsaInvalid, "said", "192.0.2.1", "<user@example.com>");
    let refusal = refusal(
        "mx1.example.net",
        Some(Mode::Enforce),
        MinTlsLevel::Opportunistic,
        TlsaStatus::Insecure,
        SessionOutcome::HandshakeFailed(said.clone()),
    );
    assert_eq!(refusal.failure(), Some(&said));
    for outside in ["said", "192.0.2.1", "user"] {
        assert!(!refusal.to_string().contains(outside));
    }
}

#[test]
fn policy_types_are_those_of_rfc_8460() {
    for (policy_type, text) in [
        (PolicyType::Tlsa, "tlsa"),
        (PolicyType::Sts, "sts"),
        (PolicyType::NoPolicyFound, "no-policy-found"),
    ] {
        assert_eq!(policy_type.as_str(), text);
        assert_eq!(format!("{policy_type:>16}"), format!("{text:>16}"));
    }
}

/// That the sender is a less preferred host itself does not tell why mail waits.
#[test]
fn a_backup_host_has_the_status_of_the_host_that_failed() {
    for policy in [Err(NoPolicy::NoRecord), Ok(enforce())] {
        let mx =
            [Mx::new(10, "mx1.example.net"), Mx::new(20, "mx2.example.net").with_is_self(true)];
        let route = Route::for_recipient(domain("example.org"), mx);
        let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
        let _ = attempt(&mut delivery, "mx1.example.net", SessionOutcome::Unreachable);
        let deferral = match delivery.poll() {
            Step::Defer(deferral) | Step::Recheck(deferral) => deferral,
            other => panic!("{other:?}"),
        };
        assert_eq!(deferral.status().to_string(), "4.4.1");
    }
}

/// Both are demanded: what is known to have failed comes first.
#[test]
fn of_pkix_beside_dane() {
    let expired = || Err(failure(CertificateExpired));
    for outcome in [
        SessionOutcome::CertificateRejected(CertificateChecks::new().with_pkix(expired())),
        SessionOutcome::Encrypted(CertificateChecks::new().with_pkix(expired())),
        SessionOutcome::Encrypted(CertificateChecks::new().with_pkix(expired()).with_dane(Ok(()))),
    ] {
        let mut delivery = enforcing(&["mx1.example.net"]).with_pkix_beside_dane(true);
        let attempt = advise(&mut delivery, "mx1.example.net", TlsaStatus::Usable).unwrap();
        let refusal = session(&mut delivery, attempt, outcome).unwrap_err();
        check(
            &refusal,
            "the certificate of mx1.example.net has expired, and the MTA-STS policy of example.org \
             demands a valid one",
        );
        assert!(refusal.is_by_policy());
    }
}
