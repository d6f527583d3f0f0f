//! A text with what is to be said of each line under it.

use std::fmt;

use mta_sts::lint::Diagnostic;

/// How many lines are shown, and how much of each.
const LINES: usize = 50;
const WIDTH: usize = 100;

pub(crate) struct Listing<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) findings: &'a [Diagnostic],
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut start, mut told) = (0, 0);
        let lines: Vec<&[u8]> = self.text.split_inclusive(|&byte| byte == b'\n').collect();
        for line in lines.iter().take(LINES) {
            writeln!(f, "  | {}", Line(without_end(line)))?;
            let end = start + line.len();
            let here = self
                .findings
                .iter()
                .filter(|diagnostic| (start..end).contains(&diagnostic.span().start));
            for finding in here {
                self.underline(f, line, start, finding)?;
                say(f, finding)?;
                told += 1;
            }
            start = end;
        }
        if let Some(more) = lines.len().checked_sub(LINES + 1) {
            let findings = self.findings.len() - told;
            return writeln!(f, "  … {} more lines, with {findings} findings", more + 1);
        }
        let at_the_end = |diagnostic: &&Diagnostic| diagnostic.span().start >= start;
        self.findings.iter().filter(at_the_end).try_for_each(|finding| say(f, finding))
    }
}

impl Listing<'_> {
    fn underline(
        &self,
        f: &mut fmt::Formatter<'_>,
        line: &[u8],
        start: usize,
        finding: &Diagnostic,
    ) -> fmt::Result {
        let width = |bytes: &[u8]| printable(&String::from_utf8_lossy(bytes)).chars().count();
        let span = finding.span();
        let visible = start + without_end(line).len();
        let before = width(&self.text[start..span.start.min(visible)]);
        let within = width(&self.text[span.start.min(visible)..span.end.min(visible)]);
        if before < WIDTH {
            let carets = within.clamp(1, WIDTH - before);
            writeln!(f, "  | {:before$}{:^<carets$}", "", "")?;
        }
        Ok(())
    }
}

/// What was found, and how to fix it.
pub(crate) fn say(f: &mut fmt::Formatter<'_>, finding: &Diagnostic) -> fmt::Result {
    writeln!(f, "  = {finding} ({})", finding.clause())?;
    finding.help().map_or(Ok(()), |help| writeln!(f, "    help: {help}"))
}

/// A line without its end: what is more than that, such as a second CR, is shown.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

struct Line<'a>(&'a [u8]);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = printable(&String::from_utf8_lossy(self.0));
        match text.char_indices().nth(WIDTH) {
            Some((cut, _)) => write!(f, "{}…", &text[..cut]),
            None => f.write_str(&text),
        }
    }
}

/// Escapes text from the network: the result is one line without control characters.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}
