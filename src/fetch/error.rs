use alloc::string::{String, ToString};

use thiserror::Error;

use crate::{
    domain::Domain,
    failure::{Failure, ResultType},
    policy::PolicyError,
};

/// Why a response holds no policy.
///
/// What was found is its beginning, quoted and escaped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The status is not 200.
    #[error("HTTP status {0}, not 200")]
    Status(u16),
    /// The response sends the client elsewhere.
    #[error("HTTP status {status} sends on to {target}, where no policy may come from")]
    Redirect {
        /// The status.
        status: u16,
        /// Where to, as the response has it.
        target: String,
    },
    /// It is not `text/plain`.
    #[error("found {found} where the media type text/plain should be")]
    MediaType {
        /// The media type.
        found: String,
    },
    /// The body is coded, which was not asked for.
    #[error("the body is coded as {found}, which was not asked for")]
    ContentCoding {
        /// The content coding.
        found: String,
    },
    /// The body is no valid policy.
    #[error(transparent)]
    Policy(PolicyError),
}

impl FetchError {
    /// The same as a reportable [`Failure`]: `sts-policy-invalid` if there was a file, else
    /// `sts-policy-fetch-error` (RFC 8460 §4.3.2.1).
    #[must_use]
    pub fn to_failure(&self, domain: &Domain) -> Failure {
        let reason = match self {
            Self::Status(_) => "http-status",
            Self::Redirect { .. } => "http-redirect",
            Self::MediaType { .. } => "media-type",
            Self::ContentCoding { .. } => "content-coding",
            Self::Policy(error) => return error.to_failure(domain),
        };
        let host = domain.policy_host();
        Failure::new(ResultType::StsPolicyFetchError, reason, host, self.to_string())
    }
}
