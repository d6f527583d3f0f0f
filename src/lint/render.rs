//! Findings as text, beside the source.

use core::{
    fmt::{self, Write as _},
    ops::Range,
};

use super::{Code, Diagnostic, Position, diagnostic::MAX_SHOWN};
use crate::excerpt::Printable;

/// A [`Diagnostic`] beside the source it is about; see [`Diagnostic::render`].
#[derive(Clone, Copy, Debug)]
pub struct Rendered<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a [u8],
}

/// Bytes of a line that are shown before a span that begins late, and in all.
const LEAD: usize = 32;
const WIDTH: usize = 96;

impl Diagnostic {
    /// Returns the diagnostic as text, with the line of `source` that it is about and the span
    /// underlined.
    ///
    /// `source` is what was linted. Characters that are not printable are escaped, and long lines are shortened.
    #[must_use]
    pub fn render<'a>(&'a self, source: &'a [u8]) -> Rendered<'a> {
        Rendered::new(self, source)
    }
}

impl<'a> Rendered<'a> {
    fn new(diagnostic: &'a Diagnostic, source: &'a [u8]) -> Self {
        Self { diagnostic, source }
    }

    fn source_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.diagnostic.span();
        let line = line_around(self.source, span.start);
        let shown = window(self.source, &line, span.start);
        let marked = span.end.clamp(span.start, shown.end);
        let piece = |range: Range<usize>| Piece(self.source.get(range).unwrap_or_default());
        let before = piece(shown.start..span.start);
        let within = piece(span.start..marked);
        let after = piece(marked..shown.end);

        let cut_left = if line.start < shown.start { "…" } else { "" };
        let cut_right = if shown.end < line.end { "…" } else { "" };
        writeln!(f, "  | {cut_left}{before}{within}{after}{cut_right}")?;

        let indent = before.width().saturating_add(cut_left.chars().count());
        let carets = within.width().max(1);
        writeln!(f, "  | {:indent$}{:^<carets$}", "", "")
    }

    /// The lines to write, if there are several: the help has a single one.
    fn replacement(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What stands between blank lines is no text to write.
        let is_rest = self.diagnostic.code() == Code::POLICY_BLANK_LINE.as_str();
        let suggestion = self.diagnostic.suggestion().filter(|_| !is_rest);
        let text = suggestion.map(|suggestion| suggestion.replacement().trim_end());
        let is_shown =
            |text: &&str| text.contains('\n') && text.lines().all(|line| line.len() <= MAX_SHOWN);
        let lines = text.filter(is_shown).unwrap_or_default();
        lines.lines().try_for_each(|line| writeln!(f, "  + {}", Piece(line.as_bytes())))
    }
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clause = self.diagnostic.clause();
        writeln!(f, "{}", self.diagnostic)?;
        if self.diagnostic.span().start < self.source.len() {
            let Position { line, column, .. } = self.diagnostic.start();
            writeln!(f, "  --> line {line}, column {column} ({clause})")?;
            self.source_line(f)?;
        } else {
            writeln!(f, "  --> at the end ({clause})")?;
        }
        self.diagnostic.help().iter().try_for_each(|help| writeln!(f, "  = help: {help}"))?;
        self.replacement(f)
    }
}

/// Returns the line that `at` is on, without its end.
fn line_around(source: &[u8], at: usize) -> Range<usize> {
    let is_end = |&byte: &u8| byte == b'\n';
    let before = source.get(..at).unwrap_or_default();
    let after = source.get(at..).unwrap_or_default();
    let start = before.iter().rposition(is_end).map_or(0, |end| end.saturating_add(1));
    let rest = after.split(is_end).next().unwrap_or_default();
    let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    start..at.saturating_add(rest.len())
}

/// Returns the part of a line that is shown.
fn window(source: &[u8], line: &Range<usize>, at: usize) -> Range<usize> {
    let late = at.saturating_sub(line.start) > WIDTH / 2;
    let start = if late { at.saturating_sub(LEAD) } else { line.start };
    let start = (start..at).find(|&start| is_boundary(source, start)).unwrap_or(at);
    let end = line.end.min(start.saturating_add(WIDTH));
    let end = (at..=end).rev().find(|&end| is_boundary(source, end)).unwrap_or(end);
    start..end.max(at)
}

/// Returns whether a UTF-8 sequence begins at this byte.
fn is_boundary(source: &[u8], at: usize) -> bool {
    source.get(at).is_none_or(|byte| byte & 0xC0 != 0x80)
}

/// Bytes as they are shown: printable text as it is, all else escaped.
struct Piece<'a>(&'a [u8]);

impl Piece<'_> {
    /// In characters.
    fn width(&self) -> usize {
        let mut width = Width(0);
        // Counting does not fail.
        let _ = write!(width, "{self}");
        width.0
    }
}

impl fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            write!(f, "{}{}", Printable(chunk.valid()), chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

struct Width(usize);

impl fmt::Write for Width {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.chars().count());
        Ok(())
    }
}
