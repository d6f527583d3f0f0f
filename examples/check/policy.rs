//! The policy, as each address of the Policy Host serves it.

use std::{net::IpAddr, sync::Arc, thread};

use mta_sts::{
    Domain, NoPolicy, Policy, Tolerances,
    fetch::FetchError,
    lint::{self, Diagnostic, Severity},
};

use super::{
    Tools,
    certificate::Certificate,
    correction,
    dns::Answer,
    finding::Finding,
    host::{self, Fetched},
    report::{Linted, PolicyFile, PolicyVisit},
};

/// The policy and the findings about it.
pub(crate) struct Looked {
    pub(crate) file: PolicyFile,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) findings: Vec<Finding>,
    /// The policy as served, also if no sender would take it.
    pub(crate) text: Option<Policy>,
    /// The outcome for a sender that meets the worst address.
    pub(crate) outcome: Result<Arc<Policy>, NoPolicy>,
    /// `true` if an address serves something that looks like a policy.
    pub(crate) is_meant: bool,
}

pub(crate) fn look(domain: &Domain, tools: &Tools) -> Looked {
    let host = domain.policy_host();
    match tools.dns.addresses(&host) {
        Ok(answer) if answer.found.is_empty() => no_address(domain, &host, &answer),
        Ok(answer) => visit(domain, &host, &answer.found, tools),
        Err(error) => {
            let outcome = FetchError::NoAddress(error.as_str().into());
            let failure = Finding::failure("dns-failed", "RFC 8461 §3.3", domain, error);
            unvisited(domain, &outcome, failure.with_host(&host))
        }
    }
}

fn no_address(domain: &Domain, host: &str, answer: &Answer<IpAddr>) -> Looked {
    let (code, message) = no_address_of(host, answer);
    let outcome = FetchError::NoAddress("it has none".into());
    let finding = Finding::error(code, "RFC 8461 §3.3", domain, message).with_host(host);
    let finding = finding.with_help(format!(
        "publish an A or AAAA record, or an alias, at {host}, where senders fetch the policy of {domain}"
    ));
    unvisited(domain, &outcome, finding)
}

/// Returns the code and the message for a host without an address.
pub(crate) fn no_address_of(host: &str, answer: &Answer<IpAddr>) -> (&'static str, String) {
    match (&answer.alias_of, answer.exists) {
        (Some(target), _) => {
            let message =
                format!("{host} is an alias (CNAME) for {target}, which has no A or AAAA record");
            ("host-no-address", message)
        }
        (None, true) => ("host-no-address", format!("{host} has no A or AAAA record")),
        (None, false) => ("host-absent", format!("{host} does not exist in DNS")),
    }
}

fn unvisited(domain: &Domain, error: &FetchError, finding: Finding) -> Looked {
    let outcome = Err(NoPolicy::FetchFailed(error.to_failure(domain).into()));
    let file = PolicyFile {
        url: domain.policy_url(),
        address: None,
        mode: None,
        max_age: None,
        mx: Vec::new(),
        served: None,
        visits: Vec::new(),
        trouble: Some(finding.clone()),
    };
    Looked {
        file,
        certificate: None,
        findings: vec![finding],
        text: None,
        outcome,
        is_meant: false,
    }
}

fn visit(domain: &Domain, host: &str, addresses: &[IpAddr], tools: &Tools) -> Looked {
    let visits: Vec<Fetched> = thread::scope(|scope| {
        let visit = |&address| scope.spawn(move || host::fetch(domain, address, tools));
        let threads: Vec<_> = addresses.iter().map(visit).collect();
        threads.into_iter().map(|thread| thread.join().expect("no visit panics")).collect()
    });
    let troubles: Vec<Option<Finding>> =
        visits.iter().map(|fetched| trouble(domain, host, fetched)).collect();
    let worst = worst_of(&visits);
    let fetched = &visits[worst];
    let served = (!fetched.body.is_empty())
        .then(|| Linted { text: fetched.body.clone(), findings: lint_file(domain, &fetched.body) });
    let mut findings: Vec<Finding> = troubles.iter().flatten().cloned().collect();
    findings.extend(differences(domain, host, &visits));
    findings.extend(visits.iter().filter_map(|fetched| expiry(domain, host, fetched)));
    let diagnostics = served.iter().flat_map(|served| &served.findings);
    findings
        .extend(diagnostics.map(|diagnostic| Finding::linted(diagnostic, domain).with_host(host)));
    let no_policy = |error: &FetchError| NoPolicy::FetchFailed(error.to_failure(domain).into());
    Looked {
        certificate: fetched.certificate.clone(),
        text: Policy::parse_with(&fetched.body, Tolerances::IN_THE_WILD).ok(),
        outcome: fetched.outcome.as_ref().map(Arc::clone).map_err(no_policy),
        file: file(domain, &visits, worst, served, troubles),
        findings,
        is_meant: visits.iter().any(|fetched| is_like_a_policy(&fetched.body)),
    }
}

