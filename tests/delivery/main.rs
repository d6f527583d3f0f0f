//! The delivery decision (RFC 8461 §5), with DANE, the operator's floor and reports.

mod addresses;
mod counted;
mod matrix;
mod require_tls;
mod rows;
mod sentences;
mod steps;
mod table;
mod tls_rules;

use std::sync::Arc;

use mta_sts::{
    Domain, Failure, Mode, NoPolicy, Policy, ResultType,
    delivery::{
        Attempt, CertificateChecks, ConnectDecision, Deferral, Delivery, HostFailure, MinTlsLevel,
        Mx, PolicyType, Route, SendDecision, SessionOutcome, SessionReport, SmtpReply, Step,
        TlsaStatus, Transaction,
    },
};

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn policy(mode: Mode, mx: &[&str]) -> Arc<Policy> {
    let mx = mx.join("\nmx: ");
    let mx = if mx.is_empty() { mx } else { format!("mx: {mx}\n") };
    let text = format!("version: STSv1\nmode: {mode}\n{mx}max_age: 604800\n");
    Arc::new(Policy::parse(text.as_bytes()).unwrap())
}

fn enforce() -> Arc<Policy> {
    policy(Mode::Enforce, &["*.example.net"])
}

fn to(names: &[&str]) -> Route {
    let mx = (1..).zip(names).map(|(preference, name)| Mx::new(preference, name));
    Route::for_recipient(domain("example.org"), mx)
}

fn enforcing(names: &[&str]) -> Delivery {
    Delivery::new(to(names), Ok(enforce()), MinTlsLevel::Opportunistic)
}

fn failure(result_type: ResultType) -> Failure {
    Failure::new(result_type, "code", "mx1.example.net", "it failed")
}

fn valid() -> SessionOutcome {
    SessionOutcome::Encrypted(CertificateChecks::new().with_pkix(Ok(())))
}

fn invalid(result_type: ResultType) -> SessionOutcome {
    SessionOutcome::Encrypted(CertificateChecks::new().with_pkix(Err(failure(result_type))))
}

/// The next host's requirement, or why it is skipped.
#[track_caller]
fn advise(delivery: &mut Delivery, host: &str, dane: TlsaStatus) -> Result<Attempt, HostFailure> {
    let Step::Consider(candidate) = delivery.poll() else { panic!("there is no next host") };
    assert_eq!(candidate.host(), host);
    match delivery.handle_tlsa(candidate, dane) {
        ConnectDecision::Attempt(attempt) => {
            assert_eq!(attempt.host(), host);
            Ok(attempt)
        }
        ConnectDecision::Skip(refusal) => {
            assert_eq!(refusal.host(), host);
            Err(refusal)
        }
    }
}

/// Tries the next host, without DANE.
#[track_caller]
fn attempt(
    delivery: &mut Delivery,
    host: &str,
    outcome: SessionOutcome,
) -> Result<Transaction, HostFailure> {
    let attempt = advise(delivery, host, TlsaStatus::Insecure)?;
    session(delivery, attempt, outcome)
}

/// The verdict on a session, where there is no way back to clear text.
#[track_caller]
fn session(
    delivery: &mut Delivery,
    attempt: Attempt,
    outcome: SessionOutcome,
) -> Result<Transaction, HostFailure> {
    match only_address(delivery, attempt, outcome) {
        SendDecision::Send(transaction) => Ok(transaction),
        SendDecision::Reject(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

/// The verdict on the session with the only address of a host.
fn only_address(
    delivery: &mut Delivery,
    attempt: Attempt,
    outcome: SessionOutcome,
) -> SendDecision {
    match delivery.handle_session(attempt, outcome) {
        SendDecision::NextAddress(attempt) => delivery.handle_no_address(attempt),
        verdict => verdict,
    }
}

/// The only address of the host refuses the message for now.
#[track_caller]
fn refused_for_now(delivery: &mut Delivery, transaction: Transaction) {
    let attempt = delivery.handle_reply(transaction, SmtpReply::Transient).unwrap();
    let verdict = delivery.handle_no_address(attempt);
    assert!(matches!(verdict, SendDecision::Reject(_)), "{verdict:?}");
}

#[track_caller]
fn deliver(delivery: &mut Delivery, host: &str, outcome: SessionOutcome) {
    let transaction = attempt(delivery, host, outcome).unwrap();
    delivery.handle_reply(transaction, SmtpReply::Accepted);
    assert!(matches!(delivery.poll(), Step::Delivered));
}

#[track_caller]
fn deferred(delivery: &mut Delivery) -> Deferral {
    match delivery.poll() {
        Step::Defer(deferral) => deferral,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn rechecking(delivery: &mut Delivery) -> Deferral {
    match delivery.poll() {
        Step::Recheck(deferral) => deferral,
        other => panic!("{other:?}"),
    }
}

/// A host name of this many bytes.
fn long_name(len: usize) -> String {
    let labels = format!("{}mx.example.net", "a23456789.".repeat(30));
    labels[labels.len() - len..].replacen('.', "x", usize::from(len % 10 == 5))
}

fn dns_failed() -> NoPolicy {
    NoPolicy::DnsFailed("timed out".into())
}

/// Whether it is one of RFC 8460 §4.3.2.2.
fn is_of_discovery(failure: &Failure) -> bool {
    matches!(
        failure.result_type(),
        ResultType::StsPolicyFetchError
            | ResultType::StsPolicyInvalid
            | ResultType::StsWebpkiInvalid
    )
}

/// The reports so far: policy type, host, and the result types of what failed.
fn reports(delivery: &mut Delivery) -> Vec<(&'static str, String, Vec<ResultType>)> {
    let polled = std::iter::from_fn(|| delivery.poll_report());
    polled
        .map(|report: SessionReport| {
            let failures = report.failures().iter().map(Failure::result_type).collect();
            assert_eq!(report.is_success(), report.failures().is_empty());
            // Only a policy that was fetched is quoted.
            let is_had = !report.failures().iter().any(is_of_discovery);
            let is_quoted = report.policy_type() == PolicyType::Sts && is_had;
            assert_eq!(report.policy().is_some(), is_quoted);
            #[cfg(feature = "serde")]
            is_read_as_it_is_written(&report);
            (report.policy_type().as_str(), report.mx_host().to_owned(), failures)
        })
        .collect()
}

#[cfg(feature = "serde")]
fn is_read_as_it_is_written(report: &SessionReport) {
    let json = serde_json::to_string(report).unwrap();
    assert_eq!(&serde_json::from_str::<SessionReport>(&json).unwrap(), report, "{json}");
}
