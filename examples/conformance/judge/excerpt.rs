//! What a program has said, fit to be printed.

use std::fmt::Write;

/// The greatest number of characters of a text that are printed.
const MAX_CHARS: usize = 2000;

/// Returns the beginning of a text. Control characters, and others that are not seen or that change how
/// the text is shown, are written as in JSON: `\u001b`.
pub(super) fn excerpt(text: &str) -> String {
    let mut excerpt = String::new();
    for (c, number) in text.trim().chars().zip(0..) {
        if number == MAX_CHARS {
            excerpt.push('…');
            break;
        }
        if is_printable(c) {
            excerpt.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(excerpt, "\\u{unit:04x}");
            }
        }
    }
    excerpt
}

fn is_printable(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\') || c.escape_debug().len() == 1
}
