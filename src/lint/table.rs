//! Tables of Markdown, or of a terminal, that hold the fields of a policy.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    field_of::field_of,
    shell::is_field,
    spelling::{known_name, near_name},
};

/// Returns the fields of a table, each on a line; the text itself if it is no table.
pub(super) fn lines(text: &str) -> String {
    let tables = [BAR, &['\t'], &[';'], &[',']];
    let fields = tables.iter().find_map(|separators| fields(text, separators));
    fields.unwrap_or_else(|| text.to_owned())
}

const BAR: &[char] = &['|', '│'];

/// Returns the fields of a table, with a heading before it or text after it that has no field.
fn fields(text: &str, separators: &[char]) -> Option<String> {
    let is_row = |line: &&str| cells(line, separators).len() > 1;
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !is_rule(line));
    let lines: Vec<&str> = lines.collect();
    let start = lines.iter().position(is_row)?;
    let (before, rest) = lines.split_at_checked(start)?;
    let end = rest.iter().position(|line| !is_row(line)).unwrap_or(rest.len());
    let (table, after) = rest.split_at_checked(end)?;
    let has_field = |line: &&str| is_field(line) || field_of(line.trim()).is_some();
    if table.len() < 2 || before.iter().chain(after).any(has_field) {
        return None;
    }
    let rows: Vec<Vec<&str>> = table.iter().map(|line| cells(line, separators)).collect();
    by_row(&rows).or_else(|| by_column(&rows))
}

/// Returns the fields of a line that is the row of a table: `| mx | mx1.example.com |`.
pub(super) fn fields_of_row(line: &str) -> Option<String> {
    row(&cells(line.trim().strip_prefix('|')?, BAR))
}

fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| matches!(c, '|' | '-' | ':' | '+' | '=' | ' '))
}

/// Returns the cells of a row, without quotes and the marks of code or bold text.
fn cells<'a>(line: &'a str, separators: &[char]) -> Vec<&'a str> {
    let marks: &[char] = &['`', '*', '"', '\'', ' ', '\t'];
    let cells = line.split(separators).map(|cell| cell.trim_matches(marks));
    cells.filter(|cell| !cell.is_empty()).collect()
}

/// Reads rows of a name, its value and what is said about them.
fn by_row(rows: &[Vec<&str>]) -> Option<String> {
    let (first, rest) = rows.split_first()?;
    // The first row may be the head of the table.
    let is_name = |cell: &&str| field_name(cell).is_none() && field_of(cell).is_none();
    let is_head = first.iter().all(is_name);
    let mut fields = if is_head { String::new() } else { row(first)? };
    for line in rest {
        fields.push_str(&row(line)?);
    }
    Some(fields)
}

fn field_name(cell: &str) -> Option<&'static str> {
    near_name(cell.trim_end_matches([':', ' ']).as_bytes())
}

/// Reads the field of a row; several hosts are a field each.
fn row(cells: &[&str]) -> Option<String> {
    let [name, value, more @ ..] = cells else { return None };
    // The value may stand first.
    let turned = known_name(value.as_bytes()).filter(|known| field_of(name) == Some(*known));
    if let Some(known) = turned {
        return more.is_empty().then(|| format!("{known}: {name}\n"));
    }
    let name = field_name(name)?;
    if near_name(value.as_bytes()).is_some() {
        return None;
    }
    let others: Vec<&str> = more.iter().filter(|cell| field_of(cell).is_some()).copied().collect();
    if name != "mx" && !others.is_empty() {
        return None;
    }
    let values = [*value].into_iter().chain(others);
    let lines: Vec<String> = values.map(|value| format!("{name}: {value}\n")).collect();
    Some(lines.concat())
}

/// Reads a row of names, and one of their values.
fn by_column(rows: &[Vec<&str>]) -> Option<String> {
    let [names, values] = rows else { return None };
    let names: Option<Vec<&str>> = names.iter().map(|name| known_name(name.as_bytes())).collect();
    let names = names.filter(|names| names.len() == values.len())?;
    let fields = names.iter().zip(values).map(|(name, value)| format!("{name}: {value}\n"));
    Some(fields.collect::<Vec<String>>().concat())
}
