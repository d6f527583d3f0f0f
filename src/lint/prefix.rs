//! Text that stands before the field name on every line.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::str;

use super::{Code, Diagnostic, repair::mend, shown::Shown, spelling::FIELDS};

/// Returns one diagnostic if the same text stands before the field name on every line.
///
/// `fields` gives the diagnostics of a text line by line.
pub(super) fn find(input: &[u8], fields: impl Fn(&[u8]) -> Vec<Diagnostic>) -> Option<Diagnostic> {
    let text = str::from_utf8(input).ok()?;
    let first = text.lines().find_map(prefix)?;
    let is_empty = |line: &&str| line.trim().is_empty() || line.trim() == first.trim();
    let lines: Vec<&str> = text.lines().filter(|line| !is_empty(line)).collect();
    let without_digits =
        |text: &str| text.trim().chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let mark = without_digits(first);
    let is_same = |line: &&str| prefix(line).is_some_and(|it| without_digits(it) == mark);
    if lines.len() < 3 || !lines.iter().all(is_same) {
        return None;
    }
    let shown = first.trim();
    let span = 0..input.len();
    if ["#", "//", ";", "--", "/*", "!", "%"].iter().any(|mark| shown.starts_with(mark)) {
        let message =
            format!("every line is a comment: `{}` stands before each field", Shown(shown));
        let help = format!("leave out `{}` before each field", Shown(shown));
        let found = Diagnostic::new(Code::POLICY_FIELD_NAME, span, message);
        return Some(found.with_help(Some(help)));
    }
    let message = match shown {
        "`" | "\"" | "'" | "“"
            if !lines.iter().all(|line| ends_in_quote(line)) && !is_name_quoted(lines.first()?) =>
        {
            let (quote, more) = match shown {
                "`" => ("backtick", ", and a policy has no Markdown"),
                _ => ("quote", ""),
            };
            format!("a {quote} stands before each line{more}")
        }
        "`" => "backticks stand around each line, and a policy has no Markdown".to_string(),
        "\"" | "'" | "“" if is_name_quoted(lines.first()?) => {
            "quotes stand around each field name".to_string()
        }
        "\"" | "'" | "“" => "quotes stand around each line".to_string(),
        _ if shown.contains('`') => format!("\"{}\" stands before each field name", Shown(shown)),
        _ => format!("`{}` stands before each field name", Shown(shown)),
    };
    let kept = text.split_inclusive('\n').filter(|line| !is_empty(line));
    let plain: String = kept.map(without_prefix).collect();
    let plain = String::from_utf8(mend(plain.as_bytes(), fields)?).ok()?;
    let found = Diagnostic::new(Code::POLICY_FIELD_NAME, span.clone(), message);
    Some(found.with_suggestion(span, plain, None))
}

/// The longest text before a field name, in bytes.
const MAX: usize = 32;

/// Returns the text before the field name of a line, if there is some.
fn prefix(line: &str) -> Option<&str> {
    let names_field = |at: usize| {
        let (before, rest) = line.split_at_checked(at)?;
        let name = FIELDS.iter().find(|field| {
            rest.get(..field.len()).is_some_and(|name| name.eq_ignore_ascii_case(field))
        })?;
        let after = rest.get(name.len()..)?.trim_start_matches(['"', '\'', '`', '*', '_', ' ']);
        let is_apart = !before.ends_with(|c: char| c.is_alphanumeric() || c == '-');
        (is_apart && after.starts_with([':', '='])).then_some(before)
    };
    let before = (0..=line.len().min(MAX)).find_map(names_field)?;
    // Tags of HTML, and what cannot be seen, are faults of other kinds.
    let is_seen =
        |c: char| c.is_ascii_graphic() || c.is_alphanumeric() || matches!(c, '•' | '“' | '·' | '–');
    (before.contains(is_seen) && !before.contains('<')).then_some(before)
}

fn ends_in_quote(line: &str) -> bool {
    line.trim_end_matches([' ', ',', ';']).ends_with(['"', '\'', '`', '”'])
}

/// Returns whether a quote ends right after the field name.
fn is_name_quoted(line: &str) -> bool {
    let name = line.split([':', '=']).next().unwrap_or_default();
    name.trim_end().ends_with(['"', '\'', '”'])
}

/// Returns the line from its field name on, without the marks or quotes that end what was removed.
fn without_prefix(line: &str) -> String {
    let Some(before) = prefix(line) else { return line.to_string() };
    let rest = line.strip_prefix(before).unwrap_or_default();
    let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
    let quote = before.chars().next_back().filter(|quote| matches!(quote, '"' | '\'' | '`'));
    if let Some((inner, _)) = quote.and_then(|quote| rest.rsplit_once(quote)) {
        return if is_name_quoted(rest) { rest.to_string() } else { [inner, end].concat() };
    }
    if before.ends_with(['*', '_', '~']) {
        return rest.replacen(before.trim(), "", 1);
    }
    rest.to_string()
}
