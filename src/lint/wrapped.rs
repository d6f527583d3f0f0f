//! Removes what stands around a whole policy.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// Removes the header of an HTTP response.
pub(super) fn without_header(text: &str) -> String {
    let is_header = ["HTTP/", "Content-Type:", "content-type:"];
    if !is_header.iter().any(|start| text.starts_with(start)) {
        return text.to_owned();
    }
    let end = ["\r\n\r\n", "\n\n"].iter().find_map(|end| text.split_once(end));
    end.map_or(text, |(_, policy)| policy).to_owned()
}

/// Removes lines of marks before and after the text: a code block of Markdown, a document of YAML.
pub(super) fn without_marks(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_field = |line: &&str| line.contains([':', '=']) && !is_mark(line);
    let first = lines.iter().position(is_field).unwrap_or_default();
    let last = lines.iter().rposition(is_field).unwrap_or_default();
    let (before, rest) = lines.split_at_checked(first).unwrap_or_default();
    let after = last.saturating_sub(first).saturating_add(1);
    let (inner, after) = rest.split_at_checked(after).unwrap_or_default();
    let mut around = before.iter().chain(after).filter(|line| !line.trim().is_empty()).peekable();
    if around.peek().is_none() || !around.all(|line| is_mark(line)) {
        return text.to_owned();
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    inner.iter().flat_map(|line| [*line, end]).collect()
}

/// Removes the marks around a document of YAML: `---` before it, and `...` after it.
pub(super) fn without_yaml(text: &str) -> String {
    let is_start = |line: &&str| line.trim_end() == "---";
    let Some(first) = text.lines().next().filter(is_start) else { return text.to_owned() };
    if text.lines().filter(is_start).count() > 1 {
        return text.to_owned();
    }
    let rest = text.strip_prefix(first).unwrap_or(text).trim_start_matches(['\r', '\n']);
    let end = rest.trim_end().strip_suffix("...").filter(|rest| rest.ends_with('\n'));
    end.unwrap_or(rest).to_owned()
}

fn is_mark(line: &str) -> bool {
    let line = line.trim();
    let fence = ["```", "~~~"].iter().any(|fence| {
        line.strip_prefix(fence).is_some_and(|rest| rest.chars().all(char::is_alphanumeric))
    });
    let is_rule = line.len() > 2
        && line.chars().all(|c| matches!(c, '-' | '=' | '"' | '\'' | '.' | '*' | '_'));
    fence || is_rule || matches!(line, "{" | "}" | "(" | ")" | "[" | "]" | "\"" | "'")
}

/// Removes what rich text adds: control words, groups, and the backslash that ends a line.
pub(super) fn without_rtf(text: &str) -> String {
    let is_control = |line: &str| {
        line.trim_start_matches('{')
            .strip_prefix('\\')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    if !text.lines().next().is_some_and(is_control) {
        return text.to_owned();
    }
    let lines = text.lines().filter(|line| !line.contains('{')).map(|line| {
        let mut rest = line;
        while let Some((word, after)) = rest.split_once(' ').filter(|_| is_control(rest)) {
            rest = if word.starts_with('\\') { after } else { break };
        }
        rest.trim_end_matches(['\\', '}'])
    });
    without_blank_lines(lines.filter(|line| !line.starts_with('\\')))
}

pub(super) fn without_blank_lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines = lines.filter(|line| !line.trim().is_empty());
    lines.flat_map(|line| [line.trim_end(), "\n"]).collect()
}
