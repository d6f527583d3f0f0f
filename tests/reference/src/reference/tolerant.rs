//! The deviations from the grammar of policies that leave no doubt about what is meant.

use std::collections::BTreeSet;

use super::{ReferencePolicy, WSP, is_mx_pattern, policy, split_term};

/// Deviations, in the words that `Tolerances` has for them.
type Deviations = BTreeSet<String>;

/// Takes out of the text what a tolerant reader overlooks, and reads what is left strictly.
#[must_use]
pub fn tolerant(input: &[u8]) -> Option<(ReferencePolicy, Deviations)> {
    if input.len() > 65_536 {
        return None;
    }
    let mut found = Deviations::new();
    let text = without_mark(str::from_utf8(input).ok()?, &mut found);
    let lines = text.split_inclusive('\n').map(|line| amended(line, &mut found));
    let text = lines.collect::<String>();
    Some((policy(text.as_bytes())?, found))
}

fn without_mark<'a>(text: &'a str, found: &mut Deviations) -> &'a str {
    let Some(text) = text.strip_prefix('\u{FEFF}') else { return text };
    found.insert("a byte order mark".to_owned());
    text
}

fn amended(line: &str, found: &mut Deviations) -> String {
    let (line, term) = split_term(line);
    let text = line.trim_start_matches(WSP);
    if text.is_empty() {
        found.insert("a blank line".to_owned());
        return String::new();
    }
    if text != line {
        found.insert("white space before a field".to_owned());
    }
    let Some((spaced_name, value)) = text.split_once(':') else { return format!("{text}{term}") };
    let name = spaced_name.trim_end_matches(WSP);
    if name != spaced_name {
        found.insert("white space before a colon".to_owned());
    }
    match undotted(value).filter(|_| name == "mx") {
        Some(pattern) => {
            found.insert("a dot at the end of an `mx`".to_owned());
            format!("{name}:{pattern}{term}")
        }
        None => format!("{name}:{value}{term}"),
    }
}

/// The pattern that a dot at its very end keeps from being one.
fn undotted(value: &str) -> Option<&str> {
    value.trim_matches(WSP).strip_suffix('.').filter(|pattern| is_mx_pattern(pattern))
}
