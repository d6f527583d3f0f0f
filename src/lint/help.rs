//! How to correct what no other text can be suggested for.

use alloc::{
    format,
    string::{String, ToString},
};
use core::str;

use super::{diagnostic::MAX_SHOWN, known_record::known_record, shown::Shown};
use crate::{parse::policy::PolicyErrorKind, tolerances::Tolerances};

/// Returns how to correct a fault in a policy. `text` is the faulty line.
pub(super) fn policy(kind: PolicyErrorKind, text: &[u8]) -> Option<String> {
    let help = match kind {
        PolicyErrorKind::FieldName if text.starts_with(b"<") && !text.starts_with(b"<http") => {
            "this looks like HTML: serve the policy file itself"
        }
        PolicyErrorKind::FieldName | PolicyErrorKind::MissingColon => {
            "leave the line out: a policy has lines `name: value` and nothing else"
        }
        PolicyErrorKind::FieldValue if text.ends_with(b":") => {
            "leave the line out, or give a value"
        }
        PolicyErrorKind::MissingVersion => "write `version: STSv1`",
        PolicyErrorKind::MissingMode => "write `mode: testing` at first",
        PolicyErrorKind::MissingMaxAge => "write `max_age: 1209600`, say: two weeks, in seconds",
        PolicyErrorKind::MissingMx => "write a line `mx: HOST` for each MX host",
        _ => return None,
    };
    Some(help.to_string())
}

/// Returns what is wrong with a line that cannot be read, if more can be said than the grammar says.
pub(super) fn message(kind: PolicyErrorKind, text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?;
    Some(match kind {
        _ if is_invisible(text.as_bytes()) => {
            "characters that cannot be seen stand on a line of their own".into()
        }
        PolicyErrorKind::FieldName | PolicyErrorKind::MissingColon
            if is_remark(text.as_bytes()) =>
        {
            "this line is a comment or a mark, and a policy has none".into()
        }
        PolicyErrorKind::FieldName if is_url(text.trim_start_matches(['<', '"', ' '])) => {
            "this line is a URL, not a field".into()
        }
        PolicyErrorKind::FieldName if text.starts_with('<') => {
            "this line is HTML, which a policy does not have".into()
        }
        PolicyErrorKind::FieldName | PolicyErrorKind::MissingColon if record_of(text).is_some() => {
            let (record, _) = record_of(text)?;
            format!("this line is {record}, which belongs into DNS")
        }
        PolicyErrorKind::FieldName | PolicyErrorKind::MissingColon
            if text.len() <= 80 && !text.contains([' ', ':']) =>
        {
            format!("`{}` is no field: a line is `name: value`", Shown(text))
        }
        PolicyErrorKind::MissingColon if text.contains(' ') => {
            "this line is a sentence, not a field: a line is `name: value`".into()
        }
        PolicyErrorKind::FieldValue => {
            let name = text.strip_suffix(':')?;
            format!("`{}` has no value", Shown(name))
        }
        _ => return None,
    })
}

/// Returns the kind of the TXT record that a line is, alone or in a zone file, and where it belongs.
pub(super) fn record_of(text: &str) -> Option<(String, String)> {
    let quotes: &[char] = &['"', '\'', '`', '“', ' ', '\t', '-', '*', '>'];
    let lower = text.trim_start_matches(quotes).to_ascii_lowercase();
    let sts = lower.find("v=sts").and_then(|at| lower.split_at_checked(at));
    if let Some((before, record)) = sts {
        let is_named = before.is_empty() || before.contains("txt") || before.contains("_mta-sts");
        let is_whole = record.contains("id") || before.contains("txt");
        return (is_named && is_whole)
            .then(|| ("the TXT record".to_string(), "it belongs into DNS".to_string()));
    }
    // The data of a line of a zone file.
    let data = lower.split_once('"').or_else(|| lower.split_once(" txt ")).map(|(_, data)| data);
    let (kind, place) = known_record(&lower).or_else(|| known_record(data?))?;
    Some((format!("{kind} record"), format!("publish it {place}")))
}

fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Returns whether all characters of the line are invisible, such as an end-of-file mark (`\u{1a}`).
fn is_invisible(text: &[u8]) -> bool {
    let is_invisible =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
    !text.is_empty() && str::from_utf8(text).is_ok_and(|text| text.chars().all(is_invisible))
}

/// Returns whether this line says nothing to a sender: a comment, or the mark of a code block.
pub(super) fn is_remark(text: &[u8]) -> bool {
    let marks: [&[u8]; 9] = [b"#", b"//", b";", b"```", b"--", b"===", b"/*", b"<!--", b"!"];
    is_invisible(text) || marks.iter().any(|mark| text.starts_with(mark))
}

/// Returns how to correct a deviation. `before` is the text before it.
pub(super) fn deviation(which: Tolerances, before: &[u8]) -> String {
    let help = match which {
        Tolerances::BLANK_LINES => "leave blank lines out",
        Tolerances::BYTE_ORDER_MARK => "save the file as UTF-8 without a byte order mark",
        Tolerances::MX_TRAILING_DOT => "leave out the dot",
        _ => "leave out the white space",
    };
    let line = before.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = str::from_utf8(line).unwrap_or_default().trim();
    if which == Tolerances::MX_TRAILING_DOT && line.len() <= MAX_SHOWN {
        return format!("{help}: `{}`", Shown(line));
    }
    help.to_string()
}

/// Returns the length of the front matter, with the blank lines after it.
pub(super) fn front_matter(input: &[u8]) -> Option<usize> {
    let text = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let mut read = input.len().saturating_sub(text.len());
    let mut fences: usize = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let is_fence = matches!(line.trim_ascii_end(), b"---" | b"+++");
        match fences {
            0 if !is_fence => return None,
            2 if !line.trim_ascii().is_empty() => return Some(read),
            _ => {}
        }
        fences = fences.saturating_add(usize::from(is_fence));
        read = read.saturating_add(line.len());
    }
    // The policy itself may stand between the marks.
    let is_policy = input.windows(8).any(|text| text.eq_ignore_ascii_case(b"version:"));
    (fences == 2 && !is_policy).then_some(read)
}

/// Returns the field whose value is at fault.
pub(super) fn field(kind: PolicyErrorKind) -> Option<&'static [u8]> {
    match kind {
        PolicyErrorKind::Version => Some(b"version"),
        PolicyErrorKind::Mode => Some(b"mode"),
        PolicyErrorKind::MaxAge => Some(b"max_age"),
        PolicyErrorKind::Mx => Some(b"mx"),
        _ => None,
    }
}

/// Returns the length of the first line with its end.
pub(super) fn line_len(rest: &[u8]) -> usize {
    let end = rest.iter().position(|&byte| byte == b'\n');
    end.map_or(rest.len(), |end| end.saturating_add(1))
}
