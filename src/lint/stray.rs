//! What gets into a record when it is copied, and no record has: letters that only look like ASCII,
//! invisible characters, quotes, comments, the escapes of HTML and of URLs.

use alloc::{borrow::ToOwned, format, string::String};
use core::ops::Range;

use super::{line_mark, look_alike::ascii_of, shown::Shown, spelling::known_name};

/// Text that no record has.
struct Stray<'a> {
    text: &'a str,
    kind: Kind,
    /// The text that it stands for.
    meant: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Url,
    Quote,
    Space,
    Invisible,
    LookAlike,
    /// Two characters that stand for a line end or a tab.
    Escape,
    /// A backslash and the three digits of a character.
    Zone,
}

const HTML: [(&str, &str); 21] = [
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#x22;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&nbsp;", " "),
    ("&#160;", " "),
    ("&#xa0;", " "),
    ("&semi;", ";"),
    ("&#59;", ";"),
    ("&#x3b;", ";"),
    ("&equals;", "="),
    ("&#61;", "="),
    ("&#x3d;", "="),
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("<br>", " "),
    ("<br/>", " "),
    ("<br />", " "),
];

const URL: [(&str, &str); 4] = [("%3b", ";"), ("%3d", "="), ("%20", " "), ("%22", "\"")];

pub(super) const LEAVE_OUT: &str = "leave it out";
pub(super) const RETYPE: &str = "leave it out, or type it as a character of ASCII";

/// Returns the text with what was meant in place of what no record has, and without comments.
pub(super) fn clean(text: &str) -> String {
    let text = end_mark(text).map_or(text, |(record, _)| record);
    let mut rest = text;
    let mut clean = String::new();
    while let Some(next) = rest.chars().next() {
        let stray = stray(rest, text);
        match &stray {
            Some(stray) if matches!(stray.meant, "\"" | "'") => clean.push(' '),
            Some(stray) => clean.push_str(stray.meant),
            None => clean.push(next),
        }
        let len = stray.map_or(next.len_utf8(), |stray| stray.text.len());
        rest = rest.get(len..).unwrap_or_default();
    }
    without_prose(&without_comments(&clean))
}

/// Describes the first text in a faulty part of the record that no record has, and says what to do. In an
/// `id`, quotes are like other signs that are no letters or digits.
pub(super) fn describe(
    text: &str,
    part: Range<usize>,
    is_id: bool,
) -> Option<(String, &'static str)> {
    let tail = text.get(part.start..)?;
    if let Some(mark) = mark_after(text, &part, is_id) {
        return Some((format!("`{mark}` stands after the record"), LEAVE_OUT));
    }
    if is_comment(tail.trim_start()) {
        let comment = whole_comment(text.get(part).unwrap_or_default().trim());
        let message = format!("`{}` is a comment, and a record has none", Shown(comment));
        return Some((message, LEAVE_OUT));
    }
    let len = part.len();
    let starts = tail.char_indices().map(|(at, _)| at).take_while(|at| *at < len);
    let mut strays = starts.filter_map(|at| stray(tail.get(at..)?, text));
    let stray = strays.find(|stray| !is_id || stray.kind != Kind::Quote)?;
    Some((stray.describe(), if stray.kind == Kind::Quote { LEAVE_OUT } else { RETYPE }))
}

/// Returns the mark at the end of the record, if it is all that is wrong with this part.
fn mark_after(text: &str, part: &Range<usize>, is_id: bool) -> Option<&'static str> {
    let (record, mark) = end_mark(text)?;
    let is_last = part.end == text.trim_end().len();
    let rest = record.get(part.start..)?.trim();
    let is_valid = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_all = rest.is_empty() || is_id && rest.strip_prefix("id=").is_some_and(is_valid);
    (is_last && is_all).then_some(mark)
}

/// Splits the mark of a line end from a record: `v=STSv1; id=1;$`. A value of an extension may have it.
fn end_mark(text: &str) -> Option<(&str, &'static str)> {
    let (record, mark) = line_mark::split(text.trim_end())?;
    let last = record.rsplit(';').next().unwrap_or_default();
    let is_apart = !last.contains('=') || last.trim_start().starts_with("id");
    is_apart.then_some((record, mark))
}

/// Reads what no record has at the beginning of `rest`, an end of `text`.
fn stray<'a>(rest: &'a str, text: &str) -> Option<Stray<'a>> {
    let find = |table: &'static [(&str, &str)], kind| {
        let one = table.iter().find_map(|(escape, meant)| {
            let found = rest.get(..escape.len())?;
            found.eq_ignore_ascii_case(escape).then_some((found, *meant))
        });
        one.map(|(text, meant)| Stray { text, kind, meant })
    };
    let c = rest.chars().next()?;
    let one = |kind, meant| Some(Stray { text: rest.get(..c.len_utf8())?, kind, meant });
    match c {
        '&' | '<' => find(&HTML, Kind::Html),
        '\\' => {
            let two = rest.get(..2).filter(|two| matches!(*two, "\\n" | "\\r" | "\\t"));
            let escape = two.map(|text| Stray { text, kind: Kind::Escape, meant: " " });
            escape.or_else(|| of_zone_file(rest))
        }
        '%' if is_url(text) => find(&URL, Kind::Url),
        '"' | '\'' | '“' | '”' | '„' | '‘' | '’' | '«' | '»' | '`' | '´' => {
            one(Kind::Quote, " ")
        }
        '\u{ad}'
        | '\u{feff}'
        | '\u{2060}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => one(Kind::Invisible, ""),
        c if c.is_whitespace() && !c.is_ascii() => one(Kind::Space, " "),
        c => one(Kind::LookAlike, ascii_of(c)?),
    }
}

