//! The mode of a policy.

use core::{fmt, str::FromStr};

use thiserror::Error;

/// The mode of a policy: the action that a Policy Domain wants of senders if a host does not meet
/// the policy ([RFC 8461 §5]).
///
/// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Mode {
    /// The domain has withdrawn its policy: "treat the Policy Domain as though it does not have any
    /// active policy".
    None,
    /// Senders deliver anyway, and report what would have failed.
    Testing,
    /// Senders do not deliver to a host that fails MX matching, certificate validation or STARTTLS.
    Enforce,
}

impl Mode {
    /// Returns the value of `mode` in a policy file: `none`, `testing` or `enforce`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Testing => "testing",
            Self::Enforce => "enforce",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error for a word that is not a [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("`mode` must be `enforce`, `testing` or `none`, in lower case")]
pub struct ParseModeError(());

impl FromStr for Mode {
    type Err = ParseModeError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::None, Self::Testing, Self::Enforce]
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or(ParseModeError(()))
    }
}
