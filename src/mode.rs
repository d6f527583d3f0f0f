use core::{fmt, str::FromStr};

use thiserror::Error;

/// What a Policy Domain asks of senders when a policy is not met (RFC 8461 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Mode {
    /// There is no policy any more: "treat the Policy Domain as though it does not have any active
    /// policy".
    None,
    /// Deliver all the same, and report what would have failed.
    Testing,
    /// Do not deliver to a host that fails MX matching, certificate validation or STARTTLS.
    Enforce,
}

impl Mode {
    /// The value of `mode` in a policy file: `none`, `testing` or `enforce`.
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

/// A word that is no [`Mode`].
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
