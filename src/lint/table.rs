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
    let mut fields = String::new();
    for (n, row) in rows.iter().enumerate() {
        let [name, value, more @ ..] = row.as_slice() else { return None };
        let name = near_name(name.trim_end_matches([':', ' ']).as_bytes());
        let Some(name) = name.filter(|_| near_name(value.as_bytes()).is_none()) else {
            // The head of the table.
            if n == 0 { continue } else { return None }
        };
        fields.push_str(&format!("{name}: {value}\n"));
        for other in more.iter().filter(|other| field_of(other).is_some()) {
            if name != "mx" {
                return None;
            }
            fields.push_str(&format!("mx: {other}\n"));
        }
    }
    (!fields.is_empty()).then_some(fields)
}

/// Reads a row of names, and one of their values.
fn by_column(rows: &[Vec<&str>]) -> Option<String> {
    let [names, values] = rows else { return None };
    let names: Option<Vec<&str>> = names.iter().map(|name| known_name(name.as_bytes())).collect();
    let names = names.filter(|names| names.len() == values.len())?;
    let fields = names.iter().zip(values).map(|(name, value)| format!("{name}: {value}\n"));
    Some(fields.collect())
}
