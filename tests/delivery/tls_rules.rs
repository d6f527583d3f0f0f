//! The operator's rules for TLS, by domain and by MX host.

use mta_sts::{
    Mode,
    ResultType::{self, CertificateExpired, CertificateNotTrusted, StarttlsNotSupported},
    delivery::{
        CertificateChecks, Delivery, HostFailureReason, MinTlsLevel, MxHosts, RequireTls,
        RequiredBy, Route, SendDecision, SessionOutcome, Step, TlsRules, TlsaStatus,
    },
    time::{Date, Month, UtcDateTime, macros::utc_datetime},
};

use super::{advise, domain, invalid, only_address, policy, reports, to, valid};

const NOW: UtcDateTime = utc_datetime!(2026-11-29 12:00);
const HOST: &str = "mx1.example.net";

fn rules(text: &str) -> TlsRules {
    text.parse().unwrap()
}

/// Tries the only host: whether it gets the message, or the sentence.
fn send(
    delivery: &mut Delivery,
    dane: TlsaStatus,
    outcome: SessionOutcome,
) -> Result<(), (String, bool)> {
    let told = |failure: mta_sts::delivery::HostFailure| {
        Err((failure.to_string(), failure.is_by_policy()))
    };
    let attempt = match advise(delivery, HOST, dane) {
        Ok(attempt) => attempt.with_requiretls_offered(true),
        Err(failure) => return told(failure),
    };
    match only_address(delivery, attempt, outcome) {
        SendDecision::Send(_) => Ok(()),
        SendDecision::Reject(failure) => told(failure),
        SendDecision::RetryPlaintext(attempt) => {
            match only_address(delivery, attempt, SessionOutcome::ClearText) {
                SendDecision::Send(_) => Ok(()),
                other => panic!("{other:?}"),
            }
        }
        SendDecision::NextAddress(_) => panic!("there is one address"),
    }
}

fn expired() -> SessionOutcome {
    invalid(CertificateExpired)
}

#[test]
fn a_policy_of_mode_testing_is_treated_as_enforce() {
    const BY: &str = "this mail server, enforcing the testing policy of example.org, demands";
    let expired_by = format!("the certificate of {HOST} has expired, and {BY} a valid one");
    let no_tls = format!("{HOST} does not offer STARTTLS, which {BY}");
    let unlisted = format!("{HOST} is not listed in the MTA-STS policy of example.org");
    let rows: [(&str, Mode, &str, SessionOutcome, Option<&str>); 9] = [
        ("example.org enforce-testing", Mode::Testing, HOST, valid(), None),
        ("example.org enforce-testing", Mode::Testing, HOST, expired(), Some(&expired_by)),
        (
            "example.org enforce-testing",
            Mode::Testing,
            HOST,
            SessionOutcome::ClearText,
            Some(&no_tls),
        ),
        ("example.org enforce-testing", Mode::Testing, "mx2.example.net", valid(), Some(&unlisted)),
        // The mode `none` stays what it is, and so does another domain.
        ("example.org enforce-testing", Mode::None, HOST, SessionOutcome::ClearText, None),
        ("example.com enforce-testing", Mode::Testing, HOST, SessionOutcome::ClearText, None),
        ("a.example.org enforce-testing", Mode::Testing, HOST, expired(), None),
        ("org enforce-testing", Mode::Testing, HOST, expired(), None),
        ("", Mode::Testing, HOST, expired(), None),
    ];
    for (text, mode, listed, outcome, expected) in rows {
        let policy =
            policy(mode, if mode == Mode::None { &[] } else { std::slice::from_ref(&listed) });
        let what = format!("{text:?}, {mode}, {outcome:?}");
        let mut delivery = Delivery::new(to(&[HOST]), Ok(policy), MinTlsLevel::Opportunistic)
            .with_tls_rules(&rules(text), NOW);
        let found = send(&mut delivery, TlsaStatus::Insecure, outcome.clone());
        assert_eq!(found.as_ref().err().map(|(text, _)| &**text), expected, "{what}");
        // A newer policy may be of mode `none`: a recheck comes before a bounce.
        assert!(found.is_ok() || matches!(delivery.poll(), Step::Recheck(_)), "{what}");
        // The report quotes the policy as it is.
        if mode == Mode::Testing {
            let report = delivery.poll_report().unwrap();
            assert_eq!(report.policy().unwrap().mode(), Mode::Testing, "{what}");
            let is_success = listed == HOST && outcome == valid();
            assert_eq!(report.is_success(), is_success, "{what}");
        }
    }
}

