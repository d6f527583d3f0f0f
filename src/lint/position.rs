//! Lines and columns.

use alloc::string::String;

/// A place in a source, as editors count: lines and columns from 1.
///
/// A line ends after each LF. Bytes that are not UTF-8 count as the replacement characters that
/// stand for them when they are decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters (Unicode scalar values), from 1.
    pub column: usize,
    /// The column in UTF-16 code units, from 1, as the Language Server Protocol and JavaScript
    /// count.
    pub column_utf16: usize,
}

impl Position {
    const FIRST: Self = Self { line: 1, column: 1, column_utf16: 1 };

    /// Returns the position after `text`, which begins at this one.
    fn after(self, text: &[u8]) -> Self {
        let Some(line_end) = text.iter().rposition(|&byte| byte == b'\n') else {
            let text = String::from_utf8_lossy(text);
            return Self {
                column: self.column.saturating_add(text.chars().count()),
                column_utf16: self.column_utf16.saturating_add(text.encode_utf16().count()),
                ..self
            };
        };
        let (lines, rest) = text.split_at_checked(line_end.saturating_add(1)).unwrap_or_default();
        let count = lines.split(|&byte| byte == b'\n').skip(1).count();
        Self { line: self.line.saturating_add(count), ..Self::FIRST }.after(rest)
    }
}

/// Turns offsets, in rising order, into positions, and reads the source only once for all of them.
pub(super) struct Cursor<'a> {
    source: &'a [u8],
    offset: usize,
    position: Position,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a [u8]) -> Self {
        Self { source, offset: 0, position: Position::FIRST }
    }

    pub(super) fn position(&mut self, offset: usize) -> Position {
        let offset = offset.min(self.source.len());
        let position =
            self.position.after(self.source.get(self.offset..offset).unwrap_or_default());
        // Nothing can go on from the middle of a character.
        if self.source.get(offset).is_none_or(|byte| byte & 0xC0 != 0x80) {
            (self.offset, self.position) = (offset, position);
        }
        position
    }
}
