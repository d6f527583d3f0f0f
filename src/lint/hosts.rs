use alloc::{format, vec::Vec};

use super::{
    Diagnostic,
    findings::{Findings, Rule},
};
use crate::{excerpt::excerpt, mode::Mode, policy::Policy};

const NOT_COVERED: Rule = Rule::error("mx-not-covered", "RFC 8461 §4.1");
const NOT_COVERED_TESTING: Rule = Rule::warning("mx-not-covered", "RFC 8461 §4.1");
const UNUSED: Rule = Rule::warning("mx-pattern-unused", "RFC 8461 §4.1");

/// Holds a policy against the MX hosts that its domain has: hosts that no pattern allows, and
/// patterns that allow none of the hosts.
///
/// `hosts` are the names from the MX records, or the domain itself if it has none. A host that is
/// not allowed is an error under mode `enforce` (nobody delivers to it) and a warning under
/// `testing`; under `none` there is nothing to tell. Spans are in [`Policy::as_text`]. Takes time
/// proportional to the number of hosts times that of patterns.
///
/// ```
/// use mta_sts::{Policy, lint};
///
/// let policy = Policy::parse(b"version: STSv1\nmode: enforce\nmx: mx1.example.com\nmax_age: 604800")?;
/// let found = lint::mx_hosts(&policy, ["mx1.example.com", "mx2.example.com"]);
/// assert_eq!(
///     found[0].to_string(),
///     "error[mx-not-covered]: no `mx` allows the MX host \"mx2.example.com\"",
/// );
/// # Ok::<(), mta_sts::PolicyError>(())
/// ```
#[must_use]
pub fn mx_hosts<H: AsRef<str>>(
    policy: &Policy,
    hosts: impl IntoIterator<Item = H>,
) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    let hosts: Vec<H> = hosts.into_iter().collect();
    let not_covered = match policy.mode() {
        Mode::Enforce => NOT_COVERED,
        Mode::Testing => NOT_COVERED_TESTING,
        Mode::None => return Vec::new(),
    };
    for host in hosts.iter().map(AsRef::as_ref).filter(|host| !policy.matches(host)) {
        let end = policy.as_text().len();
        let name = host.strip_suffix('.').unwrap_or(host);
        let shown = excerpt(name.as_bytes());
        let message = format!("no `mx` allows the MX host {shown}");
        let help = format!("add the line `mx: {}`", shown.trim_matches('"'));
        findings.add(not_covered, end..end, message, Some(help));
    }
    for (pattern, span) in policy.mx().zip(policy.mx_spans()) {
        if !hosts.iter().any(|host| pattern.matches(host.as_ref())) {
            let message = format!("{} allows no MX host", excerpt(pattern.as_str().as_bytes()));
            findings.add(UNUSED, span, message, None);
        }
    }
    findings.finish()
}
