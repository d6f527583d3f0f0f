//! Tables of Markdown, or of a terminal, that hold the fields of a policy.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    field_of::field_of,
    spelling::{known_name, near_name},
};

/// Returns the fields of a table, each on a line; the text itself if it is no table.
pub(super) fn lines(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let rows: Vec<Vec<&str>> = lines().filter(|line| !is_rule(line)).map(cells).collect();
    let is_table = rows.len() > 1 && rows.iter().all(|row| row.len() > 1);
    let fields = is_table.then(|| by_row(&rows).or_else(|| by_column(&rows))).flatten();
    fields.unwrap_or_else(|| text.to_owned())
}

/// Returns the fields of a line that is the row of a table: `| mx | mx1.example.com |`.
pub(super) fn fields_of_row(line: &str) -> Option<String> {
    row(&cells(line.trim().strip_prefix('|')?))
}

fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| matches!(c, '|' | '-' | ':' | '+' | '=' | ' '))
}

/// Returns the cells of a row, without the marks of code or bold text.
fn cells(line: &str) -> Vec<&str> {
    let marks: &[char] = &['`', '*', ' ', '\t'];
    let cells = line.split(['|', '│']).map(|cell| cell.trim_matches(marks));
    cells.filter(|cell| !cell.is_empty()).collect()
}

/// Reads rows of a name, its value and what is said about them.
fn by_row(rows: &[Vec<&str>]) -> Option<String> {
    let (first, rest) = rows.split_first()?;
    // The first row may be the head of the table.
    let is_head = first.first().is_some_and(|name| field_name(name).is_none());
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