/// Lints a served file, whose line ends are of its publisher's choice.
fn lint_file(domain: &Domain, file: &[u8]) -> Vec<Diagnostic> {
    let mut found = lint::policy_for_domain(domain, file);
    // Errors come first: advice on a file that no sender takes is of no use.
    if found.iter().all(|one| one.severity() != Severity::Error) {
        found.extend(lint::line_ends(file));
    }
    found
}

fn file(
    domain: &Domain,
    visits: &[Fetched],
    worst: usize,
    served: Option<Linted>,
    troubles: Vec<Option<Finding>>,
) -> PolicyFile {
    let fetched = &visits[worst];
    let read = fetched.outcome.as_ref().ok();
    let patterns = read.map(|policy| policy.mx().map(|pattern| pattern.to_string()).collect());
    PolicyFile {
        url: domain.policy_url(),
        address: Some(fetched.address),
        mode: mode(fetched),
        max_age: read.map(|policy| policy.max_age().as_secs()),
        mx: patterns.unwrap_or_default(),
        served,
        trouble: troubles[worst].clone(),
        visits: visits
            .iter()
            .zip(troubles)
            .map(|(fetched, trouble)| PolicyVisit {
                address: fetched.address,
                mode: mode(fetched),
                certificate: fetched.certificate.clone(),
                trouble,
            })
            .collect(),
    }
}

fn is_other_text(body: &[u8]) -> bool {
    lint::policy(body).iter().any(|one| one.code() == "policy-other-text")
}

fn is_like_a_policy(body: &[u8]) -> bool {
    body.windows(5).any(|piece| piece.eq_ignore_ascii_case(b"STSv1"))
}

fn mode(fetched: &Fetched) -> Option<&'static str> {
    fetched.outcome.as_ref().ok().map(|policy| policy.mode().as_str())
}

fn expiry(domain: &Domain, host: &str, fetched: &Fetched) -> Option<Finding> {
    let finding = fetched.certificate.as_ref()?.expiry_finding(domain, host)?;
    Some(finding.with_address(fetched.address))
}

/// Returns the index of the address that counts: the first that fails, before all one that serves something.
fn worst_of(visits: &[Fetched]) -> usize {
    let is_failed = |fetched: &Fetched| fetched.outcome.is_err();
    let is_served = |fetched: &Fetched| is_failed(fetched) && !fetched.body.is_empty();
    let first = visits.iter().position(is_served).or_else(|| visits.iter().position(is_failed));
    first.unwrap_or_default()
}

fn differences(domain: &Domain, host: &str, visits: &[Fetched]) -> Option<Finding> {
    let mut served = visits.iter().filter(|fetched| !fetched.body.is_empty());
    let first = served.next()?;
    let other = served.find(|fetched| !is_same(first, fetched))?;
    let message = format!(
        "{host} serves different policies at {} and {}: which one counts is left to chance",
        first.address, other.address
    );
    let finding = Finding::error("policy-differs", "RFC 8461 §3.3", domain, message);
    Some(finding.with_host(host).with_help("serve the same text at each address"))
}

fn is_same(one: &Fetched, other: &Fetched) -> bool {
    match (&one.outcome, &other.outcome) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.body == other.body,
    }
}

fn trouble(domain: &Domain, host: &str, fetched: &Fetched) -> Option<Finding> {
    let error = match fetched.outcome.as_ref().err()? {
        // Of a policy that is not valid the linter tells.
        FetchError::Policy(_) if !fetched.body.is_empty() => return None,
        // A web page is of another media type, too: that is one fault.
        FetchError::MediaType { .. } if is_other_text(&fetched.body) => return None,
        error => error,
    };
    let message = match error {
        FetchError::Refused(refused) => {
            let address = fetched.address;
            format!("{refused}, {address}, to which a sender would not connect (--allow-private)")
        }
        FetchError::Status(401 | 403 | 429) | FetchError::Unavailable { .. } => {
            format!("{error}; it was asked by the User-Agent `{}`", host::user_agent(domain))
        }
        error => error.to_string(),
    };
    let finding = Finding::error(error.reason_code(), clause(error), domain, message);
    let finding = finding.with_host(host).with_address(fetched.address);
    Some(Finding { help: correction::of_fetch(domain, error), ..finding.of_certificate() })
}

fn clause(error: &FetchError) -> &'static str {
    match error {
        FetchError::Tls { .. } => "RFC 8461 §7.2",
        FetchError::MediaType { .. } => "RFC 8461 §3.2",
        FetchError::Refused(_) => "RFC 8461 §10.2",
        _ => "RFC 8461 §3.3",
    }
}
