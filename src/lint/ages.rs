//! Reads a `max_age` with several values: `604800 or 1209600`, `604800 / 7 days`.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    max_age::{LIMIT, is_short, number_word, unit_seconds, words},
    meant::Meant,
};

/// Reads two or more values, with units or without.
pub(super) fn several(lower: &str) -> Option<Meant> {
    let ages = ages(lower)?;
    let (first, rest) = ages.split_first()?;
    let last = rest.last()?;
    if rest.iter().all(|age| age == first) {
        let fault = if rest.len() == 1 {
            "`max_age` is given twice".to_string()
        } else {
            format!("`max_age` is given {} times", ages.len())
        };
        return Some(Meant::one(first.to_string()).fault(fault));
    }
    let is_over = |age: &u64| *age > LIMIT;
    let help = match rest {
        [_] if !ages.iter().any(is_over) => {
            format!("publish the one that is meant, `max_age: {first}` or `max_age: {last}`")
        }
        _ => "publish the one that is meant, as a number of seconds".to_string(),
    };
    let fault = match rest {
        [_] => format!("`max_age` has two values, `{first}` and `{last}`"),
        _ => format!("`max_age` has {} values", ages.len()),
    };
    Some(Meant::help(&help).fault(fault))
}

/// Returns the seconds of each value. A number without a unit has four digits or more.
fn ages(lower: &str) -> Option<Vec<u64>> {
    let separators: &[char] = &[',', '/', '|', '=', '(', ')', ';', '&', '~', '≈', '–', '>', '<'];
    let text: String = lower.replace("..", " ").replace(separators, " ");
    let is_filler = |word: &&str| matches!(*word, "or" | "to" | "for" | "about" | "ie" | "eg");
    let words = words(&text);
    let mut words = words.into_iter().filter(|word| !is_filler(word)).peekable();
    let mut ages = Vec::new();
    while let Some(word) = words.next() {
        let number = number_word(word)?;
        let age = match words.next_if(|next| unit_seconds(next).is_some()) {
            Some(unit) => number.checked_mul(unit_seconds(unit)?)?,
            None if word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_digit()) => number,
            None => return None,
        };
        ages.push(age);
    }
    ages.iter().all(|&age| is_short(age)).then_some(ages)
}
