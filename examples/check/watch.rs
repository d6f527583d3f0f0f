//! Checks again and again, and tells what has changed.

use std::{
    ops::ControlFlow,
    process,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::lint::Severity;
use serde::Serialize;
use time::UtcDateTime;

use super::{
    Tools,
    certificate::moment,
    changes::changes,
    finding::Finding,
    listing::printable,
    name::Asked,
    options::Options,
    print,
    report::{PolicyFile, Report, Status},
    run::check_all,
    shown,
};

/// The shortest interval.
pub(crate) const MIN: Duration = Duration::from_secs(60);
/// The interval unless one is given.
pub(crate) const DEFAULT: Duration = Duration::from_secs(60 * 60);

/// A report in a series of them.
#[derive(Serialize)]
struct Dated<'a> {
    time: String,
    #[serde(flatten)]
    report: &'a Report,
}

/// Checks at each interval, and prints what has changed. SIGINT ends the process with the status of the last
/// check.
pub(crate) fn watch(options: &Options, tools: &mut Tools, interval: Duration) -> Status {
    let last = Arc::new(AtomicU8::new(Status::Failed as u8));
    let status = Arc::clone(&last);
    tools.dns.on_interrupt(move || process::exit(status.load(Ordering::SeqCst).into()));
    rounds(options, tools, |news, status| {
        last.store(status as u8, Ordering::SeqCst);
        print(news)?;
        thread::sleep(interval);
        ControlFlow::Continue(UtcDateTime::now())
    })
}

/// Checks again and again. `rest` takes what has changed and the status of the check, and returns the time of
/// the next one once it has come. Returns the last status if there is no next one.
pub(crate) fn rounds(
    options: &Options,
    tools: &mut Tools,
    mut rest: impl FnMut(&str, Status) -> ControlFlow<(), UtcDateTime>,
) -> Status {
    let mut known: Vec<Known> = options.domains.iter().map(|_| Known::default()).collect();
    loop {
        let (time, mut at, mut news) = (moment(tools.now), 0, String::new());
        let mut stale = Status::Good;
        let status = check_all(&options.domains, options.jobs, tools, |mut report| {
            let known = &mut known[at];
            at += 1;
            if let Some(finding) = known.stale_id(&options.domains[at - 1], &report) {
                report.findings.push(finding);
                report.findings.sort_by_key(Finding::order);
                report.status = report.status.max(Status::Findings);
                stale = Status::Findings;
            }
            let facts = facts(&report);
            let before = known.facts.replace(facts.clone());
            news += &match before {
                Some(before) if before == facts => String::new(),
                _ if options.json => dated(&time, &report),
                None => shown(&report, options, at > 1),
                Some(before) => changes(&report.domain, &time, &before, &facts),
            };
            ControlFlow::Continue(())
        });
        match rest(&news, status.max(stale)) {
            ControlFlow::Continue(now) => {
                tools.now = now;
                // The TTL of an answer may be longer than the interval.
                tools.dns.clear_cache();
            }
            ControlFlow::Break(()) => return status.max(stale),
        }
    }
}

/// What is known of a domain from the checks before.
#[derive(Default)]
struct Known {
    facts: Option<Vec<String>>,
    /// The id of the record, and the policy that was served when it was seen first.
    announced: Option<(String, Vec<String>)>,
}

impl Known {
    /// Returns a warning if the policy is another one than when the id of the record was published: a sender
    /// fetches a new policy when it sees a new id (RFC 8461 §3.1).
    fn stale_id(&mut self, asked: &Asked, report: &Report) -> Option<Finding> {
        let (id, policy) = (report.record.id.as_ref()?, policy_facts(&report.policy));
        if policy.is_empty() {
            return None;
        }
        match &self.announced {
            Some((known, before)) if known == id => {
                if *before == policy {
                    return None;
                }
                let message =
                    format!("the policy has changed, but the id of the record is still {id}");
                let finding =
                    Finding::error("record-id-unchanged", "RFC 8461 §3.1", &asked.domain, message);
                let help = "publish the record with a new id: senders that know this one keep the old policy";
                Some(finding.with_severity(Severity::Warning).with_help(help))
            }
            _ => {
                self.announced = Some((id.clone(), policy));
                None
            }
        }
    }
}

fn dated(time: &str, report: &Report) -> String {
    let json = serde_json::to_string(&Dated { time: time.to_owned(), report });
    json.expect("a report has no keys but texts") + "\n"
}

/// Returns what a report states, without what changes from day to day.
pub(crate) fn facts(report: &Report) -> Vec<String> {
    let mut facts = vec![format!("verdict: {}", report.verdict)];
    facts.extend(report.record.id.iter().map(|id| format!("record: id {id}")));
    facts.extend(policy_facts(&report.policy));
    let expiry = report.certificate.iter().flat_map(|certificate| &certificate.expires);
    facts.extend(expiry.map(|at| format!("certificate of the Policy Host: expires {at}")));
    let hosts = report.mx.hosts.iter();
    facts.extend(hosts.map(|host| format!("MX: {} {}", host.preference, host.host)));
    facts.extend(report.findings.iter().map(fact_of));
    facts
}

fn policy_facts(policy: &PolicyFile) -> Vec<String> {
    let mode = policy.mode.iter().map(|mode| format!("policy: mode {mode}"));
    let max_age = policy.max_age.iter().map(|age| format!("policy: max_age {age}"));
    let patterns = policy.mx.iter().map(|pattern| format!("policy: mx {pattern}"));
    mode.chain(max_age).chain(patterns).collect()
}

fn fact_of(finding: &Finding) -> String {
    let (code, severity) = (&finding.code, finding.severity_name());
    let subject = match (&finding.host, finding.address) {
        (Some(host), Some(address)) => format!("{host} ({address}): "),
        (Some(host), None) => format!("{host}: "),
        _ => String::new(),
    };
    // The days that are left are fewer each day.
    match &**code {
        "certificate-expires-soon" => {
            format!("{severity}[{code}]: {subject}its certificate expires soon")
        }
        _ => format!("{severity}[{code}]: {subject}{}", printable(&finding.message)),
    }
}
