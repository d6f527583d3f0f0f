//! How to mend what is broken, as far as that can be told.

use alloc::{
    format,
    string::{String, ToString},
};
use core::str;

use crate::{
    domain::Domain,
    parse::{
        is_all,
        name::sts_policy_mx_value,
        policy::PolicyErrorKind,
        record::{RecordErrorKind, sts_id_value},
    },
    tolerances::Tolerances,
};

/// How to mend a fault in a record. `found` is the faulty field, `input` all of the record.
pub(super) fn record(kind: RecordErrorKind, found: &[u8], input: &[u8]) -> Option<String> {
    let help = match kind {
        RecordErrorKind::Version => return record_version(input),
        RecordErrorKind::Delimiter if found.starts_with(b"\\") => {
            "leave out the backslash: it belongs into zone files, not into the record"
        }
        RecordErrorKind::TrailingSpace => "leave out the white space",
        RecordErrorKind::EmptyField => "leave out one `;`",
        RecordErrorKind::Equals => "write `name=value`, with no white space around `=`",
        RecordErrorKind::Id => return record_id(found),
        RecordErrorKind::NoId => "add an `id`, such as `id=20160831085700Z;`",
        _ => return None,
    };
    Some(help.to_string())
}

fn record_version(input: &[u8]) -> Option<String> {
    let trimmed = input.trim_ascii_start();
    let starts = |version: &[u8]| {
        trimmed.get(..version.len()).is_some_and(|head| head.eq_ignore_ascii_case(version))
    };
    let help = if input.starts_with(b"\"") {
        "publish the record without the quotes: some control panels add their own"
    } else if trimmed.len() < input.len() && starts(b"v=STSv1") {
        "leave out the white space before `v=STSv1`"
    } else if starts(b"v=STSv1") {
        "write `v=STSv1`: it is case-sensitive"
    } else if input.windows(7).any(|piece| piece == b"v=STSv1") {
        "put `v=STSv1` first"
    } else {
        return None;
    };
    Some(help.to_string())
}

/// An id made of the letters and digits of what was given, if that makes one.
fn record_id(found: &[u8]) -> Option<String> {
    let value = found.strip_prefix(b"id=")?;
    let kept = value.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let id: String = kept.take(33).map(|&byte| char::from(byte)).collect();
    is_all(sts_id_value, id.as_bytes()).then(|| format!("write `id={id}`, say"))
}

/// How to mend a fault in a policy. `found` is the line from the fault on.
pub(super) fn policy(kind: PolicyErrorKind, found: &[u8]) -> Option<String> {
    let help = match kind {
        PolicyErrorKind::Deviation(which) => deviation(which),
        PolicyErrorKind::NotUtf8 if is_utf16(found) => "this looks like UTF-16: save it as UTF-8",
        PolicyErrorKind::NotUtf8 => "save the file as UTF-8",
        PolicyErrorKind::FieldName if found.starts_with(b"<") => {
            "this looks like HTML: serve the policy file itself"
        }
        PolicyErrorKind::FieldName if found.starts_with(b"#") => {
            "leave the line out: there are no comments in a policy"
        }
        PolicyErrorKind::Colon if found.starts_with(b"=") => "write `:`, not `=`",
        PolicyErrorKind::FieldValue if found.is_empty() => "leave the line out, or give a value",
        PolicyErrorKind::Version | PolicyErrorKind::NoVersion => "write `version: STSv1`",
        PolicyErrorKind::Mode => return mode(found),
        PolicyErrorKind::NoMode => "write `mode: testing` at first",
        PolicyErrorKind::MaxAge => return max_age(found),
        PolicyErrorKind::NoMaxAge => "write `max_age: 1209600`, say: two weeks, in seconds",
        PolicyErrorKind::Mx => return mx(found),
        PolicyErrorKind::NoMx => "write a line `mx: HOST` for each MX host",
        _ => return None,
    };
    Some(help.to_string())
}

fn deviation(which: Tolerances) -> &'static str {
    match which {
        Tolerances::BLANK_LINES => "leave the line out",
        Tolerances::BYTE_ORDER_MARK => "save the file as UTF-8 without a byte order mark",
        Tolerances::MX_TRAILING_DOT => "leave out the dot",
        _ => "leave out the white space",
    }
}

fn is_utf16(input: &[u8]) -> bool {
    matches!(input, [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..])
}

fn mode(found: &[u8]) -> Option<String> {
    if found.eq_ignore_ascii_case(b"report") {
        return Some("write `mode: testing`: `report` is from drafts of the RFC".to_string());
    }
    let known = ["enforce", "testing", "none"];
    let known = known.into_iter().find(|mode| found.eq_ignore_ascii_case(mode.as_bytes()))?;
    Some(format!("write `mode: {known}`: values are case-sensitive"))
}

/// `604,800` and `86400s` are numbers to people.
fn max_age(found: &[u8]) -> Option<String> {
    let is_fringe = |byte: &u8| matches!(byte, b',' | b'.' | b'_' | b' ' | b'\'' | b'"' | b's');
    let digits: String =
        found.iter().take(32).filter(|byte| !is_fringe(byte)).map(|&b| char::from(b)).collect();
    let is_number = (1..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| format!("write `max_age: {digits}`"))
}

fn mx(found: &[u8]) -> Option<String> {
    let help = match found {
        [] => "name a host, or leave the line out",
        [b'[', ..] => "name the host: addresses are not allowed",
        b"*" => "name the hosts: not every host can be allowed at once",
        _ if found.contains(&b',') || found.contains(&b' ') => {
            "write a line `mx: HOST` for each host, with nothing but its name"
        }
        _ if found.contains(&b'_') => "a host name has no underscore: name the MX host",
        _ => return mx_name(found),
    };
    Some(help.to_string())
}

/// The pattern that the old drafts (`.example.com`) or a U-label stand for.
fn mx_name(found: &[u8]) -> Option<String> {
    let text = str::from_utf8(found).ok().filter(|text| text.len() <= 253)?;
    let (wildcard, host) = match text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
        Some(base) => ("*.", base),
        None => ("", text),
    };
    let pattern = format!("{wildcard}{}", Domain::parse(host).ok()?);
    is_all(sts_policy_mx_value, pattern.as_bytes()).then(|| format!("write `mx: {pattern}`"))
}

/// The known field whose name this would be in lower case and with `_` for `-`.
pub(super) fn known_name(name: &[u8]) -> Option<&'static str> {
    let is = |known: &&str| {
        let plain = known.bytes().filter(|&byte| byte != b'_');
        let given = name.iter().filter(|byte| !matches!(byte, b'-' | b'_' | b'.'));
        plain.eq(given.map(u8::to_ascii_lowercase))
    };
    ["version", "mode", "mx", "max_age"].into_iter().find(is)
}
