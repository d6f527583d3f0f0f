//! Reads a faulty record as its writer meant it.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{ops::Range, str};

use super::{
    diagnostic::MAX_SHOWN,
    record_id::{has_word_id, is_bare_id, mended_id},
    record_words,
    spelling::{is_one_edit, known_name},
    stray,
};
use crate::parse::{ext_name, is_all, record::sts_ext_value};

/// Returns the record that was meant, if each part of the text is certain: a version, one `id` and
/// extensions, whatever separates them.
pub(super) fn canonical(input: &[u8]) -> Option<String> {
    Draft::read(input, false)?.finish()
}

/// Returns the same without what belongs into the policy file.
pub(super) fn without_policy_fields(input: &[u8]) -> Option<String> {
    Draft::read(input, true)?.finish()
}

/// The parts of a record that were read.
#[derive(Default)]
struct Draft {
    version: bool,
    id: Option<String>,
    extensions: Vec<(String, String)>,
    /// Set if the `id` stands without its name.
    is_bare: bool,
    /// Set if a `;` ends the record.
    is_ended: bool,
}

impl Draft {
    fn read(input: &[u8], skip_policy_fields: bool) -> Option<Self> {
        // Longer texts are no records that somebody typed.
        let text = Some(input).filter(|text| text.len() <= MAX_SHOWN)?;
        let text = str::from_utf8(text).ok().filter(|text| other_version(text).is_none())?;
        let text = stray::clean(text);
        let parts = parts(&text);
        let has_id =
            parts.iter().any(|part| is_id(part) && split(part).1.is_some_and(|id| !id.is_empty()));
        let mut draft = Self { is_ended: text.trim_end().ends_with(';'), ..Self::default() };
        let mut rest = parts.iter().map(String::as_str).peekable();
        while let Some(part) = rest.next() {
            let (name, mut value) = split(part);
            let lower = name.to_ascii_lowercase();
            if value.is_none() && matches!(&*lower, "v" | "id") {
                // `id 20240101`
                value = rest.next_if(|next| split(next).1.is_none());
            }
            match value {
                // The `id` again, without a value.
                None | Some("") if has_id && is_id(part) => {}
                Some(_) if skip_policy_fields && is_policy_field(name.as_bytes()) => {}
                _ => draft.add(&lower, name, value)?,
            }
        }
        Some(draft)
    }

    /// Adds a field; `None` if it is not certain what it is.
    fn add(&mut self, lower: &str, name: &str, value: Option<&str>) -> Option<()> {
        match (lower, value) {
            // A second record that is the same is no other one.
            ("v" | "version", Some(value)) if is_version(value) => {
                self.version = true;
            }
            ("stsv1" | "vstsv1", None) if !self.version => self.version = true,
            ("id", Some(value)) if self.id.is_none() => self.id = Some(mended_id(value)?),
            ("id", Some(value)) if self.id != mended_id(value) => return None,
            ("id", Some(_)) => {}
            (bare, None) if self.id.is_none() && is_bare_id(bare) => {
                let is_named = bare.starts_with("id");
                self.is_bare = !is_named;
                self.id = Some(mended_id(name.get(if is_named { 2 } else { 0 }..)?)?);
            }
            (_, Some(value)) if is_extension(name, value) => {
                self.extensions.push((name.to_owned(), value.to_owned()));
            }
            _ => return None,
        }
        Some(())
    }

    fn finish(mut self) -> Option<String> {
        let is_likely = |(name, value): &(String, String)| is_misspelt_id(name, value);
        if self.is_bare && self.extensions.iter().any(is_likely) {
            return None;
        }
        if self.id.is_none() {
            let likely = self.extensions.iter().position(is_likely)?;
            self.id = mended_id(&self.extensions.remove(likely).1);
        }
        let id = self.id.filter(|_| self.version)?;
        let mut text = format!("v=STSv1; id={id}");
        for (name, value) in &self.extensions {
            text.extend(["; ", name, "=", value]);
        }
        text.extend(self.is_ended.then_some(";"));
        Some(text)
    }
}

fn is_id(part: &str) -> bool {
    split(part).0.eq_ignore_ascii_case("id")
}

const SEPARATORS: [char; 4] = [';', ',', '|', ' '];

