//! Messages and help for the faults of a record.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::{ops::Range, str};

use super::{
    diagnostic::MAX_SHOWN,
    record_id::{has_word_id, is_bare_id},
    record_text::{is_policy_field, is_version, other_version},
    record_value, record_words,
    shown::Shown,
    spelling::is_placeholder,
    stray::{self, LEAVE_OUT, RETYPE},
};
use crate::parse::record::RecordErrorKind;

pub(super) const FRESH_ID: &str = "give a value of letters and digits that changes with each new policy, such as \
     `id=20160831085700Z`";
const ADD_ID: &str = "add an `id`, such as `id=20160831085700Z;`";
const BACKSLASH: &str = "leave out the backslash: it belongs into zone files, not into the record";
const EXAMPLE: &str = "the TXT record of `_mta-sts` is `v=STSv1; id=…`";

/// Returns whether the help adds nothing to a record to write.
pub(super) fn is_vague(help: &str) -> bool {
    [EXAMPLE, LEAVE_OUT, RETYPE].contains(&help)
}

/// The message, if it says more than the grammar, and the help.
type Said = (Option<String>, Option<String>);

fn said(message: impl Into<String>, help: impl Into<String>) -> Said {
    (Some(message.into()), Some(help.into()))
}

/// Explains what no record has at the place of a fault.
pub(super) fn stray(kind: RecordErrorKind, input: &[u8], span: Range<usize>) -> Option<Said> {
    use RecordErrorKind::{Delimiter, FieldName, FieldValue, Id, MissingEquals, Version};
    let text = str::from_utf8(input).ok().filter(|text| text.len() <= MAX_SHOWN)?;
    let is_any = matches!(kind, Delimiter | FieldName | FieldValue | Id | MissingEquals | Version);
    let (message, help) = stray::describe(text, span, kind == Id).filter(|_| is_any)?;
    Some(said(message, help))
}

/// Explains a fault. `piece` is the faulty text up to the next `;`, and `before` what comes before it
/// in its field.
pub(super) fn explain(kind: RecordErrorKind, before: &[u8], piece: &[u8], input: &[u8]) -> Said {
    let (name, text) = (String::from_utf8_lossy(before), String::from_utf8_lossy(piece));
    let name = name.trim();
    let is_value = matches!(kind, RecordErrorKind::Id | RecordErrorKind::Delimiter);
    if let Some((message, help)) = record_value::explain(&[name, &*text].concat())
        && is_value
    {
        return said(message, help);
    }
    let help = match kind {
        RecordErrorKind::Version => return version(input),
        RecordErrorKind::Id if matches!(&*text, "" | "id=") && is_id_again("id", input) => {
            return said("`id` has no value", WITHOUT_VALUE);
        }
        RecordErrorKind::Id => return id(&text),
        RecordErrorKind::Delimiter => {
            let whole = String::from_utf8_lossy(input);
            let version = other_version(&whole).filter(|_| name == "v=STSv1");
            return version.map_or_else(|| delimiter(&text), another_version);
        }
        RecordErrorKind::MissingEquals => return equals(name, &text, input),
        RecordErrorKind::FieldName if text.starts_with(['\r', '\n']) => {
            return said("a line end stands before a field", "leave it out: a record is one line");
        }
        RecordErrorKind::FieldName if text.starts_with(char::is_control) => {
            return said("a control character stands before a field", LEAVE_OUT);
        }
        RecordErrorKind::FieldName if text.starts_with('\\') => {
            return said("a backslash stands before a field", BACKSLASH);
        }
        RecordErrorKind::FieldName if text.starts_with(record_words::SIGNS) => {
            return said(format!("`{}` stands before a field", Shown(signs(&text))), LEAVE_OUT);
        }
        RecordErrorKind::FieldValue
            if text.is_empty() && is_id_again(name.trim_end_matches('='), input) =>
        {
            return id_again(name.trim_end_matches('='));
        }
        RecordErrorKind::FieldValue if text.is_empty() => {
            return said(
                format!("`{}` has no value", Shown(name.trim_end_matches('='))),
                LEAVE_OUT,
            );
        }
        RecordErrorKind::TrailingSpace => "leave out the white space",
        RecordErrorKind::EmptyField => "leave out one `;`",
        RecordErrorKind::MissingId if input.trim_ascii() == b"v=STSv1" => {
            "add an `id`, such as `id=20160831085700Z;`, and put the record in quotes in a zone \
             file: without them `;` begins a comment there"
        }
        RecordErrorKind::MissingId => ADD_ID,
        _ => return (None, None),
    };
    (None, Some(help.to_string()))
}

