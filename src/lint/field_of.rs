//! The field that a value without a name belongs to.

use crate::parse::{is_all, name::sts_policy_mx_value};

/// Returns the field that this can only be a value of.
pub(super) fn field_of(value: &str) -> Option<&'static str> {
    let value = value.trim_matches(['"', '\'', ',', ';', ' ']);
    let lower = value.to_ascii_lowercase();
    match &*lower {
        "stsv1" => return Some("version"),
        "enforce" | "testing" | "none" => return Some("mode"),
        _ => {}
    }
    if value.len() > 3 && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("max_age");
    }
    let name = value.strip_suffix('.').unwrap_or(value);
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_host = name.contains('.')
        && last.len() > 1
        && last.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !matches!(last, "txt" | "html" | "json" | "yml" | "yaml")
        && is_all(sts_policy_mx_value, name.as_bytes());
    is_host.then_some("mx")
}
