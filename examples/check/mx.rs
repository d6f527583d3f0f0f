//! The MX hosts: what the policy says of them, and what they do when connected to.

use std::{net::IpAddr, thread};

use mta_sts::{
    Domain, Policy,
    delivery::Mx,
    lint::{self, Severity},
};

use super::{
    Tools,
    decision::{Applies, decide, refused, unknown},
    dns::Answer,
    finding::Finding,
    policy::no_address_of,
    probe::{Probed, Visit},
    report::{MxHost, MxKind, MxRecords},
};

/// The number of hosts that are visited at a time.
const AT_A_TIME: usize = 8;

/// The most hosts that are visited: each may take its time, and a domain may name thousands.
const MAX_VISITED: usize = 32;

/// `records` is what DNS says, `text` the policy as served, `applies` what a sender goes by.
pub(crate) fn look(
    domain: &Domain,
    records: Result<Answer<(u16, String)>, String>,
    text: Option<&Policy>,
    applies: &Applies,
    tools: &Tools,
) -> (MxRecords, Vec<Finding>) {
    let records = match records {
        Ok(records) => records,
        Err(error) => {
            let failure = Finding::failure("dns-failed", "RFC 5321 §5.1", domain, error);
            let trouble = Some(failure.clone());
            let (hosts, findings) = (Vec::new(), Vec::new());
            return (MxRecords { kind: MxKind::Unknown, hosts, findings, trouble }, vec![failure]);
        }
    };
    if !records.exists {
        let (hosts, findings) = (Vec::new(), Vec::new());
        let mx = MxRecords { kind: MxKind::Absent, hosts, findings, trouble: None };
        return (mx, Vec::new());
    }
    let (kind, records) = candidates(domain, records.found);
    let names = records.iter().map(|(_, host)| host);
    let linted = match (text, kind) {
        (None, _) | (_, MxKind::Null) => Vec::new(),
        (Some(policy), _) => lint::mx_hosts(policy, names),
    };
    let mut findings: Vec<Finding> =
        linted.iter().map(|diagnostic| Finding::linted(diagnostic, domain)).collect();
    findings.extend((kind == MxKind::Null).then(|| null_mx(domain)));
    let mut hosts = Vec::new();
    for (chunk, some) in records.chunks(AT_A_TIME).enumerate() {
        let is_visited = chunk < MAX_VISITED / AT_A_TIME;
        let looked: Vec<(MxHost, Vec<Finding>)> = thread::scope(|scope| {
            let look = |record| {
                scope.spawn(move || look_at(domain, record, text, applies, tools, is_visited))
            };
            let threads: Vec<_> = some.iter().map(look).collect();
            threads.into_iter().map(|thread| thread.join().expect("no visit panics")).collect()
        });
        for (host, found) in looked {
            hosts.push(host);
            findings.extend(found);
        }
    }
    (MxRecords { kind, hosts, findings: linted, trouble: None }, findings)
}

fn null_mx(domain: &Domain) -> Finding {
    let message = "the domain accepts no mail (null MX), so nothing is delivered";
    Finding::error("null-mx", "RFC 7505 §3", domain, message).with_severity(Severity::Advice)
}

/// Returns the hosts that a sender would try. A null MX beside others means nothing (RFC 7505 §3).
fn candidates(domain: &Domain, records: Vec<(u16, String)>) -> (MxKind, Vec<(u16, String)>) {
    if records.is_empty() {
        return (MxKind::Implicit, vec![(0, domain.to_string())]);
    }
    let named = records.into_iter().filter(|(_, host)| host != ".");
    let named = named.map(|(preference, host)| (preference, host.trim_end_matches('.').to_owned()));
    let named: Vec<_> = named.collect();
    (if named.is_empty() { MxKind::Null } else { MxKind::Records }, named)
}

fn look_at(
    domain: &Domain,
    (preference, host): &(u16, String),
    text: Option<&Policy>,
    applies: &Applies,
    tools: &Tools,
    is_visited: bool,
) -> (MxHost, Vec<Finding>) {
    let listed_as = text.and_then(|policy| policy.mx().find(|pattern| pattern.matches(host)));
    let mx = Mx::new(*preference, host);
    let mut looked = MxHost {
        preference: *preference,
        host: host.clone(),
        listed_as: listed_as.map(|pattern| pattern.to_string()),
        probe: None,
        probes: Vec::new(),
        trouble: None,
        delivery: decide(domain, mx.clone(), applies, None),
    };
    if tools.probe && !is_visited && looked.delivery.delivers == Some(true) {
        looked.delivery = unknown("it was not visited, as only the first 32 MX hosts are");
    }
    if !tools.probe || !is_visited {
        return (looked, Vec::new());
    }
    let severity = match applies {
        Ok(policy) if policy.mode().as_str() != "none" => Severity::Error,
        _ => Severity::Warning,
    };
    let visit = Visit { domain, host, severity, tools };
    let visits = match tools.dns.addresses(host) {
        Ok(answer) if answer.found.is_empty() => {
            let (code, message) = no_address_of(host, &answer);
            let finding = Finding::error(code, "RFC 5321 §5.1", domain, message).with_host(host);
            looked.delivery = decide(domain, mx, applies, Some(&[]));
            looked.trouble = Some(finding.clone());
            return (looked, vec![finding]);
        }
        Ok(answer) => visit_all(visit, &answer.found),
        Err(error) => {
            let failure = Finding::failure("dns-failed", "RFC 5321 §5.1", domain, error);
            let failure = failure.with_host(host);
            looked.delivery = unknown("its addresses could not be looked up");
            looked.trouble = Some(failure.clone());
            return (looked, vec![failure]);
        }
    };
    looked.delivery = if visits.iter().all(|visit| visit.outcome.is_none()) {
        refused("a sender would not reach a host of the domain".to_owned())
    } else {
        decide(domain, mx, applies, Some(&visits))
    };
    let findings = visits.iter().flat_map(|visit| visit.findings.clone()).collect();
    looked.probes = visits.into_iter().map(|visit| visit.probe).collect();
    looked.probe = worst(&looked).cloned();
    (looked, findings)
}

fn visit_all(visit: Visit<'_>, addresses: &[IpAddr]) -> Vec<Probed> {
    thread::scope(|scope| {
        let threads: Vec<_> =
            addresses.iter().map(|&address| scope.spawn(move || visit.probe(address))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no visit panics")).collect()
    })
}

/// Returns the address that counts: the first at which something is wrong.
fn worst(host: &MxHost) -> Option<&super::report::Probe> {
    let is_wrong = |probe: &&super::report::Probe| {
        let certificate = probe.certificate.as_ref();
        probe.trouble.is_some()
            || certificate.is_some_and(|certificate| certificate.error.is_some())
    };
    host.probes.iter().find(is_wrong).or(host.probes.first())
}
