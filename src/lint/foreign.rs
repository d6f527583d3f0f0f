//! Texts of another kind, in the place of a policy or of a record.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::str;

use super::{
    Code, Diagnostic,
    known_record::known_record,
    line,
    record_id::has_word_id,
    record_text::{canonical, without_policy_fields},
    repair::mend,
    shown::Shown,
    spelling::known_name,
};

/// Returns the one diagnostic for a file that is no policy at all.
pub(super) fn policy(
    input: &[u8],
    fields: impl Fn(&[u8]) -> Vec<Diagnostic>,
) -> Option<Diagnostic> {
    if input.starts_with(b"\xFF\xFE\0\0") || input.starts_with(b"\0\0\xFE\xFF") {
        let found = Diagnostic::new(
            Code::POLICY_NOT_UTF8,
            0..input.len(),
            "the file is UTF-32 text, not UTF-8",
        );
        return Some(found.with_help(Some("save it as UTF-8".into())));
    }
    if let Some(text) = utf16(input) {
        let found = Diagnostic::new(
            Code::POLICY_NOT_UTF8,
            0..input.len(),
            "the file is UTF-16 text, not UTF-8",
        );
        let mended = mend(text.as_bytes(), fields).and_then(|text| String::from_utf8(text).ok());
        return Some(match mended {
            Some(text) => {
                let mut found = found.with_suggestion(0..input.len(), text, None);
                found.help = Some("this looks like UTF-16: save it as UTF-8".into());
                found
            }
            None => found.with_help(Some("this looks like UTF-16: save it as UTF-8".into())),
        });
    }
    let (message, help) = binary(input)
        .or_else(|| document(input))
        .or_else(|| txt_record(input))
        .or_else(|| without_fields(input))?;
    Some(Diagnostic::new(Code::POLICY_OTHER_TEXT, 0..input.len(), message).with_help(Some(help)))
}

type Said = (String, String);

fn said(message: &str, help: &str) -> Said {
    (message.to_string(), help.to_string())
}

