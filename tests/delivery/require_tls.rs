//! REQUIRETLS (RFC 8689): what binds a sender, sentence by sentence of §§2 to 5.
//!
//! | requirement | sentence | test |
//! | --- | --- | --- |
//! | R89-2-01 | §2: the parameter only over a session that satisfies all four | `the_parameter_needs_all_four`, `nothing_is_sent_without_all_four` |
//! | R89-3-01 | §3: `No` is the only value | `header_fields` |
//! | R89-3-02 | §3: one instance | `header_fields` |
//! | R89-3-03 | §3: policies are ignored, TLS is used where it is offered | `tls_is_optional` |
//! | R89-4.1-01 | §4.1: the parameter takes precedence over the header | `the_parameter_takes_precedence` |
//! | R89-4.2.1-02 | step 2: DNSSEC or a policy | `a_host_must_be_identified` |
//! | R89-4.2.1-04 | step 4: TLS with a valid certificate | `each_of_the_four_is_required` |
//! | R89-4.2.1-05 | step 5: REQUIRETLS in the second EHLO | `each_of_the_four_is_required` |
//! | R89-4.2.1-06 | each host is tried | `the_next_host_is_tried` |
//! | R89-4.2.1-07 | never transmitted if none is left | `nothing_is_sent_without_all_four` |
//! | R89-4.2.1-08 | 5.7.30 and 5.7.10 | `it_fails_at_once` |
//! | R89-4.2.2-01 | policies are followed, and their failure is no obstacle | `tls_is_optional` |
//! | R89-5-01 | a bounce specifies REQUIRETLS | `the_parameter_needs_all_four` |
//! | R89-5-02 | a bounce returns the header only | `bounces` |
//! | R89-5-03 | a bounce is not discarded where REQUIRETLS is not offered | `bounces` |

use std::sync::Arc;

use mta_sts::{
    Failure, Mode, NoPolicy, Policy, ResultType,
    delivery::{
        CertificateChecks, ConnectDecision, Delivery, HostFailureReason, MinTlsLevel,
        PermanentFailure, Recheck, RequireTls, RequiredBy, SendDecision, Session, SessionOutcome,
        SmtpReply, Step, TlsLevel, TlsRequiredError, TlsaStatus,
    },
};

use super::{
    Route, advise, deferred, enforce, failure, invalid, only_address, policy, rechecking, reports,
    to, valid,
};

type Answer = Result<Arc<Policy>, NoPolicy>;

const HOST: &str = "mx1.example.net";

/// What one host is like.
#[derive(Clone, Debug)]
struct Host {
    dane: TlsaStatus,
    outcome: SessionOutcome,
    offers: bool,
}

fn good() -> Host {
    Host { dane: TlsaStatus::Insecure, outcome: valid(), offers: true }
}

fn delivery(route: Route, policy: Answer, tag: RequireTls) -> Delivery {
    Delivery::new(route, policy, MinTlsLevel::Opportunistic).with_require_tls(tag)
}

/// Tries the next host. Returns whether the message is sent, or the sentence of the failure.
fn try_next(delivery: &mut Delivery, host: &Host) -> Result<bool, String> {
    let Step::Consider(candidate) = delivery.poll() else { panic!("no host is left") };
    let attempt = match delivery.handle_tlsa(candidate, host.dane) {
        ConnectDecision::Attempt(attempt) => attempt.with_requiretls_offered(host.offers),
        ConnectDecision::Skip(failure) => return Err(failure.to_string()),
    };
    match only_address(delivery, attempt, host.outcome.clone()) {
        SendDecision::Send(transaction) => Ok(transaction.needs_requiretls()),
        SendDecision::Reject(failure) => Err(failure.to_string()),
        other => panic!("{other:?}"),
    }
}

fn undeliverable(delivery: &mut Delivery) -> String {
    match delivery.poll() {
        Step::Undeliverable(why) => format!("{} {why}", why.status()),
        other => panic!("{other:?}"),
    }
}

fn none() -> Answer {
    Err(NoPolicy::NoRecord)
}

fn testing() -> Arc<Policy> {
    policy(Mode::Testing, &["*.example.net"])
}

