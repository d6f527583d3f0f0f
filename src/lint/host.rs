//! Reads a faulty `mx` as its writer meant it.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    address::{is_address, is_number},
    diagnostic::MAX_SHOWN,
    field_of::field_of,
    host_words::{self, NO_MAIL},
    meant::Meant,
    remark::without_remarks,
    shown::Shown,
};
use crate::{
    domain::Domain,
    parse::{is_all, name::sts_policy_mx_value},
};

/// Reads one or several hosts.
pub(super) fn read(text: &str) -> Meant {
    let plain = without_remarks(text);
    let parts = host_words::split(&plain);
    if is_null_mx(&parts) {
        return Meant::help(NO_MAIL).fault("`mx` is a null MX (RFC 7505), which names no host");
    }
    if let Some(meant) = host_words::no_host(plain.trim()) {
        return meant;
    }
    if plain != text && parts.len() > 1 {
        return list(&parts);
    }
    if let Some(meant) = joined(text, &parts) {
        return meant;
    }
    let is_preference = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(hosts) = without_preferences(&parts) {
        return list(&hosts).fault(
            "`mx` has preferences and several hosts: each host needs an `mx` of its own, with its \
             name only",
        );
    }
    match parts.as_slice() {
        [] => Meant::help("name a host, or leave the line out").fault("`mx` has no value"),
        ["@"] => Meant::help("name the host in the domain's MX record")
            .fault("`mx` is `@`, which stands for the domain in zone files only"),
        [one] => match several_by_slash(one) {
            Some(several) => list(&several),
            None => host(one),
        },
        [preference, name] | [name, preference] if is_preference(preference) => {
            host(name).fault("`mx` has a preference: it is the host name only")
        }
        [.., kind, preference, name]
            if kind.eq_ignore_ascii_case("mx") && is_preference(preference) =>
        {
            host(name).fault("`mx` has the MX record of a zone file: it is the host name only")
        }
        several => host_words::one_host(text, several).unwrap_or_else(|| list(several)),
    }
}

/// Removes the preferences of several hosts: `10 a.example, 20 b.example`.
fn without_preferences<'a>(parts: &[&'a str]) -> Option<Vec<&'a str>> {
    let is_type = |part: &&&str| part.eq_ignore_ascii_case("mx");
    let words: Vec<&str> = parts.iter().filter(|part| !is_type(part)).copied().collect();
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = |part: &str| field_of(part) == Some("mx");
    let (hosts, others): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| is_host(word));
    let is_list = hosts.len() > 1 && (1..=hosts.len()).contains(&others.len());
    (is_list && others.into_iter().all(is_number)).then_some(hosts)
}

/// Returns whether these are the words of a null MX record, `0 .`, or the end of one.
fn is_null_mx(parts: &[&str]) -> bool {
    let quotes: &[char] = &['"', '\'', '`'];
    parts.last().is_some_and(|last| last.trim_matches(quotes) == ".")
        && (parts.len() < 3 || parts.iter().any(|part| part.eq_ignore_ascii_case("mx")))
}

/// Reads one name that another sign or white space divides: `mail.example,com`, `mail. example.com`.
fn joined(text: &str, parts: &[&str]) -> Option<Meant> {
    let by_colon: Vec<&str> = text.split(':').collect();
    let parts = if let ([one], [host, _]) = (parts, &*by_colon)
        && host.contains('.')
        && *one == text
    {
        &by_colon
    } else {
        parts
    };
    let (last, before) = parts.split_last().filter(|(_, before)| !before.is_empty())?;
    let (name, fault) = if text.contains(char::is_whitespace) {
        // `a.example. b.example` are two hosts.
        let [first, last] = parts else { return None };
        let is_label = |part: &str| !part.is_empty() && !part.contains('.');
        let (first_label, rest) = (first.strip_suffix('.').unwrap_or(first), last);
        let is_split = first.ends_with('.') != rest.starts_with('.');
        let is_one = is_label(first_label) && is_split && first_label != "*";
        (is_one.then(|| [*first, last].concat())?, "`mx` has white space in the name of its host")
    } else {
        let is_one = before.last().is_some_and(|name| !ends_in_known(name)) && is_known(last);
        (is_one.then(|| parts.join("."))?, "`mx` has another sign where a dot must be")
    };
    let meant = pattern(&name);
    meant.values.is_some().then(|| meant.fault(fault))
}

/// Returns whether the last label is a well-known top-level domain.
fn ends_in_known(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| is_known(last))
}

