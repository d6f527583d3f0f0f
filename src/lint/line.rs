//! Reads a faulty line of a policy as its writer meant it.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::str;

use super::{
    alias,
    disguise::{self, Revealed},
    field_of::field_of,
    help::{is_remark, record_of},
    html,
    meant::Meant,
    several,
    shown::Shown,
    spelling::{FIELDS, known_name, near_name},
    value,
};

/// The known field that a faulty line was meant for, and its value.
pub(super) struct Reading {
    pub(super) name: &'static str,
    pub(super) meant: Meant,
}

/// Reads a line, which may have quotes or list marks around it, other letter case, another sign for
/// its `:`, white space in its name, or no name at all.
pub(super) fn read(line: &[u8]) -> Option<Reading> {
    let line = str::from_utf8(line).ok()?;
    if is_remark(line.as_bytes()) || record_of(line).is_some() {
        return None;
    }
    if let Some(reading) = tagged(line) {
        return Some(reading);
    }
    let text = without_number(line.trim_start_matches(MARKS));
    disguised(line)
        .or_else(|| named(line, text))
        .or_else(|| spaced(text))
        .or_else(|| lookalike(text))
        .or_else(|| nameless(line, text))
}

/// Returns the field that is commented out.
pub(super) fn commented(line: &[u8]) -> Option<&'static str> {
    let text = str::from_utf8(line).ok().filter(|_| is_remark(line))?;
    let text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let (name, _) = text.split_once(':')?;
    near_name(name.trim_end().as_bytes())
}

/// Returns the host that stands alone in a comment: it may be one of a list.
pub(super) fn commented_host(line: &[u8]) -> Option<&str> {
    let text = str::from_utf8(line).ok().filter(|_| is_remark(line))?;
    let text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '*').trim_end();
    (field_of(text) == Some("mx")).then_some(text)
}

const MARKS: &[char] = &[
    '-', '*', '"', '\'', '`', '“', '<', '>', '•', '{', ',', '(', '+', '&', ' ', '\t', '\u{a0}',
    '\u{200b}', '\u{feff}',
];

/// Removes the number of a list item: `1. mode: enforce`, `2) mode: enforce`.
fn without_number(text: &str) -> &str {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let item = rest.strip_prefix([')', '.', ':']).and_then(|rest| rest.strip_prefix(' '));
    item.filter(|_| rest.len() < text.len()).map_or(text, str::trim_start)
}

/// Reads a line that begins with the name.
fn named<'a>(line: &'a str, text: &'a str) -> Option<Reading> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let end = name_before_sign(text, end).unwrap_or(end);
    let (name, rest) = text.split_at_checked(end)?;
    let name = near_name(name.as_bytes())?;
    // Marks of Markdown may end after the name, or after its `:`.
    let marks = line.strip_suffix(text).unwrap_or_default().trim();
    let is_markdown = !marks.is_empty() && marks.chars().all(|c| matches!(c, '*' | '_' | '`'));
    let without_marks =
        |text: &'a str| text.strip_prefix(marks).filter(|_| is_markdown).unwrap_or(text);
    let after = without_marks(rest).trim_start_matches(['"', '\'', '`', '”', ' ', '\t']);
    let value = SIGNS.iter().find_map(|sign| after.strip_prefix(sign)).or_else(|| {
        // Only white space stands where a `:` should.
        (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(after)
    })?;
    // More words of a name follow.
    if spaced(text).is_some() {
        return None;
    }
    let sign = after.strip_suffix(value).unwrap_or_default().trim();
    let mut meant = value::read(name, without_marks(value));
    if rest.is_empty() {
        meant.fault = Some(format!("`{name}` has no `:` and no value"));
    } else if meant.fault.is_none() && sign != ":" {
        let sign = if sign.is_empty() { "white space".into() } else { format!("`{sign}`") };
        meant.fault = Some(format!("{sign} stands after `{name}`, where `:` must"));
    }
    let is_quoted = ['"', '\'', '`'].iter().any(|&quote| {
        line.starts_with(quote) && line.ends_with(quote) && line.matches(quote).count() == 2
    });
    if is_quoted && meant.values.is_some() {
        meant.fault = Some("quotes stand around the line".to_owned());
    }
    if meant.fault.is_none() && text.len() < line.trim_start_matches([' ', '\t']).len() {
        let is_around = !marks.is_empty() && (rest.starts_with(marks) || value.starts_with(marks));
        let place = if is_around { "around" } else { "before" };
        let mark = shown_mark(marks);
        meant.fault = Some(format!("{mark} stands {place} the field name `{name}`"));
    }
    Some(Reading { name, meant })
}

