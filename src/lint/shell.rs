//! Removes the commands of a shell around a policy.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::spelling::known_name;

/// Returns the text of a here-document: `cat <<EOF`, the lines, `EOF`.
pub(super) fn without_here_document(text: &str) -> String {
    // The second prompt of a shell.
    let without_prompt = |line| str::strip_prefix(line, "> ").unwrap_or(line);
    let lines: Vec<&str> = text.split_inclusive('\n').map(without_prompt).collect();
    let Some((start, end_word)) =
        lines.iter().enumerate().find_map(|(at, line)| Some((at, word(line)?)))
    else {
        return text.to_owned();
    };
    let (before, rest) = lines.split_at_checked(start).unwrap_or_default();
    let body = rest.get(1..).unwrap_or_default();
    let end = body.iter().position(|line| line.trim() == end_word).unwrap_or(body.len());
    let (policy, after) = body.split_at_checked(end).unwrap_or_default();
    if before.iter().chain(after).any(|line| is_field(line)) {
        return text.to_owned();
    }
    policy.concat()
}

/// Returns the word that ends the here-document which this command begins.
fn word(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("<<")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    let rest = rest.trim_start_matches(['"', '\'', '\\']);
    let is_other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let word = rest.split(is_other).next().unwrap_or_default();
    (!word.is_empty()).then_some(word)
}

/// Removes a word that ends a here-document, as the last line.
pub(super) fn without_end(text: &str) -> String {
    let rest = text.trim_end();
    let (before, last) = rest.rsplit_once('\n').unwrap_or(("", rest));
    match last.trim() {
        "EOF" | "EOT" | "END" | "_EOF_" | "HERE" => [before, "\n"].concat(),
        _ => text.to_owned(),
    }
}

fn is_field(line: &str) -> bool {
    let name = line.split_once([':', '=']).map(|(name, _)| name.trim());
    name.is_some_and(|name| known_name(name.as_bytes()).is_some())
}
