//! What may be said about the `mx` of a policy.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::{net::Ipv4Addr, ops::Range, str};

use super::findings::{Findings, Placed, Rule};
use crate::{domain::Domain, excerpt::excerpt};

const DUPLICATE: Rule = Rule::warning("policy-duplicate-mx", "RFC 8461 §3.2");
const REDUNDANT: Rule = Rule::advice("policy-redundant-mx", "RFC 8461 §4.1");
const IP_ADDRESS: Rule = Rule::warning("policy-mx-ip-address", "RFC 8461 §4.1");
const TOO_LONG: Rule = Rule::warning("policy-mx-too-long", "RFC 1035 §2.3.4");
const SINGLE_LABEL: Rule = Rule::warning("policy-mx-single-label", "RFC 8461 §4.1");
const TOP_LEVEL: Rule = Rule::warning("policy-mx-top-level", "RFC 8461 §10.4");
const OWN_DOMAIN: Rule = Rule::warning("policy-mx-own-domain", "RFC 8461 §10.4");

/// Tells what is risky or vain about these patterns, of which the grammar has accepted each.
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
            let message = format!("{} is given twice", excerpt(name.as_bytes()));
            findings.add(DUPLICATE, span.clone(), message, None);
        }
    }
}

/// Whether another pattern allows all that this one does.
fn relation(name: &str, all: &BTreeSet<&str>, span: &Range<usize>, findings: &mut Findings) {
    let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    let wider = wildcard.filter(|wildcard| wildcard != name && all.contains(&**wildcard));
    if let Some(wider) = wider {
        let message = format!("{} allows this host already", excerpt(wider.as_bytes()));
        findings.add(REDUNDANT, span.clone(), message, None);
    }
}

/// Whether the pattern can match a host of the public DNS, and not too many.
fn form(name: &str, span: &Range<usize>, findings: &mut Findings) {
    let base = name.strip_prefix("*.").unwrap_or(name);
    if base.parse::<Ipv4Addr>().is_ok() {
        let message = "an IP address matches no MX record: these name hosts";
        findings.add(IP_ADDRESS, span.clone(), message, None);
    } else if name.len() > 253 || base.split('.').any(|label| label.len() > 63) {
        let message = "no host has such a name: labels have 63 bytes at the most, names 253";
        findings.add(TOO_LONG, span.clone(), message, None);
    } else if !base.contains('.') && name == base {
        let message = "a name of one label is no host of the public DNS";
        findings.add(SINGLE_LABEL, span.clone(), message, None);
    } else if !base.contains('.') {
        let message = format!("this allows every domain right under `{base}` as an MX host");
        findings.add(TOP_LEVEL, span.clone(), message, None);
    }
}

/// "… if an attacker can obtain a certificate for any host of the domain" (§10.4).
fn own_domain(name: &str, domain: &Domain, span: &Range<usize>, findings: &mut Findings) {
    if name.strip_prefix("*.") == Some(domain.as_str()) {
        let message = "this allows every host right under the domain that has a certificate, \
                       web servers and users' hosts too";
        let help = Some("name the MX hosts one by one".into());
        findings.add(OWN_DOMAIN, span.clone(), message, help);
    }
}