#[test]
fn header_fields() {
    for (header, expected) in [
        ("", Ok(false)),
        ("TLS-Required: No", Ok(true)),
        ("TLS-Required: No\r\n", Ok(true)),
        ("TLS-Required: No\n\nTLS-Required: No\n", Ok(true)),
        ("\r\nTLS-Required: No\r\n", Ok(false)),
        ("tls-required:no \r\n", Ok(true)),
        ("TLS-Required:\r\n\tNo\r\n", Ok(true)),
        ("TLS-Required:\r\n No\r\n \r\n", Ok(true)),
        ("Subject: a\r\n TLS-Required: No\r\n", Ok(false)),
        ("X-TLS-Required: No\r\n", Ok(false)),
        ("TLS-RequiredX: No\r\n", Ok(false)),
        ("TLS-Required\r\n", Ok(false)),
        ("TLS-Required: Yes\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required:\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required: No (really)\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required: No\r\n, No\r\n", Ok(true)),
        ("TLS-Required: No\r\n No\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required:\r\n No\r\n No\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required:\r\n Yes\r\n No\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required:\r\n No\r\n x\r\n No\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required:\x0cNo\r\n", Err(TlsRequiredError::Value)),
        ("TLS-Required\t: \tNo\r\n", Ok(true)),
        ("TLS-Required\r: No\r\n", Ok(false)),
        ("TLS-Required: No\r\nTo: a@b\r\nTLS-Required: No\r\n", Err(TlsRequiredError::Repeated)),
        ("TLS-Required: No\r\ntls-required: Yes\r\n", Err(TlsRequiredError::Repeated)),
    ] {
        assert_eq!(RequireTls::has_tls_required_no(header.as_bytes()), expected, "{header:?}");
        let tag = if expected == Ok(true) { RequireTls::No } else { RequireTls::Unspecified };
        let path = "alice@example.org";
        assert_eq!(RequireTls::of_message(path, false, header.as_bytes()), tag, "{header:?}");
    }
}

#[test]
fn the_parameter_takes_precedence() {
    for header in ["TLS-Required: No\r\n", "TLS-Required: x\r\n", ""] {
        assert_eq!(
            RequireTls::of_message("a@example.org", true, header.as_bytes()),
            RequireTls::Yes
        );
        for bounce in ["", "<>"] {
            let tag = RequireTls::of_message(bounce, true, header.as_bytes());
            assert_eq!(tag, RequireTls::Bounce);
        }
    }
    for (parameter, expected) in [
        ("REQUIRETLS", true),
        ("requiretls", true),
        ("REQUIRETLS=", false),
        ("REQUIRETLS=1", false),
    ] {
        assert_eq!(RequireTls::is_mail_parameter(parameter), expected, "{parameter}");
    }
}

#[test]
fn a_host_must_be_identified() {
    let unidentified = "mx1.example.net is identified neither by DNSSEC nor by an MTA-STS policy of \
                        mode enforce, which the sender of the message demands";
    let unlisted = "mx1.example.net is not listed in the MTA-STS policy of example.org";
    let other = Ok(policy(Mode::Enforce, &["mx.example.com"]));
    let other_tested = Ok(policy(Mode::Testing, &["mx.example.com"]));
    let none = Err(NoPolicy::NoRecord);
    let rows: [(Answer, bool, Result<bool, &str>); 9] = [
        (Ok(enforce()), false, Ok(true)),
        (Ok(enforce()), true, Ok(true)),
        (Ok(testing()), false, Err(unidentified)),
        (Ok(testing()), true, Ok(true)),
        (none.clone(), false, Err(unidentified)),
        (none, true, Ok(true)),
        (other, true, Err(unlisted)),
        (other_tested, true, Ok(true)),
        (Err(NoPolicy::ModeNone), false, Err(unidentified)),
    ];
    for (policy, is_secure, expected) in rows {
        let route = to(&[HOST]).with_secure_mx(is_secure);
        let mut delivery = delivery(route, policy.clone(), RequireTls::Yes);
        let expected = expected.map_err(str::to_owned);
        assert_eq!(try_next(&mut delivery, &good()), expected, "{policy:?} {is_secure}");
    }
    // "in the absence of an MX record" the certificate is for the domain itself.
    let mut implicit = delivery(to(&[]), Err(NoPolicy::NoRecord), RequireTls::Yes);
    assert_eq!(try_next(&mut implicit, &good()), Ok(true));
    // An MX record that names the domain may be forged as any other.
    let mut explicit = delivery(to(&["example.org"]), Err(NoPolicy::NoRecord), RequireTls::Yes);
    assert!(try_next(&mut explicit, &good()).is_err());
}

