//! The id of a policy.

use alloc::{borrow::Cow, string::String};
use core::{fmt, str, str::FromStr};

use thiserror::Error;
use time::UtcDateTime;

use crate::{
    excerpt::excerpt,
    parse::{is_all, record::sts_id_value},
};

/// The `id` of an `_mta-sts` record: 1 to 32 ASCII letters and digits ([RFC 8461 §3.1]).
///
/// Ids are compared literally: `007` is not `7`, `a` is not `A`. They have no order: "There is no
/// implied ordering of "id" fields between revisions."
///
/// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Cow<'_, str>", into = "String"))]
pub struct PolicyId([u8; MAX_LEN]); // shorter ids are followed by NULs

const MAX_LEN: usize = 32;

/// The error for a text that is not a [`PolicyId`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`id` must be 1 to 32 letters and digits, not {found}")]
pub struct PolicyIdError {
    found: String,
}

impl PolicyId {
    /// Reads an id, for example from a configuration or a database.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is empty, is longer than 32 bytes, or contains a character
    /// other than ASCII letters and digits.
    pub fn parse(text: &str) -> Result<Self, PolicyIdError> {
        if is_all(sts_id_value, text.as_bytes()) {
            Ok(Self::accepted(text.as_bytes()))
        } else {
            Err(PolicyIdError { found: excerpt(text.as_bytes()) })
        }
    }

    /// Creates an id that the record grammar has already accepted.
    pub(super) fn accepted(id: &[u8]) -> Self {
        let mut bytes = [0; MAX_LEN];
        if let Some(start) = bytes.get_mut(..id.len()) {
            start.copy_from_slice(id);
        }
        Self(bytes)
    }

    /// Creates an id from a policy's text: the first 128 bits of its SHA-256, in lower-case
    /// hexadecimal.
    ///
    /// The same text always gives the same id, and different texts give different ids in practice,
    /// so that no counter is needed. Without this crate: `sha256sum mta-sts.txt | cut -c1-32`.
    #[cfg(feature = "sha2")]
    #[must_use]
    pub fn from_content(policy_text: &str) -> Self {
        use sha2::Digest as _;

        let digest = sha2::Sha256::digest(policy_text.as_bytes());
        let mut bytes = [0; MAX_LEN];
        for (pair, byte) in bytes.chunks_exact_mut(2).zip(digest) {
            let digits = [byte >> 4, byte & 0xF];
            for (to, digit) in pair.iter_mut().zip(digits) {
                *to = b"0123456789abcdef".get(usize::from(digit)).copied().unwrap_or_default();
            }
        }
        Self(bytes)
    }

    /// Creates an id from the time of a change, like the RFC's example: `20160831085700Z`.
    ///
    /// Two changes within the same second get the same id, so do not publish faster than that. The
    /// year is written modulo 10,000: the year −1 as `9999`.
    #[must_use]
    pub fn from_timestamp(at: UtcDateTime) -> Self {
        let parts = [
            (4, at.year().rem_euclid(10_000).unsigned_abs()),
            (2, u32::from(u8::from(at.month()))),
            (2, u32::from(at.day())),
            (2, u32::from(at.hour())),
            (2, u32::from(at.minute())),
            (2, u32::from(at.second())),
        ];
        let digits = parts.into_iter().flat_map(|(width, n)| {
            (0..width).rev().map(move |place| b'0'.wrapping_add(decimal_digit(n, place)))
        });
        let mut bytes = [0; MAX_LEN];
        for (to, from) in bytes.iter_mut().zip(digits.chain([b'Z'])) {
            *to = from;
        }
        Self(bytes)
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|&byte| byte == 0).unwrap_or(MAX_LEN);
        // Every byte before the first NUL is an ASCII letter or digit.
        self.0.get(..len).and_then(|id| str::from_utf8(id).ok()).unwrap_or_default()
    }
}

fn decimal_digit(n: u32, place: u32) -> u8 {
    let digit = n.checked_div(10_u32.saturating_pow(place)).unwrap_or_default() % 10;
    u8::try_from(digit).unwrap_or_default()
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyId({self})")
    }
}

impl FromStr for PolicyId {
    type Err = PolicyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl PartialEq<str> for PolicyId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for PolicyId {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl TryFrom<Cow<'_, str>> for PolicyId {
    type Error = PolicyIdError;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PolicyId> for String {
    fn from(id: PolicyId) -> Self {
        id.as_str().into()
    }
}
