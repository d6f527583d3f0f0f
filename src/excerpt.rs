//! What an error may show of what it was given.

use alloc::{
    format,
    string::{String, ToString},
};

/// Source bytes shown at the most. They come from strangers and go to logs.
const MAX: usize = 36;

/// The beginning of `bytes`, up to the end of the line and no more than [`MAX`] of them: escaped,
/// in double quotes, with `…` where something was cut off; `nothing` if there is none.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return if bytes.is_empty() { "nothing" } else { "the end of the line" }.to_string();
    }
    match line.get(..MAX) {
        Some(head) if line.len() > MAX => format!("\"{}\"…", head.escape_ascii()),
        _ => format!("\"{}\"", line.escape_ascii()),
    }
}