/// Decodes a file in UTF-16, with a byte order mark or without.
fn utf16(input: &[u8]) -> Option<String> {
    let (units, _) = input.as_chunks::<2>();
    let from = match input {
        [0xFF, 0xFE, ..] | [1..=0x7F, 0, 1..=0x7F, 0, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] | [0, 1..=0x7F, 0, 1..=0x7F, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let text = char::decode_utf16(units.iter().map(|unit| from(*unit)));
    let text: String = text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(text.trim_start_matches('\u{feff}').to_string())
}

fn binary(input: &[u8]) -> Option<Said> {
    const KINDS: [(&[u8], &str); 9] = [
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive or an office document"),
        (b"\x1F\x8B", "compressed with gzip"),
        (b"\x89PNG", "a PNG image"),
        (b"\x28\xB5\x2F\xFD", "compressed with zstd"),
        (b"GIF8", "a GIF image"),
        (b"\xD0\xCF\x11\xE0", "an office document"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
        (b"version https://git-lfs", "a pointer of Git LFS"),
    ];
    let (_, kind) = KINDS.iter().find(|(magic, _)| input.starts_with(magic))?;
    let help = "publish the policy as plain text, in UTF-8";
    Some((format!("the file is {kind}, not a policy"), help.to_string()))
}

fn document(input: &[u8]) -> Option<Said> {
    let text = String::from_utf8_lossy(input);
    let text = text.trim_start_matches('\u{feff}').trim();
    let lower = text.to_ascii_lowercase();
    let serve = "serve the policy file itself, as `text/plain`";
    if lower.starts_with("{\\rtf") {
        return Some(said(
            "the file is rich text (RTF), as a word processor saves it, not a policy",
            "save it as plain text, in UTF-8",
        ));
    }
    if lower.starts_with("diff --git ") || lower.starts_with("--- ") && lower.contains("\n+++ ") {
        return Some(said("the file is a diff, not a policy", "publish the file that it changes"));
    }
    if lower.starts_with("<?php") || lower.starts_with("#!") {
        return Some(said("the file is the source text of a program, not a policy", serve));
    }
    let is_html = ["<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<script"];
    if is_html.iter().any(|tag| lower.starts_with(tag))
        || lower.starts_with('<') && lower.contains("<html")
    {
        return Some((html(text, &lower), serve.to_string()));
    }
    if lower.starts_with("<?xml") || lower.starts_with("<error>") {
        return Some(said("the file is an XML document, not a policy", serve));
    }
    let (object, array) = ((Some('{'), Some('}')), (Some('['), Some(']')));
    let ends = (lower.chars().next(), lower.chars().next_back());
    if ends == object || ends == array || lower.starts_with("{\"") || lower.starts_with("[{") {
        return Some(said(
            "the file is JSON, not a policy",
            "a policy is plain text, with one line `name: value` for each field",
        ));
    }
    None
}

/// Describes a text that has no field of a policy.
fn without_fields(input: &[u8]) -> Option<Said> {
    let text = String::from_utf8_lossy(input);
    // A name of a host may be anywhere.
    let is_field =
        |text: &str| line::read(text.trim().as_bytes()).is_some_and(|it| it.name != "mx");
    if text.lines().any(is_field) || line::mentioned(input).next().is_some() {
        return None;
    }
    let lower = text.trim().to_ascii_lowercase();
    let first: String = text.trim().lines().next().unwrap_or_default().chars().take(80).collect();
    let shown = Shown(&first);
    let serve = "serve the policy file itself, as `text/plain`";
    let errors = ["404", "403", "not found", "forbidden", "access denied", "error", "no such file"];
    if input.contains(&0) || str::from_utf8(input).is_err() {
        return Some(said("the file is binary data, not a policy", serve));
    }
    if lower.starts_with('<') {
        return Some((html(&text, &lower), serve.to_owned()));
    }
    if errors.iter().any(|word| lower.contains(word)) {
        return Some((
            format!("the file is an error message, `{shown}`, not a policy"),
            serve.into(),
        ));
    }
    let message = format!("the file is no policy: it begins `{shown}`, and has no field of one");
    Some((message, TEMPLATE.to_owned()))
}

const TEMPLATE: &str =
    "a policy is the lines `version: STSv1`, `mode: …`, `mx: …` and `max_age: …`";

/// Describes an HTML page by its title, and by its purpose where that can be seen.
fn html(text: &str, lower: &str) -> String {
    let title = || {
        let start = lower.find("<title")?;
        let open = start.checked_add(lower.get(start..)?.find('>')?)?.checked_add(1)?;
        let len = lower.get(open..)?.find("</title")?;
        let title = text.get(open..open.checked_add(len)?)?;
        let words: Vec<&str> = title.split_whitespace().collect();
        Some(words.join(" ")).filter(|title| !title.is_empty())
    };
    let title = title();
    let about = title.as_deref().unwrap_or_default().to_ascii_lowercase();
    let says = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    let kind = if lower.contains("type=\"password\"")
        || says(&["log in", "login", "sign in", "signin"], &about)
    {
        "a login page"
    } else if says(&["404", "not found"], &about)
        || lower.contains("<h1>404")
        || lower.contains("<h1>not found")
    {
        "the page for a file that was not found"
    } else if says(&["for sale", "parked", "parking"], &about)
        || says(
            &["domain is for sale", "parked domain", "domain is parked", "buy this domain"],
            lower,
        )
    {
        "the page of a parked domain"
    } else {
        "an HTML page"
    };
    match title {
        Some(title) => {
            let shown: String = title.chars().take(80).collect();
            let more = if shown.len() < title.len() { "…" } else { "" };
            format!("the file is {kind}, titled \"{}{more}\", not a policy", Shown(&shown))
        }
        None => format!("the file is {kind}, not a policy"),
    }
}

/// Describes a TXT record, or a line of a zone file, in place of the policy.
fn txt_record(input: &[u8]) -> Option<Said> {
    let text = str::from_utf8(input).ok()?.trim();
    let lower = text.to_ascii_lowercase();
    if is_in_words(&lower)
        && let Some(record) = canonical(input)
    {
        return Some(said(
            "the file holds the TXT record, not the policy",
            &format!("publish `{record}` in DNS, as the TXT record of `_mta-sts`; {TEMPLATE}"),
        ));
    }
    let is_policy = lower.contains("version:") || lower.contains("mode:");
    let holds =
        |version: &str| lower.starts_with(version) || lower.contains(&format!("\"{version}"));
    if is_policy {
        return None;
    }
    if let Some((record, fields)) = with_policy_fields(text) {
        return Some(said(
            "the file holds the TXT record, with fields of the policy in it",
            &format!(
                "publish `{record}` in DNS, as the TXT record of `_mta-sts`, and the lines {fields} \
                 in the file"
            ),
        ));
    }
    if holds("v=sts") || lower.contains(" v=stsv1") {
        return Some(said(
            "the file holds the TXT record, not the policy",
            &format!("publish this text in DNS, as the TXT record of `_mta-sts`; {TEMPLATE}"),
        ));
    }
    let (name, place) = known_record(&lower)?;
    Some((
        format!("the file holds {name} record, not the policy"),
        format!("publish this text in DNS, {place}"),
    ))
}

/// Returns the record, and the lines of the policy, of a text that holds both.
fn with_policy_fields(text: &str) -> Option<(String, String)> {
    let field = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let name = known_name(name.trim().as_bytes()).filter(|name| *name != "version")?;
        Some(format!("`{name}: {}`", Shown(value.trim())))
    };
    let fields: Vec<String> = text.split(';').filter_map(field).collect();
    let record = without_policy_fields(text.as_bytes()).filter(|_| !fields.is_empty())?;
    Some((record, format!("`version: STSv1`, {}", fields.join(", "))))
}

/// Returns whether this is a record in the words of a policy: `version: STSv1; id: 1`.
fn is_in_words(lower: &str) -> bool {
    let is_other = |word: &str| matches!(word, "mode" | "mx" | "max_age");
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    lower.starts_with("version") && has_word_id(lower) && !words.any(is_other)
}
