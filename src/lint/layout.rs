//! Rewrites the lines of a policy: those that hold several fields, or a part of one.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    field_of::field_of,
    spelling::{FIELDS, known_name, near_name},
};

/// Writes the name of its field before each value that has none, where all have none.
pub(super) fn named(text: &str) -> String {
    let values: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|one| !one.is_empty()).collect();
    let names: Option<Vec<&str>> = values.iter().map(|value| field_of(value)).collect();
    let Some(names) = names.filter(|names| names.len() > 2) else { return text.to_owned() };
    let lines: Vec<String> =
        names.iter().zip(values).map(|(name, value)| format!("{name}: {value}\n")).collect();
    lines.concat()
}

/// Begins a line at each known field name that white space, a comma or a digit comes before.
pub(super) fn one_a_line(text: &str) -> String {
    let is_one_line = !text.trim().contains(['\n', '\r']);
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let names_field = || {
            FIELDS.iter().any(|field| {
                let name = rest.get(..field.len());
                let after = rest.get(field.len()..).unwrap_or_default();
                name.is_some_and(|name| name.eq_ignore_ascii_case(field))
                    && after.starts_with([':', '='])
            })
        };
        let gap = [' ', '\t', ',', ';', '|'];
        let is_gap = |c: char| gap.contains(&c) || c.is_ascii_digit() || is_one_line;
        if result.ends_with(is_gap) && names_field() {
            let kept = result.trim_end_matches(gap).len();
            let line = result.get(..kept).and_then(|text| text.rsplit('\n').next());
            // A field comes before it: `policy: version: STSv1` is one with something before it.
            let sign = line.and_then(|line| line.split_once([':', '=']));
            if sign.is_some_and(|(_, value)| !value.trim().is_empty()) {
                result.truncate(kept);
                result.push('\n');
            }
        }
        result.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    result
}

/// Writes `mx:` and a list under it as one `mx` for each item.
pub(super) fn without_list(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut in_list = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let item = ["- ", "* ", "• "].iter().find_map(|mark| trimmed.strip_prefix(mark));
        let host = trimmed.trim_end();
        match item.or((field_of(host) == Some("mx")).then_some(trimmed)) {
            Some(host) if in_list => {
                // The sign between two hosts ends the line before.
                let before = result.trim_end();
                let end = result.get(before.len()..).unwrap_or_default().to_owned();
                let signs: &[char] = &[',', ';', '\\', '/', '|', '&', '+', ' '];
                let host_end = before.strip_suffix(" and").unwrap_or(before);
                result.truncate(host_end.trim_end_matches(signs).len());
                result.push_str(&end);
                result.push_str("mx: ");
                result.push_str(host.trim_start_matches([',', ';', '|', '&', '+', ' ', '\t']));
            }
            _ => {
                let field = trimmed.split_once(':');
                let value = field.map(|(_, value)| value.trim()).unwrap_or_default();
                in_list = field.is_some_and(|(name, _)| near_name(name.as_bytes()) == Some("mx"));
                let is_empty = in_list && (value.is_empty() || is_block(value));
                result.push_str(if is_empty { "" } else { line });
            }
        }
    }
    result
}

/// Joins each name with the value on the next line.
pub(super) fn joined(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    // The name that a value is missing for, and where the value belongs.
    let mut open: Option<(&str, usize)> = None;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        match open {
            Some((name, end))
                if field_of(trimmed) == known_name(name.as_bytes()) && !trimmed.is_empty() =>
            {
                result.truncate(end);
                result.push_str(": ");
                result.push_str(line.trim_start());
                open = None;
            }
            _ => {
                let start = result.len();
                result.push_str(line);
                if !trimmed.is_empty() {
                    let name = name_alone(trimmed);
                    let end = start.saturating_add(line.find(trimmed).unwrap_or_default());
                    open = name.map(|name| (name, end.saturating_add(name.len())));
                }
            }
        }
    }
    result
}

/// Returns the name on a line that has no value.
fn name_alone(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let known = known_name(name.trim_end().as_bytes())?;
    // The hosts of a list are no one value.
    let is_alone = value.trim().is_empty() || known != "mx" && is_block(value.trim());
    is_alone.then(|| name.trim_end())
}

/// Returns whether this begins a value on the lines below in YAML: `|`, `>-`, `&name`.
fn is_block(value: &str) -> bool {
    let is_mark = value.starts_with(['&', '!']) && !value.contains(char::is_whitespace);
    is_mark || matches!(value.trim_end_matches(['-', '+']), "|" | ">")
}

/// Writes each name before its value, where all names stand before all values.
pub(super) fn columns(text: &str) -> String {
    let words = || text.split_whitespace();
    let is_name = |word: &&str| known_name(word.trim_end_matches(':').as_bytes()).is_some();
    let values: Vec<&str> = words().skip_while(is_name).collect();
    let is_apart = words().take_while(is_name).count() > 2
        && values.iter().all(|word| field_of(word).is_some());
    if is_apart { named(&values.join(" ")) } else { text.to_owned() }
}

/// Writes each name before its value, where the value stands first: `STSv1: version`.
pub(super) fn turned(text: &str) -> String {
    let signs: &[char] = &[':', '=', ',', ';', ' ', '\t', '-', '>', '"', '('];
    let turn = |line: &str| {
        let (value, name) = line.trim().trim_end_matches([')', '"']).rsplit_once(signs)?;
        let name = known_name(name.as_bytes())?;
        let value = value.trim_matches(signs);
        (field_of(value) == Some(name)).then(|| format!("{name}: {value}\n"))
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(turn);
    let lines: Option<Vec<String>> = lines.collect();
    lines.filter(|lines| lines.len() > 2).map_or_else(|| text.to_owned(), |lines| lines.concat())
}

/// Joins a host name that continues on the next, indented line: `mx: mail.`, `  example.com`.
pub(super) fn unfolded(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = line.trim();
        if line.starts_with([' ', '\t'])
            && !rest.is_empty()
            && let Some(len) = open_value(&result, rest)
        {
            result.truncate(len);
            result.push_str(line.trim_start());
        } else {
            result.push_str(line);
        }
    }
    result
}

/// Returns where the value of the last field ends, if the rest of it follows.
fn open_value(before: &str, rest: &str) -> Option<usize> {
    let before = before.trim_end();
    let last = before.rsplit('\n').next().unwrap_or_default();
    let (name, value) = last.split_once(':')?;
    let name = known_name(name.trim().as_bytes())?;
    is_rest(name, value.trim(), rest).then_some(before.len())
}

/// Returns whether two parts make a value, and the first one alone does not.
fn is_rest(name: &str, value: &str, rest: &str) -> bool {
    let whole = [value, rest].concat();
    let is_cut = match name {
        "mx" => value.ends_with(['.', '-']) || rest.starts_with(['.', '-']),
        "max_age" => value.len() <= 4 && rest.len() <= 3,
        _ => field_of(value) != Some(name),
    };
    !value.is_empty() && is_cut && field_of(&whole) == Some(name)
}
