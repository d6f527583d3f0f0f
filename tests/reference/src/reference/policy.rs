//! RFC 8461 §3.2.

use super::{Pair, WSP, is_field_name, is_mx_pattern, pair, split_term};

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferencePolicy {
    /// `enforce`, `testing` or `none`.
    pub mode: String,
    /// In seconds, at most 31557600.
    pub max_age: u64,
    /// The patterns, as published and in their order.
    pub mx: Vec<String>,
    /// The fields that the RFC does not define, in their order.
    pub extensions: Vec<Pair>,
}

/// Reads a policy strictly, as `sts-policy-record`.
#[must_use]
pub fn policy(input: &[u8]) -> Option<ReferencePolicy> {
    if input.len() > 65_536 {
        return None;
    }
    let fields = fields(str::from_utf8(input).ok()?)?;
    if first(&fields, "version")? != "STSv1" {
        return None;
    }
    let mode = first(&fields, "mode").filter(|mode| is_mode(mode))?;
    let max_age = first(&fields, "max_age").filter(|digits| is_max_age(digits))?;
    let mx = all(&fields, "mx");
    if !mx.iter().all(|mx| is_mx_pattern(mx)) || (mx.is_empty() && mode != "none") {
        return None;
    }
    let max_age = max_age.parse::<u64>().ok()?.min(31_557_600);
    let extensions = fields.into_iter().filter(|(name, _)| !is_known(name)).collect();
    Some(ReferencePolicy { mode, max_age, mx, extensions })
}

fn is_known(name: &str) -> bool {
    ["version", "mode", "max_age", "mx"].contains(&name)
}

fn is_mode(value: &str) -> bool {
    ["enforce", "testing", "none"].contains(&value)
}

/// `1*10(DIGIT)`
fn is_max_age(value: &str) -> bool {
    (1..=10).contains(&value.len()) && value.chars().all(|c| c.is_ascii_digit())
}

fn first(fields: &[Pair], name: &str) -> Option<String> {
    all(fields, name).into_iter().next()
}

fn all(fields: &[Pair], name: &str) -> Vec<String> {
    fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
}

/// The names and values of all lines.
fn fields(text: &str) -> Option<Vec<Pair>> {
    text.split_inclusive('\n').map(|line| extension(split_term(line).0)).collect()
}

/// `sts-policy-extension *WSP`, which every line is that begins with another `sts-policy-field`.
fn extension(line: &str) -> Option<Pair> {
    let (name, value) = line.split_once(':')?;
    let value = value.trim_matches(WSP);
    let text = value.chars().all(|c| (' '..='~').contains(&c) || c > '\u{7F}');
    (is_field_name(name) && text && !value.is_empty()).then(|| pair(name, value))
}
