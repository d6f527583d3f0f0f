//! Faults of a whole policy text, such as missing line ends, and the text without them.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::str;

use super::{
    Code, Diagnostic, Severity,
    repair::mend,
    several,
    spelling::FIELDS,
    ways::{WAYS, Way},
};

/// The length of the longest text that is rewritten, in bytes: a policy of a hundred hosts is shorter.
const MAX_LEN: usize = 1 << 14;

/// Returns one diagnostic for a fault of the whole text, with the corrected text.
///
/// `fields` gives the diagnostics of a text line by line.
pub(super) fn find(
    input: &[u8],
    found: &[Diagnostic],
    fields: impl Fn(&[u8]) -> Vec<Diagnostic>,
) -> Option<Diagnostic> {
    let mut text = str::from_utf8(input).ok().filter(|text| text.len() <= MAX_LEN)?.to_owned();
    let mut before = Score::of(&text, found);
    let mut applied = Vec::new();
    for way in &WAYS {
        let undone = (way.undo)(&text);
        if undone == text {
            continue;
        }
        let after = Score::of(&undone, &fields(undone.as_bytes()));
        if after.is_better_than(before, way) {
            applied.push(way);
            (text, before) = (undone, after);
        }
    }
    let said = |way: &Way| Diagnostic::new(way.code, 0..input.len(), way.message);
    let mended = mend(text.as_bytes(), fields).and_then(|text| String::from_utf8(text).ok());
    if text.matches("version:").count() > 1 {
        let written = str::from_utf8(input).unwrap_or_default();
        let is_start =
            |(at, _)| at == 0 || written.get(..at).is_some_and(|before| before.ends_with('\n'));
        let message = if !written.match_indices("version:").all(is_start) {
            "a second policy begins in the middle of a line of the first"
        } else if applied.is_empty() {
            return None;
        } else {
            "the file holds two policies, and their lines are no fields yet"
        };
        let found = Diagnostic::new(Code::POLICY_LINE_BREAKS, 0..input.len(), message);
        return Some(found.with_help(Some("publish one policy, and nothing else".to_string())));
    }
    if let Some(text) = mended.filter(|text| keeps_hosts(input, text)) {
        return Some(said(applied.first()?).with_suggestion(0..input.len(), text, None));
    }
    // Of other faults more can be said line by line.
    let breaks = applied.iter().find(|way| way.code == Code::POLICY_LINE_BREAKS)?;
    Some(said(breaks).with_help(Some("write each field on a line of its own".to_string())))
}

/// Returns whether each host on a line `mx: …` is in the corrected text.
fn keeps_hosts(input: &[u8], mended: &str) -> bool {
    let hosts: Vec<String> = mended
        .lines()
        .filter_map(|line| line.strip_prefix("mx: "))
        .map(ToOwned::to_owned)
        .collect();
    let lines = input.split(|&byte| byte == b'\n').filter(|line| line.is_ascii());
    let mut lines = lines.filter_map(|line| str::from_utf8(line.strip_prefix(b"mx:")?).ok());
    lines.all(|line| several::has_all_hosts(&hosts, line))
}

/// The score of a text: its number of errors, and of the fields of a policy that it shows.
#[derive(Clone, Copy)]
struct Score {
    errors: usize,
    /// The known fields that begin a line.
    fields: usize,
}

impl Score {
    fn of(text: &str, found: &[Diagnostic]) -> Self {
        let begins = |line: &str, field: &&str| {
            let line = line.trim_start_matches([' ', '\t', '"', '\'']);
            line.get(..field.len()).is_some_and(|name| name.eq_ignore_ascii_case(field))
        };
        Self {
            errors: found.iter().filter(|one| one.severity == Severity::Error).count(),
            fields: FIELDS
                .iter()
                .filter(|field| text.split('\n').any(|line| begins(line, field)))
                .count(),
        }
    }

    fn is_better_than(self, before: Self, way: &Way) -> bool {
        // Single lines get diagnostics of their own.
        let codes = [Code::POLICY_LEADING_SPACE, Code::POLICY_MX, Code::POLICY_NO_COLON];
        let by_line = codes.contains(&way.code);
        let least = if by_line { 2 } else { 1 };
        !by_line && self.fields > before.fields
            || (self.fields >= 2 && self.errors.saturating_add(least) <= before.errors)
    }
}
