use mta_sts::{
    Policy, StsRecord,
    lint::{self, Diagnostic, Severity},
};

use super::check_error;

/// A text that is linted as a record and as a policy.
pub fn lint(input: &[u8]) {
    check(lint::record, input, StsRecord::parse(input).is_ok());
    check(lint::policy, input, Policy::parse(input).is_ok());
}

type Lint = fn(&[u8]) -> Vec<Diagnostic>;

fn check(lint: Lint, input: &[u8], is_valid: bool) {
    let diagnostics = &lint(input);
    let no_error = diagnostics.iter().all(|one| one.severity() != Severity::Error);
    assert_eq!(no_error, is_valid, "{diagnostics:#?}");
    for diagnostic in diagnostics {
        let span = diagnostic.span();
        assert!(span.start <= span.end && span.end <= input.len(), "{diagnostic:?}");
        check_error(diagnostic);
        check_suggestion(diagnostic, diagnostics, input, lint);
        check_rendered(diagnostic, input);
        // A source that is not the one linted is a mistake, but none to die of.
        check_rendered(diagnostic, b"");
    }
}

/// A correction removes its diagnostic and adds no error.
fn check_suggestion(one: &Diagnostic, before: &[Diagnostic], input: &[u8], lint: Lint) {
    let Some(suggestion) = one.suggestion() else { return };
    let after = lint(&suggestion.apply(input));
    let count =
        |list: &[Diagnostic], code| list.iter().filter(|other| other.code() == code).count();
    assert!(count(&after, one.code()) < count(before, one.code()), "{one:?}");
    for other in after.iter().filter(|other| other.severity() == Severity::Error) {
        assert!(count(&after, other.code()) <= count(before, other.code()), "{one:?}: {other:?}");
    }
}

/// Marks, embeddings, overrides and isolates that reorder what follows them.
const BIDIRECTIONAL: [char; 12] = [
    '\u{61C}', '\u{200E}', '\u{200F}', '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// It goes to a terminal.
fn check_rendered(diagnostic: &Diagnostic, source: &[u8]) {
    let text = diagnostic.render(source).to_string();
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text:?}");
    let disturbs = |c: char| (c.is_control() && c != '\n') || BIDIRECTIONAL.contains(&c);
    assert!(!text.contains(disturbs), "{text:?}");
    // A text to publish stands whole.
    let replacement = diagnostic.suggestion().map_or(0, |one| 12 * one.replacement().len());
    assert!(text.len() <= 2000 + replacement, "{} bytes", text.len());
}