#[test]
fn each_of_the_four_is_required() {
    let demands = "the sender of the message demands";
    let dane = |result| SessionOutcome::Encrypted(CertificateChecks::new().with_dane(result));
    let bad = || failure(ResultType::ValidationFailure);
    let usable = |outcome| Host { dane: TlsaStatus::Usable, outcome, offers: true };
    let rows = [
        (good(), Ok(true)),
        (
            Host { outcome: SessionOutcome::ClearText, ..good() },
            Err(format!("{HOST} does not offer STARTTLS, which {demands}")),
        ),
        (
            Host { outcome: SessionOutcome::StarttlsRefused { is_temporary: false }, ..good() },
            Err(format!("{HOST} refused STARTTLS, which {demands}")),
        ),
        (
            Host { outcome: SessionOutcome::HandshakeFailed(bad()), ..good() },
            Err(format!("the TLS handshake with {HOST} failed, and {demands} TLS")),
        ),
        (
            Host { outcome: invalid(ResultType::CertificateExpired), ..good() },
            Err(format!("the certificate of {HOST} has expired, and {demands} a valid one")),
        ),
        (
            Host { outcome: SessionOutcome::Encrypted(CertificateChecks::new()), ..good() },
            Err(format!("the certificate of {HOST} was not checked, and {demands} a valid one")),
        ),
        (
            Host { offers: false, ..good() },
            Err(format!("{HOST} does not offer REQUIRETLS, which {demands}")),
        ),
        (usable(dane(Ok(()))), Ok(true)),
        (
            usable(dane(Err(bad()))),
            Err(format!("the certificate of {HOST} does not match its TLSA records")),
        ),
        (
            Host { offers: false, ..usable(dane(Ok(()))) },
            Err(format!("{HOST} does not offer REQUIRETLS, which {demands}")),
        ),
        // Records that are not usable prove nothing.
        (
            Host {
                dane: TlsaStatus::Unusable,
                outcome: invalid(ResultType::CertificateExpired),
                offers: true,
            },
            Err(format!("the certificate of {HOST} has expired, and {demands} a valid one")),
        ),
    ];
    for (host, expected) in rows {
        let route = to(&[HOST]).with_secure_mx(true);
        let mut delivery = delivery(route, Err(NoPolicy::NoRecord), RequireTls::Yes);
        assert_eq!(try_next(&mut delivery, &host), expected, "{host:?}");
    }
}

#[test]
fn the_next_host_is_tried() {
    let route = to(&[HOST, "mx2.example.net"]).with_secure_mx(true);
    let mut delivery = delivery(route, Err(NoPolicy::NoRecord), RequireTls::Yes);
    assert!(try_next(&mut delivery, &Host { offers: false, ..good() }).is_err());
    assert_eq!(try_next(&mut delivery, &good()), Ok(true));
}

#[test]
fn what_a_host_offered_does_not_count_for_its_next_address() {
    let mut delivery = delivery(to(&[HOST]), Ok(enforce()), RequireTls::Yes);
    let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
    let attempt = attempt.with_requiretls_offered(true);
    let SendDecision::NextAddress(attempt) =
        delivery.handle_session(attempt, SessionOutcome::Unreachable)
    else {
        panic!("the address is not reachable");
    };
    let decision = delivery.handle_session(attempt, valid());
    assert!(matches!(decision, SendDecision::NextAddress(_)), "{decision:?}");
}

