//! From the lines of a file to a policy.

use alloc::vec::Vec;
use core::str;

use super::{Place, Policy, PolicyErrorKind};
use crate::{
    mode::Mode,
    parse::{
        Fault, offset,
        policy::{Field, Lines},
    },
    tolerances::Tolerances,
};

type Read<'a, T> = Result<T, Fault<'a, PolicyErrorKind>>;

pub(super) fn read(input: &[u8], tolerances: Tolerances) -> Read<'_, Policy> {
    let text = text(input)?;
    let mut draft = Draft::default();
    draft.read(text, tolerances)?;
    draft.finish(text).map_err(|kind| Fault { kind, at: &[] })
}

fn text(input: &[u8]) -> Read<'_, &str> {
    if input.len() > Policy::MAX_LEN {
        return Err(Fault { kind: PolicyErrorKind::TooLarge, at: input });
    }
    if input.is_empty() {
        return Err(Fault { kind: PolicyErrorKind::Empty, at: input });
    }
    str::from_utf8(input).map_err(|error| {
        let at = input.get(error.valid_up_to()..).unwrap_or_default();
        Fault { kind: PolicyErrorKind::NotUtf8, at }
    })
}

/// The fields met so far.
#[derive(Default)]
struct Draft {
    version: bool,
    mode: Option<Mode>,
    max_age: Option<u64>,
    mx: Vec<Place>,
    tolerated: Tolerances,
}

impl Draft {
    fn read<'a>(&mut self, text: &'a str, tolerances: Tolerances) -> Read<'a, ()> {
        let mut tolerated = Tolerances::NONE;
        let mut tolerate = |deviation, _: &[u8]| {
            tolerated |= deviation;
            tolerances.contains(deviation)
        };
        let mut lines = Lines::new(text.as_bytes());
        lines.byte_order_mark(&mut tolerate)?;
        while let Some(field) = lines.next_field(&mut tolerate)? {
            self.take(field, text);
        }
        self.tolerated = tolerated;
        Ok(())
    }

    fn take(&mut self, field: Field<'_>, text: &str) {
        match field {
            Field::Version => self.version = true,
            Field::Mode(mode) => self.mode = Some(mode),
            Field::MaxAge(seconds) => self.max_age = Some(seconds),
            Field::Mx { at, len } => self.take_mx(offset(text.as_bytes(), at), len),
            Field::Other { .. } => {}
        }
    }

    fn take_mx(&mut self, start: usize, len: usize) {
        if self.mx.capacity() == 0 {
            self.mx = Vec::with_capacity(8); // enough for nearly all policies
        }
        if let Some(place) = Place::new(start, len) {
            self.mx.push(place);
        }
    }

    /// "required once", and "required at least once, except when mode is "none"" (§3.2).
    fn finish(self, text: &str) -> Result<Policy, PolicyErrorKind> {
        if !self.version {
            return Err(PolicyErrorKind::NoVersion);
        }
        let mode = self.mode.ok_or(PolicyErrorKind::NoMode)?;
        let max_age = self.max_age.ok_or(PolicyErrorKind::NoMaxAge)?;
        if self.mx.is_empty() && mode != Mode::None {
            return Err(PolicyErrorKind::NoMx);
        }
        let max_age = max_age.min(Policy::MAX_MAX_AGE.as_secs());
        Ok(Policy {
            text: text.into(),
            mx: self.mx,
            max_age: u32::try_from(max_age).unwrap_or(u32::MAX),
            mode,
            tolerated: self.tolerated,
        })
    }
}
