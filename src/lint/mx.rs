//! Warnings about the `mx` of a policy.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::{net::Ipv4Addr, ops::Range, str};

use super::{
    Code, Diagnostic,
    address::is_number,
    findings::{Findings, Placed},
    host::is_placeholder,
    host_words::{NO_MAIL, is_none},
    services,
};
use crate::{domain::Domain, excerpt::quoted_name};

/// Warns of valid patterns that are risky or match nothing.
pub(super) fn lint(patterns: &[Placed<&[u8]>], domain: Option<&Domain>, findings: &mut Findings) {
    let names: Vec<Placed<String>> = patterns
        .iter()
        .map(|(name, span)| (String::from_utf8_lossy(name).to_ascii_lowercase(), span.clone()))
        .collect();
    let all: BTreeSet<&str> = names.iter().map(|(name, _)| &**name).collect();
    let mut seen = BTreeSet::new();
    for (name, span) in &names {
        if seen.insert(&**name) {
            relation(name, &all, span, findings);
            form(name, span, findings);
            if let Some(domain) = domain {
                own_domain(name, domain, span, findings);
            }
        } else {
            let message = format!("{} is given twice", quoted_name(name.as_bytes()));
            findings.push(Diagnostic::new(Code::POLICY_DUPLICATE_MX, span.clone(), message));
        }
    }
}

/// Checks whether another pattern matches every host that this one matches.
fn relation(name: &str, all: &BTreeSet<&str>, span: &Range<usize>, findings: &mut Findings) {
    let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    let wider = wildcard.filter(|wildcard| wildcard != name && all.contains(&**wildcard));
    if let Some(wider) = wider {
        let message = format!("{} allows this host already", quoted_name(wider.as_bytes()));
        findings.push(Diagnostic::new(Code::POLICY_REDUNDANT_MX, span.clone(), message));
    }
}

/// Checks whether the pattern can match a host of the public DNS, and not too many.
fn form(name: &str, span: &Range<usize>, findings: &mut Findings) {
    let base = name.strip_prefix("*.").unwrap_or(name);
    if base.parse::<Ipv4Addr>().is_ok() {
        let message = "an IP address matches no MX record: these name hosts";
        let help = "name the MX host, as in the MX record (RFC 5321 §5.1)";
        let found = Diagnostic::new(Code::POLICY_MX_IP_ADDRESS, span.clone(), message);
        findings.push(found.with_help(Some(help.into())));
    } else if base.rsplit('.').next().is_some_and(is_number) {
        let message = "a name whose last label is a number is no host of the public DNS";
        let help = "name the MX host, as in the MX record (RFC 5321 §5.1)";
        let found = Diagnostic::new(Code::POLICY_MX_IP_ADDRESS, span.clone(), message);
        findings.push(found.with_help(Some(help.into())));
    } else if name.len() > 253 || base.split('.').any(|label| label.len() > 63) {
        let message = "no host has such a name: labels have 63 bytes at the most, names 253";
        findings.push(Diagnostic::new(Code::POLICY_MX_TOO_LONG, span.clone(), message));
    } else if is_none(name) {
        let message = format!("`{name}` is taken for the name of a host");
        let found = Diagnostic::new(Code::POLICY_MX_SINGLE_LABEL, span.clone(), message);
        findings.push(found.with_help(Some(NO_MAIL.into())));
    } else if !base.contains('.') && name == base {
        let message = "a name of one label is no host of the public DNS";
        findings.push(Diagnostic::new(Code::POLICY_MX_SINGLE_LABEL, span.clone(), message));
    } else if !base.contains('.') {
        let message = format!("this allows every domain right under `{base}` as an MX host");
        findings.push(Diagnostic::new(Code::POLICY_MX_TOP_LEVEL, span.clone(), message));
    } else if is_placeholder(base) {
        let message = format!("`{name}` looks like a placeholder for an MX host");
        let help = "name the MX host, as in the MX record";
        let found = Diagnostic::new(Code::POLICY_MX_PLACEHOLDER, span.clone(), message);
        findings.push(found.with_help(Some(help.into())));
    } else if let Some((service, right)) = services::never_fits(name) {
        let message = format!("`{name}` matches no MX host that {service} gives its customers");
        let help = match name.strip_prefix("*.") {
            Some(_) => format!(
                "`*` stands for exactly one label (RFC 8461 §4.1); a pattern such as \
                 `mx: {right}` would match"
            ),
            None => format!("a pattern such as `mx: {right}` would match"),
        };
        let found = Diagnostic::new(Code::POLICY_MX_SERVICE, span.clone(), message);
        findings.push(found.with_help(Some(help)));
    }
}

/// Warns of a pattern under which an attacker needs a certificate for any host of the domain only (RFC
/// 8461 §10.4).
fn own_domain(name: &str, domain: &Domain, span: &Range<usize>, findings: &mut Findings) {
    if name.strip_prefix("*.") == Some(domain.as_str()) {
        let message = "this allows every host right under the domain that has a certificate, \
                       web servers and users' hosts too";
        let help = Some("name the MX hosts one by one".into());
        findings.push(
            Diagnostic::new(Code::POLICY_MX_OWN_DOMAIN, span.clone(), message).with_help(help),
        );
    }
}
