//! MX patterns and matching (RFC 8461 §3.2, §4.1).

use alloc::{borrow::Cow, string::String};
use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str,
};

use thiserror::Error;

use crate::{
    excerpt::quoted_name,
    parse::{is_all, name::sts_policy_mx_value},
    same_name::same_name,
};

/// The value of one `mx` field: a host name, or `*.` and a host name.
///
/// Patterns are compared without regard to ASCII case; [`as_str`](Self::as_str) preserves the case
/// that was published.
///
/// ```
/// use mta_sts::MxPattern;
///
/// let pattern = MxPattern::parse("*.example.net")?;
/// assert!(pattern.matches("MX1.example.net."));
/// assert!(!pattern.matches("example.net"), "`*` stands for a label");
/// assert!(!pattern.matches("a.b.example.net"), "`*` stands for one label");
/// # Ok::<(), mta_sts::error::MxPatternError>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Cow<'_, str>", into = "String"))]
pub struct MxPattern<'a>(Cow<'a, str>);

/// The error for a text that is not an MX pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("an MX pattern is one host name, or `*.` and a host name, not {found}")]
pub struct MxPatternError {
    found: String,
}

impl<'a> MxPattern<'a> {
    /// Reads a pattern, strictly as `sts-policy-mx-value = ["*."] Domain` ([RFC 8461 §3.2]).
    ///
    /// # Errors
    ///
    /// Returns an error for any other text: with a trailing dot, an underscore, a U-label, a bare
    /// `*`, an inner or partial wildcard, or an address literal.
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    pub fn parse(text: &'a str) -> Result<Self, MxPatternError> {
        if is_all(sts_policy_mx_value, text.as_bytes()) {
            Ok(Self(Cow::Borrowed(text)))
        } else {
            Err(MxPatternError { found: quoted_name(text.as_bytes()) })
        }
    }

    /// Creates a pattern that the policy grammar has already accepted.
    pub(crate) fn accepted(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Returns the pattern as it was published.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host name after `*.`, if the pattern begins with that.
    #[must_use]
    pub fn wildcard_base(&self) -> Option<&str> {
        self.0.strip_prefix("*.")
    }

    /// Returns whether the pattern allows the host named in an MX record ([RFC 8461 §4.1]).
    ///
    /// `host` is the name in the MX record, not the target of a CNAME nor a name from a
    /// certificate. It is compared label by label, without regard to ASCII case and to a trailing
    /// dot; `*` matches exactly one left-most label. Allocates nothing.
    ///
    /// [RFC 8461 §4.1]: https://www.rfc-editor.org/rfc/rfc8461#section-4.1
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        self.matches_bytes(host.as_bytes())
    }

    /// Returns the same as [`matches`](Self::matches) for a name that may not be UTF-8.
    #[must_use]
    pub fn matches_bytes(&self, host: &[u8]) -> bool {
        Host::new(host).is_allowed_by(self.0.as_bytes())
    }

    /// Converts to a pattern that owns its text.
    #[must_use]
    pub fn into_owned(self) -> MxPattern<'static> {
        MxPattern(Cow::Owned(self.0.into_owned()))
    }
}

/// The name in an MX record, prepared for comparison with several patterns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'h> {
    name: &'h [u8],
    /// The part after the first label and its dot, or `None` if that label is empty or the only
    /// one.
    parent: Option<&'h [u8]>,
}

impl<'h> Host<'h> {
    #[inline]
    pub(crate) fn new(name: &'h [u8]) -> Self {
        let name = name.strip_suffix(b".").unwrap_or(name);
        let dot = name.iter().position(|&byte| byte == b'.').filter(|&dot| dot > 0);
        let parent = dot.and_then(|dot| name.get(dot..)?.get(1..));
        Self { name, parent }
    }

    /// Returns whether a pattern allows the host. `pattern` conforms to the grammar, so it is never
    /// empty and has no empty label: an empty name or parent equals no pattern, and a name without
    /// a parent equals no wildcard.
    #[inline]
    pub(crate) fn is_allowed_by(self, pattern: &[u8]) -> bool {
        match (pattern, self.parent) {
            ([b'*', b'.', base @ ..], Some(parent)) => same_name(parent, base),
            _ => same_name(self.name, pattern),
        }
    }
}

impl fmt::Display for MxPattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq for MxPattern<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for MxPattern<'_> {}

impl PartialOrd for MxPattern<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Orders patterns by their text in lower case.
impl Ord for MxPattern<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let [own, others] =
            [self, other].map(|name| name.0.bytes().map(|b| b.to_ascii_lowercase()));
        own.cmp(others)
    }
}

impl Hash for MxPattern<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xFF);
    }
}

impl<'a> TryFrom<&'a str> for MxPattern<'a> {
    type Error = MxPatternError;

    fn try_from(text: &'a str) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl<'a> TryFrom<Cow<'a, str>> for MxPattern<'a> {
    type Error = MxPatternError;

    fn try_from(text: Cow<'a, str>) -> Result<Self, Self::Error> {
        MxPattern::parse(&text)?;
        Ok(Self(text))
    }
}

impl str::FromStr for MxPattern<'static> {
    type Err = MxPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        MxPattern::parse(text).map(MxPattern::into_owned)
    }
}

impl From<MxPattern<'_>> for String {
    fn from(pattern: MxPattern<'_>) -> Self {
        pattern.0.into_owned()
    }
}
