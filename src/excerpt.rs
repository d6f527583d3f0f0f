//! What an error may show of what it was given.

use alloc::{format, string::String};

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
