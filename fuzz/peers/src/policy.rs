//! The policy file (RFC 8461 §3.2). A reading is its mode, `max_age` and patterns.

use mailrs_mta_sts::PolicyMode;
use mta_sts::{MxPattern, Policy};

use crate::{
    class::{Class, Peer, Reading},
    record::is_name,
};

/// It reads text, and its caller limits the size.
pub(crate) const MAILRS: Peer = Peer {
    name: "mailrs-mta-sts",
    read: |input| {
        let text = str::from_utf8(input).ok().filter(|text| text.len() <= Policy::MAX_LEN)?;
        Some((ours(text), theirs(text)))
    },
};

fn ours(text: &str) -> Reading {
    let policy = Policy::parse(text.as_bytes()).ok()?;
    let mx: Vec<_> = policy.mx().map(|mx| mx.as_str().to_ascii_lowercase()).collect();
    Some(format!("{} {} {mx:?}", policy.mode().as_str(), policy.max_age().as_secs()))
}

fn theirs(text: &str) -> Reading {
    let policy = mailrs_mta_sts::Policy::parse(text).ok()?;
    let mode = match policy.mode {
        PolicyMode::Enforce => "enforce",
        PolicyMode::Testing => "testing",
        PolicyMode::None => "none",
    };
    Some(format!("{mode} {} {:?}", policy.max_age, policy.mx))
}

/// The most that a `max_age` can mean, in seconds.
const MAX_AGE: u64 = 31_557_600;

pub(crate) const CLASSES: &[Class] = &[
    Class {
        property: "white space before a field or a colon, or other than spaces and tabs",
        rows: &["S3.2-11"],
        why: "the grammar has none there; the peer's documentation names it as a choice",
        remove: |input| per_line(input, |line| Some(trimmed(line))),
        example: "version: STSv1\nmode: testing\nmx: a.example\n max_age : 1\n",
    },
    Class {
        property: "blank lines, comments and lines without a colon",
        rows: &["S3.2-11"],
        why: "every line is a field; the peer's documentation names blank lines and comments",
        remove: |input| {
            let is_field = |line: &str| line.contains(':') && !line.trim_start().starts_with('#');
            per_line(input, |line| is_field(line).then(|| line.to_owned()))
        },
        example: "version: STSv1\n\nmode: testing\nmx: a.example\nmax_age: 1\n",
    },
    Class {
        property: "names, versions and modes in another case",
        rows: &["S3.2-05"],
        why: "they are case-sensitive; the peer's documentation names it as a choice",
        remove: |input| per_line(input, |line| Some(in_lower_case(line))),
        example: "version: STSv1\nmode: Testing\nmx: a.example\nmax_age: 1\n",
    },
    Class {
        property: "a repeated `version`, `mode` or `max_age`",
        rows: &["S3.2-02"],
        why: "the first counts; to the peer the last one does, and each has to be valid",
        remove: without_repetitions,
        example: "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\nmode: none\n",
    },
    Class {
        property: "a `max_age` over a year, of more than ten digits, or with a sign",
        rows: &["S3.2-09"],
        why: "a year is the most, as 1 to 10 digits; the peer leaves the limit to its caller, and reads \
              what Rust reads as a number",
        remove: |input| per_line(input, |line| Some(with_usual_age(line))),
        example: "version: STSv1\nmode: testing\nmx: a.example\nmax_age: 31557601\n",
    },
    Class {
        property: "an `mx` that is not a pattern",
        rows: &["S3.2-13", "S3.2-14"],
        why: "the grammar of a pattern; the peer takes any text, and ignores an empty one",
        remove: |input| {
            per_line(input, |line| match known(line) {
                Some(("mx", mx)) if MxPattern::parse(mx).is_err() => None,
                _ => Some(line.to_owned()),
            })
        },
        example: "version: STSv1\nmode: testing\nmx: a.example\nmx: [192.0.2.1]\nmax_age: 1\n",
    },
    Class {
        property: "the mode `none` without an `mx`",
        rows: &["S3.2-07"],
        why: "only the other modes need one; the peer does not read this way to remove MTA-STS",
        remove: with_mx,
        example: "version: STSv1\nmode: none\nmax_age: 1\n",
    },
    Class {
        property: "an extension that is malformed",
        rows: &["S3.2-01", "S3.2-15"],
        why: "unknown fields are ignored in valid policies; the peer does not look at them",
        remove: |input| {
            per_line(input, |line| {
                let (name, value) = line.split_once(':')?;
                let is_valid = known(line).is_some() || is_extension(name, value);
                is_valid.then(|| line.to_owned())
            })
        },
        example: "version: STSv1\nmode: testing\nmx: a.example\nmax_age: 1\na b: c\n",
    },
];

/// Changes, or leaves out, each line. Their ends become LF.
fn per_line(input: &[u8], change: impl Fn(&str) -> Option<String>) -> Vec<u8> {
    let text = String::from_utf8_lossy(input);
    let lines = text.lines().filter_map(|line| change(line).map(|line| line + "\n"));
    lines.collect::<String>().into_bytes()
}

fn trimmed(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) => format!("{}: {}", name.trim(), value.trim()),
        None => line.trim().to_owned(),
    }
}

/// Splits a line that has one of the fields of the RFC.
fn known(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    ["version", "mode", "max_age", "mx"].contains(&name).then(|| (name, value.trim_matches(WSP)))
}

const WSP: [char; 2] = [' ', '\t'];

fn in_lower_case(line: &str) -> String {
    let Some((name, value)) = line.split_once(':') else { return line.to_owned() };
    let lower = format!("{}:{value}", name.to_ascii_lowercase());
    match known(&lower) {
        Some(("version", value)) if value.eq_ignore_ascii_case("STSv1") => "version: STSv1".into(),
        Some(("mode", value)) => format!("mode: {}", value.to_ascii_lowercase()),
        Some(_) => lower,
        None => line.to_owned(),
    }
}

fn without_repetitions(input: &[u8]) -> Vec<u8> {
    let seen = std::cell::RefCell::new(Vec::new());
    per_line(input, |line| {
        let name = known(line).map_or("mx", |(name, _)| name).to_owned();
        if name != "mx" && seen.borrow().contains(&name) {
            return None;
        }
        seen.borrow_mut().push(name);
        Some(line.to_owned())
    })
}

fn with_usual_age(line: &str) -> String {
    match known(line) {
        Some(("max_age", value)) => match value.parse::<u64>() {
            Ok(seconds) => format!("max_age: {}", seconds.min(MAX_AGE)),
            Err(_) => line.to_owned(),
        },
        _ => line.to_owned(),
    }
}

fn with_mx(input: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(input);
    let fields: Vec<_> = text.lines().filter_map(known).collect();
    if fields.contains(&("mode", "none")) && !fields.iter().any(|(name, _)| *name == "mx") {
        return format!("mx: a.example\n{text}").into_bytes();
    }
    input.to_vec()
}

/// `sts-policy-extension`
fn is_extension(name: &str, value: &str) -> bool {
    let value = value.trim_matches(WSP);
    is_name(name.as_bytes()) && !value.is_empty() && !value.chars().any(|c| c.is_ascii_control())
}
