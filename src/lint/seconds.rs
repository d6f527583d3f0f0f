//! Reads numbers of seconds, and units of time.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

pub(super) const LIMIT: u64 = 31_557_600;

pub(super) fn is_short(seconds: u64) -> bool {
    seconds <= 9_999_999_999
}

/// Splits a text into numbers and words, without separators.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in text.split(|c: char| c.is_whitespace() || matches!(c, '-' | '_')) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let is_digit = first.is_ascii_digit();
            let is_other = |c: char| (c.is_ascii_digit() || matches!(c, ',' | '.')) != is_digit;
            let end = rest.find(is_other).unwrap_or(rest.len());
            let (word, after) =
                rest.split_at_checked(end.max(first.len_utf8())).unwrap_or((rest, ""));
            // The `T` of ISO 8601 stands between days and hours.
            if word != "t" {
                words.push(word);
            }
            rest = after;
        }
    }
    words.retain(|word| !matches!(*word, "and" | "of"));
    words
}

pub(super) fn number_word(word: &str) -> Option<u64> {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    let known = WORDS.iter().position(|known| *known == word);
    known.and_then(|n| u64::try_from(n).ok()).or_else(|| ungroup(word)?.parse().ok())
}

/// Returns the seconds of a unit of a fixed length.
pub(super) fn unit_seconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "wk" | "week" | "weeks" => 604_800,
        _ => return None,
    })
}

/// Returns the digits of a number without its thousands separators: a separator stands before exactly three
/// digits, and all of them are the same.
pub(super) fn ungroup(text: &str) -> Option<String> {
    let separators = ['.', ',', '_', '\'', '’', ' ', '\u{a0}', '\u{202f}'];
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some(separator) = text.chars().find(|c| separators.contains(c)) else {
        return digits(text).then(|| text.to_owned());
    };
    let mut groups = text.split(separator);
    let first = groups.next().unwrap_or_default();
    let is_grouped = digits(first)
        && first.len() <= 3
        && !first.starts_with('0')
        && groups.clone().all(|group| group.len() == 3 && digits(group));
    is_grouped.then(|| text.split(separator).collect())
}
