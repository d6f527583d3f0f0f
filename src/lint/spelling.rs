//! Names and words that are nearly right.

/// Returns the known field whose name this is in other letter case or with other punctuation.
pub(super) fn known_name(name: &[u8]) -> Option<&'static str> {
    let is = |known: &&str| {
        let plain = known.bytes().filter(|&byte| byte != b'_');
        let given = name.iter().filter(|byte| !matches!(byte, b'-' | b'_' | b'.'));
        plain.eq(given.map(u8::to_ascii_lowercase))
    };
    FIELDS.into_iter().find(is)
}

/// Returns the known field whose name this is but for one typing error.
pub(super) fn near_name(name: &[u8]) -> Option<&'static str> {
    if let Some(known) = known_name(name) {
        return Some(known);
    }
    let lower = name.to_ascii_lowercase();
    // `mx_1`, `mx-2`, `xm`
    let digits = lower.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    if lower == b"xm"
        || digits > 0 && known_name(lower.get(..lower.len().saturating_sub(digits))?) == Some("mx")
    {
        return Some("mx");
    }
    FIELDS.into_iter().find(|known| {
        // A name of two letters is one edit from too many: something has to be added to it.
        is_one_edit(&lower, known.as_bytes())
            && (*known != "mx" || lower.len() == 3 && lower.windows(2).any(|two| two == b"mx"))
    })
}

pub(super) const FIELDS: [&str; 4] = ["version", "mode", "mx", "max_age"];

/// Returns whether two words differ in one byte or character that is changed, added or left out, or in two neighbours
/// that changed places.
pub(super) fn is_one_edit<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    let prefix = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(prefix..).unwrap_or_default(), b.get(prefix..).unwrap_or_default());
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let cut = |word: &[T]| word.len().saturating_sub(suffix);
    let (a, b) = (a.get(..cut(a)).unwrap_or_default(), b.get(..cut(b)).unwrap_or_default());
    match (a, b) {
        ([_], [_] | []) | ([], [_]) => true,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
    }
}

/// Returns whether this looks like a placeholder of a template for an `id`.
pub(super) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = [
        "timestamp",
        "yyyy",
        "mmdd",
        "unique",
        "your",
        "placeholder",
        "changeme",
        "replace",
        "policyid",
        "policy-id",
        "policy_id",
        "randomstr",
        "datetime",
        "insert",
        "current",
    ];
    let whole = [
        "id",
        "date",
        "string",
        "value",
        "number",
        "text",
        "random",
        "todo",
        "tbd",
        "now",
        "epoch",
        "newid",
        "serial",
        "null",
        "undefined",
        "none",
        "nil",
        "nan",
    ];
    is_template(&lower, "id")
        || is_repeated(&lower)
        || whole.contains(&&*lower)
        || words.iter().any(|word| lower.contains(word))
}

/// Returns whether this is `xxxx` of any length.
fn is_repeated(text: &str) -> bool {
    text.len() > 2 && text.bytes().all(|byte| byte == b'x')
}

/// Returns whether this is a variable of a template for the value of a field: `{{ mode }}`, `$MODE`, `%s`.
pub(super) fn is_template(text: &str, field: &str) -> bool {
    let bracketed =
        [('<', '>'), ('{', '}'), ('[', ']'), ('(', ')'), ('%', '%'), ('_', '_'), ('@', '@')];
    let inner = bracketed.iter().find_map(|&(open, close)| {
        text.strip_prefix(open)?.strip_suffix(close).filter(|inner| !inner.is_empty())
    });
    let is_value = |inner: &str| {
        let inner = inner.trim_matches(['"', '\'', ' ', '_']);
        // A value in brackets is one with something around it.
        let is_number = inner.len() > 5 && inner.bytes().all(|byte| byte.is_ascii_digit());
        is_number
            || field != "id"
                && (inner.contains(['.', ',', ':', '|', '/'])
                    || inner.bytes().all(|byte| byte.is_ascii_digit())
                    || ["stsv1", "enforce", "testing", "none"]
                        .contains(&&*inner.to_ascii_lowercase()))
    };
    let is_bracketed = inner.is_some_and(|inner| !is_value(inner) || inner.starts_with('{'));
    // A dot alone is the host of a null MX.
    let is_dots =
        !text.is_empty() && text != "." && text.chars().all(|c| matches!(c, '.' | '…' | '?'));
    let is_variable = ["$", "#{", "%{", "<%", "{{"].iter().any(|mark| text.starts_with(mark))
        || text.starts_with('`') && text.contains(' ')
        || text.starts_with('%') && (field == "id" || text.len() == 2);
    is_bracketed || is_dots || is_variable && text.len() > 1
}
