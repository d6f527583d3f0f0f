//! Reads a `max_age` with several values: `604800 or 1209600`, `604800 / 7 days`.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    meant::Meant,
    seconds::{LIMIT, is_short, number_word, ungroup, unit_seconds, words},
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

const FILLERS: [&str; 11] =
    ["", "or", "to", "for", "about", "ie", "eg", "vs", "between", "from", "until"];

/// Returns the seconds of each value. A number without a unit has four digits or more.
fn ages(lower: &str) -> Option<Vec<u64>> {
    let separators: &[char] = &['/', '|', '=', '(', ')', ';', ':', '&', '~', '≈', '–', '>', '<'];
    let text: String = lower.replace("..", " ").replace(", ", " ").replace(separators, " ");
    let is_filler = |word: &&str| FILLERS.contains(word);
    // A comma stands between values where it groups no digits.
    let values = words(&text).into_iter().flat_map(|word| {
        let is_number = ungroup(word).is_some();
        word.split(move |c| c == ',' && !is_number).collect::<Vec<&str>>()
    });
    let mut words = values.filter(|word| !is_filler(word)).peekable();
    let mut ages = Vec::new();
    while let Some(word) = words.next() {
        if let Some(seconds) = unit_seconds(word) {
            ages.push(seconds);
            continue;
        }
        let number = number_word(word)?;
        let is_digit = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
        // `604800 / week` is no number of weeks.
        let is_unit =
            |next: &&str| unit_seconds(next).is_some_and(|unit| unit == 1 || number < 9999);
        let age = match words.next_if(is_unit) {
            Some(unit) => number.checked_mul(unit_seconds(unit)?)?,
            None if number > 999 && is_digit(word) => number,
            None => return None,
        };
        ages.push(age);
    }
    ages.iter().all(|&age| is_short(age)).then_some(ages)
}