#[test]
fn it_fails_at_once() {
    let no_starttls = Host { outcome: SessionOutcome::ClearText, ..good() };
    let no_requiretls = Host { offers: false, ..good() };
    let secure = || to(&[HOST, "mx2.example.net"]).with_secure_mx(true);
    for (hosts, expected) in [
        (
            [&no_starttls, &no_requiretls],
            "5.7.30 no host of example.org took the message: mx1.example.net does not offer STARTTLS, \
             which the sender of the message demands; mx2.example.net does not offer REQUIRETLS, which \
             the sender of the message demands",
        ),
        (
            [&no_starttls, &no_starttls],
            "5.7.10 no host of example.org took the message: mx1.example.net does not offer STARTTLS, \
             which the sender of the message demands; mx2.example.net does not offer STARTTLS, which \
             the sender of the message demands",
        ),
    ] {
        let mut delivery = delivery(secure(), Err(NoPolicy::NoRecord), RequireTls::Yes);
        assert!(hosts.iter().all(|host| try_next(&mut delivery, host).is_err()));
        assert_eq!(undeliverable(&mut delivery), expected);
    }
    let mut unidentified = delivery(to(&[HOST]), Err(NoPolicy::NoRecord), RequireTls::Yes);
    try_next(&mut unidentified, &good()).unwrap_err();
    rechecking(&mut unidentified);
    unidentified.handle_recheck(Recheck::Current(Err(NoPolicy::NoRecord)));
    assert!(undeliverable(&mut unidentified).starts_with("5.7.10 no host of example.org"));
    // Without the tag, the same is deferred.
    let mut untagged = Delivery::new(secure(), Err(NoPolicy::NoRecord), MinTlsLevel::Encrypted);
    for _ in 0..2 {
        try_next(&mut untagged, &no_starttls).unwrap_err();
    }
    deferred(&mut untagged);
}

#[test]
fn it_is_deferred_if_a_host_could_not_be_checked() {
    let no_requiretls = Host { offers: false, ..good() };
    let outcomes = [
        SessionOutcome::Unreachable,
        SessionOutcome::GreetingRefused,
        SessionOutcome::ConnectionLost,
        SessionOutcome::StarttlsRefused { is_temporary: true },
    ];
    for outcome in outcomes {
        let route = to(&[HOST, "mx2.example.net"]).with_secure_mx(true);
        let mut delivery = delivery(route, Err(NoPolicy::NoRecord), RequireTls::Yes);
        try_next(&mut delivery, &no_requiretls).unwrap_err();
        try_next(&mut delivery, &Host { outcome: outcome.clone(), ..good() }).unwrap_err();
        assert!(deferred(&mut delivery).may_bounce(), "{outcome:?}");
    }
    for dane in [TlsaStatus::Bogus, TlsaStatus::Indeterminate] {
        let route = to(&[HOST]).with_secure_mx(true);
        let mut delivery = delivery(route, Err(NoPolicy::NoRecord), RequireTls::Yes);
        try_next(&mut delivery, &Host { dane, ..good() }).unwrap_err();
        deferred(&mut delivery);
    }
    // The policy may identify the host as soon as it can be looked up.
    let mut unknown =
        delivery(to(&[HOST]), Err(NoPolicy::DnsFailed("timed out".into())), RequireTls::Yes);
    try_next(&mut unknown, &good()).unwrap_err();
    rechecking(&mut unknown);
    unknown.handle_recheck(Recheck::Unknown("timed out".into()));
    assert!(deferred(&mut unknown).may_bounce());
    // Without a policy, another reason for that is no change.
    let mut another =
        delivery(to(&[HOST]), Err(NoPolicy::DnsFailed("timed out".into())), RequireTls::Yes);
    try_next(&mut another, &good()).unwrap_err();
    rechecking(&mut another);
    another.handle_recheck(Recheck::Current(none()));
    assert!(undeliverable(&mut another).starts_with("5.7.10 "));
    // A connection that is lost in the handshake is no statement of the host.
    let mut interrupted = delivery(to(&[HOST]).with_secure_mx(true), none(), RequireTls::Yes);
    let lost = Failure::new(ResultType::ValidationFailure, "tls-interrupted", HOST, "reset");
    let lost = Host { outcome: SessionOutcome::HandshakeFailed(lost), ..good() };
    try_next(&mut interrupted, &lost).unwrap_err();
    deferred(&mut interrupted);
    // What the operator requires is no failure of the domain.
    let mut floor = Delivery::new(to(&[HOST]).with_secure_mx(true), none(), MinTlsLevel::Dane)
        .with_require_tls(RequireTls::Yes);
    try_next(&mut floor, &good()).unwrap_err();
    deferred(&mut floor);
}

