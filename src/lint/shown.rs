//! Text of the source, as messages show it.

use alloc::string::ToString as _;
use core::fmt::{self, Write as _};

use crate::excerpt::Printable;

/// Text of the source as a message shows it: on one line, escaped where it is not printable, and with
/// `…` after as many bytes as the longest DNS name has (RFC 1035 §2.3.4).
pub(super) struct Shown<'a>(pub(super) &'a str);

/// The maximum number of bytes that are written, those of escapes included.
const MAX: usize = 253;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = MAX;
        for c in self.0.chars() {
            let shown = Printable(c.encode_utf8(&mut [0; 4])).to_string();
            let Some(left) = rest.checked_sub(shown.len()) else { return f.write_char('…') };
            rest = left;
            f.write_str(&shown)?;
        }
        Ok(())
    }
}
