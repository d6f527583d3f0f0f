//! Distinguished names, as displayed in messages.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use super::der::{Element, Elements, OBJECT_IDENTIFIER, SET};
use crate::excerpt::Printable;

/// A distinguished name (RFC 5280 §4.1.2.4): the contents of its `RDNSequence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a>(pub(super) &'a [u8]);

/// The attributes of a name that may be displayed (RFC 5280 appendix A.1): the first one that it
/// has is.
const SHOWN: [(&[u8], &str); 3] =
    [(&[0x55, 4, 3], "CN"), (&[0x55, 4, 10], "O"), (&[0x55, 4, 11], "OU")];

/// The maximum number of characters that are displayed. `ub-common-name-length` and similar limits
/// are 64; some names are longer.
const MAX_SHOWN: usize = 128;

const BMP_STRING: u8 = 0x1E;

impl<'a> Name<'a> {
    /// Returns the type and the value of each attribute.
    fn attributes(self) -> impl Iterator<Item = (&'a [u8], Element<'a>)> {
        let sets = Elements(self.0).filter(|set| set.tag == SET);
        sets.flat_map(|set| Elements(set.contents)).filter_map(|attribute| {
            let mut attribute = Elements(attribute.contents);
            Some((attribute.expect(OBJECT_IDENTIFIER)?, attribute.next()?))
        })
    }
}

/// Writes the name for a sentence: `CN=Example Root`.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = SHOWN.iter().find_map(|(id, word)| {
            let (_, value) = self.attributes().find(|(attribute, _)| attribute == id)?;
            Some((word, value))
        });
        let Some((word, value)) = shown else { return f.write_str("an authority without a name") };
        let text = text(value);
        let end = text.char_indices().nth(MAX_SHOWN).map_or(text.len(), |(at, _)| at);
        write!(f, "{word}={}", Printable(text.get(..end).unwrap_or_default()))?;
        if end < text.len() { f.write_str("…") } else { Ok(()) }
    }
}

fn text(value: Element<'_>) -> Cow<'_, str> {
    if value.tag != BMP_STRING {
        return String::from_utf8_lossy(value.contents);
    }
    let units: Vec<u16> =
        value.contents.as_chunks().0.iter().map(|&unit| u16::from_be_bytes(unit)).collect();
    String::from_utf16_lossy(&units).into()
}
