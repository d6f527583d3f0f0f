#[cfg(feature = "serde")]
use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, ops, str::FromStr};

use thiserror::Error;

/// A set of deviations from the policy grammar that leave no doubt about what is meant.
///
/// Real policy files break the grammar of RFC 8461 §3.2 in these ways and are plain all the same.
/// [`Policy::parse`](crate::Policy::parse) allows none of them;
/// [`Policy::parse_with`](crate::Policy::parse_with) allows those it is given, and
/// [`Policy::tolerated`](crate::Policy::tolerated) tells which ones a file made use of. Nothing that
/// could change what a policy means is ever tolerated: a wrong mode, a bad number, a bad pattern, a
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
/// # Ok::<(), mta_sts::PolicyError>(())
/// ```
///
/// In configurations, a set is the list of its members' names.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Vec<Cow<'_, str>>", into = "Vec<&'static str>"))]
pub struct Tolerances(u8);

impl Tolerances {
    /// The RFC, strictly.
    pub const NONE: Self = Self(0);
    /// Lines with nothing, or nothing but white space, on them.
    pub const BLANK_LINES: Self = Self(1);
    /// White space before the name of a field.
    pub const LEADING_SPACE: Self = Self(1 << 1);
    /// White space between the name of a field and its colon.
    pub const SPACE_BEFORE_COLON: Self = Self(1 << 2);
    /// A UTF-8 byte order mark at the start of the file.
    pub const BYTE_ORDER_MARK: Self = Self(1 << 3);
    /// A dot at the end of an `mx` value, as in a zone file.
    pub const MX_TRAILING_DOT: Self = Self(1 << 4);
    /// All of them: what a sender needs to apply every policy whose meaning is plain.
    pub const IN_THE_WILD: Self = Self((1 << 5) - 1);

    /// Each member, its name, and the deviation in words.
    const MEMBERS: [(Self, &'static str, &'static str); 5] = [
        (Self::BLANK_LINES, "blank-lines", "a blank line"),
        (Self::LEADING_SPACE, "leading-space", "white space before a field"),
        (Self::SPACE_BEFORE_COLON, "space-before-colon", "white space before a colon"),
        (Self::BYTE_ORDER_MARK, "byte-order-mark", "a byte order mark"),
        (Self::MX_TRAILING_DOT, "mx-trailing-dot", "a dot at the end of an `mx`"),
    ];

    /// Whether every member of `other` is a member of this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether this set has no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members of this set that are not members of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members, each as a set of its own.
    pub fn iter(self) -> impl Iterator<Item = Self> {
        Self::MEMBERS.into_iter().map(|(one, ..)| one).filter(move |&one| self.contains(one))
    }

    /// The names of the members, such as `blank-lines`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let members = Self::MEMBERS.into_iter().filter(move |&(one, ..)| self.contains(one));
        members.map(|(_, name, _)| name)
    }
}

/// A word that names no tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a tolerance is one of `blank-lines`, `leading-space`, `space-before-colon`, \
     `byte-order-mark`, `mx-trailing-dot`"
)]
pub struct ParseToleranceError(());

/// The one tolerance of this name.
impl FromStr for Tolerances {
    type Err = ParseToleranceError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::MEMBERS.into_iter().find(|&(_, name, _)| name == word);
        known.map(|(one, ..)| one).ok_or(ParseToleranceError(()))
    }
}

/// The union.
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

/// The union.
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

/// The members in words, separated by commas; `nothing` if there are none.
impl fmt::Display for Tolerances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
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
