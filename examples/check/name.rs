//! From an argument to the domain that it means.

use std::net::{Ipv4Addr, Ipv6Addr};

use mta_sts::Domain;

/// A domain to check, with what is to be said first if something else was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) domain: Domain,
    pub(crate) note: Option<String>,
}

/// Quotes of several scripts.
const PAIRS: [(char, char); 7] =
    [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('«', '»'), ('„', '“')];

/// Finds the domain, which is what stands behind the "@" of a mail address.
pub(crate) fn asked(typed: &str) -> Result<Asked, String> {
    let typed = typed.trim();
    let quoted = PAIRS.iter().find_map(|&(open, close)| {
        typed.strip_prefix(open)?.strip_suffix(close).filter(|inner| !inner.is_empty())
    });
    let text = quoted.unwrap_or(typed).trim_matches(['<', '>', ' ']);
    if let Some(rest) = text.strip_prefix("*.") {
        return Err(format!(
            "{typed:?} is no mail domain: each subdomain has a policy of its own (RFC 8461 §3.4); give \
             {rest:?}, or a subdomain of it"
        ));
    }
    let (name, what) = name_within(text);
    if is_address(name) {
        return Err(format!(
            "{typed:?} is an IP address, and policies are for domains (RFC 8461 §3); give what stands \
             behind the \"@\" of a mail address"
        ));
    }
    let domain = Domain::parse(name).map_err(|error| format!("{typed:?}: {error}"))?;
    if !domain.as_str().contains('.') {
        return Err(format!(
            "{typed:?} is a single label, and no mail domain of the public DNS (RFC 5321 §2.3.5); give what \
             stands behind the \"@\" of a mail address, such as example.com"
        ));
    }
    let note = match what {
        Some(what) => Some(format!("{text} is {what}; the domain is {domain}")),
        None => quoted.map(|_| format!("{typed} is a domain in quotes; the domain is {domain}")),
    };
    Ok(Asked { domain, note })
}

/// The name, and what the text is if it is more than that.
fn name_within(text: &str) -> (&str, Option<&'static str>) {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let (name, what) = if let Some((_, rest)) = text.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        (without_port(host), Some("a URL"))
    } else if let Some((_, domain)) = text.rsplit_once('@') {
        (domain, Some("a mail address"))
    } else if let Some((host, _)) = text.split_once('/') {
        (without_port(host), Some("a URL"))
    } else {
        let name = without_port(text);
        (name, (name.len() < text.len()).then_some("a domain with a port"))
    };
    let (name, within) = policy_domain(name);
    (name, what.or(within))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // An address of IPv6 has several colons, and brackets if a port follows.
        Some((name, port))
            if (!name.contains(':') || name.ends_with(']'))
                && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => host,
    }
}

/// The domain of which this is the name of a record or of the Policy Host.
fn policy_domain(name: &str) -> (&str, Option<&'static str>) {
    if let Some((label, rest)) = name.split_once('.')
        && rest.trim_end_matches('.').contains('.')
    {
        if label.starts_with('_') {
            return (policy_domain(rest).0, Some("the name of a record"));
        }
        if label.eq_ignore_ascii_case("mta-sts") {
            return (rest, Some("the name of a Policy Host"));
        }
    }
    (name, None)
}

fn is_address(name: &str) -> bool {
    let name = name.trim_matches(['[', ']']);
    let name = name.strip_prefix("IPv6:").unwrap_or(name);
    name.parse::<Ipv4Addr>().is_ok() || name.parse::<Ipv6Addr>().is_ok()
}
