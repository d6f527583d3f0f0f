//! A minimal reader of DER (X.690) that finds the parts of a certificate or a revocation list.
//!
//! Both are read by webpki first. This reader is for parts that webpki does not return, and for
//! certificates that it refuses.

/// An element of a tag, a length, and contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
    /// All bytes of the element, including tag and length.
    pub(super) whole: &'a [u8],
}

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The first octet of a tag of several octets, which neither certificates nor lists have.
const LONG_TAG: u8 = 0x1F;

/// A sequence of elements. It ends at the first that is malformed.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// Returns the contents of the next element, if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.contents)
    }

    /// Returns the elements of the next element, if it is a `SEQUENCE`.
    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.expect(SEQUENCE).map(Self)
    }

    /// Returns the octets of the next element, if it is a `BIT STRING` of whole octets.
    pub(super) fn octets(&mut self) -> Option<&'a [u8]> {
        match self.expect(BIT_STRING)? {
            [0, octets @ ..] => Some(octets),
            _ => None,
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        if tag & LONG_TAG == LONG_TAG {
            return None;
        }
        let (len, rest) = length(rest)?;
        let (contents, after) = rest.split_at_checked(len)?;
        let (whole, _) = self.0.split_at_checked(self.0.len().checked_sub(after.len())?)?;
        self.0 = after;
        Some(Element { tag, contents, whole })
    }
}

/// Reads a length of up to four octets, and returns the bytes after it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let octets = match first {
        0..=0x7F => return Some((first.into(), rest)),
        0x81..=0x84 => usize::from(first & 0x7F),
        _ => return None,
    };
    let (octets, rest) = rest.split_at_checked(octets)?;
    let len = octets.iter().fold(0_u32, |len, &octet| (len << 8) | u32::from(octet));
    Some((usize::try_from(len).ok()?, rest))
}
