//! What every combination counts as in a report, by a table made from RFC 8460 alone.

use mta_sts::{
    Failure, Mode, NoPolicy,
    ResultType::{self, CertificateExpired, CertificateHostMismatch, CertificateNotTrusted},
    delivery::{
        CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, SessionOutcome, Step, TlsaStatus,
    },
};

use super::{dns_failed, failure, only_address, policy, reports, to};

/// A session by row, with what it counts as under each kind of policy: "policy-compliant" and so a
/// success (§4.2.1), or these result types, or nothing at all.
///
/// - Without a connection there is nothing that was negotiated; "TCP timeouts, etc., are not required
///   to be reported" (§4.3.4).
/// - `starttls-not-supported`: "the recipient MX did not support STARTTLS" (§4.3.1).
/// - A handshake that failed for another reason than a certificate is a `validation-failure` (§4.3.3).
/// - `certificate-*` are what they say (§4.3.1). Under a DANE policy, no record that matches is a
///   `validation-failure`, as no other type fits (§4.3.3); under an MTA-STS policy DANE has no say, nor
///   has PKIX under a DANE policy.
/// - With no usable record at all, each session has the failure `tlsa-invalid` (§4.3.2.1), and any
///   certificate does.
/// - `no-policy-found` asks for no certificate: TLS is a success.
/// - What nobody has checked counts neither way.
const SESSIONS: &str = "
    session               | sts                       | usable TLSA            | unusable TLSA                       | no-policy-found
    unreachable           | -                         | -                      | -                                   | -
    greeting refused      | -                         | -                      | -                                   | -
    connection lost       | -                         | -                      | -                                   | -
    no STARTTLS           | starttls-not-supported    | starttls-not-supported | tlsa-invalid starttls-not-supported | starttls-not-supported
    STARTTLS refused      | starttls-not-supported    | starttls-not-supported | tlsa-invalid starttls-not-supported | starttls-not-supported
    handshake failed      | validation-failure        | validation-failure     | tlsa-invalid validation-failure     | validation-failure
    rejected, expired     | certificate-expired       | -                      | tlsa-invalid                        | certificate-expired
    rejected, no record   | -                         | validation-failure     | tlsa-invalid                        | validation-failure
    TLS, valid, matches   | success                   | success                | tlsa-invalid                        | success
    TLS, valid            | success                   | -                      | tlsa-invalid                        | success
    TLS, valid, no record | success                   | validation-failure     | tlsa-invalid                        | success
    TLS, expired, matches | certificate-expired       | success                | tlsa-invalid                        | success
    TLS, expired          | certificate-expired       | -                      | tlsa-invalid                        | success
    TLS, other name       | certificate-host-mismatch | -                      | tlsa-invalid                        | success
    TLS, not trusted      | certificate-not-trusted   | -                      | tlsa-invalid                        | success
    TLS, unchecked        | -                         | -                      | tlsa-invalid                        | success
";

fn outcome(session: &str) -> SessionOutcome {
    let none = CertificateChecks::new;
    let expired = || none().with_pkix(Err(failure(CertificateExpired)));
    let no_record =
        |checks: CertificateChecks| checks.with_dane(Err(failure(ResultType::ValidationFailure)));
    match session {
        "unreachable" => SessionOutcome::Unreachable,
        "greeting refused" => SessionOutcome::GreetingRefused,
        "connection lost" => SessionOutcome::ConnectionLost,
        "no STARTTLS" => SessionOutcome::ClearText,
        "STARTTLS refused" => SessionOutcome::StarttlsRefused { is_temporary: true },
        "handshake failed" => {
            SessionOutcome::HandshakeFailed(failure(ResultType::ValidationFailure))
        }
        "rejected, expired" => SessionOutcome::CertificateRejected(expired()),
        "rejected, no record" => SessionOutcome::CertificateRejected(no_record(none())),
        _ => SessionOutcome::Encrypted(match session {
            "TLS, valid, matches" => none().with_pkix(Ok(())).with_dane(Ok(())),
            "TLS, valid" => none().with_pkix(Ok(())),
            "TLS, valid, no record" => no_record(none().with_pkix(Ok(()))),
            "TLS, expired, matches" => expired().with_dane(Ok(())),
            "TLS, expired" => expired(),
            "TLS, other name" => none().with_pkix(Err(failure(CertificateHostMismatch))),
            "TLS, not trusted" => none().with_pkix(Err(failure(CertificateNotTrusted))),
            "TLS, unchecked" => none(),
            other => panic!("{other}"),
        }),
    }
}

