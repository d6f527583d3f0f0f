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

/// Removes the commands before a policy, and the prompts beside it: `$ cat mta-sts.txt`.
pub(super) fn without_prompts(text: &str) -> String {
    let is_around = |line: &&str| !line.contains("<<") && (is_command(line) || is_prompt(line));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let start = lines.iter().take_while(|line| is_around(line)).count();
    let (_, rest) = lines.split_at_checked(start).unwrap_or_default();
    let after = rest.iter().rev().take_while(|line| is_around(line)).count();
    rest.get(..rest.len().saturating_sub(after)).unwrap_or_default().concat()
}

const COMMANDS: [&str; 17] = [
    "cat",
    "curl",
    "wget",
    "type",
    "less",
    "more",
    "head",
    "tail",
    "sudo",
    "nano",
    "vi",
    "vim",
    "http",
    "fetch",
    "get-content",
    "gc",
    "iwr",
];

/// Returns whether this is a command with a file or a URL, with the prompt before it or without.
fn is_command(line: &str) -> bool {
    // Whatever stands after such a prompt is a command.
    let any = ["$ ", "% "].iter().find_map(|end| line.split_once(end));
    if any.is_some_and(|(_, command)| !command.trim().is_empty() && !is_field(command)) {
        return !is_field(line);
    }
    let prompt = ["$ ", "# ", "% ", "> ", "❯ ", "➜ "].iter().find_map(|end| line.split_once(end));
    let command = prompt.map_or(line, |(_, command)| command).trim_start();
    let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
    COMMANDS.contains(&&*word.to_ascii_lowercase()) && rest.contains(['.', '/', '\\'])
}

/// Returns whether this is a prompt without a command.
fn is_prompt(line: &str) -> bool {
    let line = line.trim();
    let is_path =
        line.contains(['@', ':', '~', '\\']) && line.len() <= 64 && !line.starts_with('<');
    let is_alone = matches!(line, "$" | "#" | "%" | ">" | "❯" | "➜");
    is_alone || is_path && line.ends_with(['$', '#', '%', '>']) && !is_field(line)
}

/// Returns whether this line has the name of a field, and a sign after it.
pub(super) fn is_field(line: &str) -> bool {
    let name = line.split_once([':', '=']).map(|(name, _)| name.trim());
    name.is_some_and(|name| known_name(name.as_bytes()).is_some())
}