/// A host is final only if each of its addresses is, in any order.
#[test]
fn each_address_counts() {
    let no_requiretls = || (false, valid());
    let later = [
        (true, SessionOutcome::Unreachable),
        (true, SessionOutcome::ConnectionLost),
        (true, SessionOutcome::StarttlsRefused { is_temporary: true }),
        (true, valid()),
    ];
    for (offers, outcome) in later {
        for is_first in [false, true] {
            let mut addresses = vec![no_requiretls(), (offers, outcome.clone())];
            if is_first {
                addresses.reverse();
            }
            let route = to(&[HOST]).with_secure_mx(true);
            let mut delivery = delivery(route, none(), RequireTls::Yes);
            let mut attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
            for (offers, outcome) in addresses {
                attempt = attempt.with_requiretls_offered(offers);
                attempt = match delivery.handle_session(attempt, outcome.clone()) {
                    SendDecision::NextAddress(attempt) => attempt,
                    SendDecision::Send(transaction) => {
                        delivery.handle_reply(transaction, SmtpReply::Transient).unwrap()
                    }
                    other => panic!("{other:?}"),
                };
            }
            assert!(matches!(delivery.handle_no_address(attempt), SendDecision::Reject(_)));
            assert!(deferred(&mut delivery).may_bounce(), "{outcome:?} {is_first}");
        }
    }
}

/// A null MX counts as a statement of the domain if no policy is enforced.
#[test]
fn a_null_mx_is_judged_with_the_tag() {
    let null = || to(&["."]);
    let mut optional = delivery(null(), Ok(enforce()), RequireTls::No);
    assert_eq!(
        undeliverable(&mut optional),
        "5.1.10 example.org accepts no mail, as its MX record says"
    );
    assert_eq!(optional.host_failures().len(), 1);
    let mut untagged = delivery(null(), Ok(enforce()), RequireTls::Unspecified);
    rechecking(&mut untagged);
    // Settings after the first step have no effect.
    let mut late = untagged.with_require_tls(RequireTls::No);
    rechecking(&mut late);
    let mut between = delivery(to(&[HOST, "mx2.example.net"]), Ok(enforce()), RequireTls::Yes);
    let clear = Host { outcome: SessionOutcome::ClearText, ..good() };
    try_next(&mut between, &clear).unwrap_err();
    let mut between = between.with_require_tls(RequireTls::No).with_pkix_beside_dane(true);
    assert!(try_next(&mut between, &clear).is_err());
}

#[test]
fn a_newer_policy_is_looked_for_first() {
    let host = Host { outcome: SessionOutcome::ClearText, ..good() };
    let good = good();
    let rows = [
        (Ok(enforce()), &host),
        (Ok(testing()), &good),
        (none(), &good),
        (Ok(policy(Mode::None, &[])), &good),
    ];
    for (policy, host) in rows {
        let new = || {
            let mut delivery = delivery(to(&[HOST]), policy.clone(), RequireTls::Yes);
            try_next(&mut delivery, host).unwrap_err();
            rechecking(&mut delivery);
            delivery
        };
        let mut unchanged = new();
        unchanged.handle_recheck(Recheck::Current(policy.clone()));
        assert!(undeliverable(&mut unchanged).starts_with("5.7.10 "));
        let mut unknown = new();
        unknown.handle_recheck(Recheck::Unknown("timed out".into()));
        // Only a policy that is enforced may be the reason why the message cannot be delivered.
        let is_enforced = policy.as_ref().is_ok_and(|policy| policy.mode() == Mode::Enforce);
        assert_eq!(deferred(&mut unknown).may_bounce(), !is_enforced);
        let mut changed = new();
        let is_active = policy.as_ref().is_ok_and(|policy| policy.mode() != Mode::None);
        let other = if is_active { none() } else { Ok(enforce()) };
        changed.handle_recheck(Recheck::Current(other));
        assert!(matches!(changed.poll(), Step::PolicyChanged(_)));
    }
}

