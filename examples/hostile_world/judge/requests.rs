//! Verdicts on queries and HTTPS requests.

use mta_sts_testkit::Action;

use super::{Case, Finding, Observation, wrong};

/// The path of policies, with the method.
const TARGET: &str = "GET /.well-known/mta-sts.txt";

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let domain = case.scenario.domain();
    let policy_host = format!("mta-sts.{domain}");
    let mut texts: Vec<String> = Vec::new();
    for event in &case.observed.events {
        match &event.action {
            Action::Query { name, record_type, .. } if record_type == "TXT" => {
                let asked = name.strip_prefix("_mta-sts.");
                let is_parent = asked.is_some_and(|asked| domain.ends_with(&format!(".{asked}")));
                if is_parent {
                    texts.push(format!("queried the record of a parent domain: {name}"));
                }
            }
            Action::Hello { sni } if !sni.eq_ignore_ascii_case(&policy_host) => {
                texts.push(format!("connected to another host: {sni}"));
            }
            Action::Request { target, .. } if target != TARGET => {
                texts.push(format!("requested something else: {target}"));
            }
            Action::Request { host, .. } if !is_host(host, &policy_host) => {
                texts.push(format!("sent another Host: {host}"));
            }
            _ => {}
        }
    }
    let hellos = case.observed.events.iter().filter(|event| is_hello(&event.action)).count();
    if case.phase.max_fetches.is_some_and(|max| hellos > max) {
        texts.push("fetched again within five minutes of a failure, which SHOULD NOT be".into());
    }
    texts.dedup();
    findings.extend(texts.into_iter().map(wrong));
}

/// Returns whether the client has asked for the record.
pub(super) fn has_record_query(observed: &Observation) -> bool {
    observed.events.iter().any(
        |event| matches!(&event.action, Action::Query { record_type, .. } if record_type == "TXT"),
    )
}

fn is_hello(action: &Action) -> bool {
    matches!(action, Action::Hello { .. })
}

/// Returns whether a value of `Host` names the host, with a port or without.
fn is_host(value: &str, host: &str) -> bool {
    value.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case(host))
}
