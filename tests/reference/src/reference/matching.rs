//! RFC 8461 §4.1.

use super::is_domain;

/// `sts-policy-mx-value = ["*."] Domain`
#[must_use]
pub fn is_mx_pattern(text: &str) -> bool {
    is_domain(text.strip_prefix("*.").unwrap_or(text))
}

/// Whether a host with this name in its MX record is allowed by a valid pattern.
#[must_use]
pub fn matches(pattern: &str, host: &[u8]) -> bool {
    let labels = labels(host);
    let wanted: Vec<&str> = pattern.split('.').collect();
    labels.len() == wanted.len()
        && labels.iter().zip(wanted).all(|(label, wanted)| {
            // Only the left-most label of a valid pattern can be `*`.
            (wanted == "*" && !label.is_empty()) || label.eq_ignore_ascii_case(wanted.as_bytes())
        })
}

/// The labels of a name, which may have a dot at its end.
fn labels(name: &[u8]) -> Vec<&[u8]> {
    name.strip_suffix(b".").unwrap_or(name).split(|&byte| byte == b'.').collect()
}
