//! Marks that show where a line ends.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// The marks of `cat -A` and of editors; a longer one comes before its parts.
const MARKS: [&str; 15] = [
    "^M$", "␍␊", "<CR><LF>", "[CR][LF]", "<CR>", "<LF>", "^M", "^J", "^@", "$", "¶", "↵", "⏎", "␊",
    "␤",
];

/// Removes the mark at the end of each line, if all lines have the same.
pub(super) fn without_marks(text: &str) -> String {
    let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let Some(mark) = lines().next().and_then(mark) else { return text.to_owned() };
    if lines().count() < 2 || !lines().all(|line| line.ends_with(mark)) {
        return text.to_owned();
    }
    let without = |line: &str| {
        let (plain, end) = (line.trim_end(), line_end(line));
        let plain = plain.strip_suffix(mark).unwrap_or(plain).trim_end();
        // `cat -A` shows a tab so.
        let plain = if mark.contains('$') { plain.replace("^I", "\t") } else { plain.to_owned() };
        [&*plain, end].concat()
    };
    text.split_inclusive('\n').map(without).collect()
}

/// Removes this mark at the end of each line, if two lines or more have it, and all but the last.
pub(super) fn without(text: &str, mark: &str) -> String {
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let (_, before) = lines.split_last().unwrap_or((&"", &[]));
    if before.len() < 2 || !before.iter().all(|line| line.ends_with(mark)) {
        return text.to_owned();
    }
    let without = |line: &str| {
        let (plain, end) = (line.trim_end(), line_end(line));
        [plain.strip_suffix(mark).unwrap_or(plain).trim_end(), end].concat()
    };
    text.split_inclusive('\n').map(without).collect()
}

/// Writes line ends in place of their marks, in a text without line ends.
pub(super) fn to_line_ends(text: &str) -> String {
    let marks = MARKS.iter().filter(|mark| **mark != "$" && !text.trim().contains('\n'));
    marks.fold(text.to_owned(), |text, mark| text.replace(mark, "\n"))
}

fn line_end(line: &str) -> &'static str {
    match line.strip_suffix('\n') {
        Some(line) if line.ends_with('\r') => "\r\n",
        Some(_) => "\n",
        None => "",
    }
}

/// Splits the mark at its end, or a backslash, from a text.
pub(super) fn split(text: &str) -> Option<(&str, &'static str)> {
    let mark = mark(text).or_else(|| text.ends_with('\\').then_some("\\"))?;
    Some((text.strip_suffix(mark)?, mark))
}

fn mark(line: &str) -> Option<&'static str> {
    MARKS.into_iter().find(|mark| line.ends_with(mark))
}
