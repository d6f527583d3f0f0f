//! TXT records as `dig`, `host` and `nslookup` print them.

use mta_sts::{
    StsRecord,
    error::SelectError,
    lint::{self, Severity},
};

use super::report::Report;

/// Lints what stands on standard input: the text of a record, or the TXT records of a name as a program
/// prints them.
///
/// # Errors
///
/// If a program printed that it got no answer.
pub(crate) fn lint(input: &[u8], report: &mut Report) -> Result<(), String> {
    let records = records(input);
    match &records[..] {
        [] => lint_text(input.trim_ascii_end(), report)?,
        [record] => report.add(record.clone(), lint::record(record)),
        several => lint_set(several, report),
    }
    Ok(())
}

/// Lints a text that no program printed as a record.
fn lint_text(input: &[u8], report: &mut Report) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let says = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if says(&["timed out", "no servers could be reached", "SERVFAIL", "REFUSED"]) {
        return Err(format!("standard input: DNS gave no answer: {}", first.escape_debug()));
    }
    let is_output_of_dig = first.starts_with("; <<>> DiG") || first.starts_with(";;");
    if first.is_empty() || is_output_of_dig || says(&["NXDOMAIN", "has no TXT record", "No answer"])
    {
        report.add_error(
            "[record-absent]: there is no TXT record (RFC 8461 §3.1)",
            "publish a record `v=STSv1; id=…` at `_mta-sts.DOMAIN`",
        );
    } else {
        report.add(input.to_vec(), lint::record(input));
    }
    Ok(())
}

/// Lints the records of which a sender takes one: those that begin with `v=STSv1;` (RFC 8461 §3.1), or, if
/// none does, those that were meant to.
fn lint_set(records: &[Vec<u8>], report: &mut Report) {
    let is_taken = |record: &&Vec<u8>| record.starts_with(b"v=STSv1;");
    let has_taken = records.iter().any(|record| is_taken(&record));
    let (ours, others): (Vec<_>, Vec<_>) = records
        .iter()
        .partition(|record| if has_taken { is_taken(record) } else { is_like_ours(record) });
    let mut has_error = false;
    for record in ours {
        let found = lint::record(record);
        has_error |= found.iter().any(|one| one.severity() == Severity::Error);
        report.add(record.clone(), found);
    }
    match StsRecord::select(records) {
        Err(error @ SelectError::Several { .. }) => report.add_error(
            &format!("[record-several]: {error}: senders find no policy (RFC 8461 §3.1)"),
            "keep the newest one and remove the others",
        ),
        Err(error @ SelectError::NoRecord { .. }) if !has_error => report.add_error(
            &format!("[record-foreign]: {error}: senders find no policy (RFC 8461 §3.1)"),
            "publish a record `v=STSv1; id=…`",
        ),
        _ => {}
    }
    for other in others {
        let shown = String::from_utf8_lossy(other).escape_debug().to_string();
        report.add_note(&if other.starts_with(b"id=") {
            format!(
                "\"{shown}\" is a record of its own, no part of another: one record has both fields"
            )
        } else {
            format!("senders ignore \"{shown}\": it does not begin with `v=STSv1;` (RFC 8461 §3.1)")
        });
    }
}

/// Returns whether a text begins like a record, or has one in it.
fn is_like_ours(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '=').collect();
    plain.starts_with("v=sts") || plain.contains("stsv1")
}

/// Returns the records, one of each line that has quoted strings, or begins as a record beside another; none
/// if the text is one record.
fn records(input: &[u8]) -> Vec<Vec<u8>> {
    let joined = without_brackets(input);
    let lines = || joined.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let records: Vec<_> = lines().filter_map(record).collect();
    let is_start = |line: &&[u8]| {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        line.starts_with("v=") || line.starts_with("ms=") || line.contains("verification=")
    };
    if records.is_empty() && lines().filter(is_start).count() > 1 {
        return lines().filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
    }
    records
}

/// Joins the lines of a record of a zone file that has brackets around its strings, and removes the
/// comments between them (RFC 1035 §5.1).
fn without_brackets(input: &[u8]) -> Vec<u8> {
    let (mut is_open, mut is_quoted, mut is_comment) = (false, false, false);
    let mut text = Vec::with_capacity(input.len());
    for (at, &byte) in input.iter().enumerate() {
        is_comment &= byte != b'\n';
        let is_plain = !is_quoted && !is_comment;
        match byte {
            b'(' if is_plain && begins_strings(&input[at + 1..]) => is_open = true,
            b')' if is_plain && is_open => is_open = false,
            b';' if is_plain && is_open => is_comment = true,
            b'\n' if is_open && !is_quoted => text.push(b' '),
            _ if is_comment => {}
            _ => {
                is_quoted ^= byte == b'"' && input.get(at.wrapping_sub(1)) != Some(&b'\\');
                text.push(byte);
            }
        }
    }
    text
}

/// Returns whether a string, or a line end, follows.
fn begins_strings(text: &[u8]) -> bool {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
    matches!(text.iter().find(|byte| !is_space(byte)), Some(b'"' | b'\n'))
}

/// Reads `"v=STSv1; " "id=1"`, behind the name and the type, if they are there, and joins the strings.
fn record(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii();
    // A quote that is not closed is one of the text.
    strings(line).or_else(|| line.starts_with(b"\"").then(|| line.to_vec()))
}

fn strings(line: &[u8]) -> Option<Vec<u8>> {
    let start = line.iter().position(|&byte| byte == b'"')?;
    let (before, mut rest) = line.split_at(start);
    let before = String::from_utf8_lossy(before).to_ascii_lowercase();
    // `dig`, `host`, `nslookup`
    let is_record = before.is_empty()
        || [" txt", "\ttxt", " text", "\ttext", "text ="]
            .iter()
            .any(|end| before.trim_end().ends_with(end));
    if !is_record || before.starts_with(';') {
        return None;
    }
    let mut record = Vec::new();
    while let [b'"', inner @ ..] = rest {
        rest = string(inner, &mut record)?.trim_ascii_start();
    }
    rest.is_empty().then_some(record)
}

/// Reads a string up to its closing quote (RFC 1035 §5.1), and returns what follows.
fn string<'a>(mut text: &'a [u8], record: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        text = match text {
            [] => return None,
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                let number =
                    [a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0'));
                record.push(u8::try_from(number).ok()?);
                rest
            }
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                record.push(*byte);
                rest
            }
        };
    }
}
