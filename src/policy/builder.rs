//! Policies to publish.

use alloc::string::{String, ToString};
use core::{fmt::Write as _, time::Duration};

use thiserror::Error;

use super::file::Policy;
use crate::{
    excerpt::excerpt,
    mode::Mode,
    mx::{MxPattern, MxPatternError},
    parse::{ext_name, is_all, policy::sts_policy_ext_value},
};

/// A builder of a policy to publish; see [`Policy::builder`].
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::{Mode, Policy};
///
/// let week = Duration::from_secs(604_800);
/// let policy = Policy::builder(Mode::Enforce, week).mx("*.example.net").build()?;
/// assert_eq!(
///     policy.to_string(),
///     "version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
/// );
///
/// let opt_out = Policy::builder(Mode::None, Duration::from_secs(86_400)).build()?;
/// assert_eq!(opt_out.to_string(), "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n");
/// # Ok::<(), mta_sts::error::PolicyBuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PolicyBuilder {
    mode: Mode,
    max_age: Duration,
    mx: String,
    extensions: String,
    error: Option<PolicyBuildError>,
}

/// The error for a value that no policy can contain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyBuildError {
    /// The `max_age` is over [`Policy::MAX_MAX_AGE`], or not in whole seconds.
    #[error("`max_age` must be in whole seconds, at most 31557600, not {0:?}")]
    MaxAge(Duration),
    /// The text is not an MX pattern.
    #[error(transparent)]
    Mx(#[from] MxPatternError),
    /// There is no MX pattern, and the mode requires one.
    #[error("a policy needs an `mx` unless its mode is `none`")]
    NoMx,
    /// The name is not an `sts-policy-ext-name`, or it is that of a field that RFC 8461 defines.
    #[error("{0} cannot be the name of an extension field")]
    Name(String),
    /// The value is not an `sts-policy-ext-value`.
    #[error("{0} cannot be the value of an extension field")]
    Value(String),
    /// The file would be larger than [`Policy::MAX_LEN`].
    #[error("the policy would have {0} bytes, over the limit of 65536")]
    TooLarge(usize),
}

impl Policy {
    /// Returns a builder of a policy to publish.
    pub fn builder(mode: Mode, max_age: Duration) -> PolicyBuilder {
        PolicyBuilder::new(mode, max_age)
    }
}

impl PolicyBuilder {
    fn new(mode: Mode, max_age: Duration) -> Self {
        Self { mode, max_age, mx: String::new(), extensions: String::new(), error: None }
    }

    /// Allows the MX host with this name, or with `*.` all hosts directly below the name.
    pub fn mx(mut self, pattern: &str) -> Self {
        match MxPattern::parse(pattern) {
            // Writing to a `String` does not fail.
            Ok(pattern) => drop(write!(self.mx, "mx: {pattern}\r\n")),
            Err(error) => drop(self.error.get_or_insert(error.into())),
        }
        self
    }

    /// Adds a field that RFC 8461 does not define. Senders ignore those they do not know.
    pub fn extension(mut self, name: &str, value: &str) -> Self {
        match check(name, value) {
            Ok(()) => drop(write!(self.extensions, "{name}: {value}\r\n")),
            Err(error) => drop(self.error.get_or_insert(error)),
        }
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    ///
    /// Returns an error for the first value that no policy can contain.
    pub fn build(self) -> Result<Policy, PolicyBuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.max_age > Policy::MAX_MAX_AGE || self.max_age.subsec_nanos() != 0 {
            return Err(PolicyBuildError::MaxAge(self.max_age));
        }
        let text = [
            "version: STSv1\r\nmode: ",
            self.mode.as_str(),
            "\r\n",
            &self.mx,
            "max_age: ",
            &self.max_age.as_secs().to_string(),
            "\r\n",
            &self.extensions,
        ]
        .concat();
        // All parts are checked, so a policy can only lack an `mx` or be too large.
        Policy::parse(text.as_bytes()).map_err(|_| match text.len() {
            len if len > Policy::MAX_LEN => PolicyBuildError::TooLarge(len),
            _ => PolicyBuildError::NoMx,
        })
    }
}

fn check(name: &str, value: &str) -> Result<(), PolicyBuildError> {
    if matches!(name, "version" | "mode" | "max_age" | "mx") || !is_all(ext_name, name.as_bytes()) {
        return Err(PolicyBuildError::Name(excerpt(name.as_bytes())));
    }
    if !is_all(sts_policy_ext_value, value.as_bytes()) {
        return Err(PolicyBuildError::Value(excerpt(value.as_bytes())));
    }
    Ok(())
}
