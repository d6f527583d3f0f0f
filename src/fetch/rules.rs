//! What of a response makes it a policy, and what does not.

use alloc::vec::Vec;

use super::{FetchError, retry_after::retry_after};
use crate::{
    excerpt::excerpt, failure::RetryAfter, parse::media_type::media_type, policy::Policy,
    tolerances::Tolerances,
};

/// Which media types a policy may be served as.
///
/// "Senders SHOULD validate that the media type is "text/plain"" (§3.2), against those who have put a
/// file of another kind where policies are looked for. Some domains serve theirs as something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaTypeRule {
    /// `text/plain` only. Its parameters do not count: the file is read as UTF-8 whatever `charset`
    /// says.
    #[default]
    TextPlain,
    /// Any, or none.
    Any,
}

/// The policy in the response to a GET of [`Domain::policy_url`](crate::Domain::policy_url), read
/// with [`Tolerances::IN_THE_WILD`].
///
/// Names of headers are compared without regard to case. Only `Content-Type`, `Content-Encoding`,
/// `Location` and `Retry-After` are looked at: nothing about caching is heeded (§3.3).
///
/// # Errors
///
/// If it is none, why.
pub fn evaluate<N: AsRef<str>, V: AsRef<[u8]>>(
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    body: &[u8],
    rule: MediaTypeRule,
) -> Result<Policy, FetchError> {
    check_head(status, headers, rule)?;
    if body.len() > Policy::MAX_LEN {
        return Err(FetchError::BodyTooLarge);
    }
    Policy::parse_with(body, Tolerances::IN_THE_WILD).map_err(FetchError::Policy)
}

/// All that can be said of a response before its body has come.
pub(super) fn check_head<N: AsRef<str>, V: AsRef<[u8]>>(
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    rule: MediaTypeRule,
) -> Result<(), FetchError> {
    let headers: Vec<(N, V)> = headers.into_iter().collect();
    let values = |name| {
        let named = headers.iter().filter(move |(it, _)| it.as_ref().eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_ref().trim_ascii())
    };
    check_status(status, values("Location").next(), || {
        values("Retry-After").find_map(retry_after)
    })?;
    values("Content-Encoding").try_for_each(check_coding)?;
    if rule == MediaTypeRule::TextPlain {
        let mut types = values("Content-Type");
        check_media_type(types.next().unwrap_or_default())?;
        types.try_for_each(check_media_type)?;
    }
    Ok(())
}

/// "Policies fetched via HTTPS are only valid if the HTTP response code is 200 (OK). HTTP 3xx redirects
/// MUST NOT be followed" (§3.3).
fn check_status(
    status: u16,
    location: Option<&[u8]>,
    retry_after: impl Fn() -> Option<RetryAfter>,
) -> Result<(), FetchError> {
    match (status, location) {
        (200, _) => Ok(()),
        (300..400, Some(target)) => Err(FetchError::Redirect { status, target: excerpt(target) }),
        // RFC 6585 §4, RFC 9110 §15.6.4
        (429 | 503, _) => Err(retry_after().map_or(FetchError::Status(status), |retry_after| {
            FetchError::Unavailable { status, retry_after }
        })),
        _ => Err(FetchError::Status(status)),
    }
}

/// A policy is short, and a coding that nobody asked for could make it long.
fn check_coding(coding: &[u8]) -> Result<(), FetchError> {
    if coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") {
        return Ok(());
    }
    Err(FetchError::ContentCoding { found: excerpt(coding) })
}

fn check_media_type(found: &[u8]) -> Result<(), FetchError> {
    match media_type(found) {
        Ok(([], it)) if it.is_text_plain() => Ok(()),
        _ => Err(FetchError::MediaType { found: excerpt(found) }),
    }
}
