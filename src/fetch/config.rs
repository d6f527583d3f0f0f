use core::time::Duration;

use thiserror::Error;
use ureq_proto::http::HeaderValue;

use super::MediaTypeRule;
use crate::instant::time_out;

/// How policies are fetched.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::fetch::{Config, MediaTypeRule};
///
/// let config = Config::default().with_media_type(MediaTypeRule::Any).with_user_agent("mail/1")?;
/// assert_eq!(config.deadline(), Duration::from_secs(60));
/// # Ok::<(), mta_sts::fetch::UserAgentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    deadline: Duration,
    media_type: MediaTypeRule,
    user_agent: HeaderValue,
}

/// A text that no header can hold: it has a control character, or one beyond ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a User-Agent is printable ASCII")]
pub struct UserAgentError(());

impl Default for Config {
    fn default() -> Self {
        let user_agent = concat!("mta-sts/", env!("CARGO_PKG_VERSION"));
        Self {
            deadline: Duration::from_secs(60),
            media_type: MediaTypeRule::default(),
            user_agent: HeaderValue::from_static(user_agent),
        }
    }
}

impl Config {
    /// Sets the time-out of the whole fetch. Default: 60 s ("a timeout suggested to be 1 minute",
    /// RFC 8461 §3.3); at least 1 ms, at most a day.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline: time_out(deadline), ..self }
    }

    /// What may be served: `text/plain` unless set.
    #[must_use]
    pub fn with_media_type(self, media_type: MediaTypeRule) -> Self {
        Self { media_type, ..self }
    }

    /// What the Policy Host is told of the client: name and version of this library unless set.
    ///
    /// # Errors
    ///
    /// If it cannot stand in a header.
    pub fn with_user_agent(self, user_agent: &str) -> Result<Self, UserAgentError> {
        let value = HeaderValue::from_str(user_agent).ok().filter(|_| user_agent.is_ascii());
        Ok(Self { user_agent: value.ok_or(UserAgentError(()))?, ..self })
    }

    /// How long the whole may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// What may be served.
    #[must_use]
    pub fn media_type(&self) -> MediaTypeRule {
        self.media_type
    }

    pub(super) fn user_agent(&self) -> &HeaderValue {
        &self.user_agent
    }
}
