//! The `Retry-After` header.

use crate::{failure::RetryAfter, parse::http_date::http_date};

/// Parses `Retry-After = HTTP-date / delay-seconds` (RFC 9110 §10.2.3). Returns `None` if it is
/// neither.
pub(super) fn retry_after(value: &[u8]) -> Option<RetryAfter> {
    let is_delay = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if !is_delay {
        return http_date(value).ok().map(|(_, date)| RetryAfter::Date(date));
    }
    // A number that overflows counts as the maximum.
    let digit =
        |sum: u32, byte: &u8| sum.saturating_mul(10).saturating_add(byte.wrapping_sub(b'0').into());
    Some(RetryAfter::Seconds(value.iter().fold(0, digit)))
}