fn is_known(label: &str) -> bool {
    let known = ["com", "net", "org", "edu", "gov", "info", "biz"];
    let lower = label.to_ascii_lowercase();
    known.contains(&&*lower) || label.len() == 2 && label.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Splits `a.example/b.example`.
fn several_by_slash(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_host = |part: &&str| field_of(part) == Some("mx");
    (parts.len() > 1 && parts.iter().all(is_host)).then_some(parts)
}

fn list(parts: &[&str]) -> Meant {
    let named = |part: &&str| host(part).values?.pop().filter(|name| name.contains('.'));
    if let Some(meant) = host_words::addresses(parts) {
        return meant;
    }
    match parts.iter().map(named).collect::<Option<Vec<String>>>() {
        Some(hosts) if hosts.iter().all(|host| hosts.first() == Some(host)) => {
            let host = hosts.into_iter().next().unwrap_or_default();
            Meant::one(host).fault("`mx` names its host twice")
        }
        Some(hosts) => Meant { values: Some(hosts), ..Meant::default() }
            .fault("`mx` names several hosts: each one needs an `mx` of its own"),
        None => Meant::help("write a line `mx: HOST` for each host, with nothing but its name")
            .fault("`mx` has more than the name of one host"),
    }
}

fn host(text: &str) -> Meant {
    let quotes: &[char] = &['"', '\'', '<', '>', '“', '”', '`'];
    let text = text.trim_matches(quotes);
    let (name, fault) = strip(text);
    if let Some(name) = name.strip_prefix('!').filter(|name| field_of(name) == Some("mx")) {
        return host_words::negated("!", name);
    }
    if let Some(meant) = host_words::no_host(name) {
        return meant;
    }
    if let Some(meant) = number(text).or_else(|| number(name.trim_end_matches('/'))) {
        return meant;
    }
    if let Some(parent) = name.strip_prefix("@.").and_then(|name| mended(name).values?.pop()) {
        return of_parent(&parent)
            .fault("`mx` has `@`, which stands for the domain in zone files only");
    }
    if let Some((sign, rest)) = name.split_at_checked(1)
        && matches!(sign, "%" | "?" | "#" | "&")
        && let Some(parent) = rest.strip_prefix('.').and_then(|name| mended(name).values?.pop())
    {
        return of_parent(&parent).fault(format!("`mx` has `{sign}`, which no host name has"));
    }
    if name.contains('@') {
        return Meant::help("name the host in the domain's MX record")
            .fault("`mx` is a mail address, not a host name");
    }
    let mut meant = pattern(name);
    if meant.fault.is_none() {
        meant.fault = fault;
    }
    meant
}

/// Removes what is no part of a host name, and describes it.
fn strip(text: &str) -> (&str, Option<String>) {
    let (text, scheme) = match text.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => {
            (rest, Some("`mx` is a URL, not a host name"))
        }
        _ => (text, None),
    };
    let (text, path) = match text.split_once('/') {
        Some((host, _)) if host.contains('.') => {
            (host, Some("`mx` has a path, which is no part of a host name"))
        }
        _ => (text, None),
    };
    let port = text.rsplit_once(':').filter(|(host, port)| {
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        host.contains('.') && !host.contains(':') && (is_number || SERVICES.contains(port))
    });
    let (text, port) = match port {
        Some((host, _)) => (host, Some("`mx` has a port, which is no part of a host name")),
        None => (text, None),
    };
    let service = text.split_once(':').filter(|(service, host)| {
        host.contains('.') && service.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    let (text, service) = match service {
        Some((service, host)) => {
            (host, Some(format!("`mx` has `{service}:` before the host name")))
        }
        None => (text, None),
    };
    (text, scheme.or(path).or(port).map(ToOwned::to_owned).or(service))
}

/// The names of ports that mail uses.
const SERVICES: [&str; 6] = ["smtp", "smtps", "submission", "submissions", "lmtp", "PORT"];

/// Reads an IP address, or another number, in the place of a host name.
pub(super) fn number(text: &str) -> Option<Meant> {
    let base = text.strip_prefix("*.").unwrap_or(text);
    let fault = if is_address(base) && base.contains('/') {
        "`mx` is a range of IP addresses, which matches no MX host"
    } else if is_address(base) {
        "`mx` is an IP address, which matches no MX host"
    } else if is_number(base) {
        "`mx` is a number, not a host name"
    } else {
        return None;
    };
    let help = "name the MX host: an `mx` is a host name, as in the MX record (RFC 5321 §5.1)";
    Some(Meant::help(help).fault(fault))
}

fn pattern(name: &str) -> Meant {
    if name.is_empty() {
        return Meant::help("name a host, or leave the line out");
    }
    if name.len() > MAX_SHOWN {
        return Meant::help("name the MX host: a name of DNS has 253 bytes at the most");
    }
    if name == "*" {
        return Meant::help("name the hosts: not every host can be allowed at once")
            .fault("`*` stands for exactly one label, and cannot stand alone");
    }
    let base = name.strip_prefix("*.").unwrap_or(name);
    if base.contains('*') {
        return wildcards(name);
    }
    // Of what is no valid name, more is surely a placeholder.
    let lower = name.to_ascii_lowercase();
    let words = ["yourdomain", "your-", "your_", "placeholder", "changeme"];
    if is_placeholder(name) || words.iter().any(|word| lower.contains(word)) {
        return Meant::help(NAME_IT)
            .fault(format!("`{}` looks like a placeholder for an MX host", Shown(name)));
    }
    if let Some(parent) = name.strip_prefix('.').and_then(|name| mended(name).values?.pop()) {
        return of_parent(&parent).fault("`mx` begins with a dot");
    }
    if let Some(single) = without_empty_labels(base) {
        let wildcard = name.strip_suffix(base).unwrap_or_default();
        let meant = mended(&[wildcard, &single].concat());
        if meant.values.is_some() {
            return meant.fault("`mx` has a dot too many: a label is empty");
        }
    }
    let meant = mended(name);
    if meant.values.is_some() { meant } else { Meant::help(NAME_IT).fault(no_host_name(name)) }
}

/// Returns the name without its empty labels, if it has some within or at the end.
fn without_empty_labels(name: &str) -> Option<String> {
    let has_some = !name.starts_with('.') && name.contains("..");
    // These may be two hosts, between which the dots stand in place of a line end.
    let are_hosts = name.split_once("..").is_some_and(|(first, second)| {
        first.contains('.') && second.trim_start_matches('.').matches('.').count() > 1
    });
    let has_some = has_some && !are_hosts;
    let labels: Vec<&str> = name.split('.').filter(|label| !label.is_empty()).collect();
    (has_some && labels.len() > 1).then(|| labels.join("."))
}

/// Returns whether this is surely no host but the words of a template.
pub(super) fn is_placeholder(name: &str) -> bool {
    const LABELS: [&str; 22] = [
        "yourdomain",
        "your-domain",
        "your_domain",
        "yourdomainname",
        "yourdomainhere",
        "your-domain-name",
        "your-domain-here",
        "yourcompany",
        "your-company",
        "yourorg",
        "your-org",
        "yourhost",
        "your-host",
        "yourserver",
        "your-server",
        "yourmailserver",
        "your-mail-server",
        "yourmailhost",
        "youremailprovider",
        "changeme",
        "placeholder",
        "tld",
    ];
    let lower = name.to_ascii_lowercase();
    lower.split('.').any(|label| LABELS.contains(&label))
}

const NAME_IT: &str = "name the MX host, as in the MX record";

/// Returns why this is no host name.
fn no_host_name(name: &str) -> String {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '*');
    if let Some(c) = name.chars().find(|c| !is_allowed(c)) {
        let c = c.to_string();
        return format!("`mx` has `{}`, which no host name has", Shown(&c));
    }
    if name.split('.').any(str::is_empty) {
        return "`mx` has a dot too many: a label is empty".to_owned();
    }
    if name.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return "`mx` has a label that begins or ends with `-`".to_owned();
    }
    "`mx` is no host name".to_owned()
}