#[test]
fn bounces() {
    assert_eq!(RequireTls::Yes.of_bounce(), RequireTls::Bounce);
    assert_eq!(RequireTls::Bounce.of_bounce(), RequireTls::Bounce);
    assert_eq!(RequireTls::No.of_bounce(), RequireTls::No);
    assert_eq!(RequireTls::Unspecified.of_bounce(), RequireTls::Unspecified);
    assert!(RequireTls::Yes.returns_header_only() && RequireTls::Bounce.returns_header_only());
    assert!(!RequireTls::No.returns_header_only());

    let rows = [
        (good(), Ok(true)),
        (Host { offers: false, ..good() }, Ok(false)),
        (Host { outcome: invalid(ResultType::CertificateExpired), ..good() }, Ok(false)),
        (
            Host { outcome: SessionOutcome::ClearText, ..good() },
            Err(format!("{HOST} does not offer STARTTLS, which the sender of the message demands")),
        ),
    ];
    for (host, expected) in rows {
        let route = to(&[HOST]).with_secure_mx(true);
        let mut delivery = delivery(route, Err(NoPolicy::NoRecord), RequireTls::Bounce);
        assert_eq!(try_next(&mut delivery, &host), expected, "{host:?}");
    }
    // Without TLS it waits, and is not thrown away.
    let mut waiting = delivery(to(&[HOST]), Err(NoPolicy::NoRecord), RequireTls::Bounce);
    try_next(&mut waiting, &Host { outcome: SessionOutcome::ClearText, ..good() }).unwrap_err();
    deferred(&mut waiting);
}

#[test]
fn tls_is_optional() {
    let clear = || SessionOutcome::ClearText;
    let expired = || invalid(ResultType::CertificateExpired);
    for mode in [Mode::Enforce, Mode::Testing] {
        for mx in ["*.example.net", "mx.example.com"] {
            for (outcome, level) in [(clear(), "clear"), (expired(), "tls"), (valid(), "tls")] {
                let mut delivery = delivery(to(&[HOST]), Ok(policy(mode, &[mx])), RequireTls::No);
                let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
                assert_eq!(attempt.requirement().tls(), TlsLevel::Opportunistic);
                assert!(attempt.requirement().validates_pkix());
                let SendDecision::Send(transaction) =
                    delivery.handle_session(attempt, outcome.clone())
                else {
                    panic!("{mode} {mx} {outcome:?}");
                };
                assert_eq!(transaction.session().is_encrypted(), level == "tls");
                assert!(!transaction.needs_requiretls());
                // The report counts the session under the policy.
                let is_fine = outcome == valid() && mx.starts_with('*');
                let reports = reports(&mut delivery);
                assert_eq!(reports.len(), 1);
                assert_eq!(reports[0].2.is_empty(), is_fine, "{reports:?}");
            }
        }
    }
    // A failed handshake leads to clear text, and DNSSEC that fails is no obstacle.
    for dane in
        [TlsaStatus::Bogus, TlsaStatus::Indeterminate, TlsaStatus::Usable, TlsaStatus::Unusable]
    {
        let mut delivery = delivery(to(&[HOST]), Ok(enforce()), RequireTls::No);
        let attempt = advise(&mut delivery, HOST, dane).unwrap();
        let failed = SessionOutcome::HandshakeFailed(failure(ResultType::ValidationFailure));
        let decision = only_address(&mut delivery, attempt, failed);
        assert!(matches!(decision, SendDecision::RetryPlaintext(_)), "{dane:?}: {decision:?}");
    }
}

