//! Delivers one message to hosts of which everything is known.

use core::error::Error;
use std::{iter, sync::Arc};

use mta_sts::{
    Domain, Failure, NoPolicy, Policy, ResultType,
    delivery::{
        Attempt, CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, Mx, Recheck,
        RequireTls, Route, SendDecision, SessionOutcome, SessionReport, SmtpReply, Step, TlsLevel,
        TlsaStatus,
    },
};
use serde_json::{Value, json};

use crate::{answer::Answer, question::Question};

pub(crate) fn delivery(question: &Question) -> Answer {
    let hosts = hosts(question)?;
    let has_no_mx = question.flag("no_mx")?;
    let records = hosts.iter().filter(|_| !has_no_mx).map(|host| host.record.clone());
    let domain = Domain::parse(question.text("domain")?)?;
    let route = Route::for_recipient(domain, records).with_secure_mx(question.flag("secure_mx")?);
    let policy = policy(question)?;
    let tag = match question.maybe_text("message")? {
        None => RequireTls::Unspecified,
        Some("requiretls") => RequireTls::Yes,
        Some("tls-required-no") => RequireTls::No,
        Some(other) => return Err(format!("a message that is not known: {other:?}").into()),
    };
    let mut delivery =
        Delivery::new(route, policy.clone(), MinTlsLevel::Opportunistic).with_require_tls(tag);
    let mut end = walk(&mut delivery, &hosts, &policy)?;
    let reports = iter::from_fn(|| delivery.poll_report()).map(|report| report_json(&report));
    end["reports"] = reports.collect();
    Ok(end)
}

/// An MX host, and what is found there.
struct Host {
    preference: u16,
    record: Mx,
    name: String,
    facts: Question,
}

/// Returns the hosts in the order of preference.
fn hosts(question: &Question) -> Result<Vec<Host>, Box<dyn Error>> {
    let mut hosts = Vec::new();
    for facts in question.objects("hosts")? {
        let name = facts.text("host")?;
        let preference = facts.integer("preference")?;
        let record = Mx::new(preference, name).with_is_self(facts.flag("self")?);
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        hosts.push(Host { preference, record, name, facts });
    }
    hosts.sort_by_key(|host| host.preference);
    Ok(hosts)
}

fn policy(question: &Question) -> Result<Result<Arc<Policy>, NoPolicy>, Box<dyn Error>> {
    if let Some(text) = question.maybe_text("policy")? {
        return Ok(Ok(Arc::new(Policy::parse(text.as_bytes())?)));
    }
    Ok(Err(match question.maybe_text("policy_failure")? {
        None => NoPolicy::NoRecord,
        Some(result_type) => NoPolicy::FetchFailed(Arc::new(failure(result_type.parse()?))),
    }))
}

/// Tries the hosts until the delivery has come to an end.
fn walk(
    delivery: &mut Delivery,
    hosts: &[Host],
    policy: &Result<Arc<Policy>, NoPolicy>,
) -> Result<Value, Box<dyn Error>> {
    let mut sent = None;
    loop {
        match delivery.poll() {
            Step::Consider(candidate) => {
                let host = hosts.iter().find(|host| host.name == candidate.host());
                let facts = &host.ok_or("a host that is not listed")?.facts;
                let decision = delivery.handle_tlsa(candidate, tlsa(facts)?);
                if let ConnectDecision::Attempt(attempt) = decision {
                    sent = connect(delivery, attempt, facts)?.or(sent);
                }
            }
            // The domain has no other policy meanwhile.
            Step::Recheck(_) => delivery.handle_recheck(Recheck::Current(policy.clone())),
            Step::Delivered => {
                let (host, is_encrypted) = sent.ok_or("delivered to no host")?;
                return Ok(json!({ "outcome": "delivered", "host": host, "tls": is_encrypted }));
            }
            Step::Defer(_) => return Ok(json!({ "outcome": "deferred" })),
            Step::Undeliverable(_) => return Ok(json!({ "outcome": "bounced" })),
            Step::PolicyChanged(_) => return Err("the policy has not changed".into()),
        }
    }
}

