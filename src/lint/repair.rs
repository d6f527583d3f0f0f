//! Verifies and applies corrections.

use alloc::vec::Vec;

use super::{Diagnostic, Severity, Suggestion};

/// The maximum number of bytes that are linted to verify corrections: enough for every correction of a
/// policy of usual size, and a bound for hostile ones.
const BUDGET: usize = 1 << 18;

/// Removes each correction that leaves its diagnostic, or adds an error.
pub(super) fn verify(
    mut list: Vec<Diagnostic>,
    source: &[u8],
    diagnose: impl Fn(&[u8]) -> Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let before = list.clone();
    let mut budget = BUDGET;
    for found in &mut list {
        let Some(suggestion) = &found.suggestion else { continue };
        let after = suggestion.apply(source);
        let spent = budget.checked_sub(after.len().saturating_add(source.len()));
        budget = spent.unwrap_or_default();
        if spent.is_none() || !is_mended(found.code, &before, &diagnose(&after)) {
            found.withdraw_suggestion();
        }
    }
    list
}

/// Returns whether there is one finding less of this code, and no more errors of any code.
fn is_mended(code: &str, before: &[Diagnostic], after: &[Diagnostic]) -> bool {
    let count = |list: &[Diagnostic], code| list.iter().filter(|one| one.code == code).count();
    let errors = after.iter().filter(|one| one.severity == Severity::Error);
    count(after, code) < count(before, code)
        && errors.into_iter().all(|one| count(after, one.code) <= count(before, one.code))
}

/// Applies all corrections of errors that do not overlap, again and again, until there is no error.
/// Returns `None` if errors remain.
pub(super) fn mend(source: &[u8], diagnose: impl Fn(&[u8]) -> Vec<Diagnostic>) -> Option<Vec<u8>> {
    let mut text = source.to_vec();
    for _ in 0..8 {
        let found = diagnose(&text);
        let errors = || found.iter().filter(|one| one.severity == Severity::Error);
        if errors().next().is_none() {
            return Some(text);
        }
        let suggestions = errors().filter_map(|one| one.suggestion.as_ref());
        let mut suggestions: Vec<Suggestion> = suggestions.cloned().collect();
        if suggestions.is_empty() {
            return None;
        }
        // From the last to the first, so that the spans of those before stay right.
        suggestions.sort_by_key(|one| (one.span.start, one.span.end));
        let mut limit = text.len();
        for one in suggestions.iter().rev() {
            if one.span.end <= limit {
                limit = one.span.start;
                text = one.apply(&text);
            }
        }
    }
    None
}