#[test]
fn a_host_listed_by_an_enforced_testing_policy_is_identified() {
    let new = |text| {
        Delivery::new(to(&[HOST]), Ok(policy(Mode::Testing, &[HOST])), MinTlsLevel::Opportunistic)
            .with_require_tls(RequireTls::Yes)
            .with_tls_rules(&rules(text), NOW)
    };
    assert!(send(&mut new("example.org enforce-testing"), TlsaStatus::Insecure, valid()).is_ok());
    assert!(send(&mut new(""), TlsaStatus::Insecure, valid()).is_err());
}

#[test]
fn no_session_is_below_the_minimum_of_the_domain() {
    use MinTlsLevel::{Authenticated, Dane, Encrypted, Opportunistic};
    let matches = SessionOutcome::Encrypted(CertificateChecks::new().with_dane(Ok(())));
    let (clear, usable) = (SessionOutcome::ClearText, TlsaStatus::Usable);
    let insecure = TlsaStatus::Insecure;
    for (text, floor, dane, outcome, is_sent) in [
        ("example.org minimum encrypted", Opportunistic, insecure, &clear, false),
        ("example.org minimum encrypted", Opportunistic, insecure, &expired(), true),
        ("example.org minimum authenticated", Opportunistic, insecure, &expired(), false),
        ("example.org minimum authenticated", Opportunistic, insecure, &valid(), true),
        ("example.org minimum dane", Opportunistic, insecure, &valid(), false),
        ("example.org minimum dane", Opportunistic, usable, &matches, true),
        // The higher of both counts.
        ("example.org minimum encrypted", Authenticated, insecure, &expired(), false),
        ("example.org minimum authenticated", Encrypted, insecure, &expired(), false),
        ("example.org minimum encrypted", Dane, insecure, &valid(), false),
        ("example.com minimum dane", Opportunistic, insecure, &clear, true),
    ] {
        for policy in [Ok(policy(Mode::Testing, &[HOST])), Err(mta_sts::NoPolicy::NoRecord)] {
            for tag in [RequireTls::Unspecified, RequireTls::No] {
                let what = format!("{text}, {floor}, {outcome:?}, {policy:?}, {tag:?}");
                let mut delivery = Delivery::new(to(&[HOST]), policy.clone(), floor)
                    .with_require_tls(tag)
                    .with_tls_rules(&rules(text), NOW);
                let found = send(&mut delivery, dane, outcome.clone());
                assert_eq!(found.is_ok(), is_sent, "{what}: {found:?}");
                if let Err((sentence, is_by_policy)) = found {
                    assert!(sentence.contains("this mail server demands"), "{what}: {sentence}");
                    assert!(!is_by_policy, "{what}");
                }
            }
        }
    }
}

/// A row: rules, the patterns of the policy, the session, whether the message is sent, what is reported.
type Row<'a> = (&'a str, &'a str, SessionOutcome, bool, &'a [ResultType]);

#[test]
fn any_certificate_is_accepted_of_a_listed_host_until_the_date() {
    const RULE: &str = ".example.net any-certificate until 2026-11-29";
    let unlisted = ResultType::ValidationFailure;
    let rejected = SessionOutcome::CertificateRejected(
        CertificateChecks::new().with_pkix(Err(super::failure(CertificateExpired))),
    );
    let rows: [Row<'_>; 11] = [
        (RULE, HOST, valid(), true, &[]),
        (RULE, HOST, expired(), true, &[CertificateExpired]),
        (RULE, HOST, invalid(CertificateNotTrusted), true, &[CertificateNotTrusted]),
        (
            "mx1.example.net any-certificate until 2027-01-01",
            HOST,
            expired(),
            true,
            &[CertificateExpired],
        ),
        // TLS is required as before, and so is the host in the policy.
        (RULE, HOST, SessionOutcome::ClearText, false, &[StarttlsNotSupported]),
        (RULE, HOST, rejected, false, &[CertificateExpired]),
        (RULE, "mx2.example.net", valid(), false, &[unlisted]),
        // Another host, and the day after.
        (
            ".mx1.example.net any-certificate until 2027-01-01",
            HOST,
            expired(),
            false,
            &[CertificateExpired],
        ),
        (
            ".ample.net any-certificate until 2027-01-01",
            HOST,
            expired(),
            false,
            &[CertificateExpired],
        ),
        (
            ".example.net any-certificate until 2026-11-28",
            HOST,
            expired(),
            false,
            &[CertificateExpired],
        ),
        ("", HOST, expired(), false, &[CertificateExpired]),
    ];
    for (text, listed, outcome, is_sent, reported) in rows {
        let what = format!("{text:?}, {listed}, {outcome:?}");
        let policy = policy(Mode::Enforce, &[listed]);
        let mut delivery = Delivery::new(to(&[HOST]), Ok(policy), MinTlsLevel::Opportunistic)
            .with_tls_rules(&rules(text), NOW);
        let found = send(&mut delivery, TlsaStatus::Insecure, outcome);
        assert_eq!(found.is_ok(), is_sent, "{what}: {found:?}");
        assert!(
            found.is_ok_and(|()| true) || matches!(delivery.poll(), Step::Recheck(_)),
            "{what}"
        );
        assert_eq!(reports(&mut delivery), [("sts", HOST.to_owned(), reported.to_vec())], "{what}");
    }
}

