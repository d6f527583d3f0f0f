use alloc::{format, vec::Vec};

use super::{
    Diagnostic,
    findings::{Findings, Rule},
};
use crate::{excerpt::excerpt, parse::media_type::media_type as rule};

const CLAUSE: &str = "RFC 8461 §3.2";
const MALFORMED: Rule = Rule::error("media-type-malformed", "RFC 9110 §8.3.1");
const NOT_TEXT: Rule = Rule::error("media-type-not-text-plain", CLAUSE);
const CHARSET: Rule = Rule::warning("media-type-charset", CLAUSE);

/// Tells what is wrong with the `Content-Type` that a policy file is served with: "senders SHOULD
/// validate that the media type is "text/plain"" (§3.2).
///
/// Give an empty value if there is none.
#[must_use]
pub fn media_type(input: &[u8]) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    let whole = 0..input.len();
    let help = || Some("serve the file as `text/plain`".into());
    let Ok(([], found)) = rule(input) else {
        let message = format!("{} is no media type", excerpt(input));
        findings.add(MALFORMED, whole, message, help());
        return findings.finish();
    };
    if !found.is_text_plain() {
        let message = format!("the media type is {}, not `text/plain`", excerpt(input));
        findings.add(NOT_TEXT, whole, message, help());
    } else if let Some(charset) = found.odd_charset() {
        let message = format!("charset {} is neither utf-8 nor us-ascii", excerpt(charset));
        findings.add(CHARSET, whole, message, help());
    }
    findings.finish()
}
