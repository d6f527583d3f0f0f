//! The MX hosts: what the policy says of them, what they do when connected to, and what a sender
//! makes of that.

use std::{net::SocketAddr, sync::Arc, thread};

use mta_sts::{
    Domain, Failure, NoPolicy, Policy, ResultType,
    delivery::{
        Advice, Attempt, Checks, Dane, Delivery, Floor, Mx, Route, SessionOutcome, Step, Tls,
        Verdict,
    },
    lint,
    verify::HostVerifier,
};

use crate::{
    Tools,
    certificate::Certificate,
    report::{Decision, MxHost, MxKind, MxRecords, Probe, Trouble},
    smtp::Connection,
};

type Applies = Result<Arc<Policy>, NoPolicy>;

/// How many hosts are connected to at a time.
const AT_A_TIME: usize = 8;

/// `records` is what DNS says, `text` the policy as served, `applies` what a sender goes by.
pub(crate) fn check(
    domain: &Domain,
    records: Result<Vec<(u16, String)>, String>,
    text: Option<&Policy>,
    applies: &Applies,
    tools: &Tools,
) -> MxRecords {
    let records = match records {
        Ok(records) => records,
        Err(error) => {
            let (hosts, findings) = (Vec::new(), Vec::new());
            let trouble = Some(Trouble::Failure(error));
            return MxRecords { kind: MxKind::Unknown, hosts, findings, trouble };
        }
    };
    let (kind, records) = candidates(domain, records);
    let names = records.iter().map(|(_, host)| host);
    let findings = match (text, kind) {
        (None, _) | (_, MxKind::Null) => Vec::new(),
        (Some(policy), _) => lint::mx_hosts(policy, names),
    };
    let one = |(preference, host): &(u16, String)| {
        let listed_as = text.and_then(|policy| policy.mx().find(|it| it.matches(host)));
        let (probe, outcome) = if tools.probe { probe(host, tools) } else { (None, None) };
        MxHost {
            preference: *preference,
            listed_as: listed_as.map(|pattern| pattern.to_string()),
            probe,
            delivery: decide(domain, Mx::new(*preference, host), applies, outcome),
            host: host.clone(),
        }
    };
    let hosts = records.chunks(AT_A_TIME).flat_map(|some| {
        thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|it| scope.spawn(move || one(it))).collect();
            threads.into_iter().map(|it| it.join().expect("no check panics")).collect::<Vec<_>>()
        })
    });
    MxRecords { kind, hosts: hosts.collect(), findings, trouble: None }
}

/// Whom a sender would try. A null MX beside others means nothing (RFC 7505 §3).
fn candidates(domain: &Domain, records: Vec<(u16, String)>) -> (MxKind, Vec<(u16, String)>) {
    if records.is_empty() {
        return (MxKind::Implicit, vec![(0, domain.to_string())]);
    }
    let named = records.into_iter().filter(|(_, host)| host != ".");
    let named = named.map(|(preference, host)| (preference, host.trim_end_matches('.').to_owned()));
    let named: Vec<_> = named.collect();
    (if named.is_empty() { MxKind::Null } else { MxKind::Records }, named)
}

/// What a sender does with this host, as if there were no other.
fn decide(domain: &Domain, mx: Mx, applies: &Applies, outcome: Option<SessionOutcome>) -> Decision {
    let route = Route::to_recipient(domain.clone(), [mx]);
    let mut delivery = Delivery::new(route, applies.clone(), Floor::Opportunistic);
    let Step::Consider(candidate) = delivery.poll() else {
        return refused("it is no host".to_owned());
    };
    let mut decision = match (delivery.handle_dane(candidate, Dane::NotSigned), outcome) {
        (Advice::Skip(refusal), _) => refused(refusal.to_string()),
        (Advice::Attempt(attempt), None) => sent(needed(attempt.requirement().tls())),
        (Advice::Attempt(attempt), Some(outcome)) => {
            match only_address(&mut delivery, attempt, outcome) {
                Verdict::Send(transaction) => sent(given(transaction.session())),
                Verdict::Leave(refusal) => refused(refusal.to_string()),
                Verdict::NextAddress(_) | Verdict::Retry(_) => {
                    refused("it is tried again".to_owned())
                }
            }
        }
    };
    while let Some(report) = delivery.poll_report() {
        let types = report.failures().iter().map(|it| it.result_type().to_string());
        decision.reports.extend(types);
    }
    decision
}

