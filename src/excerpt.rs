//! What an error may show of what it was given.

use alloc::{format, string::String};
use core::fmt::{self, Write as _};

/// Source bytes shown at the most. They come from strangers and go to logs.
const MAX: usize = 36;

/// The beginning of `bytes`, escaped and in double quotes, with `…` if that is not all of them;
/// `nothing` if there is none.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    match bytes.split_at_checked(MAX) {
        Some((head, [_, ..])) => format!("\"{}\"…", head.escape_ascii()),
        _ if bytes.is_empty() => "nothing".into(),
        _ => format!("\"{}\"", bytes.escape_ascii()),
    }
}

/// Text that may come from strangers, on one line and in its own order: what is not a printable
/// character (line ends, terminal codes, changes of direction) is escaped.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\'' | '"' | '\\' => f.write_char(c),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}
