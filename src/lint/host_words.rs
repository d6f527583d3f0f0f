//! Reads the words around the hosts of an `mx`: preferences, remarks, negations and addresses.

use alloc::{format, string::String, vec::Vec};

use super::{address::is_address, field_of::field_of, meant::Meant, shown::Shown};

/// Splits a value into words, with each preference as a word of its own: `[10] a.example`, `10:a.example`.
pub(super) fn split(text: &str) -> Vec<&str> {
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '&');
    let words = text.split(is_separator);
    let words: Vec<&str> =
        words.filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("and")).collect();
    let plain: Vec<&str> = words.iter().flat_map(|word| preference_and_host(word)).collect();
    let is_host = |word: &&str| field_of(word) == Some("mx");
    let is_number = |word: &&str| is_number(word);
    let (hosts, numbers) = (
        plain.iter().filter(|w| is_host(w)).count(),
        plain.iter().filter(|w| is_number(w)).count(),
    );
    let is_named = |word: &&str| !is_host(word) && !is_number(word) && !is_preference_word(word);
    let is_all = numbers > 0 && numbers <= hosts && !plain.iter().any(is_named);
    if !is_all {
        return words;
    }
    plain.into_iter().filter(|word| is_host(word) || is_number(word)).collect()
}

/// Splits `10:a.example` and `pri=10`, and removes the brackets of `[10]`.
fn preference_and_host(word: &str) -> Vec<&str> {
    let brackets: &[char] = &['[', ']', '(', ')', '<', '>', '{', '}', ':', '.', '=', '#'];
    let inner = word.trim_matches(brackets);
    if is_number(inner) {
        return [inner].into();
    }
    let parts = word.split_once([':', '=', '/', ')', ']', '>']);
    match parts.map(|(first, second)| (first.trim_matches(brackets), second)) {
        Some((first, second)) if is_number(first) && field_of(second) == Some("mx") => {
            [first, second].into()
        }
        Some((first, second)) if is_preference_word(first) && is_number(second) => [second].into(),
        _ => [word].into(),
    }
}

fn is_number(word: &str) -> bool {
    word.parse::<u16>().is_ok() && !word.starts_with('+')
}

fn is_preference_word(word: &str) -> bool {
    let word = word.trim_end_matches([':', '=']).to_ascii_lowercase();
    matches!(
        &*word,
        "" | "-"
            | "–"
            | "=>"
            | "->"
            | "priority"
            | "prio"
            | "pri"
            | "preference"
            | "pref"
            | "weight"
            | "prefer"
    )
}

/// The words that exclude what they stand before or after.
const NEGATIONS: [&str; 16] = [
    "not",
    "no",
    "never",
    "except",
    "without",
    "exclude",
    "excluding",
    "but",
    "isn't",
    "old",
    "former",
    "formerly",
    "deprecated",
    "disabled",
    "removed",
    "unused",
];

/// The words that say nothing about which host is meant.
const REMARKS: [&str; 29] = [
    "primary",
    "secondary",
    "tertiary",
    "backup",
    "main",
    "only",
    "preferred",
    "fallback",
    "is",
    "the",
    "our",
    "a",
    "server",
    "host",
    "mail",
    "mailserver",
    "mx",
    "exchange",
    "exchanger",
    "first",
    "second",
    "inbound",
    "incoming",
    "relay",
    "gateway",
    "smtp",
    "this",
    "record",
    "in",
];

/// Reads one host among words that are no hosts.
pub(super) fn one_host(text: &str, words: &[&str]) -> Option<Meant> {
    // Without white space, a word may be a label of the name.
    if !text.contains([' ', '\t']) {
        return None;
    }
    let marks: &[char] = &['-', '–', '—', ':', '=', '(', ')', '.', '!', '*'];
    let is_host = |word: &&str| field_of(word.trim_end_matches(':')) == Some("mx");
    let mut hosts = words.iter().filter(|word| is_host(word));
    let (host, None) = (*hosts.next()?, hosts.next()) else { return None };
    let host = host.trim_end_matches(':');
    let host = host.strip_suffix('.').unwrap_or(host);
    let plain: Vec<String> = words
        .iter()
        .filter(|word| !is_host(word))
        .map(|word| word.trim_matches(marks).to_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let is_word =
        |word: &String| word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '-'));
    if !plain.iter().all(is_word) {
        return None;
    }
    if let Some(word) = plain.iter().find(|word| NEGATIONS.contains(&&***word)) {
        return Some(negated(word, host));
    }
    let more = if text.starts_with(host) { "after" } else { "before" };
    let is_apart = text.split_once(host).is_some_and(|(before, after)| {
        before.is_empty() && after.trim_start_matches('.').trim_start().starts_with(['-', '–', '—'])
    });
    let fault = format!("`mx` has other words {more} its host name");
    if is_apart || plain.iter().all(|word| is_remark(word)) {
        return Some(Meant::one(host).fault(fault));
    }
    let help =
        format!("write `mx: {}`, if that is the host, with nothing but its name", Shown(host));
    Some(Meant::help(&help).fault(fault))
}

/// Reads `!a.example` and `not a.example`.
pub(super) fn negated(word: &str, host: &str) -> Meant {
    let help = format!(
        "leave the line out, or write `mx: {}` to allow that host: a policy names the hosts that are \
         allowed, and cannot exclude one",
        Shown(host)
    );
    Meant::help(&help).fault(format!("`mx` has `{}` beside its host name", Shown(word)))
}

/// Describes IP addresses among the hosts of a list.
pub(super) fn addresses(words: &[&str]) -> Option<Meant> {
    let first = words.iter().find(|word| is_address(word))?;
    let is_host = |word: &&&str| field_of(word) == Some("mx");
    let is_sign = |word: &str| word.chars().all(|c| !c.is_alphanumeric());
    let is_known = |word: &&str| {
        is_host(&word) || is_address(word) || is_sign(word) || is_remark(&word.to_ascii_lowercase())
    };
    let hosts = words.iter().filter(is_host).map(|host| host.strip_suffix('.').unwrap_or(host));
    let lines: Vec<String> = hosts.map(|host| format!("`mx: {}`", Shown(host))).collect();
    if !words.iter().all(is_known) {
        return None;
    }
    if lines.is_empty() {
        let help = "name the MX hosts: an `mx` is a host name, as in the MX record (RFC 5321 §5.1)";
        return Some(Meant::help(help).fault("`mx` has IP addresses, which match no MX host"));
    }
    let help = format!("write {}: an address matches no MX host (RFC 5321 §5.1)", lines.join(", "));
    let fault = format!("`mx` has an IP address, `{}`, among its hosts", Shown(first));
    Some(Meant::help(&help).fault(fault))
}

fn is_remark(lower: &str) -> bool {
    REMARKS.contains(&lower)
}

/// Returns whether this is a word for no host.
pub(super) fn is_none(word: &str) -> bool {
    matches!(
        &*word.to_ascii_lowercase(),
        "no mail"
            | "no mx"
            | "no host"
            | "not set"
            | "not applicable"
            | "null mx"
            | "none"
            | "null"
            | "nil"
            | "empty"
            | "nothing"
            | "no"
            | "n/a"
            | "na"
            | "-"
            | "--"
            | "undefined"
            | "false"
            | "nomail"
    )
}

/// Reads a word for no host.
pub(super) fn no_host(word: &str) -> Option<Meant> {
    let fault = || format!("`{}` is no host name", Shown(word));
    is_none(word).then(|| Meant::help(NO_MAIL).fault(fault()))
}

pub(super) const NO_MAIL: &str =
    "a domain that accepts no mail has `mode: none` and no `mx`, or no policy";
