//! The rules by which a response contains a policy.

use alloc::vec::Vec;
use core::{fmt, str::FromStr};

use thiserror::Error;

use super::{FetchError, retry_after::retry_after};
use crate::{
    excerpt::excerpt_of, failure::RetryAfter, parse::media_type::media_type, policy::Policy,
    tolerances::Tolerances,
};

/// The maximum number of characters of a header in an error: enough for a URL with names of any
/// length.
const MAX_SHOWN: usize = 512;

/// The accepted media types of a policy.
///
/// "Senders SHOULD validate that the media type is "text/plain"" ([RFC 8461 §3.2]), as a protection
/// against a file of another type at the URL of the policy. Some domains serve their policy with
/// another media type.
///
/// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcceptedMediaType {
    /// Only `text/plain`. Its parameters are ignored: the file is read as UTF-8, whatever the
    /// `charset`.
    #[default]
    TextPlain,
    /// Any media type, or none.
    Any,
}

impl AcceptedMediaType {
    /// Returns the value for a settings file: `text/plain` or `any`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TextPlain => "text/plain",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for AcceptedMediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error for a word that is not an [`AcceptedMediaType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the accepted media type must be `text/plain` or `any`")]
pub struct ParseMediaTypeError(());

impl FromStr for AcceptedMediaType {
    type Err = ParseMediaTypeError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let is_named = |accepted: &Self| accepted.as_str() == word;
        [Self::TextPlain, Self::Any].into_iter().find(is_named).ok_or(ParseMediaTypeError(()))
    }
}

/// Returns the policy in the response to a GET of
/// [`Domain::policy_url`](crate::Domain::policy_url), read with [`Tolerances::IN_THE_WILD`].
///
/// Names of headers are compared without regard to case. Only `Content-Type`, `Content-Encoding`,
/// `Location` and `Retry-After` are read; caching headers are ignored ([RFC 8461 §3.3]).
///
/// # Errors
///
/// Returns the reason if the response contains no policy.
///
/// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
pub fn policy_from_response<N: AsRef<str>, V: AsRef<[u8]>>(
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    body: &[u8],
    rule: AcceptedMediaType,
) -> Result<Policy, FetchError> {
    check_head(status, headers, rule)?;
    if body.len() > Policy::MAX_LEN {
        return Err(FetchError::BodyTooLarge);
    }
    Policy::parse_with(body, Tolerances::IN_THE_WILD).map_err(FetchError::Policy)
}

/// Checks the head of a response, before its body is received.
pub(super) fn check_head<N: AsRef<str>, V: AsRef<[u8]>>(
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    rule: AcceptedMediaType,
) -> Result<(), FetchError> {
    let headers: Vec<(N, V)> = headers.into_iter().collect();
    let values = |name| {
        let named =
            headers.iter().filter(move |(header, _)| header.as_ref().eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_ref().trim_ascii())
    };
    check_status(status, values("Location").next(), || {
        values("Retry-After").find_map(retry_after)
    })?;
    values("Content-Encoding").try_for_each(check_coding)?;
    if rule == AcceptedMediaType::TextPlain {
        let mut types = values("Content-Type");
        check_media_type(types.next().unwrap_or_default())?;
        types.try_for_each(check_media_type)?;
    }
    Ok(())
}

/// Checks the status. "Policies fetched via HTTPS are only valid if the HTTP response code is 200
/// (OK). HTTP 3xx redirects MUST NOT be followed" (RFC 8461 §3.3).
fn check_status(
    status: u16,
    location: Option<&[u8]>,
    retry_after: impl Fn() -> Option<RetryAfter>,
) -> Result<(), FetchError> {
    match (status, location) {
        (200, _) => Ok(()),
        (300..400, Some(target)) => {
            Err(FetchError::Redirect { status, target: excerpt_of(target, MAX_SHOWN) })
        }
        // RFC 6585 §4, RFC 9110 §15.6.4
        (429 | 503, _) => Err(retry_after().map_or(FetchError::Status(status), |retry_after| {
            FetchError::Unavailable { status, retry_after }
        })),
        _ => Err(FetchError::Status(status)),
    }
}

/// Refuses a content coding that was not requested, which could expand a short body to a long one.
fn check_coding(coding: &[u8]) -> Result<(), FetchError> {
    if coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") {
        return Ok(());
    }
    Err(FetchError::ContentCoding { found: excerpt_of(coding, MAX_SHOWN) })
}

fn check_media_type(found: &[u8]) -> Result<(), FetchError> {
    match media_type(found) {
        Ok(([], media_type)) if media_type.is_text_plain() => Ok(()),
        _ => Err(FetchError::MediaType { found: excerpt_of(found, MAX_SHOWN) }),
    }
}
