//! Text of the source, as messages show it.

use core::fmt::{self, Write as _};

use crate::excerpt::Printable;

/// Text of the source as a message shows it: on one line, escaped where it is not printable, and with
/// `…` after the length of the longest DNS name.
pub(super) struct Shown<'a>(pub(super) &'a str);

const MAX: usize = 253;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = MAX;
        for c in self.0.chars() {
            let len = if matches!(c, '\'' | '"' | '\\') { 1 } else { c.escape_debug().count() };
            let Some(left) = rest.checked_sub(len) else { return f.write_char('…') };
            rest = left;
            write!(f, "{}", Printable(c.encode_utf8(&mut [0; 4])))?;
        }
        Ok(())
    }
}