/// A cell of the table: `None` if nothing is counted.
fn counted(cell: &str) -> Option<Vec<ResultType>> {
    match cell {
        "-" => None,
        "success" => Some(vec![]),
        types => Some(types.split(' ').map(|name| name.parse().unwrap()).collect()),
    }
}

/// How what is known of a policy shows in a report.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shows {
    /// "the MTA-STS Policy applied" (§4).
    AsSts,
    /// One that was not had: each session has this failure (§4.3.2.2), beside what kept it from TLS.
    AsNotHad(ResultType),
    /// "neither a DANE nor MTA-STS Policy could be found" (§4).
    AsNone,
    /// Nobody has looked, or the domain wants no reports of failures (RFC 8461 §6).
    Nowhere,
}

fn policies() -> Vec<(&'static str, Delivery, Shows)> {
    let ended = |cause: NoPolicy| NoPolicy::Expired {
        mode: Mode::Enforce,
        ended_at: time::macros::utc_datetime!(2026-01-01 0:00),
        cause: cause.into(),
    };
    let not_had = |kind| NoPolicy::FetchFailed(failure(kind).into());
    // Of the sender's own network, which is no fact about the domain.
    let of_sender = |code| {
        let fetch = ResultType::StsPolicyFetchError;
        NoPolicy::FetchFailed(Failure::new(fetch, code, "mta-sts.example.com", "it failed").into())
    };
    let [fetch, invalid, pkix] = [
        ResultType::StsPolicyFetchError,
        ResultType::StsPolicyInvalid,
        ResultType::StsWebpkiInvalid,
    ];
    let of = |mode| Ok(policy(mode, &["mx1.example.net"]));
    let all = [
        ("enforce", of(Mode::Enforce), Shows::AsSts),
        ("testing", of(Mode::Testing), Shows::AsSts),
        ("none", of(Mode::None), Shows::Nowhere),
        ("none, as the cache has it", Err(NoPolicy::ModeNone), Shows::Nowhere),
        ("not had", Err(not_had(fetch)), Shows::AsNotHad(fetch)),
        ("not valid", Err(not_had(invalid)), Shows::AsNotHad(invalid)),
        ("host not valid", Err(not_had(pkix)), Shows::AsNotHad(pkix)),
        ("ended, not had", Err(ended(not_had(fetch))), Shows::AsNotHad(fetch)),
        ("the proxy failed", Err(of_sender("https-proxy")), Shows::Nowhere),
        ("no source address", Err(of_sender("source-address")), Shows::Nowhere),
        ("ended, the proxy failed", Err(ended(of_sender("https-proxy"))), Shows::Nowhere),
        ("no record", Err(NoPolicy::NoRecord), Shows::AsNone),
        ("no valid record", Err(NoPolicy::InvalidRecord("no id".into())), Shows::AsNone),
        ("DNS failed", Err(dns_failed()), Shows::AsNone),
        ("ended, DNS failed", Err(ended(dns_failed())), Shows::AsNone),
        ("disabled", Err(NoPolicy::Disabled), Shows::Nowhere),
        ("overloaded", Err(NoPolicy::Overloaded), Shows::Nowhere),
        ("held back", Err(NoPolicy::HeldBack), Shows::Nowhere),
    ];
    let delivery =
        |policy| Delivery::new(to(&["mx1.example.net"]), policy, MinTlsLevel::Opportunistic);
    let listed = all.into_iter().map(|(name, policy, shows)| (name, delivery(policy), shows));
    let pinned = [Mode::Enforce, Mode::Testing].map(|mode| {
        let delivery = delivery(of(mode)).with_operators_policy(true);
        ("the operator's", delivery, Shows::Nowhere)
    });
    listed.chain(pinned).collect()
}

