//! Findings about the MX hosts of a domain under its policy.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    Code, Diagnostic, Severity,
    findings::{Findings, sort_and_limit},
    mx_host::{self, MxHost},
};
use crate::{
    excerpt::quoted_name,
    mode::Mode,
    mx::MxPattern,
    parse::{is_all, name::sts_policy_mx_value},
    policy::Policy,
};

/// Returns the MX hosts of a domain that no pattern of its policy matches, and the patterns that match
/// none of the hosts.
///
/// `hosts` are the names from the MX records, or the domain itself if it has none; their order does
/// not matter. An MX record as `dig +short` prints it, `10 mx.example.com.`, stands for its host, a
/// U-label for its A-label. What is no host name is found, too, and then nothing is said about the
/// patterns that match no host. A host that is not covered is an error under mode `enforce` (senders do not deliver to it)
/// and a warning under `testing`; under `none` nothing is found. Spans are in [`Policy::as_text`].
/// Takes time proportional to the number of hosts times that of patterns.
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
/// # Ok::<(), mta_sts::error::PolicyError>(())
/// ```
#[must_use]
pub fn mx_hosts<H: AsRef<str>>(
    policy: &Policy,
    hosts: impl IntoIterator<Item = H>,
) -> Vec<Diagnostic> {
    let severity = match policy.mode() {
        Mode::Enforce => Severity::Error,
        Mode::Testing => Severity::Warning,
        Mode::None => return Vec::new(),
    };
    let mut names = BTreeMap::new();
    let mut others = BTreeMap::new();
    for text in hosts {
        match mx_host::read(text.as_ref()) {
            MxHost::Name(name) => _ = names.entry(name.to_ascii_lowercase()).or_insert(name),
            MxHost::Null => {
                let message =
                    "the MX record is a null MX (RFC 7505): the domain accepts no mail".to_owned();
                others.insert(message, "publish `mode: none`, or name MX hosts in DNS".to_owned());
            }
            MxHost::Other(message, help) => _ = others.insert(message, help),
        }
    }
    let hosts: Vec<String> = names.into_values().collect();
    let end = policy.as_text().len();
    let mut findings = Findings::default();
    // What matches no host may match the one that cannot be read.
    let unused = policy.mx().zip(policy.mx_spans()).filter(|_| others.is_empty());
    for (pattern, span) in unused {
        if !hosts.iter().any(|host| pattern.matches(host)) {
            let message = format!("{} allows no MX host", quoted_name(pattern.as_str().as_bytes()));
            let near = hosts.iter().find_map(|host| near_miss(&pattern, host));
            let found = Diagnostic::new(Code::MX_PATTERN_UNUSED, span, message);
            findings.push(found.with_help(near));
        }
    }
    for (message, help) in others {
        let found = Diagnostic::new(Code::MX_NOT_COVERED, end..end, message);
        findings.push(found.with_severity(severity).with_help(Some(help)));
    }
    for host in hosts.iter().filter(|host| !policy.matches(host)) {
        findings.push(not_covered(policy, host).with_severity(severity));
    }
    sort_and_limit(findings.finish(), policy.as_text().as_bytes())
}

fn not_covered(policy: &Policy, host: &str) -> Diagnostic {
    let text = policy.as_text();
    let shown = quoted_name(host.as_bytes());
    let message = format!("no `mx` allows the MX host {shown}");
    let found = Diagnostic::new(Code::MX_NOT_COVERED, text.len()..text.len(), message);
    let near = policy.mx().find_map(|pattern| near_miss(&pattern, host));
    let Some(start) = policy.mx_spans().next().map(|span| line_start(text, span.start)) else {
        return found.with_help(near);
    };
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut found = found.with_suggestion(start..start, format!("mx: {host}{line_end}"), None);
    found.help = Some(match near {
        Some(near) => format!("add the line `mx: {host}`: {near}"),
        None => format!("add the line `mx: {host}`"),
    });
    found
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |end| end.saturating_add(1))
}

/// Returns why a wildcard does not match a host under its base, or the base itself, and what would.
fn near_miss(pattern: &MxPattern<'_>, host: &str) -> Option<String> {
    let base = pattern.wildcard_base().filter(|_| is_all(sts_policy_mx_value, host.as_bytes()))?;
    let lower = host.to_ascii_lowercase();
    let under = lower.strip_suffix(&*base.to_ascii_lowercase())?;
    if under.is_empty() {
        return Some(format!(
            "`*` stands for exactly one label (RFC 8461 §4.1), so `{pattern}` does not match \
             `{host}`, but `mx: {host}` would"
        ));
    }
    let (_, parent) = host.split_once('.').filter(|_| under.ends_with('.'))?;
    Some(format!(
        "`*` stands for exactly one label (RFC 8461 §4.1), so `{pattern}` does not match `{host}`, \
         but `*.{parent}` would match `{host}`"
    ))
}
