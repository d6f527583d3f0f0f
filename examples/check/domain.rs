//! One domain, from its record to its MX hosts.

use std::thread;

use mta_sts::lint::Severity;

use super::{
    Tools,
    finding::{Finding, Kind},
    mx,
    name::Asked,
    policy, record,
    report::{MxKind, Report, Sender, Status, Verdict},
};

const NO_PANIC: &str = "no part of a check panics";

pub(crate) fn check(asked: &Asked, tools: &Tools) -> Report {
    let domain = &asked.domain;
    let (record, policy, records) = thread::scope(|scope| {
        let record = scope.spawn(|| record::look(domain, tools));
        let records = scope.spawn(|| tools.dns.mx(domain.as_str()));
        let policy = policy::look(domain, tools);
        (record.join().expect(NO_PANIC), policy, records.join().expect(NO_PANIC))
    });
    let applies = record.announced.clone().and(policy.outcome);
    let (mx, of_mx) = mx::look(domain, records, policy.text.as_ref(), &applies, tools);
    let is_absent = mx.kind == MxKind::Absent && record.record.texts.is_empty() && !policy.is_meant;
    let is_nothing = !record.is_meant && !policy.is_meant && !has_failure(&record.findings);
    let (mut file, mut record) = (policy.file, record);
    let as_advice = |finding: Finding| finding.with_severity(Severity::Advice);
    if is_nothing {
        file.trouble = file.trouble.map(as_advice);
    }
    // A domain that accepts no mail needs no policy.
    if is_nothing && mx.kind == MxKind::Null {
        record.record.trouble = record.record.trouble.map(as_advice);
        record.findings = record.findings.into_iter().map(as_advice).collect();
    }
    let mut findings = Vec::new();
    if is_absent {
        findings.push(absent(domain));
    } else {
        findings.extend(record.findings);
        // What a host of that name does is no fault of a domain that announces no policy.
        let is_told = |finding: &Finding| !is_nothing || finding.kind == Kind::Failure;
        findings.extend(policy.findings.into_iter().filter(is_told));
        findings.extend(of_mx);
    }
    findings.sort_by_key(Finding::order);
    Report {
        domain: domain.to_string(),
        note: asked.note.clone(),
        status: status(&findings),
        verdict: verdict(&findings, is_absent || is_nothing),
        findings,
        record: record.record,
        policy: file,
        certificate: policy.certificate,
        mx,
        sender: Sender {
            mode: applies.as_ref().ok().map(|policy| policy.mode().as_str()),
            no_policy: applies.err().map(|why| why.to_string()),
        },
    }
}

fn absent(domain: &mta_sts::Domain) -> Finding {
    Finding::error(
        "domain-absent",
        "RFC 8020 §2",
        domain,
        format!("the domain {domain} does not exist"),
    )
}

fn has_failure(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.kind == Kind::Failure)
}

/// The gravest of all. Advice is no finding: nothing is wrong.
fn status(findings: &[Finding]) -> Status {
    let status = |finding: &Finding| match (finding.kind, finding.severity) {
        (Kind::Failure, _) => Status::Failed,
        (Kind::Finding, Severity::Advice) => Status::Good,
        (Kind::Finding, _) => Status::Findings,
    };
    findings.iter().map(status).max().unwrap_or(Status::Good)
}

fn verdict(findings: &[Finding], is_nothing: bool) -> Verdict {
    let is_error =
        |finding: &Finding| finding.kind == Kind::Finding && finding.severity == Severity::Error;
    if is_nothing {
        Verdict::PublishesNothing
    } else if findings.iter().any(is_error) {
        Verdict::Broken
    } else if has_failure(findings) {
        Verdict::Unchecked
    } else {
        Verdict::Sound
    }
}
