//! Faults of a whole policy text, such as missing line ends, and the text without them.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::str;

use super::{
    Code, Diagnostic, Severity, disguise,
    field_of::field_of,
    html,
    repair::mend,
    spelling::{FIELDS, near_name},
    wrapped,
};

/// A fault of a whole text, and the function that corrects it.
struct Way {
    code: Code,
    message: &'static str,
    undo: fn(&str) -> String,
}

const WAYS: [Way; 21] = [
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "quotes stand around the whole policy",
        undo: without_quotes,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "something stands before the policy, such as a statement of a web server or a shell",
        undo: |text| quoted(text).unwrap_or(text).to_owned(),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the header of an HTTP response stands before the policy",
        undo: wrapped::without_header,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the file is rich text (RTF), as a word processor saves it, not a policy",
        undo: wrapped::without_rtf,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "HTML tags stand where the lines should end",
        undo: |text| {
            let tags = ["<br />", "<br/>", "<br>", "<BR>", "</p><p>", "</div><div>"];
            tags.iter().fold(text.to_owned(), |text, tag| text.replace(tag, "\n"))
        },
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "HTML tags stand in the policy: it is plain text",
        undo: html::plain_text,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "characters that cannot be seen, such as a zero-width space, stand in several lines",
        undo: disguise::without_unseen,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "characters that only look like spaces, such as a no-break space, stand in several lines",
        undo: disguise::with_spaces,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "HTML entities, such as `&nbsp;`, stand in the policy: it is plain text",
        undo: html::without_entities,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the file is a YAML document, not a policy: a policy has no `---`",
        undo: wrapped::without_yaml,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "lines of marks, such as a code fence, stand around the policy",
        undo: wrapped::without_marks,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the two characters `\\` and `n` stand where the lines should end",
        undo: |text| text.replace("\\r\\n", "\r\n").replace("\\n", "\n"),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the lines end in LF CR: they must end in LF or CRLF",
        undo: |text| {
            if text.contains("\r\n") && !text.contains("\n\r\n") || text.contains("\r\n\r\n") {
                return text.to_owned();
            }
            text.replace("\n\r", "\r\n")
        },
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "each line ends in CR CR LF: a text with CRLF was written through a text-mode file",
        undo: |text| {
            let lines = text.split_inclusive('\n');
            let ends = |line: &str| match line.strip_suffix("\r\r\n") {
                Some(line) => line.trim_end_matches('\r').to_owned() + "\r\n",
                None => line.to_owned(),
            };
            lines.map(ends).collect()
        },
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the lines end in a bare CR: they must end in LF or CRLF",
        undo: |text| text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n"),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "other characters stand where the lines should end in LF or CRLF",
        undo: |text| {
            let ends =
                ["\u{2028}", "\u{85}", "\u{b}", "\u{c}", "\\012", "%0D%0A", "%0A", "&#10;", "/n"];
            ends.iter().fold(text.to_owned(), |text, end| text.replace(end, "\n"))
        },
    },
    Way {
        code: Code::POLICY_NO_COLON,
        message: "the field names are missing: each line is `name: value`",
        undo: named,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "several fields stand on one line: each one needs a line of its own",
        undo: one_a_line,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the values stand on lines of their own: each line is `name: value`",
        undo: joined,
    },
    Way {
        code: Code::POLICY_MX,
        message: "`mx` is a list: each host needs an `mx` of its own",
        undo: without_list,
    },
    Way {
        code: Code::POLICY_LEADING_SPACE,
        message: "the lines are indented: each one must begin with its field name",
        undo: |text| {
            let lines = text.split_inclusive('\n');
            lines.map(|line| line.trim_start_matches([' ', '\t'])).collect()
        },
    },
];

/// Returns one diagnostic for a fault of the whole text, with the corrected text.
///
/// `fields` gives the diagnostics of a text line by line.
pub(super) fn find(
    input: &[u8],
    found: &[Diagnostic],
    fields: impl Fn(&[u8]) -> Vec<Diagnostic>,
) -> Option<Diagnostic> {
    let mut text = str::from_utf8(input).ok()?.to_owned();
    let mut before = Score::of(&text, found);
    let mut applied = Vec::new();
    for way in &WAYS {
        let undone = (way.undo)(&text);
        if undone == text {
            continue;
        }
        let after = Score::of(&undone, &fields(undone.as_bytes()));
        if after.is_better_than(before, way) {
            applied.push(way);
            (text, before) = (undone, after);
        }
    }
    let said = |way: &Way| Diagnostic::new(way.code, 0..input.len(), way.message);
    let mended = mend(text.as_bytes(), fields).and_then(|text| String::from_utf8(text).ok());
    if text.matches("version:").count() > 1 {
        let message = "a second policy begins in the middle of a line of the first";
        let found = Diagnostic::new(Code::POLICY_LINE_BREAKS, 0..input.len(), message);
        return Some(found.with_help(Some("publish one policy, and nothing else".to_string())));
    }
    if let Some(text) = mended {
        return Some(said(applied.first()?).with_suggestion(0..input.len(), text, None));
    }
    // Of other faults more can be said line by line.
    let breaks = applied.iter().find(|way| way.code == Code::POLICY_LINE_BREAKS)?;
    Some(said(breaks).with_help(Some("write each field on a line of its own".to_string())))
}

