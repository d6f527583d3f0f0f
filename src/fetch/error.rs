//! The errors of fetching a policy.

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

/// The reason why a fetch returned no policy.
///
/// Text from the response is quoted and escaped, and cut if it is longer than URLs and media types
/// are.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The Policy Host has no address, or it could not be looked up.
    #[error("the policy host's address: {}", Printable(_0))]
    NoAddress(Box<str>),
    /// The address filter does not allow the Policy Host's address.
    #[cfg(feature = "fetch")]
    #[error(transparent)]
    Refused(super::AddressError),
    /// The Policy Host could not be reached, or the connection was lost.
    #[error("the connection to the policy host failed: {}", Printable(_0))]
    Connection(Box<str>),
    /// The HTTPS proxy of the sender made no connection to the Policy Host. It is no failure of the
    /// domain.
    #[cfg(feature = "fetch")]
    #[error(transparent)]
    Proxy(super::ProxyError),
    /// The source address of the sender's settings cannot be used. It is no failure of the domain.
    #[cfg(feature = "fetch")]
    #[error("the source address {address} cannot be used: {}", Printable(message))]
    SourceAddress {
        /// The source address.
        address: core::net::IpAddr,
        /// The error message of the system.
        message: Box<str>,
    },
    /// The TLS handshake failed, or the bytes after it were not valid TLS.
    #[error("TLS failed: {message}")]
    Tls {
        /// The fatal alert that the host sent ([RFC 8446 §6]), if any.
        ///
        /// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
        alert: Option<u8>,
        /// The description of the failure.
        message: Box<str>,
    },
    /// The certificate is not valid for the Policy Host.
    #[cfg(feature = "verify")]
    #[error("{}", _0.kind())]
    Certificate(CertificateError),
    /// The bytes are not an HTTP response.
    #[error("the response is malformed: {0}")]
    Malformed(Box<str>),
    /// The status line and the headers are too long, or there are too many headers.
    #[error("the head of the response is longer than it may be")]
    HeadTooLarge,
    /// The body is longer than a policy may be ([RFC 8461 §3.3]).
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    #[error("the body of the response is longer than {} bytes", Policy::MAX_LEN)]
    BodyTooLarge,
    /// The response has far more bytes on the wire than a policy needs.
    #[error("the response exceeds the maximum size on the wire")]
    Endless,
    /// The connection ended before the response was complete, or without an orderly close.
    #[error("the connection ended before the response was whole")]
    Truncated,
    /// The fetch timed out.
    #[error("the policy was not fetched in time")]
    Deadline,
    /// The status is not 200.
    #[error("HTTP status {0}, not 200")]
    Status(u16),
    /// The status is 429 or 503, and the response has a `Retry-After` header ([RFC 9110 §10.2.3]).
    ///
    /// [RFC 9110 §10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    #[error("HTTP status {status}, not 200")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// The delay that the host asks for.
        retry_after: RetryAfter,
    },
    /// The response is a redirect.
    #[error("HTTP redirect ({status}) to {target} refused")]
    Redirect {
        /// The HTTP status.
        status: u16,
        /// The target of the redirect, as in the response.
        target: String,
    },
    /// The media type is not `text/plain`.
    #[error("found {found} where the media type text/plain should be")]
    MediaType {
        /// The media type of the response.
        found: String,
    },
    /// The body has a content coding, which was not requested.
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
    /// Returns the result type for a report ([RFC 8460 §4.3.2.2]): `sts-policy-invalid` if there
    /// was a file, `sts-webpki-invalid` if the certificate is not valid for the host, else
    /// `sts-policy-fetch-error`.
    ///
    /// [RFC 8460 §4.3.2.2]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3.2.2
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        match self {
            Self::Policy(_) => ResultType::StsPolicyInvalid,
            #[cfg(feature = "verify")]
            Self::Certificate(_) => ResultType::StsWebpkiInvalid,
            _ => ResultType::StsPolicyFetchError,
        }
    }

    /// Returns the reason code, a stable identifier of the exact cause.
    #[must_use]
    pub fn reason_code(&self) -> &'static str {
        match self {
            Self::NoAddress(_) => "no-address",
            #[cfg(feature = "fetch")]
            Self::Refused(_) => "address-refused",
            Self::Connection(_) => "connection",
            #[cfg(feature = "fetch")]
            Self::Proxy(_) => crate::failure::HTTPS_PROXY,
            #[cfg(feature = "fetch")]
            Self::SourceAddress { .. } => crate::failure::SOURCE_ADDRESS,
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

    /// Converts the error of a connection to one of a connection to a proxy.
    #[cfg(feature = "_client")]
    pub(crate) fn of_proxy(self, proxy: &super::HttpsProxy) -> Self {
        match self {
            Self::Connection(why) => {
                Self::Proxy(super::ProxyError::new(proxy, super::ProxyErrorKind::Connection(why)))
            }
            Self::Deadline => {
                Self::Proxy(super::ProxyError::new(proxy, super::ProxyErrorKind::Timeout))
            }
            other => other,
        }
    }

    /// Converts to a reportable failure.
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