/// Returns the help for a name with another sign before it, which may stand for a host or a wildcard.
fn of_parent(parent: &str) -> Meant {
    let shown = Shown(parent);
    Meant::help(&format!(
        "write `mx: {shown}` for the host of that name, or `mx: *.{shown}` for those right under it"
    ))
}

fn wildcards(name: &str) -> Meant {
    let end = name.trim_start_matches("*.");
    let help = if end.contains('*') {
        "`*` stands for exactly one label and may only be the first one (RFC 8461 §4.1): \
         name the MX hosts"
            .to_string()
    } else {
        format!(
            "`*` stands for exactly one label (RFC 8461 §4.1): `*.{end}` would match \
             `mx1.{end}`, and `*.b.{end}` would match `a.b.{end}`"
        )
    };
    Meant { help: Some(help), ..Meant::default() }
        .fault("`mx` has a `*` that is not the whole first label, or more than one")
}

/// Returns the pattern that a U-label or a trailing dot stand for.
fn mended(name: &str) -> Meant {
    let (wildcard, host) = match name.strip_prefix("*.") {
        Some(base) => ("*.", base),
        None => ("", name),
    };
    let Ok(domain) = Domain::parse(host) else { return Meant::default() };
    // A sign that only looks like one of ASCII is a mistake, no letter of another script.
    let is_letter = |c: char| c.is_ascii() || c.is_alphanumeric();
    // The mark of a footnote is no digit.
    let is_raised = |c: char| matches!(c, '¹' | '²' | '³' | '\u{2070}'..='\u{209f}');
    if host.contains(is_raised) {
        return Meant::default();
    }
    if domain.as_str().contains("xn--") && !host.chars().all(is_letter) {
        return Meant::default();
    }
    // The letter case that was written is kept.
    let written = host.strip_suffix('.').unwrap_or(host);
    let host = if written.is_ascii() { written } else { domain.as_str() };
    let pattern = format!("{wildcard}{host}");
    if !is_all(sts_policy_mx_value, pattern.as_bytes()) {
        return Meant::default();
    }
    let meant = Meant::one(pattern);
    if written.is_ascii() {
        meant
    } else {
        meant.fault("`mx` has letters that are not ASCII: DNS and MX records have the A-label")
    }
}