/// Returns the marks before a name as a message shows them.
fn shown_mark(marks: &str) -> String {
    let is_shown = !marks.is_empty() && marks.chars().all(|c| c.is_ascii_graphic() || c == '•');
    if is_shown { format!("`{}`", Shown(marks)) } else { "something".to_owned() }
}

/// The signs that stand for a `:` after a name.
const SIGNS: [&str; 25] = [
    "-->", "=>", "->", ":=", "::", "==", "=", ":", "：", "∶", "ː", "꞉", ";", ",", "→", "- ", "– ",
    "-", ">", "|", "~", "–", "—", "/", "»",
];

/// Returns the length of the name where a `-` that may be of a name begins the sign: `mode->enforce`,
/// `mode-enforce`.
fn name_before_sign(text: &str, end: usize) -> Option<usize> {
    let (name, rest) = text.split_at_checked(end)?;
    if rest.starts_with('>') {
        return Some(name.trim_end_matches('-').len());
    }
    let is_sign = |(at, _): &(usize, &str)| {
        let (before, after) = text.split_at_checked(*at).unwrap_or_default();
        let known = known_name(before.as_bytes());
        known.is_some() && known == field_of(after.trim_start_matches('-').trim_end())
    };
    // No name is longer than that of `max_age`, with a sign or two.
    text.match_indices('-').take_while(|(at, _)| *at < 12).find(is_sign).map(|(at, _)| at)
}

/// Reads a line with HTML tags in it.
fn tagged(line: &str) -> Option<Reading> {
    let text = html::without_tags(line)?;
    let reading = read(text.trim().as_bytes())?;
    // A tag may hide a host.
    let has_all = |hosts: &[String]| reading.name != "mx" || several::has_all_hosts(hosts, line);
    if !reading.meant.values.as_deref().is_none_or(has_all) {
        return None;
    }
    let meant = reading.meant.fault("HTML tags stand in the line: a policy is plain text");
    Some(Reading { meant, ..reading })
}

/// Reads a name with characters that only look like ASCII, or that cannot be seen.
fn disguised(line: &str) -> Option<Reading> {
    let Revealed { plain, what } = disguise::reveal(line)?;
    let (name, value) = plain.split_once(':')?;
    let (written, value) = match line.split_once(':') {
        Some((written, value)) => (written, value),
        None => (line, value),
    };
    let known = known_name(name.trim().as_bytes()).filter(|_| written.trim() != name.trim())?;
    let meant = value::read(known, value).fault(format!("the field name `{known}` has {what}"));
    Some(Reading { name: known, meant })
}

/// Reads a name with white space or other words in it: `max age: 1`, `MX record: a.example`.
fn spaced(text: &str) -> Option<Reading> {
    let (words, value) = text.split_once([':', '='])?;
    let words = words.trim_matches(['"', '\'', '`', '”', '*', '~', ' ', '\t']);
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let parts: Vec<&str> = words.split(|c| !is_part(c)).filter(|word| !word.is_empty()).collect();
    if parts.len() > 4 || words.chars().all(is_part) {
        return None;
    }
    let name = known_name(parts.concat().as_bytes())
        .or_else(|| parts.iter().find_map(|word| known_name(word.as_bytes())))?;
    let plain = words.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let mark = words.strip_suffix(plain).unwrap_or_default().trim();
    let message = if plain == name && !mark.is_empty() {
        format!("`{}` stands before the field name `{name}`", Shown(mark))
    } else {
        format!("`{}` is not `{name}`: did you mean `{name}`?", Shown(words))
    };
    let meant = value::read(name, value);
    Some(Reading { name, meant: Meant { fault: Some(message), ..meant } })
}

