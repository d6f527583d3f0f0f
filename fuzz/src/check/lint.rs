use mta_sts::{
    Policy, StsRecord,
    lint::{self, Diagnostic, Severity},
};

use super::check_error;

/// A text that is linted as a record and as a policy.
pub fn lint(input: &[u8]) {
    check(&lint::record(input), input, StsRecord::parse(input).is_ok());
    check(&lint::policy(input), input, Policy::parse(input).is_ok());
}

fn check(diagnostics: &[Diagnostic], input: &[u8], is_valid: bool) {
    let no_error = diagnostics.iter().all(|one| one.severity() != Severity::Error);
    assert_eq!(no_error, is_valid, "{diagnostics:#?}");
    for diagnostic in diagnostics {
        let span = diagnostic.span();
        assert!(span.start <= span.end && span.end <= input.len(), "{diagnostic:?}");
        check_error(diagnostic);
        check_rendered(diagnostic, input);
        // A source that is not the one linted is a mistake, but none to die of.
        check_rendered(diagnostic, b"");
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
    assert!(text.len() <= 2000, "{} bytes", text.len());
}