#[test]
fn the_minimum_level_applies_even_if_tls_is_optional() {
    let new = |floor| {
        Delivery::new(to(&[HOST]), Err(NoPolicy::NoRecord), floor).with_require_tls(RequireTls::No)
    };
    let clear = Host { outcome: SessionOutcome::ClearText, ..good() };
    for floor in [MinTlsLevel::Encrypted, MinTlsLevel::Authenticated] {
        assert!(try_next(&mut new(floor), &clear).is_err(), "{floor}");
    }
    let expired = Host { outcome: invalid(ResultType::CertificateExpired), ..good() };
    assert!(try_next(&mut new(MinTlsLevel::Authenticated), &expired).is_err());
    let bogus = Host { dane: TlsaStatus::Bogus, ..good() };
    assert!(try_next(&mut new(MinTlsLevel::Authenticated), &bogus).is_err());
    assert!(try_next(&mut new(MinTlsLevel::Dane), &good()).is_err());
}

/// The four requirements of RFC 8689 §2, by an oracle that knows nothing of the crate's decision.
fn has_all_four(policy: &Answer, is_secure: bool, host: &Host) -> bool {
    let is_listed =
        policy.as_ref().is_ok_and(|policy| policy.mode() == Mode::Enforce && policy.matches(HOST));
    let (pkix, dane) = match &host.outcome {
        outcome if *outcome == valid() => (true, false),
        outcome if *outcome == dane_valid() => (false, true),
        _ => (false, false),
    };
    let by_dane = dane && host.dane == TlsaStatus::Usable;
    (is_secure || is_listed) && (pkix || by_dane) && host.offers
}

fn dane_valid() -> SessionOutcome {
    SessionOutcome::Encrypted(CertificateChecks::new().with_dane(Ok(())))
}

/// Every combination of policy, DNSSEC, TLSA records, outcome and `REQUIRETLS`.
fn all() -> impl Iterator<Item = (Answer, bool, Host, MinTlsLevel)> {
    let policies: [Answer; 6] = [
        Ok(enforce()),
        Ok(testing()),
        Ok(policy(Mode::Enforce, &["mx.example.com"])),
        Ok(policy(Mode::Testing, &["mx.example.com"])),
        Err(NoPolicy::NoRecord),
        Err(NoPolicy::DnsFailed("timed out".into())),
    ];
    let outcomes = [
        valid(),
        dane_valid(),
        invalid(ResultType::CertificateExpired),
        SessionOutcome::Encrypted(CertificateChecks::new()),
        SessionOutcome::ClearText,
        SessionOutcome::StarttlsRefused { is_temporary: false },
        SessionOutcome::StarttlsRefused { is_temporary: true },
        SessionOutcome::HandshakeFailed(failure(ResultType::ValidationFailure)),
        SessionOutcome::Unreachable,
    ];
    let danes = [
        TlsaStatus::Insecure,
        TlsaStatus::Usable,
        TlsaStatus::Unusable,
        TlsaStatus::Bogus,
        TlsaStatus::Indeterminate,
    ];
    let floors = [
        MinTlsLevel::Opportunistic,
        MinTlsLevel::Encrypted,
        MinTlsLevel::Authenticated,
        MinTlsLevel::Dane,
    ];
    let hosts: Vec<Host> = outcomes
        .iter()
        .flat_map(|outcome| danes.map(|dane| (outcome.clone(), dane)))
        .flat_map(|(outcome, dane)| {
            [false, true].map(|offers| Host { dane, outcome: outcome.clone(), offers })
        })
        .collect();
    policies.into_iter().flat_map(move |policy| {
        let hosts = hosts.clone();
        floors.into_iter().flat_map(move |floor| {
            let (policy, hosts) = (policy.clone(), hosts.clone());
            [false, true].into_iter().flat_map(move |is_secure| {
                let policy = policy.clone();
                hosts.clone().into_iter().map(move |host| (policy.clone(), is_secure, host, floor))
            })
        })
    })
}

#[test]
fn nothing_is_sent_without_all_four() {
    let mut sent = 0;
    for (policy, is_secure, host, floor) in all() {
        let what = format!("{policy:?} {is_secure} {host:?} {floor}");
        let route = to(&[HOST]).with_secure_mx(is_secure);
        let mut delivery =
            Delivery::new(route, policy.clone(), floor).with_require_tls(RequireTls::Yes);
        if let Ok(has_parameter) = try_next(&mut delivery, &host) {
            assert!(has_parameter && has_all_four(&policy, is_secure, &host), "{what}");
            sent += 1;
            continue;
        }
        let step = delivery.poll();
        let is_over = matches!(
            step,
            Step::Recheck(_)
                | Step::Defer(_)
                | Step::Undeliverable(PermanentFailure::RequireTls { .. })
        );
        assert!(is_over, "{what}: {step:?}");
    }
    assert!(sent > 20, "{sent}");
}

