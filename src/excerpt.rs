//! Excerpts of input for error messages.

use alloc::{format, string::String};
use core::fmt::{self, Write as _};

/// The maximum number of input bytes in an excerpt. They come from strangers and go to logs.
const MAX: usize = 36;

/// Returns the beginning of `bytes`, escaped and in double quotes, with `…` if it was cut, or
/// `nothing` if there are no bytes.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    excerpt_to(bytes, MAX)
}

/// Returns an excerpt of at most `max` characters, those of escapes included, for texts that have to
/// be copied or compared whole.
pub(crate) fn excerpt_of(bytes: &[u8], max: usize) -> String {
    let mut left = max;
    let fits = |byte: &&u8| match left.checked_sub(core::ascii::escape_default(**byte).len()) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    excerpt_to(bytes, bytes.iter().take_while(fits).count())
}

/// Returns an excerpt of at most `len` bytes.
fn excerpt_to(bytes: &[u8], len: usize) -> String {
    match bytes.split_at_checked(len) {
        Some((head, [_, ..])) => format!("\"{}\"…", head.escape_ascii()),
        _ if bytes.is_empty() => "nothing".into(),
        _ => format!("\"{}\"", bytes.escape_ascii()),
    }
}

/// Text that may come from strangers, displayed on one line and in its own order: unprintable
/// characters (line ends, terminal codes, changes of direction) are escaped.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\'' | '"' | '\\' => f.write_char(c),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}

/// The maximum length of a DNS name in text (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

/// Returns `bytes` whole and in double quotes if they are printable ASCII without a space and no
/// longer than a DNS name, because names have to be copied and compared. Returns an [`excerpt`]
/// otherwise.
pub(crate) fn quoted_name(bytes: &[u8]) -> String {
    if bytes.contains(&b' ') { excerpt(bytes) } else { quoted_text(bytes) }
}

/// Returns a value whole like [`quoted_name`], but also with spaces, such as a media type.
pub(crate) fn quoted_text(bytes: &[u8]) -> String {
    let is_plain = |byte: &u8| {
        (byte.is_ascii_graphic() || *byte == b' ') && !matches!(byte, b'"' | b'\\' | b'\'')
    };
    match core::str::from_utf8(bytes) {
        Ok(name) if (1..=MAX_NAME).contains(&name.len()) && bytes.iter().all(is_plain) => {
            format!("\"{name}\"")
        }
        _ => excerpt(bytes),
    }
}
