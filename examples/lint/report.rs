//! What is printed.

use std::{
    cmp::Reverse,
    env,
    fmt::{self, Write as _},
    io::{self, IsTerminal as _},
};

use mta_sts::lint::{Diagnostic, Severity};

/// The findings about one text or several.
pub(crate) struct Report {
    color: Color,
    /// Errors about several texts together, and notes, each rendered.
    errors: Vec<String>,
    notes: Vec<String>,
    texts: Vec<(Vec<u8>, Vec<Diagnostic>)>,
}

impl Report {
    pub(crate) fn new(color: Color) -> Self {
        Self { color, errors: Vec::new(), notes: Vec::new(), texts: Vec::new() }
    }

    /// Adds the findings about a text: what matters most comes first.
    pub(crate) fn add(&mut self, source: Vec<u8>, mut found: Vec<Diagnostic>) {
        found.sort_by_key(|one| (Reverse(one.severity()), one.span().start));
        self.texts.push((source, found));
    }

    /// Adds an error about all texts.
    pub(crate) fn add_error(&mut self, message: &str, help: &str) {
        self.errors.push(format!("error{message}\n  = help: {help}\n"));
    }

    pub(crate) fn add_note(&mut self, note: &str) {
        self.notes.push(format!("note: {note}\n"));
    }

    pub(crate) fn highest(&self) -> Option<Severity> {
        self.severities().max()
    }

    fn severities(&self) -> impl Iterator<Item = Severity> {
        let texts = self.texts.iter().flat_map(|(_, found)| found).map(Diagnostic::severity);
        self.errors.iter().map(|_| Severity::Error).chain(texts)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_colored = self.color.is_on();
        let mut show = |severity: Severity, text: &str| {
            if is_colored {
                writeln!(f, "{}", paint(text, severity))
            } else {
                writeln!(f, "{text}")
            }
        };
        for error in &self.errors {
            show(Severity::Error, error)?;
        }
        for (source, found) in &self.texts {
            for one in found {
                show(one.severity(), &one.render(source).to_string())?;
            }
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        let count = |severity| self.severities().filter(|one| *one == severity).count();
        writeln!(
            f,
            "errors: {}, warnings: {}, advice: {}",
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Advice),
        )
    }
}

/// Colours the severity, and the help.
fn paint(rendered: &str, severity: Severity) -> String {
    let color = match severity {
        Severity::Error => "\u{1b}[1;31m",
        Severity::Warning => "\u{1b}[1;33m",
        Severity::Advice => "\u{1b}[1;36m",
    };
    let mut text = String::new();
    for (n, line) in rendered.lines().enumerate() {
        let color = match line {
            _ if n == 0 => color,
            _ if line.starts_with("  = help") || line.starts_with("  + ") => "\u{1b}[32m",
            _ => "",
        };
        let reset = if color.is_empty() { "" } else { "\u{1b}[0m" };
        let _ = writeln!(text, "{color}{line}{reset}");
    }
    text
}

/// When to use colours.
#[derive(Clone, Copy, Default)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// `NO_COLOR` counts if it is not empty (<https://no-color.org>).
    fn is_on(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && io::stdout().is_terminal()
            }
        }
    }

    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(format!("--color is `auto`, `always` or `never`, not `{word}`")),
        }
    }
}
