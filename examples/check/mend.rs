//! Policies that do not parse, mended.

use std::time::Duration;

use mta_sts::{
    Domain, Mode, MxPattern, Policy, Tolerances,
    lint::{self, Diagnostic, Severity, Suggestion},
};

/// The most rounds of corrections: one may uncover another fault.
const ROUNDS: usize = 8;

/// What a policy was meant to say.
pub(crate) struct Mended {
    pub(crate) mode: Option<Mode>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) patterns: Vec<String>,
    pub(crate) extensions: Vec<(String, String)>,
    /// The faults, each once.
    pub(crate) faults: Vec<String>,
}

/// Applies the suggestions of the linter, and leaves out the lines for which it has none. Returns `None` if
/// the text has no field of a policy.
pub(crate) fn mend(domain: &Domain, served: &[u8]) -> Option<Mended> {
    let (mut text, mut faults) = (served.to_vec(), Vec::new());
    for _ in 0..ROUNDS {
        let mut errors = lint::policy_for_domain(domain, &text);
        errors.retain(|one| one.severity() == Severity::Error);
        for message in errors.iter().map(Diagnostic::message) {
            if !faults.iter().any(|fault| fault == message) {
                faults.push(message.to_owned());
            }
        }
        let suggestions: Vec<&Suggestion> =
            errors.iter().filter_map(Diagnostic::suggestion).collect();
        if suggestions.is_empty() {
            break;
        }
        text = apply(&text, suggestions);
    }
    let mended = match Policy::parse_with(&text, Tolerances::IN_THE_WILD) {
        Ok(policy) => Mended::from_policy(&policy, faults),
        Err(_) => Mended::from_lines(&text, faults),
    };
    mended.has_fields().then_some(mended)
}

/// Applies the suggestions that do not overlap, from the last to the first: so spans stay right.
fn apply(text: &[u8], mut suggestions: Vec<&Suggestion>) -> Vec<u8> {
    suggestions.sort_by_key(|one| (one.span().start, one.span().end));
    let (mut text, mut limit) = (text.to_vec(), text.len());
    for one in suggestions.into_iter().rev() {
        if one.span().end <= limit {
            limit = one.span().start;
            text = one.apply(&text);
        }
    }
    text
}

impl Mended {
    pub(crate) fn from_policy(policy: &Policy, faults: Vec<String>) -> Self {
        Self {
            mode: Some(policy.mode()),
            max_age: Some(policy.max_age()),
            patterns: policy.mx().map(|pattern| pattern.to_string()).collect(),
            extensions: policy
                .extensions()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            faults,
        }
    }

    /// Takes the fields that are good. The first of several counts (RFC 8461 §3.2).
    fn from_lines(text: &[u8], faults: Vec<String>) -> Self {
        let (patterns, extensions) = (Vec::new(), Vec::new());
        let mut mended = Self { mode: None, max_age: None, patterns, extensions, faults };
        for line in String::from_utf8_lossy(text).lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.trim() {
                "mode" if mended.mode.is_none() => mended.mode = value.parse().ok(),
                "max_age" if mended.max_age.is_none() => mended.max_age = max_age(value),
                "mx" if MxPattern::parse(value).is_ok() => mended.patterns.push(value.to_owned()),
                _ => {}
            }
        }
        mended
    }

    fn has_fields(&self) -> bool {
        self.mode.is_some() || self.max_age.is_some() || !self.patterns.is_empty()
    }
}

fn max_age(value: &str) -> Option<Duration> {
    value.parse().ok().map(|seconds| Duration::from_secs(seconds).min(Policy::MAX_MAX_AGE))
}
