//! The decision of a sender about an MX host.

use std::sync::Arc;

use mta_sts::{
    Domain, NoPolicy, Policy,
    delivery::{
        Attempt, ConnectDecision, Delivery, MinTlsLevel, Mx, Route, SendDecision, Session,
        SessionOutcome, Step, TlsLevel, TlsaStatus,
    },
};

use super::{certificate::Certificate, probe::Probed, report::Decision};

pub(crate) type Applies = Result<Arc<Policy>, NoPolicy>;

/// Decides as a sender would if there were no other host. `visits` is `None` if the host was not visited.
/// The sender is an unlucky one, which tries the best address last.
pub(crate) fn decide(
    domain: &Domain,
    mx: Mx,
    applies: &Applies,
    visits: Option<&[Probed]>,
) -> Decision {
    let route = Route::for_recipient(domain.clone(), [mx]);
    let mut delivery = Delivery::new(route, applies.clone(), MinTlsLevel::Opportunistic);
    let Step::Consider(candidate) = delivery.poll() else {
        return refused("it is not a host name".to_owned());
    };
    let mut decision = match (delivery.handle_tlsa(candidate, TlsaStatus::Insecure), visits) {
        (ConnectDecision::Skip(refusal), _) => refused(refusal.to_string()),
        (ConnectDecision::Attempt(attempt), None) => sent(needed(attempt.requirement().tls())),
        (ConnectDecision::Attempt(attempt), Some(visits)) => {
            let decision = after(&mut delivery, attempt, &worst_first(visits));
            match decision {
                Decision { delivers: Some(false), .. } => {
                    unknown_reason(visits).map_or(decision, unknown)
                }
                decision => decision,
            }
        }
    };
    while let Some(report) = delivery.poll_report() {
        let types = report.failures().iter().map(|failure| failure.result_type().to_string());
        decision.reports.extend(types);
    }
    decision
}

fn after(delivery: &mut Delivery, mut attempt: Attempt, outcomes: &[SessionOutcome]) -> Decision {
    loop {
        for outcome in outcomes {
            let outcome = match attempt.requirement().tls() {
                TlsLevel::Never => in_clear_text(outcome),
                _ => outcome.clone(),
            };
            attempt = match delivery.handle_session(attempt, outcome) {
                SendDecision::Send(transaction) => return sent(given(transaction.session())),
                SendDecision::Reject(refusal) => return refused(refusal.to_string()),
                SendDecision::NextAddress(attempt) | SendDecision::RetryPlaintext(attempt) => {
                    attempt
                }
            };
        }
        attempt = match delivery.handle_no_address(attempt) {
            SendDecision::RetryPlaintext(attempt) => attempt,
            SendDecision::Reject(refusal) => return refused(refusal.to_string()),
            SendDecision::Send(_) | SendDecision::NextAddress(_) => {
                return refused("no attempt is left".to_owned());
            }
        };
    }
}

fn worst_first(visits: &[Probed]) -> Vec<SessionOutcome> {
    let mut ranked: Vec<(u8, &SessionOutcome)> = visits
        .iter()
        .filter_map(|visit| {
            let outcome = visit.outcome.as_ref()?;
            let certificate = visit.probe.certificate.as_ref();
            let is_valid = certificate.is_some_and(|certificate| certificate.error.is_none());
            Some((rank(outcome, is_valid), outcome))
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, outcome)| outcome.clone()).collect()
}

fn rank(outcome: &SessionOutcome, is_valid: bool) -> u8 {
    match outcome {
        SessionOutcome::HandshakeFailed(_) | SessionOutcome::CertificateRejected(_) => 1,
        SessionOutcome::StarttlsRefused { .. } => 2,
        SessionOutcome::ClearText => 3,
        SessionOutcome::Encrypted(_) if is_valid => 5,
        SessionOutcome::Encrypted(_) => 4,
        _ => 0,
    }
}

/// Returns the outcome of the same session without STARTTLS.
fn in_clear_text(outcome: &SessionOutcome) -> SessionOutcome {
    if rank(outcome, false) == 0 { outcome.clone() } else { SessionOutcome::ClearText }
}

/// Returns why the decision of another sender may be another one.
fn unknown_reason(visits: &[Probed]) -> Option<&'static str> {
    let is_refusal = |visit: &Probed| visit.outcome == Some(SessionOutcome::GreetingRefused);
    let is_unverified =
        |visit: &Probed| visit.probe.certificate.as_ref().is_some_and(Certificate::is_unverified);
    if visits.iter().any(is_refusal) {
        Some("the host refuses the address of this machine")
    } else if visits.iter().any(is_unverified) {
        Some("the cryptography in use cannot verify the certificate")
    } else {
        None
    }
}

pub(crate) fn unknown(why: &str) -> Decision {
    Decision { delivers: None, sentence: why.to_owned(), reports: Vec::new() }
}

fn sent(how: &str) -> Decision {
    Decision { delivers: Some(true), sentence: how.to_owned(), reports: Vec::new() }
}

pub(crate) fn refused(why: String) -> Decision {
    Decision { delivers: Some(false), sentence: why, reports: Vec::new() }
}

fn needed(tls: TlsLevel) -> &'static str {
    match tls {
        TlsLevel::Pkix => "over TLS, if the certificate is valid",
        _ => "over TLS if it is offered, whatever the certificate",
    }
}

fn given(session: &Session) -> &'static str {
    if session.is_pkix_valid() {
        "over TLS, with a valid certificate"
    } else if session.is_encrypted() {
        "over TLS, with a certificate that is not valid"
    } else {
        "in clear text"
    }
}
