//! What an answer from a Policy Host is worth (§3.3).
//!
//! ```
//! use mta_sts::{Domain, cache::PolicyAnswer, fetch::{self, MediaTypeRule}};
//!
//! let domain = Domain::parse("example.com")?;
//! // Of any HTTP client that follows no redirects: a response to a GET of `domain.policy_url()`.
//! let headers = [("Content-Type", "text/plain; charset=utf-8")];
//! let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
//!
//! let policy = fetch::evaluate(200, headers, body, MediaTypeRule::TextPlain)?;
//! assert!(policy.matches("mx.example.com"));
//!
//! let moved = [("Location", "https://www.example.com/")];
//! let error = fetch::evaluate(301, moved, b"", MediaTypeRule::TextPlain).unwrap_err();
//! let expected = "HTTP status 301 sends on to \"https://www.example.com/\", where no policy may come from";
//! assert_eq!(error.to_string(), expected);
//! // For the cache.
//! let answer: PolicyAnswer = Err(error.to_failure(&domain)).into();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the client must see to itself: that the host's certificate is that of the Policy Host, that
//! the whole takes no more than a minute, and that no more than [`Policy::MAX_LEN`] bytes are read,
//! and one to see that there are more.

mod error;

use alloc::vec::Vec;

pub use self::error::FetchError;
use crate::{
    excerpt::excerpt, parse::media_type::media_type, policy::Policy, tolerances::Tolerances,
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
/// Names of headers are compared without regard to case. Only `Content-Type`, `Content-Encoding` and
/// `Location` are looked at: nothing about caching is heeded (§3.3).
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
    let headers: Vec<(N, V)> = headers.into_iter().collect();
    let values = |name| {
        let named = headers.iter().filter(move |(it, _)| it.as_ref().eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_ref().trim_ascii())
    };
    check_status(status, values("Location").next())?;
    values("Content-Encoding").try_for_each(check_coding)?;
    if rule == MediaTypeRule::TextPlain {
        let mut types = values("Content-Type");
        check_media_type(types.next().unwrap_or_default())?;
        types.try_for_each(check_media_type)?;
    }
    Policy::parse_with(body, Tolerances::IN_THE_WILD).map_err(FetchError::Policy)
}

/// "Policies fetched via HTTPS are only valid if the HTTP response code is 200 (OK). HTTP 3xx redirects
/// MUST NOT be followed" (§3.3).
fn check_status(status: u16, location: Option<&[u8]>) -> Result<(), FetchError> {
    match (status, location) {
        (200, _) => Ok(()),
        (300..400, Some(target)) => Err(FetchError::Redirect { status, target: excerpt(target) }),
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
