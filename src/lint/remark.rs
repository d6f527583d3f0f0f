//! Remarks among the hosts of a value.

use alloc::string::String;

/// Removes parentheses with one word that is no host name: `a.example (primary)`.
pub(super) fn without_remarks(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once('(') {
        result.push_str(before);
        let is_other = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_');
        let (word, after) =
            inner.split_at_checked(inner.find(is_other).unwrap_or(0)).unwrap_or_default();
        let remark = after.strip_prefix(')').filter(|after| {
            let is_end = after.is_empty() || after.starts_with([' ', '\t', ',', ';']);
            is_end && result.ends_with([' ', '\t']) && !word.is_empty()
        });
        rest = remark.unwrap_or(inner);
        result.push_str(if remark.is_none() { "(" } else { "" });
    }
    result.push_str(rest);
    result
}
