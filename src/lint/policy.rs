//! Findings about a policy file.

use alloc::{vec, vec::Vec};

use super::{
    Diagnostic, Severity, breaks, conflict,
    fields::fields,
    findings::{error, sort_and_limit},
    foreign, prefix, repair, twice,
};
use crate::{domain::Domain, parse::policy::PolicyErrorKind, policy::Policy};

/// Returns all that is wrong or risky with a policy file, in the order of its text.
///
/// Takes time proportional to the length of the file times the logarithm of the number of fields, and
/// a bounded time to try the corrections; a file larger than [`Policy::MAX_LEN`] is not looked at.
#[must_use]
pub fn policy(input: &[u8]) -> Vec<Diagnostic> {
    lint(input, None)
}

/// Returns what [`policy`] does, and warns of a wildcard that matches the hosts of the Policy
/// Domain itself ([RFC 8461 §10.4]).
///
/// [RFC 8461 §10.4]: https://www.rfc-editor.org/rfc/rfc8461#section-10.4
#[must_use]
pub fn policy_for_domain(domain: &Domain, input: &[u8]) -> Vec<Diagnostic> {
    lint(input, Some(domain))
}

fn lint(input: &[u8], domain: Option<&Domain>) -> Vec<Diagnostic> {
    let found = diagnose(input, domain);
    sort_and_limit(repair::verify(found, input, |text| diagnose(text, domain)), input)
}

/// Returns diagnostics whose corrections are not verified yet.
fn diagnose(input: &[u8], domain: Option<&Domain>) -> Vec<Diagnostic> {
    if input.len() > Policy::MAX_LEN {
        return vec![error(PolicyErrorKind::TooLarge, Policy::MAX_LEN..input.len())];
    }
    if input.trim_ascii().is_empty() {
        return vec![error(PolicyErrorKind::Empty, 0..input.len())];
    }
    let by_line = |text: &[u8]| twice::fold(fields(text, domain), text);
    let found = by_line(input);
    if found.iter().all(|one| one.severity != Severity::Error) {
        return found;
    }
    // One cause, one error: the lines of such a text say nothing.
    if let Some(whole) = conflict::find(input).or_else(|| prefix::find(input, by_line)) {
        return vec![whole];
    }
    let broken = breaks::find(input, &found, by_line);
    let is_wrapped = |one: &Diagnostic| one.code == "policy-other-text" && one.suggestion.is_some();
    let whole = match broken {
        Some(wrapped) if is_wrapped(&wrapped) => Some(wrapped),
        broken => foreign::policy(input, by_line).or(broken),
    };
    whole.map_or(found, |whole| vec![whole])
}
