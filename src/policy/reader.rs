//! Parsing of a policy from the lines of its file.

use alloc::{borrow::Cow, vec::Vec};
use core::str;

use super::{PolicyError, PolicyErrorKind, file::Policy, span::Span};
use crate::{
    mode::Mode,
    parse::{
        Fault, offset,
        policy::{Field, Lines},
    },
    tolerances::Tolerances,
};

impl Policy {
    /// Reads a policy strictly by the grammar of the RFC.
    ///
    /// The first `version`, `mode` and `max_age` counts, and must be well formed. Unknown fields
    /// are extensions. A `max_age` over [`MAX_MAX_AGE`](Self::MAX_MAX_AGE) is lowered to it. Takes
    /// time linear in the length of the input.
    ///
    /// # Errors
    ///
    /// Returns the first error, with its place.
    pub fn parse(input: &[u8]) -> Result<Self, PolicyError> {
        Self::parse_with(input, Tolerances::NONE)
    }

    /// Reads a policy that may have these deviations from the grammar.
    ///
    /// A policy that [`parse`](Self::parse) accepts has the same meaning here.
    ///
    /// # Errors
    ///
    /// Returns the first error, with its place.
    pub fn parse_with(input: &[u8], tolerances: Tolerances) -> Result<Self, PolicyError> {
        read(input, tolerances).map_err(|fault| PolicyError::new(fault, input))
    }
}

impl str::FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes())
    }
}

/// Reads a policy with [`Tolerances::IN_THE_WILD`], so that every policy that was ever accepted is
/// accepted again.
impl TryFrom<Cow<'_, str>> for Policy {
    type Error = PolicyError;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        Self::parse_with(text.as_bytes(), Tolerances::IN_THE_WILD)
    }
}

type Read<'a, T> = Result<T, Fault<'a, PolicyErrorKind>>;

fn read(input: &[u8], tolerances: Tolerances) -> Read<'_, Policy> {
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

/// The fields read so far.
#[derive(Default)]
struct Draft {
    version: bool,
    mode: Option<Mode>,
    max_age: Option<u64>,
    mx: Vec<Span>,
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
            self.read_field(field, text);
        }
        self.tolerated = tolerated;
        Ok(())
    }

    fn read_field(&mut self, field: Field<'_>, text: &str) {
        match field {
            Field::Version => self.version = true,
            Field::Mode(mode) => self.mode = Some(mode),
            Field::MaxAge(seconds) => self.max_age = Some(seconds),
            Field::Mx { at, len } => self.read_mx(offset(text.as_bytes(), at), len),
            Field::Other { .. } => {}
        }
    }

    fn read_mx(&mut self, start: usize, len: usize) {
        if self.mx.capacity() == 0 {
            self.mx = Vec::with_capacity(8); // enough for nearly all policies
        }
        if let Some(span) = Span::new(start, len) {
            self.mx.push(span);
        }
    }

    /// Creates the policy if no field is missing: "required once", and "required at least once,
    /// except when mode is "none"" (RFC 8461 §3.2).
    fn finish(self, text: &str) -> Result<Policy, PolicyErrorKind> {
        if !self.version {
            return Err(PolicyErrorKind::MissingVersion);
        }
        let mode = self.mode.ok_or(PolicyErrorKind::MissingMode)?;
        let max_age = self.max_age.ok_or(PolicyErrorKind::MissingMaxAge)?;
        if self.mx.is_empty() && mode != Mode::None {
            return Err(PolicyErrorKind::MissingMx);
        }
        let max_age = max_age.min(Policy::MAX_MAX_AGE.as_secs());
        let max_age = u32::try_from(max_age).unwrap_or(u32::MAX);
        Ok(Policy::from_parts(text, self.mx, max_age, mode, self.tolerated))
    }
}