#[test]
fn an_exemption_lowers_nothing_else() {
    const RULE: &str = ".example.net any-certificate until 2027-01-01";
    let new = |route: Route, mode, floor| {
        Delivery::new(route, Ok(policy(mode, &[HOST])), floor).with_tls_rules(&rules(RULE), NOW)
    };
    let insecure = TlsaStatus::Insecure;
    // The minimum of the operator, who is named.
    let mut floor = new(to(&[HOST]), Mode::Enforce, MinTlsLevel::Authenticated);
    let Err((sentence, is_by_policy)) = send(&mut floor, insecure, expired()) else { panic!() };
    assert!(sentence.ends_with("and this mail server demands a valid one"), "{sentence}");
    assert!(!is_by_policy);
    // A message that requires TLS.
    let mut tagged = new(to(&[HOST]), Mode::Enforce, MinTlsLevel::Opportunistic)
        .with_require_tls(RequireTls::Yes);
    let Err((sentence, _)) = send(&mut tagged, insecure, expired()) else { panic!() };
    assert!(sentence.ends_with("and the sender of the message demands a valid one"), "{sentence}");
    // DANE.
    let no_match = SessionOutcome::Encrypted(
        CertificateChecks::new().with_dane(Err(super::failure(ResultType::ValidationFailure))),
    );
    let matches = SessionOutcome::Encrypted(
        CertificateChecks::new()
            .with_dane(Ok(()))
            .with_pkix(Err(super::failure(CertificateExpired))),
    );
    for (dane, outcome, is_sent) in [
        (TlsaStatus::Usable, &no_match, false),
        (TlsaStatus::Usable, &expired(), false),
        (TlsaStatus::Usable, &matches, true),
        (TlsaStatus::Bogus, &valid(), false),
        (TlsaStatus::Unusable, &SessionOutcome::ClearText, false),
    ] {
        for demands_both in [false, true] {
            let mut delivery = new(to(&[HOST]), Mode::Enforce, MinTlsLevel::Opportunistic)
                .with_pkix_beside_dane(demands_both);
            let found = send(&mut delivery, dane, outcome.clone());
            assert_eq!(found.is_ok(), is_sent, "{dane:?} {outcome:?} {demands_both}");
        }
    }
    // Without a policy it has no effect: clear text is allowed.
    let mut none =
        Delivery::new(to(&[HOST]), Err(mta_sts::NoPolicy::NoRecord), MinTlsLevel::default())
            .with_tls_rules(&rules(RULE), NOW);
    assert!(send(&mut none, insecure, SessionOutcome::ClearText).is_ok());
}

#[test]
fn rules_end_with_the_first_step() {
    let mut delivery =
        Delivery::new(to(&[HOST]), Ok(policy(Mode::Testing, &[HOST])), MinTlsLevel::Opportunistic);
    let Step::Consider(candidate) = delivery.poll() else { panic!() };
    drop(candidate);
    let delivery = delivery.with_tls_rules(&rules("example.org minimum dane"), NOW);
    assert!(!format!("{delivery:?}").contains("floor: Dane"));
}

#[test]
fn a_route_without_a_policy_domain_has_only_the_rules_of_hosts() {
    let route = Route::for_address_literal("[192.0.2.1]");
    let mut delivery =
        Delivery::new(route, Err(mta_sts::NoPolicy::NoRecord), MinTlsLevel::Opportunistic)
            .with_tls_rules(&rules("example.org minimum dane"), NOW);
    assert!(matches!(delivery.poll(), Step::Consider(_)));
}

#[test]
fn the_file() {
    let text = "
        # our partners
        example.com enforce-testing
        EXAMPLE.net. minimum authenticated   # by contract
        example.net\tenforce-testing
        .Mx.Example.Org any-certificate until 2028-02-29
        mx.example.org any-certificate until 2027-01-01\r
    ";
    let read = rules(text);
    assert_eq!(
        read.to_string(),
        "example.com enforce-testing\n\
         example.net enforce-testing\n\
         example.net minimum authenticated\n\
         mx.example.org any-certificate until 2027-01-01\n\
         .mx.example.org any-certificate until 2028-02-29\n",
    );
    assert_eq!(rules(&read.to_string()), read);
    let leap = Date::from_calendar_date(2028, Month::February, 29).unwrap();
    let built = TlsRules::new()
        .with_testing_enforced(domain("example.com"))
        .with_testing_enforced(domain("example.net"))
        .with_min_tls_level(domain("example.net"), MinTlsLevel::Authenticated)
        .with_any_certificate(".mx.example.org".parse().unwrap(), leap)
        .with_any_certificate(
            domain("mx.example.org").into(),
            Date::from_calendar_date(2027, Month::January, 1).unwrap(),
        );
    assert_eq!(built, read);
    assert!(read.enforces_testing(&domain("example.net")));
    assert_eq!(read.min_tls_level(&domain("example.com")), MinTlsLevel::Opportunistic);
    assert_eq!(read.any_certificate().count(), 2);
    assert_eq!(
        rules("\u{feff}# of an editor\r\nexample.com minimum dane"),
        rules("example.com minimum dane")
    );
    assert!(rules("").is_empty() && rules("# nothing\n\n").is_empty() && !read.is_empty());
}