const PRINTABLE: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`\
                         abcdefghijklmnopqrstuvwxyz{|}~";

/// Reads the escape of a zone file (RFC 1035 §5.1), a backslash and three digits: `\032`.
fn of_zone_file(rest: &str) -> Option<Stray<'_>> {
    let text = rest.get(..4)?;
    let digits = text.strip_prefix('\\').filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    let meant = match digits.parse().ok()? {
        9 | 10 | 13 => " ",
        code => {
            let at = usize::checked_sub(code, 32)?;
            PRINTABLE.get(at..at.checked_add(1)?)?
        }
    };
    Some(Stray { text, kind: Kind::Zone, meant })
}

/// Returns whether the signs of the record are written as in a URL.
fn is_url(text: &str) -> bool {
    ["%3b", "%3B", "%3d", "%3D"].iter().any(|escape| text.contains(escape))
}

impl Stray<'_> {
    fn describe(&self) -> String {
        let shown = Shown(self.text);
        let point = self.text.chars().next().map_or(0, u32::from);
        let meant = match self.meant {
            " " => "white space".to_owned(),
            meant => format!("`{meant}`"),
        };
        match self.kind {
            Kind::Html => format!("`{shown}` is {meant} as it is written in HTML"),
            Kind::Zone => format!("`{shown}` is {meant} as it is written in a zone file"),
            Kind::Url => format!("`{shown}` is {meant} as it is written in a URL"),
            Kind::Quote => format!("a stray quote, `{shown}`, stands in the record"),
            Kind::Space => {
                format!(
                    "a character that only looks like a space (U+{point:04X}) stands in the record"
                )
            }
            Kind::Escape => {
                let second = self.text.trim_start_matches('\\');
                format!("the two characters `\\` and `{second}` stand in the record")
            }
            Kind::Invisible => {
                format!("an invisible character (U+{point:04X}) stands in the record")
            }
            Kind::LookAlike => {
                let class = match self.meant.as_bytes() {
                    [b'0'..=b'9'] => "digit",
                    [b'A'..=b'Z' | b'a'..=b'z'] => "letter",
                    _ => "sign",
                };
                format!("`{shown}` (U+{point:04X}) only looks like the ASCII {class} {meant}")
            }
        }
    }
}

/// The marks before a comment, and the one after it; none if it ends with the text.
const COMMENTS: [(&str, Option<&str>); 9] = [
    // In a zone file.
    (";", None),
    ("#", None),
    ("//", None),
    ("--", None),
    ("—", None),
    ("<!--", Some("-->")),
    ("/*", Some("*/")),
    ("(", Some(")")),
    ("[", Some("]")),
];

fn is_comment(text: &str) -> bool {
    !text.starts_with("-->")
        && COMMENTS.iter().any(|(mark, _)| *mark != ";" && text.starts_with(mark))
}

/// Returns a comment up to its closing mark.
fn whole_comment(text: &str) -> &str {
    let (_, end) = COMMENTS.iter().find(|(mark, _)| text.starts_with(mark)).unwrap_or(&("", None));
    let end = end.and_then(|end| text.find(end)?.checked_add(end.len()));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Removes the comments after the version. A comment that may hold a field of the record stays.
fn without_comments(text: &str) -> String {
    let version = text.to_ascii_lowercase().find("sts").unwrap_or(text.len());
    let mut clean = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let is_after_version = text.len().saturating_sub(rest.len()) > version;
        let is_start = clean.ends_with([' ', '\t', ';']) && is_after_version;
        if let Some(len) = comment(rest, &clean).filter(|_| is_start) {
            rest = rest.get(len..).unwrap_or_default();
            // What stands on both sides of a comment is no one word.
            clean.push_str(if rest.trim().is_empty() { "" } else { ";" });
        } else {
            clean.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    clean
}

/// Removes the fields that are several words, and none that means something, after the `id`.
fn without_prose(text: &str) -> String {
    let mut clean = String::new();
    for field in text.split_inclusive(';') {
        let mut words = field.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_prose = field.trim().contains(' ')
            && !field.contains(['=', ':', '\\'])
            && !words.any(|word| {
                word.eq_ignore_ascii_case("id") || known_name(word.as_bytes()).is_some()
            });
        if !is_prose || !clean.contains("id=") {
            clean.push_str(field);
        }
    }
    clean
}

/// Returns the length of the comment at the beginning of the text.
fn comment(text: &str, before: &str) -> Option<usize> {
    if text.starts_with("-->") {
        return None;
    }
    let (mark, end) = COMMENTS.iter().find(|(mark, _)| text.starts_with(mark))?;
    let len = match end {
        Some(end) => text.find(end)?.checked_add(end.len())?,
        None => text.len(),
    };
    let inner = text.get(mark.len()..len)?;
    let after = text.get(len..)?;
    if !after.is_empty() && !after.starts_with([' ', '\t', ';']) {
        return None;
    }
    let has_id = *mark != ";" && before.contains("id=");
    (has_id || !inner.contains(['=', ':'])).then_some(len)
}
