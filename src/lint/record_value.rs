//! Reads the value of an `id` that is several words, or has its name in it.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{record_id::is_date, seconds, shown::Shown};
use crate::parse::{is_all, record::sts_id_value};

const ONE_WORD: &str = "an `id` is one word of letters and digits";

/// The words of the value of an `id`.
struct Words<'a> {
    list: Vec<&'a str>,
    /// Set if the name is written again: `id=id=1`, `id=1, id=2`.
    is_named: bool,
    /// Set if nothing but white space separates them.
    is_spaced: bool,
}

/// Returns the value that was meant, if that is certain.
pub(super) fn mended(field: &str) -> Option<String> {
    let words = words(field)?;
    let is_same = words.list.iter().all(|word| words.list.first() == Some(word));
    let joined = words.list.concat();
    let is_one = words.is_spaced && !words.is_named && is_one(&words.list, &joined);
    match words.list.as_slice() {
        [one, ..] if words.is_named && is_same => Some((*one).to_string()),
        [_, _, ..] if is_one => Some(joined),
        _ => None,
    }
}

/// Returns what is wrong with the value, and what to do.
pub(super) fn explain(field: &str) -> Option<(String, String)> {
    let words = words(field)?;
    let list = words.list.as_slice();
    let is_same = list.iter().all(|word| list.first() == Some(word));
    let message = match list {
        [_] if words.is_named => "`id` has its own name before its value".to_string(),
        [one, _] if is_same => format!("`id={}` is given twice", Shown(one)),
        [one, _, ..] if is_same => format!("`id={}` is given {} times", Shown(one), list.len()),
        [_, _, ..]
            if words.is_spaced && !words.is_named || !list.iter().all(|word| is_id(word)) =>
        {
            "`id` has more than one word in its value".to_string()
        }
        [first, second] => {
            format!("`id` has two values, `{}` and `{}`", Shown(first), Shown(second))
        }
        [_, _, ..] => format!("`id` has {} values", list.len()),
        _ => return None,
    };
    let is_space = words.is_spaced && !words.is_named && list.len() > 1 && !is_same;
    let message = if is_space { "`id` has white space in its value".to_string() } else { message };
    let help = if mended(field).is_some() { ONE_WORD.to_string() } else { choose(list) };
    Some((message, help))
}

/// Names the values to choose from, if all may be one.
fn choose(words: &[&str]) -> String {
    match words {
        [first, second] if words.iter().all(|word| is_id(word)) => {
            format!("publish the one that is meant, `id={first}` or `id={second}`")
        }
        _ => format!("{ONE_WORD}: publish the one that is meant, and no other"),
    }
}

fn is_id(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit()) && is_all(sts_id_value, word.as_bytes())
}

fn words(field: &str) -> Option<Words<'_>> {
    let value = without_name(field.trim())?;
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | '|' | '&');
    let mut words = Words { list: Vec::new(), is_named: false, is_spaced: true };
    for word in value.split(is_separator).filter(|word| !word.is_empty()) {
        if matches!(word, "or" | "and" | "id" | "=" | ":") {
            words.is_spaced = false;
            words.is_named |= word == "id" && words.list.is_empty();
            continue;
        }
        let mut inner = word;
        while let Some(value) = without_name(inner) {
            inner = value;
        }
        words.is_named |= inner.len() < word.len();
        words.list.push(inner);
    }
    words.is_spaced &= !value.contains([',', '|', '&']);
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+');
    let is_value = |word: &&str| {
        word.contains(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(is_word)
    };
    words.list.iter().all(is_value).then_some(words)
}

/// Removes `id=` or `id:`.
fn without_name(text: &str) -> Option<&str> {
    let name = text.get(..2).filter(|name| name.eq_ignore_ascii_case("id"))?;
    text.strip_prefix(name)?.trim_start().strip_prefix(['=', ':'])
}

/// Returns whether the words are a date and a time, or the groups of one number.
fn is_one(words: &[&str], joined: &str) -> bool {
    let digits = |word: &str| word.bytes().filter(u8::is_ascii_digit).count();
    let (date, time) = words.split_first().unwrap_or((&"", &[]));
    let is_time = time.iter().all(|word| digits(word) <= 6);
    let is_date = is_time && digits(date) >= 4 && digits(joined) <= 14 && is_date(joined);
    is_date || seconds::ungroup(&words.join(" ")).is_some()
}
