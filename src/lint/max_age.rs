//! Reads a faulty `max_age` as its writer meant it.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};

use super::{
    ages,
    meant::Meant,
    seconds::{LIMIT, is_short, number_word, ungroup, unit_seconds, words},
};

const YEAR: &str = "the limit is a year: write `max_age: 31557600`, or less";
const SECONDS: &str = "write seconds, such as `max_age: 604800` for a week";

/// Reads `604,800`, `86400s`, `one week` and the like; `1209600.5` is no number of seconds.
pub(super) fn read(text: &str) -> Meant {
    let meant = read_any(text);
    let is_over = |value: &String| value.parse().is_ok_and(|seconds: u64| seconds > LIMIT);
    if meant.values.iter().flatten().any(is_over) {
        return Meant { values: None, help: Some(YEAR.to_owned()), ..meant };
    }
    meant
}

fn read_any(text: &str) -> Meant {
    let lower = text.to_ascii_lowercase();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if lower.is_empty() {
        return Meant::help("write `max_age: 1209600`, say: two weeks, in seconds")
            .fault("`max_age` has no value");
    }
    if lower.strip_prefix('-').is_some_and(is_digits) {
        return Meant::help(SECONDS).fault("`max_age` is negative");
    }
    if matches!(
        &*lower,
        "unlimited" | "infinite" | "infinity" | "forever" | "never" | "max" | "maximum"
    ) {
        return Meant::help(YEAR).fault(format!("`{lower}` is no number of seconds"));
    }
    if let Some(number) = ungroup(&lower) {
        return number_of_seconds(number, &lower);
    }
    if let Some(meant) = sentence(&lower).or_else(|| letters_for_digits(text)) {
        return meant;
    }
    let unit = || Meant::default().fault("`max_age` has a unit: it is a number of seconds");
    match duration(&lower) {
        Some(Duration::Exact(seconds)) => {
            Meant { values: Some([seconds.to_string()].into()), ..unit() }
        }
        Some(Duration::About(words)) => unit().because(&words),
        None => other(&lower),
    }
}

fn number_of_seconds(number: String, written: &str) -> Meant {
    let short = number.trim_start_matches('0');
    if number.len() > 10 && (1..=10).contains(&short.len()) {
        return Meant::one(short)
            .because("zeros before a number say nothing")
            .fault("`max_age` has more than 10 digits");
    }
    if number.len() > 10 {
        return Meant::help(YEAR).fault("`max_age` has more than 10 digits");
    }
    let meant = Meant::one(number);
    match written.chars().find(|c| !c.is_ascii_digit()) {
        Some(sign) => meant
            .because("seconds are written in digits only")
            .fault(format!("`max_age` has `{sign}` between its digits")),
        None => meant,
    }
}

/// Reads `604800.`, the end of a sentence.
fn sentence(lower: &str) -> Option<Meant> {
    let number = lower.strip_suffix('.')?;
    let is_number = (4..=10).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| Meant::one(number).fault("`max_age` has a dot after its value"))
}

/// Reads `6O48OO`, where letters stand for the digits that they look like.
fn letters_for_digits(text: &str) -> Option<Meant> {
    let digit = |c: char| match c {
        'O' | 'o' => '0',
        'I' | 'l' => '1',
        other => other,
    };
    let number: String = text.chars().map(digit).collect();
    let letter = text.chars().find(|&c| digit(c) != c)?;
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let is_number = (4..=10).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (is_number && digits.saturating_mul(2) >= number.len()).then(|| {
        Meant::one(number).fault(format!(
            "`max_age` has the letter `{letter}` in place of the digit `{}`",
            digit(letter)
        ))
    })
}

fn other(lower: &str) -> Meant {
    let help = Meant::help(SECONDS);
    if let Some(meant) = ages::several(lower) {
        return meant;
    }
    if let Some(seconds) = product(lower) {
        return Meant::one(seconds.to_string()).fault("`max_age` is a calculation, not a number");
    }
    if lower.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',')) {
        return help.fault("`max_age` must be a whole number of seconds, in digits only");
    }
    help
}

/// Multiplies out `60*60*24*7`.
fn product(text: &str) -> Option<u64> {
    let factors = text.contains(['*', 'x', '×']).then(|| text.split(['*', 'x', '×']))?;
    let product = factors.map(|factor| factor.trim().parse::<u64>().ok());
    let product = product.reduce(|a, b| a?.checked_mul(b?))?;
    product.filter(|&seconds| is_short(seconds) && seconds > 0)
}

enum Duration {
    Exact(u64),
    /// A unit without a fixed length, such as a month, and the help for it.
    About(String),
}

/// Reads `7d`, `one week`, `1d 12h` or `P7D`.
fn duration(lower: &str) -> Option<Duration> {
    let iso = lower
        .strip_prefix('p')
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == 't'));
    let parts = words(iso.unwrap_or(lower));
    let mut total: u64 = 0;
    let mut pairs = parts.chunks_exact(2);
    for pair in &mut pairs {
        let [number, unit] = pair else { return None };
        let number = number_word(number)?;
        if *unit == "m" && parts.len() == 2 && iso.is_none() {
            return minutes_or_months(number);
        }
        match unit_seconds(unit) {
            Some(seconds) => total = total.checked_add(number.checked_mul(seconds)?)?,
            None if parts.len() == 2 => return about(number, unit),
            None => return None,
        }
    }
    (pairs.remainder().is_empty() && !parts.is_empty() && is_short(total))
        .then_some(Duration::Exact(total))
}

/// Reads `10080m`: more than twelve months are over the limit, so they are minutes.
fn minutes_or_months(number: u64) -> Option<Duration> {
    if number > 12 {
        return number.checked_mul(60).filter(|&seconds| is_short(seconds)).map(Duration::Exact);
    }
    let minutes = number.checked_mul(60)?;
    let months = number.checked_mul(30 * 86_400)?;
    Some(Duration::About(format!(
        "write `max_age: {minutes}` for minutes, `max_age: {months}` for months"
    )))
}

/// Returns the help for months and years: they differ in length, and a year is the limit.
fn about(number: u64, unit: &str) -> Option<Duration> {
    let days = match unit {
        "y" | "yr" | "year" | "years" => number.checked_mul(365)?,
        "mo" | "month" | "months" => number.checked_mul(30)?,
        _ => return None,
    };
    let seconds = days.checked_mul(86_400).filter(|&seconds| seconds <= LIMIT);
    Some(Duration::About(match seconds {
        Some(seconds) => format!("write `max_age: {seconds}` for {days} days"),
        None => YEAR.to_owned(),
    }))
}
