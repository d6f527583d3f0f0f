use alloc::{collections::BTreeSet, format, string::ToString, vec::Vec};
use core::{ops::Range, str};

use super::{
    Diagnostic,
    findings::{Findings, Placed, Rule},
    help, mx,
};
use crate::{
    domain::Domain,
    excerpt::excerpt,
    mode::Mode,
    parse::{
        Fault, offset,
        policy::{Field, Lines, PolicyErrorKind},
    },
    policy::Policy,
    tolerances::Tolerances,
};

const CLAUSE: &str = "RFC 8461 §3.2";
const DUPLICATE: Rule = Rule::warning("policy-duplicate-field", CLAUSE);
const MISSPELT: Rule = Rule::warning("policy-field-misspelt", CLAUSE);
const EXTENSION: Rule = Rule::advice("policy-extension", CLAUSE);
const VERSION_NOT_FIRST: Rule = Rule::advice("policy-version-not-first", CLAUSE);
const LINE_ENDS: Rule = Rule::advice("policy-line-ends", CLAUSE);
const TESTING: Rule = Rule::advice("policy-testing", "RFC 8461 §5");
const NONE_WITH_MX: Rule = Rule::advice("policy-none-with-mx", "RFC 8461 §8.3");
const MAX_AGE_OVER_LIMIT: Rule = Rule::warning("policy-max-age-over-limit", CLAUSE);
const MAX_AGE_ZERO: Rule = Rule::warning("policy-max-age-zero", CLAUSE);
const MAX_AGE_SHORT: Rule = Rule::warning("policy-max-age-short", "RFC 8461 §10.2");
const MAX_AGE_UNDER_WEEKS: Rule = Rule::advice("policy-max-age-under-weeks", CLAUSE);

const DAY: u64 = 86_400;

/// Tells all that is wrong or risky with a policy file.
#[must_use]
pub fn policy(input: &[u8]) -> Vec<Diagnostic> {
    lint(input, None)
}

/// [`policy`], and what can be told only with the Policy Domain at hand: whether a wildcard takes in
/// the domain's own hosts (RFC 8461 §10.4).
#[must_use]
pub fn policy_of(domain: &Domain, input: &[u8]) -> Vec<Diagnostic> {
    lint(input, Some(domain))
}

fn lint(input: &[u8], domain: Option<&Domain>) -> Vec<Diagnostic> {
    let mut lint = Lint { input, ..Lint::default() };
    match input.len() {
        0 => lint.error(PolicyErrorKind::Empty, 0..0, input),
        1..=Policy::MAX_LEN => lint.text(domain),
        _ => lint.error(PolicyErrorKind::TooLarge, Policy::MAX_LEN..input.len(), &[]),
    }
    lint.findings.finish()
}

#[derive(Default)]
struct Lint<'a> {
    input: &'a [u8],
    findings: Findings,
    /// The names of the fields so far, those with a faulty value too.
    names: BTreeSet<&'a [u8]>,
    mode: Option<Placed<Mode>>,
    max_age: Option<Placed<u64>>,
    mx: Vec<Placed<&'a [u8]>>,
}

impl<'a> Lint<'a> {
    fn text(&mut self, domain: Option<&Domain>) {
        if let Err(error) = str::from_utf8(self.input) {
            let start = error.valid_up_to();
            let len = error.error_len().unwrap_or(1);
            self.error(PolicyErrorKind::NotUtf8, start..start.saturating_add(len), self.input);
        }
        self.lines();
        self.line_ends();
        self.missing();
        self.mode();
        self.max_age();
        mx::lint(&self.mx, domain, &mut self.findings);
    }

    fn lines(&mut self) {
        let mut lines = Lines::new(self.input);
        let _ = lines.byte_order_mark(&mut |which, at| self.deviation(which, at));
        loop {
            match lines.next_field(&mut |which, at| self.deviation(which, at)) {
                Ok(Some(field)) => self.field(&field, lines.field()),
                Ok(None) => break,
                Err(fault) => {
                    self.fault(fault);
                    lines.skip_line();
                }
            }
        }
    }

    fn deviation(&mut self, which: Tolerances, at: &'a [u8]) -> bool {
        let len = match which {
            Tolerances::BYTE_ORDER_MARK => 3,
            // White space, or one byte where there is none: a dot, a line end.
            _ => at.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(at.len()),
        };
        self.error(PolicyErrorKind::Deviation(which), self.span(at, len.max(1)), &[]);
        true
    }

    fn fault(&mut self, fault: Fault<'a, PolicyErrorKind>) {
        let Fault { kind, at } = fault;
        // A field that is there, if not well, is not missing.
        self.names.extend(name_of(kind));
        let found = line(at);
        self.error(kind, self.span(at, found.len()), found);
    }

    fn error(&mut self, kind: PolicyErrorKind, span: Range<usize>, found: &[u8]) {
        let rule = Rule::error(kind.code(), CLAUSE);
        self.findings.add(rule, span, kind.to_string(), help::policy(kind, found));
    }

    fn field(&mut self, field: &Field<'a>, at: &'a [u8]) {
        let name: &[u8] = match *field {
            Field::Version => {
                self.version_first(at);
                b"version"
            }
            Field::Mode(mode) => {
                self.mode = Some((mode, self.value(at)));
                b"mode"
            }
            Field::MaxAge(seconds) => {
                self.max_age = Some((seconds, self.value(at)));
                b"max_age"
            }
            Field::Mx { at, len } => {
                self.mx.push((at.get(..len).unwrap_or_default(), self.span(at, len)));
                b"mx"
            }
            Field::Other { name, .. } => {
                self.other(name, self.span(at, name.len()));
                name
            }
        };
        self.names.insert(name);
    }