/// Reads a name with a character that only looks like one of ASCII, or that cannot be seen.
fn lookalike(text: &str) -> Option<Reading> {
    let (written, value) = text.split_once(':').filter(|(written, _)| written.len() <= 32)?;
    let other = written.chars().find(|c| !c.is_ascii())?;
    let ascii: String = written.chars().filter(char::is_ascii).collect();
    let name = known_name(ascii.as_bytes()).or_else(|| {
        let is_like = |name: &&&str| {
            name.chars().count() == written.chars().count()
                && name.chars().zip(written.chars()).all(|(a, b)| a == b || !b.is_ascii())
        };
        FIELDS.iter().find(is_like).copied()
    })?;
    let mut shown = [0; 4];
    let message = format!(
        "the field name has `{}`, which is not in `{name}`",
        Shown(other.encode_utf8(&mut shown))
    );
    Some(Reading { name, meant: value::read(name, value).fault(message) })
}

/// Reads a value without its field name.
fn nameless(line: &str, text: &str) -> Option<Reading> {
    // A comment, or a sentence, is none.
    let text = if line.trim_start().starts_with("*.") { line } else { text };
    let whole = text.trim().trim_matches([':', '=']).trim();
    let whole =
        ["and ", "| ", "or "].iter().find_map(|mark| whole.strip_prefix(mark)).unwrap_or(whole);
    if let Some(name) = field_of(whole).or_else(|| mx_record(whole)) {
        let meant = value::read(name, whole);
        let message = format!("`{}` stands without a field name", Shown(whole));
        // A null MX is no host, with a name or without.
        let is_told = meant.values.is_none() && meant.fault.is_some();
        return Some(Reading { name, meant: if is_told { meant } else { meant.fault(message) } });
    }
    if whole.trim_end_matches(';').eq_ignore_ascii_case("v=stsv1") {
        let message = "`v=STSv1` is of the TXT record: a policy has `version: STSv1`";
        return Some(Reading { name: "version", meant: Meant::one("STSv1").fault(message) });
    }
    // Another sign after a name that tells the field.
    let equals = text.split_once('=').filter(|(written, _)| !written.contains(':'));
    if let Some((written, value)) = equals
        && let Some((name, meant)) = alias::read(written.trim().as_bytes(), value.trim())
    {
        let message =
            format!("`{}` is no field of RFC 8461: `{name}` is meant", Shown(written.trim()));
        return Some(Reading { name, meant: meant.fault(message) });
    }
    // An invalid name, and a value that only one field has.
    let (written, value) = text.split_once(':').filter(|(written, _)| written.len() <= 32)?;
    let name = field_of(value.trim())?;
    let message = format!("`{}` is not `{name}`: did you mean `{name}`?", Shown(written.trim()));
    Some(Reading { name, meant: value::read(name, value).fault(message) })
}

/// Recognises the data of an MX record, as in a zone file: `10 mail.example.com.`.
fn mx_record(text: &str) -> Option<&'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let (preference, host) = match words.as_slice() {
        [preference, host] => (preference, host),
        [.., kind, preference, host] if kind.eq_ignore_ascii_case("mx") => (preference, host),
        _ => return None,
    };
    let is_host = field_of(host) == Some("mx") || *host == ".";
    (is_number(preference) && is_host).then_some("mx")
}

impl Reading {
    /// Returns the lines to write in its place.
    pub(super) fn lines(&self, line_end: &str) -> Option<String> {
        let values = self.meant.values.as_ref()?;
        let lines: Vec<String> =
            values.iter().map(|value| format!("{}: {value}", self.name)).collect();
        Some(lines.join(line_end))
    }
}

/// Returns the known fields that words of a faulty line point to.
pub(super) fn mentioned(line: &[u8]) -> impl Iterator<Item = &'static str> {
    let words = line.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte != b'-');
    words.filter_map(|word| match &*word.to_ascii_lowercase() {
        b"version" | b"stsv1" => Some("version"),
        b"mode" | b"enforce" | b"testing" => Some("mode"),
        b"max_age" | b"maxage" | b"max-age" => Some("max_age"),
        b"mx" => Some("mx"),
        _ => None,
    })
}