/// The score of a text: its number of errors, and of the fields of a policy that it shows.
#[derive(Clone, Copy)]
struct Score {
    errors: usize,
    /// The known fields that begin a line.
    fields: usize,
}

impl Score {
    fn of(text: &str, found: &[Diagnostic]) -> Self {
        let begins = |line: &str, field: &&str| {
            let line = line.trim_start_matches([' ', '\t', '"', '\'']);
            line.get(..field.len()).is_some_and(|name| name.eq_ignore_ascii_case(field))
        };
        Self {
            errors: found.iter().filter(|one| one.severity == Severity::Error).count(),
            fields: FIELDS
                .iter()
                .filter(|field| text.split('\n').any(|line| begins(line, field)))
                .count(),
        }
    }

    fn is_better_than(self, before: Self, way: &Way) -> bool {
        // Single lines get diagnostics of their own.
        let codes = [Code::POLICY_LEADING_SPACE, Code::POLICY_MX, Code::POLICY_NO_COLON];
        let by_line = codes.contains(&way.code);
        let least = if by_line { 2 } else { 1 };
        !by_line && self.fields > before.fields
            || (self.fields >= 2 && self.errors.saturating_add(least) <= before.errors)
    }
}

/// Writes the name of its field before each value that has none, where all have none.
fn named(text: &str) -> String {
    let values: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|one| !one.is_empty()).collect();
    let names: Option<Vec<&str>> = values.iter().map(|value| field_of(value)).collect();
    let Some(names) = names.filter(|names| names.len() > 2) else { return text.to_owned() };
    let lines: Vec<String> =
        names.iter().zip(values).map(|(name, value)| format!("{name}: {value}\n")).collect();
    lines.concat()
}

fn without_quotes(text: &str) -> String {
    let trimmed = text.trim();
    let pairs = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”')];
    let inner = pairs.iter().find_map(|&(open, close)| {
        trimmed
            .strip_prefix(open)?
            .strip_suffix(close)
            .filter(|inner| !inner.contains([open, close]))
    });
    inner.unwrap_or(text).to_owned()
}

/// Returns the policy in a statement of a server's configuration or of a shell: `return 200 "version: …";`
fn quoted(text: &str) -> Option<&str> {
    let at = text.to_ascii_lowercase().find("version:")?;
    let (before, policy) = text.split_at_checked(at)?;
    let quote = before.chars().next_back().filter(|quote| matches!(quote, '"' | '\''))?;
    Some(policy.rsplit_once(quote)?.0)
}

/// Begins a line at each known field name that white space, a comma or a digit comes before.
fn one_a_line(text: &str) -> String {
    let is_one_line = !text.trim().contains(['\n', '\r']);
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let names_field = || {
            FIELDS.iter().any(|field| {
                let name = rest.get(..field.len());
                let after = rest.get(field.len()..).unwrap_or_default();
                name.is_some_and(|name| name.eq_ignore_ascii_case(field))
                    && after.starts_with([':', '='])
            })
        };
        let gap = [' ', '\t', ',', ';', '|'];
        let is_gap = |c: char| gap.contains(&c) || c.is_ascii_digit() || is_one_line;
        if result.ends_with(is_gap) && names_field() {
            let kept = result.trim_end_matches(gap).len();
            let line = result.get(..kept).and_then(|text| text.rsplit('\n').next());
            // A field comes before it: `policy: version: STSv1` is one with something before it.
            let sign = line.and_then(|line| line.split_once([':', '=']));
            if sign.is_some_and(|(_, value)| !value.trim().is_empty()) {
                result.truncate(kept);
                result.push('\n');
            }
        }
        result.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    result
}

/// Writes `mx:` and a list under it as one `mx` for each item.
fn without_list(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut in_list = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let item = ["- ", "* ", "• "].iter().find_map(|mark| trimmed.strip_prefix(mark));
        let host = trimmed.trim_end();
        match item.or((field_of(host) == Some("mx")).then_some(trimmed)) {
            Some(host) if in_list => {
                result.push_str("mx: ");
                result.push_str(host.trim_start());
            }
            _ => {
                let field = trimmed.split_once(':');
                in_list = field.is_some_and(|(name, _)| near_name(name.as_bytes()) == Some("mx"));
                let is_empty = in_list && trimmed.trim_end().ends_with(':');
                result.push_str(if is_empty { "" } else { line });
            }
        }
    }
    result
}

/// Joins each name with the value on the next line.
fn joined(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    // The name that a value is missing for, and where the value belongs.
    let mut open: Option<(&str, usize)> = None;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        match open {
            Some((name, end)) if field_of(trimmed) == Some(name) => {
                result.truncate(end);
                result.push(' ');
                result.push_str(line.trim_start());
                open = None;
            }
            _ => {
                let start = result.len();
                result.push_str(line);
                if !trimmed.is_empty() {
                    let end = start.saturating_add(line.trim_end().len());
                    open = trimmed.strip_suffix(':').map(|name| (name.trim(), end));
                }
            }
        }
    }
    result
}