/// Splits the text into fields, with no white space around their `=` or `:`.
fn parts(text: &str) -> Vec<String> {
    let text = record_words::plain(&with_delimiter(&text.replace('\\', " ")));
    let mut tight = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        let before = tight.trim_end_matches(' ');
        let part = before.rsplit(SEPARATORS).next().unwrap_or_default();
        let name = part.strip_suffix(['=', ':']).unwrap_or(part);
        // In a value, these signs are no reason to join what white space separates.
        let is_first = !name.contains(['=', ':']);
        if is_first && matches!(c, '=' | ':') {
            tight.truncate(before.len());
        } else if is_first && c == ' ' && tight.ends_with(['=', ':']) {
            continue;
        }
        tight.push(c);
    }
    let parts = tight.split(SEPARATORS);
    parts.filter(|part| !part.is_empty() && *part != ".").map(ToOwned::to_owned).collect()
}

/// Puts a `;` after the version in place of other signs.
fn with_delimiter(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let end = lower.find("stsv1").and_then(|at| at.checked_add(5)).unwrap_or(text.len());
    let (version, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let signs = ["059", ".0"];
    let rest = signs.iter().find_map(|sign| rest.strip_prefix(sign)).unwrap_or(rest);
    let is_sign = |c: char| c.is_whitespace() || c == ';' || record_words::SIGNS.contains(&c);
    [&*record_words::with_equals(version), ";", rest.trim_start_matches(is_sign)].concat()
}

fn split(part: &str) -> (&str, Option<&str>) {
    let at = part.split_once('=').or_else(|| part.split_once(':'));
    let (name, value) = at.map_or((part, None), |(name, value)| (name, Some(value)));
    let (name, value) = match name.split_once(':') {
        Some((before, _))
            if before.eq_ignore_ascii_case("id") || before.eq_ignore_ascii_case("v") =>
        {
            (before, part.get(before.len()..).and_then(|rest| rest.get(1..)))
        }
        _ => (name, value),
    };
    (name, value.map(|value| value.trim_start_matches(['=', ':'])))
}

/// Returns the version with its name, if it is another one than `STSv1`: `v=STSv10`.
pub(super) fn other_version(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let start = text.get(.."v=sts".len()).filter(|start| start.eq_ignore_ascii_case("v=sts"))?;
    let rest = text.strip_prefix(start)?;
    let is_end = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-');
    let lower = rest.split(is_end).next().unwrap_or_default().to_ascii_lowercase();
    let number = lower.strip_prefix('v').filter(|number| !number.is_empty())?;
    let is_other = match number.strip_prefix('1') {
        Some(more) => {
            let word = more.trim_start_matches(['.', '_', '-']);
            // A digit of the escape `\\059`, a sign in place of `;`, and a version that is the same.
            !word.is_empty() && more != ".0" && !more.starts_with("059") && !word.starts_with("id")
        }
        None => number.bytes().all(|byte| byte.is_ascii_digit()),
    };
    let end = start.len().saturating_add(lower.len());
    text.get(..end).filter(|_| is_other)
}

pub(super) fn is_version(value: &str) -> bool {
    if other_version(&["v=", value].concat()).is_some() {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let likely = ["stsv1", "sts", "1", "v1", "tstv1", "mtasts", "mta-sts", "mtastsv1", "mta-stsv1"];
    likely.contains(&&*lower) || is_one_edit(lower.as_bytes(), b"stsv1")
}

/// Returns whether a field was meant for the `id`, if there is no other.
pub(super) fn is_misspelt_id(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_like = matches!(&*name, "i" | "d" | "ids" | "idd" | "iid" | "di" | "ld" | "1d" | "uid")
        || has_word_id(&name)
        || name.ends_with("id");
    mended_id(value).is_some() && (is_like || is_bare_id(&value.to_ascii_lowercase()))
}

fn is_extension(name: &str, value: &str) -> bool {
    !is_policy_field(name.as_bytes())
        && name.contains(|c: char| c.is_ascii_alphabetic())
        && !name.eq_ignore_ascii_case("v")
        && is_all(ext_name, name.as_bytes())
        && is_all(sts_ext_value, value.as_bytes())
}

pub(super) fn is_policy_field(name: &[u8]) -> bool {
    known_name(name).is_some()
}

/// Returns whether the text at this place, a faulty piece of the record, may have been meant for the
/// `id`.
pub(super) fn may_be_id(input: &[u8], piece: Range<usize>) -> bool {
    // A fault may lie behind the name of its field.
    let before = input.get(..piece.start).unwrap_or_default();
    let start = before.iter().rposition(|&byte| byte == b';').unwrap_or_default();
    let text = String::from_utf8_lossy(input.get(start..piece.end).unwrap_or_default());
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        let lower = word.to_ascii_lowercase();
        lower == "id" || lower == "ids" || is_bare_id(&lower)
    })
}
