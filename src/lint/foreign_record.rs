//! Texts of another kind in the place of a record.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::str;

use super::{
    Code, Diagnostic, known_record::known_record, record_id::has_word_id, record_text::canonical,
    shown::Shown,
};
use crate::{domain::Domain, parse::record::sts_text_record};

/// Returns the one diagnostic for a text that is no record, or a record with something around it.
pub(super) fn find(input: &[u8]) -> Option<Diagnostic> {
    if input.starts_with(b"v=STSv1") && !input.iter().any(|byte| matches!(byte, b'"' | b'\n')) {
        return None;
    }
    let text = str::from_utf8(input).ok()?;
    let lower = text.to_ascii_lowercase();
    several(text)
        .or_else(|| zone_line(text, &lower))
        .or_else(|| quoted(text))
        .or_else(|| labelled(text, &lower))
        .or_else(|| other(text, &lower))
}

/// Finds several records, as `dig +short` prints them.
fn several(text: &str) -> Option<Diagnostic> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    // Without quotes, a line that begins otherwise may be a part of a record.
    let is_quoted = lines.clone().all(|line| line.contains('"'));
    let is_start = |line: &str| {
        let lower = line.to_ascii_lowercase();
        lower.starts_with("v=sts")
            || is_quoted && lower.contains("v=sts")
            || known_record(&lower).is_some()
    };
    if lines.filter(|line| is_start(line)).count() < 2 {
        return None;
    }
    let message = "these are several TXT records, one on each line: give one at a time";
    let found = Diagnostic::new(Code::RECORD_OTHER_TEXT, 0..text.len(), message);
    let help = "only one record may begin with `v=STSv1;` (RFC 8461 §3.1)";
    Some(found.with_help(Some(help.into())))
}

/// Finds a record with a label before it: `_mta-sts: v=STSv1; id=1`.
fn labelled(text: &str, lower: &str) -> Option<Diagnostic> {
    let at = lower.find("v=stsv1")?;
    let (before, record) = text.split_at_checked(at)?;
    let label = before.trim().trim_end_matches(['"', '\'', '\\', '“']).trim();
    let is_after_word = before.ends_with(|c: char| c.is_alphanumeric());
    if label.is_empty() || label.contains(';') || is_after_word || lower.matches("v=").count() > 1 {
        return None;
    }
    let message = format!("`{}` stands before the record", Shown(label));
    let found = Diagnostic::new(Code::RECORD_VERSION, 0..text.len(), message);
    // `<p>v=STSv1; id=1</p>`
    let record = record.split("</").next().unwrap_or_default();
    let record = record.trim().trim_end_matches(['"', '\'', '\\', '”', ')', '>', ']', '}', '*']);
    Some(with_record(found, text, record, Some("the record begins with `v=STSv1`")))
}

fn zone_line(text: &str, lower: &str) -> Option<Diagnostic> {
    let words = lower.split_whitespace();
    let is_type = |word: &str| word == "txt" || word.starts_with("txt(");
    let is_data = lower.trim_start().starts_with('(') && lower.contains('"');
    let is_line = words.clone().take(6).any(is_type) || is_data;
    let is_line = is_line && lower.contains("v=sts");
    if !is_line || lower.trim_start().starts_with("v=") {
        return None;
    }
    let (message, inner) = if text.contains('"') {
        ("this is a line of a zone file: give the text between the quotes", strings(text))
    } else {
        let start = lower.find("v=sts").unwrap_or_default();
        // Brackets go on with the data on further lines.
        let is_end = |c: char| c.is_whitespace() || c == ')';
        let record = text.get(start..).unwrap_or_default().trim_end_matches(is_end).to_owned();
        ("this is a line of a zone file: give the text of the record alone", record)
    };
    let found = Diagnostic::new(Code::RECORD_OTHER_TEXT, 0..text.len(), message);
    Some(with_record(found, text, &inner, None))
}

/// Joins the quoted strings of a line of a zone file.
fn strings(text: &str) -> String {
    text.split('"').skip(1).step_by(2).collect::<String>().replace("\\;", ";")
}

fn quoted(text: &str) -> Option<Diagnostic> {
    let trimmed = text.trim();
    if !trimmed.starts_with(['"', '\'', '“', '`']) {
        return None;
    }
    let inner = match trimmed.split_once('"') {
        Some(("", _)) if trimmed.len() > 1 && trimmed.ends_with('"') => strings(trimmed),
        _ => trimmed.trim_matches(['"', '\'', '“', '”', '`']).to_owned(),
    };
    if !inner.to_ascii_lowercase().trim_start().starts_with("v=sts") {
        return None;
    }
    let rest = trimmed.trim_start_matches(['"', '\'', '“', '`']);
    let what = if rest.contains(['"', '\'', '”', '`']) {
        "quotes stand around"
    } else {
        "a quote stands before"
    };
    let message = format!("{what} the record, which must begin with `v=STSv1`");
    let found = Diagnostic::new(Code::RECORD_VERSION, 0..text.len(), message);
    let help = "publish the record without the quotes: some control panels add their own";
    Some(with_record(found, text, &inner, Some(help)))
}

/// Adds a suggestion of the record inside a text.
fn with_record(found: Diagnostic, text: &str, inner: &str, help: Option<&str>) -> Diagnostic {
    let is_valid =
        sts_text_record(inner.as_bytes()).is_ok_and(|mut fields| fields.all(|field| field.is_ok()));
    let record = if is_valid { Some(inner.to_owned()) } else { canonical(inner.as_bytes()) };
    let help = help.map(ToString::to_string);
    match record {
        Some(record) => found.with_suggestion(0..text.len(), record, help),
        None => found.with_help(help),
    }
}

const RECORD: &str = "the TXT record of `_mta-sts` is `v=STSv1; id=…`";

fn other(text: &str, lower: &str) -> Option<Diagnostic> {
    let found = |message: String, help: &str| {
        let found = Diagnostic::new(Code::RECORD_OTHER_TEXT, 0..text.len(), message);
        Some(found.with_help(Some(help.to_owned())))
    };
    if let Some((name, place)) = known_record(lower) {
        return found(
            format!("this is {name} record, not an MTA-STS record"),
            &format!("publish it {place}; {RECORD}"),
        );
    }
    let is_policy = lower.contains("version:") || lower.contains("mode:") && lower.contains("mx:");
    let has_more = ["mode", "mx:", "max_age"].iter().any(|name| lower.contains(name));
    let is_policy = is_policy && (has_more || !has_word_id(lower));
    if is_policy && canonical(text.as_bytes()).is_none() {
        let help = format!("serve it at https://mta-sts.DOMAIN/.well-known/mta-sts.txt; {RECORD}");
        return found("this is the policy file, not the TXT record".into(), &help);
    }
    if lower.trim_start().starts_with("https://") || lower.trim_start().starts_with("http://") {
        let help = format!("senders make the URL of the policy from the domain; {RECORD}");
        return found("this is a URL, not the TXT record".into(), &help);
    }
    let start = lower.trim_start();
    let is_name = !start.is_empty() && start.contains('.') && Domain::parse(text.trim()).is_ok();
    if is_name || start.trim_start_matches('_').starts_with("mta-sts") {
        return found("this is a name, not the text of the TXT record".into(), RECORD);
    }
    let html = ["<!doctype", "<html", "<?xml", "{\""];
    if html.iter().any(|mark| start.starts_with(mark)) {
        return found("this is a web page or a document, not a TXT record".into(), RECORD);
    }
    None
}