fn try_once(delivery: &mut Delivery, dane: TlsaStatus, outcome: SessionOutcome) {
    let Step::Consider(candidate) = delivery.poll() else { panic!("no host") };
    if let ConnectDecision::Attempt(attempt) = delivery.handle_tlsa(candidate, dane) {
        let _ = only_address(delivery, attempt, outcome);
    }
}

#[test]
fn r4_every_combination_counts_as_the_table_says() {
    let mut combinations = 0;
    for row in SESSIONS.lines().map(str::trim).filter(|row| !row.is_empty()).skip(1) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [session, sts, usable, unusable, none] = cells[..] else { panic!("{row}") };
        for dane in [TlsaStatus::Insecure, TlsaStatus::Usable, TlsaStatus::Unusable] {
            for (name, mut delivery, shows) in policies() {
                let tlsa = match dane {
                    TlsaStatus::Usable => counted(usable),
                    TlsaStatus::Unusable => counted(unusable),
                    _ => None,
                };
                let as_sts = match shows {
                    Shows::AsSts => counted(sts),
                    // Without a session nothing is counted. No certificate is asked for.
                    Shows::AsNotHad(why) => {
                        counted(none).map(|failures| [vec![why], failures].concat())
                    }
                    Shows::AsNone | Shows::Nowhere => None,
                };
                let is_none = shows == Shows::AsNone && dane == TlsaStatus::Insecure;
                let as_none = counted(none).filter(|_| is_none);
                let kinds = [("tlsa", tlsa), ("sts", as_sts), ("no-policy-found", as_none)];
                let expected: Vec<_> = kinds
                    .into_iter()
                    .filter_map(|(kind, found)| Some((kind, "mx1.example.net".to_owned(), found?)))
                    .collect();
                try_once(&mut delivery, dane, outcome(session));
                assert_eq!(reports(&mut delivery), expected, "{session}, {name}, {dane:?}");
                combinations += 1;
            }
        }
    }
    assert_eq!(combinations, 16 * 3 * 20);
}

/// A host that is not listed is a failure of MTA-STS for which no type is made: `validation-failure`
/// (§4.3.3). Under `enforce` it is the only one, as nobody connects.
#[test]
fn r4_3_3_a_host_that_is_not_listed_counts_in_every_session() {
    for row in SESSIONS.lines().map(str::trim).filter(|row| !row.is_empty()).skip(1) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (session, sts) = (cells[0], counted(cells[1]));
        for mode in [Mode::Enforce, Mode::Testing] {
            let policy = Ok(policy(mode, &["mx2.example.net"]));
            let route = to(&["mx1.example.net"]);
            let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
            try_once(&mut delivery, TlsaStatus::Insecure, outcome(session));
            let unlisted = ResultType::ValidationFailure;
            let expected = match (mode, outcome(session)) {
                (Mode::Enforce, _) => Some(vec![unlisted]),
                (
                    _,
                    SessionOutcome::Unreachable
                    | SessionOutcome::GreetingRefused
                    | SessionOutcome::ConnectionLost,
                ) => None,
                _ => Some([vec![unlisted], sts.clone().unwrap_or_default()].concat()),
            };
            let expected: Vec<_> = expected
                .map(|failures| ("sts", "mx1.example.net".to_owned(), failures))
                .into_iter()
                .collect();
            assert_eq!(reports(&mut delivery), expected, "{session}, {mode}");
        }
    }
}