#[test]
fn a_fault_in_the_file_is_named_with_its_line() {
    const RULE: &str =
        "after the name must follow `enforce-testing`, `minimum` or `any-certificate`";
    const LEVEL: &str = "the minimum must be `encrypted`, `authenticated` or `dane`, in lower case";
    const UNTIL: &str =
        "the end must follow, such as `until 2027-03-31`: the last day on which the rule applies";
    const SURPLUS: &str = "nothing may follow the rule; a remark begins with `#`";
    for (line, expected) in [
        ("example.com", RULE),
        ("example.com strict", RULE),
        ("example.com Enforce-Testing", RULE),
        ("example.com minimum", LEVEL),
        ("example.com minimum opportunistic", LEVEL),
        ("example.com minimum DANE", LEVEL),
        ("example.com minimum dane dane", SURPLUS),
        ("example.com enforce-testing until 2027-01-01", SURPLUS),
        (".example.com any-certificate", UNTIL),
        (".example.com any-certificate 2027-01-01", UNTIL),
        (".example.com any-certificate until", UNTIL),
        (".example.com any-certificate until tomorrow", UNTIL),
        (".example.com any-certificate until 2027-02-29", UNTIL),
        (".example.com any-certificate until 2027-1-1", UNTIL),
        (".example.com any-certificate until 2027-01-01-01", UNTIL),
        (".example.com any-certificate until +027-01-01", UNTIL),
        (".example.com any-certificate until 2027-01-01 00:00", SURPLUS),
    ] {
        let error = format!("\n{line}\n").parse::<TlsRules>().unwrap_err();
        assert_eq!(error.to_string(), format!("line 2: {expected}"), "{line}");
        assert_eq!(error.line(), 2);
    }
    for name in ["*.example.com", "..example.com", ".", "a b", "exa_mple.com", ".example.com"] {
        let error = format!("{name} minimum dane").parse::<TlsRules>().unwrap_err();
        assert!(error.to_string().starts_with("line 1: "), "{name}: {error}");
    }
    for (text, line) in [
        ("a.example minimum dane\nA.example. minimum dane", 1),
        (
            "\n.a.example any-certificate until 2027-01-01\n.a.example any-certificate until 2028-01-01",
            2,
        ),
    ] {
        let error = text.parse::<TlsRules>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line {}: the same rule is on line {line}, too", line + 1)
        );
    }
    // A name and all names below it are different rules.
    rules(
        "a.example any-certificate until 2027-01-01\n.a.example any-certificate until 2027-01-01",
    );
}

#[test]
fn mx_hosts() {
    for (hosts, host, is_one) in [
        ("mx.example.net", "mx.example.net", true),
        ("mx.example.net", "MX.Example.NET.", true),
        ("mx.example.net", "a.mx.example.net", false),
        ("mx.example.net", "xmx.example.net", false),
        (".example.net", "mx.example.net", true),
        (".example.net", "a.b.example.net.", true),
        (".example.net", "example.net", false),
        (".example.net", ".example.net", false),
        (".example.net", "badexample.net", false),
        (".example.net", "", false),
        (".example.net", "ä.example.net", true),
        (".example.net", "éexample.net", false),
    ] {
        let read: MxHosts = hosts.parse().unwrap();
        assert_eq!(read.contain(host), is_one, "{hosts} {host}");
        assert_eq!(read.to_string(), hosts);
    }
}

#[test]
fn the_source_is_named() {
    let mut delivery =
        Delivery::new(to(&[HOST]), Ok(policy(Mode::Testing, &[HOST])), MinTlsLevel::Opportunistic)
            .with_tls_rules(&rules("example.org enforce-testing"), NOW);
    let found = send(&mut delivery, TlsaStatus::Insecure, SessionOutcome::ClearText);
    assert!(found.is_err());
    let reason = delivery.host_failures()[0].reason();
    assert_eq!(*reason, HostFailureReason::NoStarttls(RequiredBy::TestingPolicy));
}