/// Connects to the only address of a host. Returns the host, and whether over TLS, if the message was sent.
fn connect(
    delivery: &mut Delivery,
    attempt: Attempt,
    facts: &Question,
) -> Result<Option<(String, bool)>, Box<dyn Error>> {
    let attempt = attempt.with_requiretls_offered(facts.flag("requiretls")?);
    let outcome = session_outcome(facts, attempt.requirement().tls())?;
    let mut decision = delivery.handle_session(attempt, outcome);
    loop {
        decision = match decision {
            SendDecision::NextAddress(attempt) => delivery.handle_no_address(attempt),
            SendDecision::RetryPlaintext(attempt) => {
                let outcome = session_outcome(facts, attempt.requirement().tls())?;
                delivery.handle_session(attempt, outcome)
            }
            SendDecision::Send(transaction) => {
                let session = transaction.session();
                let sent = (session.host().to_owned(), session.is_encrypted());
                delivery.handle_reply(transaction, SmtpReply::Accepted);
                return Ok(Some(sent));
            }
            SendDecision::Reject(_) => return Ok(None),
        };
    }
}

fn tlsa(facts: &Question) -> Result<TlsaStatus, Box<dyn Error>> {
    Ok(match facts.maybe_text("tlsa")? {
        None => TlsaStatus::Insecure,
        Some("match" | "mismatch") => TlsaStatus::Usable,
        Some("unusable") => TlsaStatus::Unusable,
        Some("bogus") => TlsaStatus::Bogus,
        Some("failed") => TlsaStatus::Indeterminate,
        Some(other) => return Err(format!("TLSA records that are not known: {other:?}").into()),
    })
}

fn session_outcome(facts: &Question, level: TlsLevel) -> Result<SessionOutcome, Box<dyn Error>> {
    let starttls = facts.text("starttls")?;
    if starttls == "unreachable" {
        return Ok(SessionOutcome::Unreachable);
    }
    if level == TlsLevel::Never {
        return Ok(SessionOutcome::ClearText);
    }
    Ok(match starttls {
        "absent" => SessionOutcome::ClearText,
        "refused" => SessionOutcome::StarttlsRefused { is_temporary: false },
        "fails" => SessionOutcome::HandshakeFailed(failure(ResultType::ValidationFailure)),
        "works" if facts.text("certificate")? == "wrong-key" => {
            SessionOutcome::HandshakeFailed(failure(ResultType::ValidationFailure))
        }
        "works" => SessionOutcome::Encrypted(checks(facts)?),
        other => return Err(format!("a STARTTLS that is not known: {other:?}").into()),
    })
}

fn checks(facts: &Question) -> Result<CertificateChecks, Box<dyn Error>> {
    let pkix = match facts.text("certificate")? {
        "valid" => Ok(()),
        "expired" => Err(failure(ResultType::CertificateExpired)),
        "not-yet-valid" | "self-signed" | "untrusted" | "incomplete" => {
            Err(failure(ResultType::CertificateNotTrusted))
        }
        "other-name" | "common-name" => Err(failure(ResultType::CertificateHostMismatch)),
        other => return Err(format!("a certificate that is not known: {other:?}").into()),
    };
    let checks = CertificateChecks::new().with_pkix(pkix);
    Ok(match facts.maybe_text("tlsa")? {
        Some("match") => checks.with_dane(Ok(())),
        Some("mismatch") => checks.with_dane(Err(failure(ResultType::ValidationFailure))),
        _ => checks,
    })
}

fn failure(result_type: ResultType) -> Failure {
    Failure::new(result_type, result_type.as_str(), "the host", "it failed")
}

fn report_json(report: &SessionReport) -> Value {
    let failures = report.failures().iter();
    let failures: Vec<_> = failures.map(|failure| failure.result_type().as_str()).collect();
    json!({
        "mx_host": report.mx_host(),
        "policy_type": report.policy_type().as_str(),
        "result_types": failures,
    })
}
