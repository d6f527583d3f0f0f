//! Reads the fields of a record that are written in words, or with an arrow: `policy with id: 1`.

use alloc::string::String;

use super::{
    record_id::{has_word_id, is_bare_id},
    record_value,
    spelling::known_name,
};

/// The arrows that stand for a `=` or a `;`; a longer one comes before its parts.
const ARROWS: [&str; 7] = ["-->", "->", "==>", "=>", "→", "➜", "⇒"];

/// The signs that people write for a `;`.
pub(super) const SIGNS: &[char] = &[
    '|', ',', '/', '-', '&', '+', '.', ':', '>', '=', '~', '→', '➜', '⇒', '*', '•', '…', '–', '—',
];

/// Writes each `id` that is certain as `id=…`.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for field in text.split_inclusive(';') {
        let inner = field.strip_suffix(';').unwrap_or(field);
        let inner = inner.trim_start_matches(|c: char| c.is_whitespace() || SIGNS.contains(&c));
        let value = record_value::mended(inner)
            .or_else(|| named_id(inner).map(|(_, value)| String::from(value)));
        match value {
            Some(value) => plain.extend(["id=", &value]),
            None => plain.push_str(inner),
        }
        plain.push_str(if field.ends_with(';') { ";" } else { "" });
    }
    plain
}

/// Writes `=` for the arrow in `v -> STSv1`.
pub(super) fn with_equals(version: &str) -> String {
    ARROWS.iter().fold(version.into(), |text: String, arrow| text.replace(arrow, "="))
}

/// Returns the words that stand for `id=` in a field, and the value.
pub(super) fn named_id(field: &str) -> Option<(&str, &str)> {
    let field = field.trim();
    let is_value = |c: char| c.is_ascii_alphanumeric();
    let name = field.trim_end_matches(is_value);
    let value = field.strip_prefix(name).filter(|value| !value.is_empty())?;
    let name = name.trim_end();
    let is_sign = |c: char| c.is_whitespace() || "-=>→➜⇒:~/<|".contains(c);
    let words = name.trim_end_matches(is_sign);
    let has_sign = words.len() < name.len();
    let is_word = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '\t' | '-' | '_');
    let mut parts = words.split([' ', '\t']);
    let is_id = has_word_id(words)
        && words.chars().all(is_word)
        && !parts.any(|word| known_name(word.as_bytes()).is_some());
    let sign = name.get(words.len()..)?;
    let is_apart = words.contains([' ', '\t']) || sign.contains(|c| "> →➜⇒~/<|".contains(c));
    (is_id && is_apart && (has_sign || is_bare_id(&value.to_ascii_lowercase())))
        .then_some((name, value))
}

/// Returns the words before the `id` of a field: `with` in `with id=1`.
pub(super) fn before_id(field: &str) -> Option<&str> {
    let (name, _) = named_id(field)?;
    let id = name.to_ascii_lowercase().rfind("id")?;
    let words = name.get(..id)?.trim();
    (!words.is_empty()).then_some(words)
}
