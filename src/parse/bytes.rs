//! The basic rules on which all others are built. nom has such rules for every type of input and
//! error; these are for bytes only, which makes them fast.

use core::ops::RangeInclusive;

use nom::{Err, Parser};

/// A set of bytes, as a table, because nearly every byte of an input is looked up in one.
pub(super) struct Class([bool; 256]);

impl Class {
    /// Creates the set of the bytes in these ranges.
    #[expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "compiles or not")]
    pub(super) const fn of(ranges: &[RangeInclusive<u8>]) -> Self {
        let mut table = [false; 256];
        let mut n = 0;
        while n < ranges.len() {
            let mut byte = *ranges[n].start() as usize;
            while byte <= *ranges[n].end() as usize {
                table[byte] = true;
                byte += 1;
            }
            n += 1;
        }
        Self(table)
    }

    #[expect(clippy::indexing_slicing, reason = "the table has every byte")]
    #[inline]
    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// Splits off the bytes of the class at the start of the input, which may be none. Returns the
/// rest, and these bytes.
#[inline]
pub(super) fn span<'a>(class: &Class, input: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let len = input.iter().position(|&byte| !class.contains(byte)).unwrap_or(input.len());
    let (run, rest) = input.split_at_checked(len).unwrap_or_default();
    (rest, run)
}

/// Parses zero or more bytes of the class.
pub(super) fn run0<'a>(
    class: &'static Class,
) -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    move |input: &'a [u8]| Ok(span(class, input))
}

/// Parses one or more bytes of the class.
pub(super) fn run1<'a>(
    class: &'static Class,
) -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    move |input: &'a [u8]| match span(class, input) {
        (_, []) => Err(Err::Error(())),
        found => Ok(found),
    }
}

/// Parses exactly these bytes.
pub(super) fn literal<'a>(text: &'static [u8]) -> impl Parser<&'a [u8], Output = (), Error = ()> {
    move |input: &'a [u8]| match input.strip_prefix(text) {
        Some(rest) => Ok((rest, ())),
        None => Err(Err::Error(())),
    }
}
