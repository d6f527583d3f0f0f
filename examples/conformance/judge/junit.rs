//! A score as XML in the form of `JUnit`, which CI servers read.

use std::fmt::Write;

use super::{Outcome, Verdict};

pub(crate) fn document(outcomes: &[Outcome]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for suite in outcomes.chunk_by(|one, next| one.vector.kind == next.vector.kind) {
        let count = |wanted: fn(&Outcome) -> bool| suite.iter().filter(|case| wanted(case)).count();
        let _ = writeln!(
            text,
            r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}">"#,
            suite.first().map_or("", |outcome| &outcome.vector.kind),
            suite.len(),
            count(|case| tag(case) == Some("failure")),
            count(|case| tag(case) == Some("error")),
            count(|case| tag(case) == Some("skipped")),
        );
        for outcome in suite {
            case(&mut text, outcome);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(text: &mut String, outcome: &Outcome) {
    let (id, kind) = (escaped(&outcome.vector.id), escaped(&outcome.vector.kind));
    let _ = write!(text, r#"    <testcase classname="{kind}" name="{id}""#);
    match tag(outcome) {
        None => text.push_str("/>\n"),
        Some(tag) => {
            let message = escaped(&outcome.message());
            let _ = writeln!(text, r#"><{tag} message="{message}"/></testcase>"#);
        }
    }
}

/// Returns the element that says what came of a vector, if it did not pass.
fn tag(outcome: &Outcome) -> Option<&'static str> {
    match outcome.verdict {
        Verdict::Crashed | Verdict::TimedOut if outcome.is_failure() => Some("error"),
        _ if outcome.is_failure() => Some("failure"),
        Verdict::Right => None,
        _ => Some("skipped"),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no other control characters, not even escaped.
            '\t' | '\n' | '\r' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
