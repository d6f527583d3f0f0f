//! The settings of a fetch.

use core::time::Duration;

use thiserror::Error;
use ureq_proto::http::HeaderValue;

use super::AcceptedMediaType;
use crate::instant::time_out;

/// The settings of a fetch: time-out, media types and user agent.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::fetch::{Config, AcceptedMediaType};
///
/// let config = Config::default()
///     .with_media_type(AcceptedMediaType::Any)
///     .with_user_agent("mail/1")?;
/// assert_eq!(config.timeout(), Duration::from_secs(60));
/// # Ok::<(), mta_sts::fetch::UserAgentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    deadline: Duration,
    media_type: AcceptedMediaType,
    user_agent: HeaderValue,
}

/// The error for a user agent with a character that is not printable ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a User-Agent is printable ASCII")]
pub struct UserAgentError(());

impl Default for Config {
    fn default() -> Self {
        let user_agent = concat!("mta-sts/", env!("CARGO_PKG_VERSION"));
        Self {
            deadline: Duration::from_secs(60),
            media_type: AcceptedMediaType::default(),
            user_agent: HeaderValue::from_static(user_agent),
        }
    }
}

impl Config {
    /// Sets the time-out of the whole fetch. Default: 60 s, as "a suggested timeout is one minute"
    /// ([RFC 8461 §3.3]). At least 1 ms, at most a day.
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    #[must_use]
    pub fn with_timeout(self, deadline: Duration) -> Self {
        Self { deadline: time_out(deadline), ..self }
    }

    /// Sets the accepted media types. Default: only `text/plain`.
    #[must_use]
    pub fn with_media_type(self, media_type: AcceptedMediaType) -> Self {
        Self { media_type, ..self }
    }

    /// Sets the `User-Agent` header. Default: the name and version of this library.
    ///
    /// # Errors
    ///
    /// Returns an error if the text has a control character, also a tab, or one beyond ASCII.
    pub fn with_user_agent(self, user_agent: &str) -> Result<Self, UserAgentError> {
        let is_printable = user_agent.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let value = HeaderValue::from_str(user_agent).ok().filter(|_| is_printable);
        Ok(Self { user_agent: value.ok_or(UserAgentError(()))?, ..self })
    }

    /// Returns the time-out of the whole fetch.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.deadline
    }

    /// Returns the accepted media types.
    #[must_use]
    pub fn media_type(&self) -> AcceptedMediaType {
        self.media_type
    }

    pub(super) fn user_agent(&self) -> &HeaderValue {
        &self.user_agent
    }
}
