use alloc::{
    boxed::Box,
    string::{String, ToString},
};

use thiserror::Error;

#[cfg(feature = "verify")]
use crate::verify::CertificateError;
use crate::{
    domain::Domain,
    excerpt::Printable,
    failure::{Failure, ResultType, RetryAfter},
    policy::{Policy, PolicyError},
};

/// Why no policy came of a fetch.
///
/// What was found is its beginning, quoted and escaped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The Policy Host has no address, or it could not be looked up.
    #[error("the policy host's address: {}", Printable(_0))]
    NoAddress(Box<str>),
    /// The Policy Host's address is none that it may have.
    #[cfg(feature = "fetch")]
    #[error(transparent)]
    Refused(super::RefusedAddress),
    /// The Policy Host could not be reached, or the connection broke.
    #[error("the policy host cannot be reached: {}", Printable(_0))]
    Connection(Box<str>),
    /// The TLS handshake failed, or what came after it was no TLS.
    #[error("TLS failed: {message}")]
    Tls {
        /// The fatal alert that the host sent (RFC 8446 §6), if it did.
        alert: Option<u8>,
        /// What happened.
        message: Box<str>,
    },
    /// The certificate is not valid for the Policy Host.
    #[cfg(feature = "verify")]
    #[error("{}", _0.kind())]
    Certificate(CertificateError),
    /// What came is no HTTP response.
    #[error("the response is malformed: {0}")]
    Malformed(Box<str>),
    /// The status line and the headers are too long, or there are too many headers.
    #[error("the head of the response is longer than it may be")]
    HeadTooLarge,
    /// The body is longer than a policy may be (§3.3).
    #[error("the body of the response is longer than {} bytes", Policy::MAX_LEN)]
    BodyTooLarge,
    /// Far more bytes came than such a response takes.
    #[error("the policy host sends without end")]
    Endless,
    /// The connection ended before the response did, or without saying that it is all.
    #[error("the connection ended before the response was whole")]
    Truncated,
    /// It took too long.
    #[error("the policy was not fetched in time")]
    Deadline,
    /// The status is not 200.
    #[error("HTTP status {0}, not 200")]
    Status(u16),
    /// The status is 429 or 503, and the host says when to ask again (RFC 9110 §10.2.3).
    #[error("HTTP status {status}, not 200")]
    Unavailable {
        /// The status.
        status: u16,
        /// The time for which the host asks to be left alone.
        retry_after: RetryAfter,
    },
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
    /// What it counts as in a report (RFC 8460 §4.3.2.1): `sts-policy-invalid` if there was a file,
    /// `sts-webpki-invalid` if the host is not who it should be, else `sts-policy-fetch-error`.
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        match self {
            Self::Policy(_) => ResultType::StsPolicyInvalid,
            #[cfg(feature = "verify")]
            Self::Certificate(_) => ResultType::StsWebpkiInvalid,
            _ => ResultType::StsPolicyFetchError,
        }
    }

    /// A stable word for it.
    #[must_use]
    pub fn reason_code(&self) -> &'static str {
        match self {
            Self::NoAddress(_) => "no-address",
            #[cfg(feature = "fetch")]
            Self::Refused(_) => "address-refused",
            Self::Connection(_) => "connection",
            Self::Tls { alert: Some(_), .. } => "tls-alert",
            Self::Tls { alert: None, .. } => "tls",
            Self::Malformed(_) => "http-malformed",
            Self::HeadTooLarge => "http-head-too-large",
            Self::BodyTooLarge => "http-body-too-large",
            Self::Endless => "http-endless",
            Self::Truncated => "http-truncated",
            Self::Deadline => "deadline",
            Self::Status(_) | Self::Unavailable { .. } => "http-status",
            Self::Redirect { .. } => "http-redirect",
            Self::MediaType { .. } => "media-type",
            Self::ContentCoding { .. } => "content-coding",
            #[cfg(feature = "verify")]
            Self::Certificate(error) => error.kind().reason_code(),
            Self::Policy(error) => error.kind().code(),
        }
    }
    /// The same as something to report.
    #[must_use]
    pub fn to_failure(&self, domain: &Domain) -> Failure {
        let host = domain.policy_host();
        let failure = Failure::new(self.result_type(), self.reason_code(), host, self.to_string());
        match self {
            Self::Unavailable { retry_after, .. } => failure.with_retry_after(*retry_after),
            _ => failure,
        }
    }
}
