//! Remarks among the hosts of a value.

use alloc::string::String;

/// Removes parentheses with one word that is no host name: `a.example (primary)`.
pub(super) fn without_remarks(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once('(') {
        result.push_str(before);
        let remark = inner.split_once(')').filter(|(word, after)| {
            result.ends_with([' ', '\t'])
                && !word.is_empty()
                && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
                && (after.is_empty() || after.starts_with([' ', '\t', ',', ';']))
        });
        rest = remark.map_or(inner, |(_, after)| after);
        result.push_str(if remark.is_none() { "(" } else { "" });
    }
    result.push_str(rest);
    result
}