/// The verdict on the one connection that there is, in clear text if nothing better is to be had.
fn only_address(delivery: &mut Delivery, attempt: Attempt, outcome: SessionOutcome) -> Verdict {
    let mut verdict = delivery.handle_session(attempt, outcome);
    if let Verdict::NextAddress(attempt) = verdict {
        verdict = delivery.handle_no_address(attempt);
    }
    match verdict {
        Verdict::Retry(attempt) => delivery.handle_session(attempt, SessionOutcome::ClearText),
        verdict => verdict,
    }
}

fn sent(how: &str) -> Decision {
    Decision { delivers: true, sentence: how.to_owned(), reports: Vec::new() }
}

fn refused(why: String) -> Decision {
    Decision { delivers: false, sentence: why, reports: Vec::new() }
}

fn needed(tls: Tls) -> &'static str {
    match tls {
        Tls::Pkix => "over TLS, if the certificate is valid",
        _ => "over TLS if it is offered, whatever the certificate",
    }
}

fn given(session: &mta_sts::delivery::Session) -> &'static str {
    if session.is_pkix_valid() {
        "over TLS, with a valid certificate"
    } else if session.is_encrypted() {
        "over TLS, with a certificate that is not valid"
    } else {
        "in clear text"
    }
}

/// Connects to the host as a sender would, and says nothing of a message.
fn probe(host: &str, tools: &Tools) -> (Option<Probe>, Option<SessionOutcome>) {
    let mut probe = Probe { address: None, certificate: None, trouble: None };
    let outcome = match connect(host, &mut probe, tools) {
        Ok(connection) => session(host, connection, &mut probe, tools),
        Err(trouble) => {
            probe.trouble = Some(trouble);
            SessionOutcome::Unreachable
        }
    };
    (Some(probe), Some(outcome))
}

/// A connection to the first address that answers.
fn connect(host: &str, probe: &mut Probe, tools: &Tools) -> Result<Connection, Trouble> {
    let addresses = tools.dns.addresses(host).map_err(Trouble::Failure)?;
    let mut trouble = "it has no address".to_owned();
    for address in addresses {
        probe.address = Some(address);
        match Connection::open(SocketAddr::new(address, tools.smtp_port)) {
            Ok(connection) => return Ok(connection),
            Err(error) => trouble = format!("it cannot be reached: {error}"),
        }
    }
    Err(Trouble::Finding(trouble))
}

fn session(
    host: &str,
    mut connection: Connection,
    probe: &mut Probe,
    tools: &Tools,
) -> SessionOutcome {
    match connection.has_starttls() {
        Ok(true) => {}
        Ok(false) => {
            let _ = connection.quit();
            probe.trouble = Some(Trouble::Finding("it does not offer STARTTLS".to_owned()));
            return SessionOutcome::ClearText;
        }
        Err(error) => {
            probe.trouble = Some(Trouble::Finding(format!("it does not speak SMTP: {error}")));
            return SessionOutcome::Unreachable;
        }
    }
    let verifier = HostVerifier::testing(&tools.trust);
    let shaken = connection.starttls(host, verifier.client_config(tools.now));
    let verdict = verifier.verdict();
    probe.certificate = Certificate::of(connection.certificates(), verdict, tools.now);
    match (verdict, shaken) {
        (Some(verdict), Ok(())) => {
            let _ = connection.quit();
            let verdict = verdict.clone().map_err(Failure::from);
            SessionOutcome::Encrypted(Checks::none().pkix(verdict))
        }
        // There is no connection, whatever the certificate is.
        (Some(Err(error)), Err(_)) => {
            probe.trouble = Some(Trouble::Finding(format!("TLS failed: {}", error.kind())));
            SessionOutcome::HandshakeFailed(error.clone().into())
        }
        (_, shaken) => {
            let message = shaken.err().map_or_else(String::new, |error| error.to_string());
            probe.trouble = Some(Trouble::Finding(format!("TLS failed: {message}")));
            let kind = ResultType::ValidationFailure;
            SessionOutcome::HandshakeFailed(Failure::new(kind, "tls", host, message))
        }
    }
}
