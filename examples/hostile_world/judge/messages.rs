//! Verdicts on messages.

use mta_sts_testkit::{Action, Event};

use super::super::catalogue::{Applies, Delivery, Scenario};
use super::{
    Case, Finding,
    answers::{allows, patterns},
    unsafe_, wrong,
};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if is_enforced(case.expected) {
        let hosts = hosts(case.scenario, case.expected, |delivery| delivery != Delivery::Forbidden);
        for event in &case.observed.events {
            findings.extend(enforced(&hosts, &event.action));
        }
        findings.dedup();
    }
    let is_due = case.observed.is_message_expected && must_arrive(case.scenario, case.expected);
    if is_due && !case.observed.events.iter().any(is_message) {
        findings.push(wrong("no message arrived, although one may"));
    }
}

/// Returns whether a message has to arrive, whatever of this applies.
pub(crate) fn must_arrive(scenario: &Scenario, expected: &[Applies]) -> bool {
    let is_expected = |delivery| delivery == Delivery::Expected;
    expected.iter().all(|applies| match applies {
        Applies::Policy(_) => !hosts(scenario, &[*applies], is_expected).is_empty(),
        Applies::NoPolicy => true,
        Applies::Unknown => false,
    })
}

/// Returns whether an event is the arrival of a message.
pub(crate) fn is_message(event: &Event) -> bool {
    matches!(event.action, Action::Message { .. })
}

fn is_enforced(expected: &[Applies]) -> bool {
    expected.iter().all(|applies| matches!(applies, Applies::Policy(_)))
}

/// Judges an action while a policy of mode "enforce" applies, by which these hosts may receive a message.
fn enforced(hosts: &[String], action: &Action) -> Option<Finding> {
    match action {
        Action::Message { mx, is_encrypted: false, .. } => {
            Some(unsafe_(format!("a message was sent to {mx} in clear text")))
        }
        Action::Message { mx, .. } if !hosts.contains(mx) => {
            Some(unsafe_(format!("a message was sent to {mx}, which is not allowed")))
        }
        Action::Mail { mx, is_encrypted: false } => {
            Some(wrong(format!("an envelope was sent to {mx} in clear text")))
        }
        Action::Starttls { mx, sni } if hosts.contains(mx) && !sni.eq_ignore_ascii_case(mx) => {
            Some(wrong(format!("the SNI was {sni:?}, not the name of the MX host {mx}")))
        }
        Action::ActedOnInjection { mx } => {
            Some(unsafe_(format!("a reply was believed that did not come over TLS from {mx}")))
        }
        _ => None,
    }
}

/// Returns the hosts to which such a delivery is possible, if one of these policies applies.
fn hosts(
    scenario: &Scenario,
    expected: &[Applies],
    is_meant: impl Fn(Delivery) -> bool,
) -> Vec<String> {
    let policies = expected.iter().filter_map(|applies| patterns(scenario, *applies));
    let policies: Vec<_> = policies.collect();
    let is_allowed = |name: &String| policies.iter().flatten().any(|pattern| allows(pattern, name));
    let hosts = scenario.hosts.iter().filter(|host| is_meant(host.delivery));
    hosts.map(|host| scenario.fill(host.name).to_ascii_lowercase()).filter(is_allowed).collect()
}
