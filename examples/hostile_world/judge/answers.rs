//! Verdicts on the answers of a policy daemon.

use std::collections::BTreeSet;

use super::super::{
    answer::Answer,
    catalogue::{Applies, Scenario},
};
use super::{Case, Finding, unsafe_, wrong};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(answer) = &case.observed.answer else { return };
    let allowed = |applies| case.expected.contains(&applies);
    let finding = match answer {
        Answer::NotFound if allowed(Applies::NoPolicy) => None,
        Answer::NotFound if case.is_first => Some(wrong("the policy was not found")),
        Answer::NotFound => Some(unsafe_("the policy that still applies was dropped")),
        Answer::Temporary if allowed(Applies::Unknown) => None,
        Answer::Temporary => Some(wrong("the message has to wait, without a reason")),
        Answer::Secure { hosts, .. } => secure(case, hosts),
        Answer::Other(text) => Some(wrong(format!("this is not an answer: {text:?}"))),
    };
    findings.extend(finding);
}

fn secure(case: &Case<'_>, found: &BTreeSet<String>) -> Option<Finding> {
    let expected: Vec<BTreeSet<String>> =
        case.expected.iter().filter_map(|applies| patterns(case.scenario, *applies)).collect();
    if expected.iter().any(|expected| is_same(expected, found)) {
        return None;
    }
    let listed = found.iter().map(|host| &**host).collect::<Vec<_>>().join(", ");
    let without_dots = found.iter().map(|host| host.trim_end_matches('.').to_owned()).collect();
    if expected.iter().any(|expected| is_same(expected, &without_dots)) {
        return Some(wrong(format!(
            "a host with a dot at its end, which matches no name: {listed}"
        )));
    }
    Some(match &*expected {
        [] => unsafe_(format!("a policy was believed that does not apply: {listed}")),
        [first, ..] if found.is_subset(first) => {
            wrong(format!("a part of the hosts only: {listed}"))
        }
        _ => unsafe_(format!("a policy of other hosts was believed: {listed}")),
    })
}

/// Returns the patterns of a policy in the way of Postfix.
pub(super) fn patterns(scenario: &Scenario, applies: Applies) -> Option<BTreeSet<String>> {
    let Applies::Policy(patterns) = applies else { return None };
    let in_postfix = |pattern: &&str| scenario.fill(pattern).trim_start_matches('*').to_owned();
    Some(patterns.iter().map(in_postfix).collect())
}

/// Returns whether these are the same hosts. In the place of a wildcard, the MX hosts that it allows may be
/// listed: Postfix before 3.10 does not match wildcards by one label.
fn is_same(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> bool {
    let is_allowed =
        |found: &String| expected.contains(found) || expected.iter().any(|e| allows(e, found));
    let is_found = |pattern: &String| {
        found.contains(pattern)
            || pattern.starts_with('.') && found.iter().any(|host| allows(pattern, host))
    };
    found.iter().all(is_allowed) && expected.iter().all(is_found)
}

/// Returns whether a pattern in the way of Postfix allows a host.
pub(super) fn allows(pattern: &str, host: &str) -> bool {
    if !pattern.starts_with('.') {
        return pattern == host;
    }
    let label = host.strip_suffix(pattern);
    label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
}