    fn version_first(&mut self, at: &'a [u8]) {
        if !self.names.is_empty() {
            let message = "`version` is not the first field, which some readers want it to be";
            self.findings.add(VERSION_NOT_FIRST, self.span(at, line(at).len()), message, None);
        }
    }

    fn other(&mut self, name: &'a [u8], span: Range<usize>) {
        let shown = excerpt(name);
        if self.names.contains(name) {
            let message = format!("{shown} is given again: only the first one counts");
            self.findings.add(DUPLICATE, span, message, None);
        } else if let Some(known) = help::known_name(name) {
            let help = Some(format!("write `{known}`"));
            self.findings.add(MISSPELT, span, format!("{shown} is not `{known}`"), help);
        } else {
            let message = format!("{shown} is no field of RFC 8461: senders ignore it");
            self.findings.add(EXTENSION, span, message, None);
        }
    }

    /// "required once", and "required at least once, except when mode is "none"" (§3.2).
    fn missing(&mut self) {
        let mx_needed = self.mode.as_ref().is_some_and(|(mode, _)| *mode != Mode::None);
        let required: [(&[u8], PolicyErrorKind, bool); 4] = [
            (b"version", PolicyErrorKind::NoVersion, true),
            (b"mode", PolicyErrorKind::NoMode, true),
            (b"max_age", PolicyErrorKind::NoMaxAge, true),
            (b"mx", PolicyErrorKind::NoMx, mx_needed),
        ];
        let end = self.input.len();
        for (name, kind, needed) in required {
            if needed && !self.names.contains(name) {
                self.error(kind, end..end, &[]);
            }
        }
    }

    /// "CRLF-separated", says the prose of §3.2; LF or CRLF, says its grammar (erratum 6253).
    fn line_ends(&mut self) {
        let lines = self.input.split_inclusive(|&byte| byte == b'\n');
        let mut start: usize = 0;
        for line in lines {
            let end = start.saturating_add(line.len());
            if line.ends_with(b"\n") && !line.ends_with(b"\r\n") {
                let message = "this line, the first of such, ends in LF: CRLF suits every reader";
                self.findings.add(LINE_ENDS, end.saturating_sub(1)..end, message, None);
                return;
            }
            start = end;
        }
    }

    fn mode(&mut self) {
        match &self.mode {
            Some((Mode::Testing, span)) => {
                let message = "in mode `testing` mail is delivered whatever fails";
                let help = "once the reports are clean, publish `mode: enforce` and a new `id`";
                self.findings.add(TESTING, span.clone(), message, Some(help.into()));
            }
            Some((Mode::None, span)) if !self.mx.is_empty() => {
                let message = "in mode `none` senders do not look at `mx`";
                self.findings.add(NONE_WITH_MX, span.clone(), message, None);
            }
            _ => {}
        }
    }

    fn max_age(&mut self) {
        let Some((seconds, span)) = self.max_age.clone() else { return };
        let opting_out = matches!(self.mode, Some((Mode::None, _)));
        let limit = Policy::MAX_MAX_AGE.as_secs();
        let weeks = || Some("write weeks, such as `max_age: 1209600`".into());
        if seconds > limit {
            let message = format!("`max_age` is over the limit of {limit}, and is taken for that");
            self.findings.add(MAX_AGE_OVER_LIMIT, span, message, None);
        } else if seconds == 0 {
            let message = "with `max_age: 0` no sender keeps the policy";
            self.findings.add(MAX_AGE_ZERO, span, message, weeks());
        } else if seconds < DAY && !opting_out {
            let message = "`max_age` is under a day: who can block the next fetches for that long \
                           is rid of the policy";
            self.findings.add(MAX_AGE_SHORT, span, message, weeks());
        } else if seconds < 7 * DAY && !opting_out {
            let message = "`max_age` is under a week: it is expected to be weeks or more";
            self.findings.add(MAX_AGE_UNDER_WEEKS, span, message, weeks());
        }
    }

    /// The span of the value in the line that begins here.
    fn value(&self, at: &[u8]) -> Range<usize> {
        let line = line(at);
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or_default();
        let after = line.get(colon..).and_then(|rest| rest.get(1..)).unwrap_or_default();
        let len = after.trim_ascii_start().len();
        let end = self.span(at, line.len()).end;
        end.saturating_sub(len)..end
    }

    /// `len` bytes from where `rest`, an end of the input, begins.
    fn span(&self, rest: &[u8], len: usize) -> Range<usize> {
        let start = offset(self.input, rest);
        start..start.saturating_add(len)
    }
}

/// The field whose value is at fault.
fn name_of(kind: PolicyErrorKind) -> Option<&'static [u8]> {
    match kind {
        PolicyErrorKind::Version => Some(b"version"),
        PolicyErrorKind::Mode => Some(b"mode"),
        PolicyErrorKind::MaxAge => Some(b"max_age"),
        PolicyErrorKind::Mx => Some(b"mx"),
        _ => None,
    }
}

/// The first line, without white space at its end.
fn line(rest: &[u8]) -> &[u8] {
    rest.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end()
}
