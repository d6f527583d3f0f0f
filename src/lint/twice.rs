//! Policies that are given twice.

use alloc::{format, string::ToString, vec::Vec};
use core::str;

use super::{Code, Diagnostic, Severity, help::is_remark, shell::is_field};

/// Gives one diagnostic in place of those for the fields of a second policy behind the first.
pub(super) fn fold(mut found: Vec<Diagnostic>, input: &[u8]) -> Vec<Diagnostic> {
    let is_again = |one: &Diagnostic, name: &[u8]| {
        one.code == Code::POLICY_DUPLICATE.as_str() && input.get(one.span()) == Some(name)
    };
    let has = |name: &[u8]| found.iter().any(|one| is_again(one, name));
    let second = found.iter().find(|one| is_again(one, b"version")).map(|one| one.span.start);
    let Some(start) = second.filter(|_| has(b"mode") || has(b"max_age")) else { return found };
    let gap = gap(input, start);
    let is_between = |one: &Diagnostic| (gap..start).contains(&one.span.start);
    // What stands between the two has no cause of its own.
    let is_error = found.iter().any(is_between);
    found.retain(|one| !is_between(one));
    let codes = [Code::POLICY_DUPLICATE.as_str(), Code::POLICY_DUPLICATE_MX.as_str()];
    found.retain(|one| one.span.start < start || !codes.contains(&one.code));
    let at = found.iter().position(|one| one.span.start >= start).unwrap_or(found.len());
    let second = diagnose(input, gap, start);
    let severity = if is_error { Severity::Error } else { second.severity };
    found.insert(at, second.with_severity(severity));
    found
}

/// Returns where the blank lines, comments and marks begin that stand before `start`.
fn gap(input: &[u8], start: usize) -> usize {
    let before = input.get(..start).unwrap_or_default();
    let lines = before.split_inclusive(|&byte| byte == b'\n').rev();
    let is_filler = |line: &&[u8]| str::from_utf8(line).is_ok_and(|line| !says(line));
    let len: usize = lines.take_while(is_filler).map(<[u8]>::len).sum();
    start.saturating_sub(len)
}

/// Returns the lines that say something.
fn fields(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| says(line)).collect()
}

/// Returns whether a line is neither a heading, nor a comment, nor a mark.
fn says(line: &str) -> bool {
    let line = line.trim();
    let is_value = !is_remark(line.as_bytes()) && line.contains([':', '=', '.']);
    is_value && (!line.ends_with([':', '.']) || is_field(line))
}

/// Describes what begins at `start`: the same policy again, or another one.
fn diagnose(input: &[u8], gap: usize, start: usize) -> Diagnostic {
    let span = start..start.saturating_add("version".len());
    let found = |message: &str| Diagnostic::new(Code::POLICY_DUPLICATE, span.clone(), message);
    let text = str::from_utf8(input).unwrap_or_default();
    let (first, _) = text.split_at_checked(start).unwrap_or_default();
    let mut copies = text.split("version:").skip(1).map(fields);
    let one = copies.next();
    let count = copies.clone().count().saturating_add(1);
    if !first.trim_start_matches('\u{feff}').starts_with("version:")
        || copies.any(|copy| Some(&copy) != one.as_ref())
    {
        let message = "a second policy begins here: of both, senders use the first `version`, `mode` \
                       and `max_age`, and every `mx`";
        let help = "publish one policy, and nothing else";
        return found(message).with_help(Some(help.to_string()));
    }
    let (times, all) = match count {
        2 => ("twice".to_string(), "one"),
        _ => (format!("{count} times"), "all but one"),
    };
    let help = format!("leave out {all} of them");
    let found = found(&format!("the whole policy is given {times}"));
    found.with_suggestion(gap..input.len(), "", Some(help))
}
