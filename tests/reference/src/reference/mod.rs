//! The grammars and rules of RFC 8461 once more: slow, plain, and written from the text of the RFC.
//!
//! Nothing here shares code or structure with the crate. It splits strings, says yes or no, and
//! never where something is wrong.

mod domain;
mod matching;
mod policy;
mod record;
mod tolerant;

pub use self::{
    domain::ascii_domain,
    matching::{is_mx_pattern, matches},
    policy::{ReferencePolicy, policy},
    record::{ReferenceRecord, record, select},
    tolerant::tolerant,
};

/// `WSP` of RFC 5234.
const WSP: [char; 2] = [' ', '\t'];

/// A field's name and value.
type Pair = (String, String);

fn pair(name: &str, value: &str) -> Pair {
    (name.to_owned(), value.to_owned())
}

/// A line of a policy, and its `sts-policy-term`, which the last line need not have.
fn split_term(line: &str) -> (&str, &str) {
    let text = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line);
    (text, &line[text.len()..])
}

/// `(ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")`, the name of a field in both grammars.
fn is_field_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// `sub-domain *("." sub-domain)` of RFC 5321 §4.1.2.
fn is_domain(name: &str) -> bool {
    name.split('.').all(is_sub_domain)
}

/// `Let-dig [Ldh-str]`
fn is_sub_domain(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
