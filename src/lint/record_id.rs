//! Reads the value of an `id`.

use alloc::string::String;

use super::spelling::is_placeholder;
use crate::parse::{is_all, record::sts_id_value};

/// The marks between the parts of an `id`.
const MARKS: [char; 6] = ['-', '_', '.', ':', '/', '+'];

/// Returns an id made of the letters and digits of what was given, if that makes one.
pub(super) fn mended_id(value: &str) -> Option<String> {
    let inner = value.trim_matches(['<', '>', '[', ']', '(', ')', '{', '}']);
    let is_number = inner.bytes().all(|byte| byte.is_ascii_digit());
    let value = if is_number { inner } else { value };
    let value = value.trim_matches(MARKS);
    if is_placeholder(value) || !is_date(value) && has_mark_in_number(value) {
        return None;
    }
    let id = value.replace(MARKS, "");
    is_all(sts_id_value, id.as_bytes()).then_some(id)
}

/// Returns whether a mark stands between two digits, where it may tell versions apart: `1.10` and `11.0`
/// must not become the same.
fn has_mark_in_number(value: &str) -> bool {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    value.match_indices(MARKS).any(|(at, _)| {
        let (before, after) = value.split_at_checked(at).unwrap_or((value, ""));
        let before = before.trim_end_matches(MARKS).chars().next_back();
        is_digit(before) && is_digit(after.trim_start_matches(MARKS).chars().next())
    })
}

/// Returns whether this is a date, or a date and a time, between whose numbers marks stand.
pub(super) fn is_date(value: &str) -> bool {
    let groups = value.split(|c: char| MARKS.contains(&c) || matches!(c, 'T' | 't' | 'Z' | 'z'));
    let is_number = |group: &str| {
        group.len().is_multiple_of(2) && group.bytes().all(|byte| byte.is_ascii_digit())
    };
    value.starts_with("20") && value.len() >= 8 && groups.into_iter().all(is_number)
}

/// Returns whether this is an `id` without `=`: `20240101` or `id20240101`.
pub(super) fn is_bare_id(text: &str) -> bool {
    let digits = text.strip_prefix("id").unwrap_or(text);
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    count > 0
        && (count >= 6 || count == digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns whether `id` is a word of the text, in any letter case: `id.`, `policy-id`, `"ID"`.
pub(super) fn has_word_id(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.eq_ignore_ascii_case("id"))
}