fn delimiter(text: &str) -> Said {
    if let Some(words) = record_words::before_id(text) {
        let message = format!("`{}` stands where `;` must, after a field", Shown(words));
        return said(message, "a `;` ends each field");
    }
    let (sign, help) = match text.chars().next() {
        Some('\\') => ("a backslash".to_owned(), BACKSLASH),
        Some('\r' | '\n') => ("a line end".to_owned(), "a `;` ends each field"),
        Some('i' | 'I') if has_word_id(text.split('=').next().unwrap_or_default()) => {
            return said("no `;` stands before `id`", "a `;` ends each field");
        }
        Some(_) if text.trim_start().starts_with(record_words::SIGNS) => {
            (format!("`{}`", Shown(signs(text.trim_start()))), "a `;` ends each field")
        }
        Some(c) if c.is_whitespace() => ("white space".to_owned(), "a `;` ends each field"),
        Some(c) => (format!("`{}`", Shown(c.encode_utf8(&mut [0; 4]))), "a `;` ends each field"),
        None => return (None, Some("a `;` ends each field".to_owned())),
    };
    said(format!("{sign} stands where `;` must, after a field"), help)
}

/// Returns the signs at the beginning of a text.
fn signs(text: &str) -> &str {
    let end = text.find(|c| !record_words::SIGNS.contains(&c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn another_version(version: &str) -> Said {
    let message = format!("`{}` is not `v=STSv1`: it is another version", Shown(version));
    said(message, "write `v=STSv1`: RFC 8461 has that version only")
}

/// Returns whether this is the name of the `id`, and another field is one with a value.
fn is_id_again(name: &str, input: &[u8]) -> bool {
    let is_value =
        |three: &[u8]| matches!(three, [b'i', b'd', b'=', value] if value.is_ascii_alphanumeric());
    name.eq_ignore_ascii_case("id") && input.windows(4).any(is_value)
}

const WITHOUT_VALUE: &str = "leave out the one without a value";

fn id_again(name: &str) -> Said {
    let message = format!("`{}` is given again, without a value", Shown(name));
    said(message, WITHOUT_VALUE)
}

fn equals(name: &str, text: &str, input: &[u8]) -> Said {
    if is_policy_field(name.as_bytes()) && text.trim_start().starts_with([':', '=']) {
        let help = "leave out what belongs into the policy file";
        return said(format!("`{name}` is a field of the policy file, not of the record"), help);
    }
    let help = "`=` stands between a name and its value, without white space";
    let shown = Shown(name);
    if let Some((words, _)) = record_words::named_id([name, text].concat().as_str())
        && let Some(message) = in_words(words)
    {
        return said(message, help);
    }
    let has_id = input.windows(3).any(|three| three == b"id=");
    let is_like_id = !has_id && (has_word_id(name) || is_bare_id(text.trim()));
    match text.chars().next() {
        Some(':') => said(format!("`:` stands after `{shown}`, where `=` must"), help),
        Some(_) if text.trim_start().starts_with('=') => {
            said(format!("white space stands between `{shown}` and `=`"), help)
        }
        Some(c) if c.is_whitespace() && !is_like_id && !text.contains(['=', ':']) => {
            let text = [name, text].concat();
            said(format!("`{}` is no field: a field is `name=value`", Shown(&text)), LEAVE_OUT)
        }
        Some(c) if c.is_whitespace() => {
            said(format!("white space stands after `{shown}`, where `=` must"), help)
        }
        Some(_) => (None, Some(help.to_owned())),
        None if is_id_again(name, input) => id_again(name),
        None if name.eq_ignore_ascii_case("id") => said("`id` has no value", FRESH_ID),
        None if is_bare_id(name) => said(format!("`{shown}` stands without its name, `id`"), help),
        None => said(format!("`{shown}` is no field: a field is `name=value`"), LEAVE_OUT),
    }
}

/// Describes the words that stand for `id=`, unless they are the name and another sign alone.
fn in_words(words: &str) -> Option<String> {
    let name = words.get(..2).filter(|name| name.eq_ignore_ascii_case("id"));
    let sign = name.and_then(|name| words.strip_prefix(name)).map(str::trim);
    match sign {
        Some("" | ":" | "=") => None,
        Some(sign) if !sign.contains(char::is_alphanumeric) => {
            Some(format!("`{}` stands after `id`, where `=` must", Shown(sign)))
        }
        _ => Some(format!("`{}` stands where `id=` must", Shown(words))),
    }
}

fn id(found: &str) -> Said {
    let value = found.strip_prefix("id=").unwrap_or(found);
    let is_short = value.len() <= 64 && !value.chars().any(char::is_control);
    if is_short && !value.is_empty() && is_placeholder(value) {
        let message = format!("`{}` looks like a placeholder for the `id`", Shown(value));
        return said(message, FRESH_ID);
    }
    let help = "an `id` has letters and digits only, 32 at the most";
    let message = match value.chars().find(|c| !c.is_ascii_alphanumeric()) {
        _ if value.is_empty() => return said("`id` has no value", FRESH_ID),
        Some(' ') => "`id` has a space, which is no letter or digit".to_owned(),
        Some('\r' | '\n') => "`id` has a line end, which is no letter or digit".to_owned(),
        Some(c) => {
            let (of_ascii, c) = (if c.is_ascii() { "" } else { " of ASCII" }, c.to_string());
            format!("`id` has `{}`, which is no letter or digit{of_ascii}", Shown(&c))
        }
        None if value.len() > 32 => format!("`id` has {} characters: 32 at the most", value.len()),
        None => "a line end stands after the `id`".to_owned(),
    };
    said(message, help)
}

fn version(input: &[u8]) -> Said {
    let text = String::from_utf8_lossy(input.get(..input.len().min(MAX_SHOWN)).unwrap_or_default());
    let trimmed = text.trim_start();
    let lower = trimmed.to_ascii_lowercase();
    if trimmed.is_empty() {
        return said("the record is empty", "write `v=STSv1; id=20160831085700Z;`, say");
    }
    if let Some(version) = other_version(trimmed) {
        return another_version(version);
    }
    if let Some(written) = version_in_full(trimmed) {
        return said(format!("`{}` stands where `v=` must", Shown(written)), EXAMPLE);
    }
    let of_policy = || {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.any(|word| word != "version" && is_policy_field(word.as_bytes()))
    };
    let of_policy = of_policy().then(|| {
        "a record is `v=STSv1; id=…`: `mode` and the like are fields of the policy file".to_owned()
    });
    let written = lower.strip_prefix("v=").unwrap_or_default();
    let written = written.split([';', ' ', ',']).next().unwrap_or_default();
    if written != "stsv1" && is_version(written) {
        let shown: String = trimmed.chars().take(written.len().saturating_add(2)).collect();
        let message = format!("`{}` is no version: did you mean `v=STSv1`?", Shown(&shown));
        return (Some(message), of_policy);
    }
    if of_policy.is_some() {
        return (None, of_policy);
    }
    if lower.starts_with("stsv1") {
        return said("`v=` is missing before `STSv1`", EXAMPLE);
    }
    if let Some(message) = version_sign(&lower) {
        return said(message, EXAMPLE);
    }
    let help = if trimmed.len() < text.len() && trimmed.starts_with("v=STSv1") {
        "leave out the white space before `v=STSv1`"
    } else if lower.starts_with("v=stsv1") {
        "`v=STSv1` is case-sensitive"
    } else if text.contains("v=STSv1") {
        "put `v=STSv1` first"
    } else {
        EXAMPLE
    };
    (None, Some(help.to_owned()))
}

/// Returns the name and the sign of `version: STSv1`.
fn version_in_full(text: &str) -> Option<&str> {
    let name = text.get(.."version".len()).filter(|name| name.eq_ignore_ascii_case("version"))?;
    let rest = text.strip_prefix(name)?.trim_start();
    let value = rest.strip_prefix([':', '='])?;
    text.strip_suffix(value)
}

/// Describes what stands in place of the `=` of the version.
fn version_sign(lower: &str) -> Option<String> {
    let rest = lower.strip_prefix('v')?;
    let sign = rest.get(..rest.find("stsv1")?).filter(|sign| *sign != "=")?;
    if sign.contains(char::is_alphanumeric) {
        return None;
    }
    Some(match sign.trim() {
        _ if sign.is_empty() => "`=` is missing after `v`".to_owned(),
        "" => "white space stands after `v`, where `=` must".to_owned(),
        "=" => "white space stands beside the `=` of the version".to_owned(),
        sign => format!("`{}` stands after `v`, where `=` must", Shown(sign)),
    })
}
