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

/// The sides of a policy on which something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
    Both,
}

/// Removes lines of marks before or after the text: a code block of Markdown, a document of YAML.
pub(super) fn without_marks(text: &str, side: Side) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_field = |line: &&str| line.contains([':', '=']) && !is_mark(line);
    let first = lines.iter().position(is_field).unwrap_or_default();
    let last = lines.iter().rposition(is_field).unwrap_or_default();
    let (before, rest) = lines.split_at_checked(first).unwrap_or_default();
    let after = last.saturating_sub(first).saturating_add(1);
    let (inner, after) = rest.split_at_checked(after).unwrap_or_default();
    let mut around = before.iter().chain(after).filter(|line| !line.trim().is_empty());
    let is_there = |lines: &[&str]| lines.iter().any(|line| !line.trim().is_empty());
    let found = match (is_there(before), is_there(after)) {
        (true, true) => Side::Both,
        (true, false) => Side::Before,
        (false, true) => Side::After,
        (false, false) => return text.to_owned(),
    };
    if found != side || !around.all(|line| is_mark(line)) {
        return text.to_owned();
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    inner.iter().flat_map(|line| [*line, end]).collect()
}

/// Removes the directives of YAML before the text: `%YAML 1.2`.
pub(super) fn without_directives(text: &str) -> String {
    if !text.starts_with("%YAML") && !text.starts_with("%TAG") {
        return text.to_owned();
    }
    let lines = text.split_inclusive('\n').skip_while(|line| line.starts_with('%'));
    let is_mark = |line: &&str| matches!(line.trim_end(), "---" | "...");
    lines.filter(|line| !is_mark(line)).collect()
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
    let is_armour = ["-----BEGIN ", "-----END "].iter().any(|start| line.starts_with(start));
    fence || is_rule || is_armour || matches!(line, "{" | "}" | "(" | ")" | "[" | "]" | "\"" | "'")
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

/// Removes quotes around the whole text.
pub(super) fn without_quotes(text: &str) -> String {
    let trimmed = text.trim();
    let pairs = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”')];
    let inner = pairs.iter().find_map(|&(open, close)| {
        trimmed
            .strip_prefix(open)?
            .strip_suffix(close)
            .filter(|inner| !inner.contains([open, close]))
    });
    inner.unwrap_or(text).to_owned()
}

/// Returns the policy in a statement of a server's configuration or of a shell: `return 200 "version: …";`
pub(super) fn quoted(text: &str) -> Option<&str> {
    let at = text.to_ascii_lowercase().find("version:")?;
    let (before, policy) = text.split_at_checked(at)?;
    let quote = before.chars().next_back().filter(|quote| matches!(quote, '"' | '\''))?;
    Some(policy.rsplit_once(quote)?.0)
}
