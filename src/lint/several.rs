//! Values of `mx` with more hosts than the one that was read.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use super::{host, meant::Meant};
use crate::domain::Domain;

const HELP: &str =
    "write a line `mx: HOST` for each host that gets mail, with nothing but its name";

/// The number of values that are compared with each name.
const MAX_LIST: usize = 8;

/// Returns whether each host that a text names is one of the values, or a part of one.
pub(super) fn has_all_hosts(values: &[String], text: &str) -> bool {
    let text = without_owner(text);
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut words =
        text.split(|c: char| !is_name(c)).map(|word| word.trim_matches(['.', '-', '_']));
    let values: BTreeSet<String> = values
        .iter()
        .map(|value| value.strip_prefix("*.").unwrap_or(value).to_ascii_lowercase())
        .collect();
    // A name may have been written in two parts; a long list is of whole names.
    let is_part =
        |host: &str| values.len() <= MAX_LIST && values.iter().any(|value| value.contains(host));
    words.all(|word| host_name(word).is_none_or(|host| values.contains(&host) || is_part(&host)))
}

/// Removes the owner of an MX record: `example.com. IN MX 10 a.example`.
fn without_owner(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    let record = lower.rsplit_once(" mx ").filter(|(owner, data)| {
        let mut words = data.split_whitespace();
        let preference = words.next().unwrap_or_default();
        let is_owner = owner
            .split_whitespace()
            .next()
            .is_some_and(|name| host_name(name.trim_end_matches('.')).is_some());
        is_owner && preference.parse::<u16>().is_ok() && words.count() == 1
    });
    record.and_then(|(owner, _)| text.get(owner.len()..)).unwrap_or(text)
}

/// Returns the name in its form of DNS, if a word may be one.
fn host_name(word: &str) -> Option<String> {
    if !word.is_ascii() {
        let domain = Domain::parse(word).ok()?;
        return domain.as_str().contains('.').then(|| domain.as_str().into());
    }
    let (_, last) = word.rsplit_once('.')?;
    let is_file = matches!(last, "txt" | "html" | "json" | "yml" | "yaml");
    let is_name = (last.len() > 1 || word.matches('.').count() > 1)
        && last.starts_with(|c: char| c.is_ascii_alphabetic());
    let labels = word.split('.').filter(|label| !label.is_empty());
    (is_name && !is_file).then(|| labels.collect::<Vec<&str>>().join(".").to_ascii_lowercase())
}

/// Reads a value of which one host alone was understood.
pub(super) fn read(raw: &str, first: Meant) -> Meant {
    let meant = host::read(raw);
    if meant.values.as_deref().is_some_and(|values| has_all_hosts(values, raw)) {
        return meant;
    }
    let is_url = raw.contains("://") && !raw.trim().contains(char::is_whitespace);
    let fault = match first.fault {
        Some(fault) if is_url => fault,
        Some(fault) if fault.contains("a comment") => {
            "`mx` has another host in what looks like a comment".into()
        }
        _ => "`mx` has more than the name of one host".into(),
    };
    Meant::help(HELP).fault(fault)
}
