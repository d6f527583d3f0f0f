//! Findings about the media type of a policy.

use alloc::{format, vec, vec::Vec};

use super::{Code, Diagnostic, findings::sort_and_limit};
use crate::{excerpt::quoted_text as shown, parse::media_type::media_type as rule};

/// Returns what is wrong with the `Content-Type` that a policy file is served with: "senders SHOULD
/// validate that the media type is "text/plain"" ([RFC 8461 §3.2]).
///
/// Give an empty value if there is none.
///
/// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
#[must_use]
pub fn media_type(input: &[u8]) -> Vec<Diagnostic> {
    let whole = 0..input.len();
    let found = match rule(input) {
        Ok(([], found)) if !found.is_text_plain() => {
            let message = format!("the media type is {}, not `text/plain`", shown(input));
            Diagnostic::new(Code::MEDIA_TYPE_NOT_TEXT, whole.clone(), message)
        }
        Ok(([], found)) => {
            let Some(charset) = found.odd_charset() else { return Vec::new() };
            let message = format!("charset {} is neither utf-8 nor us-ascii", shown(charset));
            Diagnostic::new(Code::MEDIA_TYPE_CHARSET, whole.clone(), message)
        }
        _ if input.is_empty() => {
            let message = "the file is served without a media type";
            Diagnostic::new(Code::MEDIA_TYPE_MALFORMED, whole.clone(), message)
        }
        _ => {
            let message = format!("{} is no media type", shown(input));
            Diagnostic::new(Code::MEDIA_TYPE_MALFORMED, whole.clone(), message)
        }
    };
    let help = "serve the file as `text/plain`";
    let mut found = found.with_suggestion(whole, "text/plain", None);
    found.help = Some(help.into());
    sort_and_limit(vec![found], input)
}