#[test]
fn the_parameter_needs_all_four() {
    let mut with = 0;
    for (policy, is_secure, host, floor) in all() {
        let route = to(&[HOST]).with_secure_mx(is_secure);
        for tag in [RequireTls::Unspecified, RequireTls::Bounce, RequireTls::No] {
            let mut delivery =
                Delivery::new(route.clone(), policy.clone(), floor).with_require_tls(tag);
            let Step::Consider(candidate) = delivery.poll() else { panic!("there is a host") };
            let ConnectDecision::Attempt(attempt) = delivery.handle_tlsa(candidate, host.dane)
            else {
                continue;
            };
            let attempt = attempt.with_requiretls_offered(host.offers);
            let SendDecision::Send(transaction) =
                delivery.handle_session(attempt, host.outcome.clone())
            else {
                continue;
            };
            if transaction.needs_requiretls() {
                with += 1;
                assert_eq!(tag, RequireTls::Bounce);
                assert!(has_all_four(&policy, is_secure, &host), "{policy:?} {is_secure} {host:?}");
            }
        }
    }
    assert!(with > 20, "{with}");
}

#[test]
fn an_open_connection_needs_all_four() {
    let session = |offers: bool| -> Session {
        let mut delivery = delivery(to(&[HOST]), Ok(enforce()), RequireTls::Unspecified);
        let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        let attempt = attempt.with_requiretls_offered(offers);
        match delivery.handle_session(attempt, valid()) {
            SendDecision::Send(transaction) => transaction.session().clone(),
            other => panic!("{other:?}"),
        }
    };
    for offers in [false, true] {
        let open = session(offers);
        assert_eq!(open.offers_requiretls(), offers);
        let mut delivery = delivery(to(&[HOST]), Ok(enforce()), RequireTls::Yes);
        let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
        assert!(attempt.requirement().needs_requiretls());
        match delivery.reuse(attempt, &open) {
            Ok(transaction) => {
                assert!(offers && transaction.needs_requiretls());
                delivery.handle_reply(transaction, SmtpReply::Accepted);
            }
            Err(_) => assert!(!offers),
        }
    }
}

#[test]
fn a_session_in_clear_text_offers_nothing() {
    let mut delivery = delivery(to(&[HOST]), Err(NoPolicy::NoRecord), RequireTls::Unspecified);
    let attempt = advise(&mut delivery, HOST, TlsaStatus::Insecure).unwrap();
    let attempt = attempt.with_requiretls_offered(true);
    let SendDecision::Send(transaction) =
        delivery.handle_session(attempt, SessionOutcome::ClearText)
    else {
        panic!("clear text is allowed");
    };
    assert!(!transaction.session().offers_requiretls());
}

#[test]
fn the_reason_names_who_demands_it() {
    let mut delivery = delivery(to(&[HOST]), Ok(enforce()), RequireTls::Yes);
    let clear = Host { outcome: SessionOutcome::ClearText, ..good() };
    try_next(&mut delivery, &clear).unwrap_err();
    let reason = delivery.host_failures()[0].reason();
    assert_eq!(*reason, HostFailureReason::NoStarttls(RequiredBy::Policy));
}

#[cfg(feature = "serde")]
#[test]
fn a_queue_stores_the_tag() {
    for (tag, text) in [
        (RequireTls::Unspecified, "\"unspecified\""),
        (RequireTls::Yes, "\"yes\""),
        (RequireTls::Bounce, "\"bounce\""),
        (RequireTls::No, "\"no\""),
    ] {
        assert_eq!(serde_json::to_string(&tag).unwrap(), text);
        assert_eq!(serde_json::from_str::<RequireTls>(text).unwrap(), tag);
    }
}
