//! Deviations from the grammar that a reader may tolerate.

#[cfg(feature = "serde")]
use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, ops, str::FromStr};

use thiserror::Error;

/// A set of deviations from the policy grammar that leave no doubt about the meaning.
///
/// Real policy files violate the grammar of [RFC 8461 §3.2] in these ways, and their meaning is
/// still clear. [`Policy::parse`](crate::Policy::parse) allows none of them;
/// [`Policy::parse_with`](crate::Policy::parse_with) allows those of a set, and
/// [`Policy::tolerated`](crate::Policy::tolerated) returns those that a file needed. A deviation
/// that could change the meaning is never tolerated: a wrong mode, a bad number, a bad pattern, a
/// key in the wrong case.
///
/// ```
/// use mta_sts::{Policy, Tolerances};
///
/// let file = b"version: STSv1\nmode: enforce\n\nmx: mx.example.com\nmax_age: 604800\n";
/// assert!(Policy::parse(file).is_err());
///
/// let policy = Policy::parse_with(file, Tolerances::IN_THE_WILD)?;
/// assert_eq!(policy.tolerated(), Tolerances::BLANK_LINES);
/// # Ok::<(), mta_sts::error::PolicyError>(())
/// ```
///
/// In configuration files, a set is the list of its members' names.
///
/// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Vec<Cow<'_, str>>", into = "Vec<&'static str>"))]
pub struct Tolerances(u8);

/// The name of the empty set.
const NOTHING: &str = "nothing";

impl Tolerances {
    /// No tolerances: the grammar of the RFC.
    pub const NONE: Self = Self(0);
    /// Lines that are empty or contain only white space.
    pub const BLANK_LINES: Self = Self(1);
    /// White space before the name of a field.
    pub const LEADING_SPACE: Self = Self(1 << 1);
    /// White space between the name of a field and its colon.
    pub const SPACE_BEFORE_COLON: Self = Self(1 << 2);
    /// A UTF-8 byte order mark at the start of the file.
    pub const BYTE_ORDER_MARK: Self = Self(1 << 3);
    /// A dot at the end of an `mx` value, as in a zone file.
    pub const MX_TRAILING_DOT: Self = Self(1 << 4);
    /// All tolerances. A sender needs them to apply every policy whose meaning is clear.
    pub const IN_THE_WILD: Self = Self((1 << 5) - 1);

    /// The members, each with its name and a description.
    const MEMBERS: [(Self, &'static str, &'static str); 5] = [
        (Self::BLANK_LINES, "blank-lines", "a blank line"),
        (Self::LEADING_SPACE, "leading-space", "white space before a field"),
        (Self::SPACE_BEFORE_COLON, "space-before-colon", "white space before a colon"),
        (Self::BYTE_ORDER_MARK, "byte-order-mark", "a byte order mark"),
        (Self::MX_TRAILING_DOT, "mx-trailing-dot", "a dot at the end of an `mx`"),
    ];

    /// Returns the member with this name or description.
    fn member(word: &str) -> Result<Self, ParseToleranceError> {
        let is_it = |&(_, name, words): &(Self, &str, &str)| word == name || word == words;
        let member = Self::MEMBERS.into_iter().find(is_it);
        member.map(|(one, ..)| one).ok_or(ParseToleranceError(()))
    }

    /// Returns whether every member of `other` is a member of this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns whether this set has no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the members of this set that are not members of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns the members, each as a set of its own.
    pub fn iter(self) -> impl Iterator<Item = Self> {
        Self::MEMBERS.into_iter().map(|(one, ..)| one).filter(move |&one| self.contains(one))
    }

    /// Returns the names of the members, such as `blank-lines`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let members = Self::MEMBERS.into_iter().filter(move |&(one, ..)| self.contains(one));
        members.map(|(_, name, _)| name)
    }
}

/// The error for a word that is not the name of a tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a tolerance is one of `blank-lines`, `leading-space`, `space-before-colon`, \
     `byte-order-mark`, `mx-trailing-dot`"
)]
pub struct ParseToleranceError(());

/// Parses names of members, or descriptions as [`Display`](fmt::Display) writes them, separated by
/// commas; `nothing` is the empty set.
impl FromStr for Tolerances {
    type Err = ParseToleranceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == NOTHING {
            return Ok(Self::NONE);
        }
        text.split(',').map(|word| Self::member(word.trim())).collect()
    }
}

/// The union of sets.
impl FromIterator<Self> for Tolerances {
    fn from_iter<I: IntoIterator<Item = Self>>(sets: I) -> Self {
        sets.into_iter().fold(Self::NONE, ops::BitOr::bitor)
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Vec<Cow<'_, str>>> for Tolerances {
    type Error = ParseToleranceError;

    fn try_from(names: Vec<Cow<'_, str>>) -> Result<Self, Self::Error> {
        names.iter().map(|name| name.parse::<Self>()).collect()
    }
}

#[cfg(feature = "serde")]
impl From<Tolerances> for Vec<&'static str> {
    fn from(set: Tolerances) -> Self {
        set.names().collect()
    }
}

/// The union of sets.
impl ops::BitOr for Tolerances {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Tolerances {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// Writes the descriptions of the members, separated by commas, or `nothing` if there are none.
impl fmt::Display for Tolerances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(NOTHING);
        }
        let members = Self::MEMBERS.into_iter().filter(|&(one, ..)| self.contains(one));
        for (n, (.., words)) in members.enumerate() {
            f.write_str(if n == 0 { "" } else { ", " })?;
            f.write_str(words)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Tolerances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tolerances({self})")
    }
}
