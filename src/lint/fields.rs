//! Findings about the fields of a policy file, line by line.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{ops::Range, str};

use super::{
    Code, Diagnostic, Severity, blank,
    findings::{Findings, Placed, error},
    help, host,
    host_words::{is_none, no_host},
    line::{self, Reading},
    misspelt::Misspelt,
    mx, table, weak,
};
use crate::{
    domain::Domain,
    excerpt::quoted_name,
    mode::Mode,
    parse::{
        Fault, offset,
        policy::{Field, Lines, PolicyErrorKind},
    },
    tolerances::Tolerances,
};

/// Returns the diagnostics of a text line by line.
pub(super) fn fields(input: &[u8], domain: Option<&Domain>) -> Vec<Diagnostic> {
    let line_end = if input.windows(2).any(|two| two == b"\r\n") { "\r\n" } else { "\n" };
    let mut lint = Lint { input, line_end, ..Lint::default() };
    lint.text(domain);
    lint.findings.finish()
}

#[derive(Default)]
struct Lint<'a> {
    input: &'a [u8],
    /// The line end of the file.
    line_end: &'static str,
    findings: Findings,
    /// The names of the fields so far, those of faulty lines too.
    names: BTreeSet<&'a [u8]>,
    misspelt: Vec<Misspelt<'a>>,
    /// Set if a field, good or faulty, came before this line.
    is_begun: bool,
    /// The blank lines so far.
    blank: Vec<Range<usize>>,
    mode: Option<Placed<Mode>>,
    /// The mode that a faulty line was meant to give.
    meant_mode: Option<Mode>,
    max_age: Option<Placed<u64>>,
    /// Set if only misspelt names give `mx`, which may be repeated.
    mx_is_misspelt: bool,
    mx: Vec<Placed<&'a [u8]>>,
}

impl<'a> Lint<'a> {
    fn text(&mut self, domain: Option<&Domain>) {
        if let Err(fault) = str::from_utf8(self.input) {
            let start = fault.valid_up_to();
            let len = fault.error_len().unwrap_or(1);
            let found = error(PolicyErrorKind::NotUtf8, start..start.saturating_add(len));
            self.findings.push(found.with_help(Some("save the file as UTF-8".into())));
        }
        self.lines();
        if let Some(found) = blank::diagnose(self.input, &self.blank) {
            self.findings.push(found);
        }
        self.misspelt();
        self.missing();
        let is_host = |(name, _): &Placed<&[u8]>| !str::from_utf8(name).is_ok_and(is_none);
        let has_mx = self.mx.iter().any(is_host);
        weak::mode(self.mode.as_ref(), has_mx, &mut self.findings);
        let opting_out = matches!(self.mode, Some((Mode::None, _)));
        if let Some((seconds, span)) = self.max_age.take() {
            weak::max_age(seconds, &span, opting_out, &mut self.findings);
        }
        mx::lint(&self.mx, domain, &mut self.findings);
    }

    fn lines(&mut self) {
        let mut lines = Lines::new(self.front_matter());
        let _ = lines.byte_order_mark(&mut |which, at| self.deviation(which, at));
        loop {
            match lines.next_field(&mut |which, at| self.deviation(which, at)) {
                Ok(Some(field)) => self.field(&field, lines.field()),
                Ok(None) => break,
                Err(fault) => {
                    self.fault(fault, lines.field());
                    lines.skip_line();
                }
            }
        }
    }

    /// Skips the front matter of a site generator.
    fn front_matter(&mut self) -> &'a [u8] {
        let Some(len) = help::front_matter(self.input) else { return self.input };
        let fence = String::from_utf8_lossy(line(self.input));
        let fence = fence.trim_start_matches('\u{feff}');
        let message =
            format!("the file begins with the front matter of a site generator (`{fence}`)");
        let help = "leave it out, and have the generator copy the file as it is".into();
        let found = Diagnostic::new(Code::POLICY_FRONT_MATTER, 0..len, message);
        self.findings.push(found.with_suggestion(0..len, "", Some(help)));
        self.input.get(len..).unwrap_or_default()
    }

    fn deviation(&mut self, which: Tolerances, at: &'a [u8]) -> bool {
        let len = match which {
            Tolerances::BYTE_ORDER_MARK => 3,
            // White space, or one byte where there is none: a dot, a line end.
            _ => at.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(at.len()),
        };
        let found = error(PolicyErrorKind::Deviation(which), self.span(at, len.max(1)));
        if which == Tolerances::BLANK_LINES {
            self.blank.push(self.span(at, help::line_len(at)));
            return true;
        }
        let before = self.input.get(..found.span.start).unwrap_or_default();
        if let Some(found) = dotted_number(which, before) {
            self.findings.push(found);
            return true;
        }
        let help = help::deviation(which, before);
        let removed = found.span();
        self.findings.push(found.with_suggestion(removed, "", Some(help)));
        true
    }

    fn fault(&mut self, fault: Fault<'a, PolicyErrorKind>, field: &'a [u8]) {
        let Fault { kind, at } = fault;
        let text = line(field);
        // A field that is there, if not well, is not missing.
        self.names.extend(help::field(kind));
        for name in line::mentioned(text) {
            self.names.insert(name.as_bytes());
        }
        if self.findings.is_full() {
            self.findings.push(error(kind, self.span(at, 0)));
            return;
        }
        let reading = line::read(text);
        self.is_begun |= reading.is_some();
        let commented = help::is_remark(text).then(|| line::commented(text)).flatten();
        self.names.extend(commented.map(str::as_bytes));
        let mut found = error(kind, self.span(at, line(at).len()));
        if let Some(reading) = &reading {
            self.names.insert(reading.name.as_bytes());
            self.note_mode(Some(reading));
            found.message = reading.meant.fault.clone().unwrap_or(found.message);
        } else if let Some(message) = help::message(kind, text) {
            found.message = message;
        }
        // There is a diagnostic for what is not UTF-8 already.
        if str::from_utf8(text).is_err() {
            return;
        }
        if reading.as_ref().is_some_and(|reading| reading.meant.values.is_some()) {
            let start = self.span(field, 0).start;
            self.findings.take_back(Code::POLICY_SPACE_BEFORE_COLON, start);
        }
        self.findings.push(self.helped(found, kind, field, reading));
    }

    /// Adds the line to write, or help where there is none.
    fn helped(
        &self,
        found: Diagnostic,
        kind: PolicyErrorKind,
        field: &[u8],
        reading: Option<Reading>,
    ) -> Diagnostic {
        let text = line(field);
        let text_of = |read: fn(&str) -> Option<String>| str::from_utf8(text).ok().and_then(read);
        if let Some(fields) = text_of(table::fields_of_row).filter(|_| reading.is_none()) {
            let lines: Vec<&str> = fields.lines().collect();
            let help = Some("`|` belongs to a table".to_string());
            let lines = lines.join(self.line_end);
            return found.with_suggestion(self.span(field, text.len()), lines, help);
        }
        let record = str::from_utf8(text).ok().and_then(help::record_of);
        match (reading, record) {
            (Some(reading), _) => match reading.lines(self.line_end) {
                Some(lines) => {
                    found.with_suggestion(self.span(field, text.len()), lines, reading.meant.help)
                }
                None => found.with_help(reading.meant.help),
            },
            (None, _) if line::commented(text).is_some() => {
                found.with_help(Some("leave out the mark before the field, or the line".into()))
            }
            (None, _) if line::commented_host(text).is_some() => {
                let host = line::commented_host(text).unwrap_or_default();
                let help = format!("leave the line out, or write `mx: {host}` for one more host");
                found.with_help(Some(help))
            }
            (None, Some((_, place))) => {
                let help = Some(format!("leave the line out: {place}"));
                found.with_suggestion(self.span(field, help::line_len(field)), "", help)
            }
            (None, None)
                if help::is_remark(text)
                    || kind == PolicyErrorKind::FieldValue && text.ends_with(b":") =>
            {
                let help = Some("leave the line out".into());
                found.with_suggestion(self.span(field, help::line_len(field)), "", help)
            }
            (None, None) => found.with_help(help::policy(kind, text)),
        }
    }

    /// Notes the mode that was meant: it decides whether `mx` is missing.
    fn note_mode(&mut self, reading: Option<&Reading>) {
        if let Some(Reading { name: "mode", meant }) = reading
            && let Some([value]) = meant.values.as_deref()
            && self.meant_mode.is_none()
        {
            self.meant_mode = value.parse().ok();
        }
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
                let span = self.span(at, len);
                let before = self.input.get(..span.end).unwrap_or_default();
                // There is an error for a number with a dot already.
                if at.get(len) != Some(&b'.')
                    || dotted_number(Tolerances::MX_TRAILING_DOT, before).is_none()
                {
                    self.mx.push((at.get(..len).unwrap_or_default(), span));
                }
                b"mx"
            }
            Field::Other { name, value } if value.starts_with(b"//") && is_scheme(name) => {
                return self.url(name, at);
            }
            Field::Other { name, .. } => {
                self.other(name, at);
                name
            }
        };
        self.names.insert(name);
        self.is_begun = true;
    }

    fn version_first(&mut self, at: &'a [u8]) {
        if self.is_begun {
            let message = "`version` is not the first field, which some readers want it to be";
            let span = self.span(at, line(at).len());
            self.findings.push(Diagnostic::new(Code::POLICY_VERSION_NOT_FIRST, span, message));
        }
    }

    fn url(&mut self, name: &[u8], at: &'a [u8]) {
        let name = String::from_utf8_lossy(name);
        let message =
            format!("this line is a URL, which senders take for a field `{name}` and ignore");
        let span = self.span(at, line(at).len());
        let found = Diagnostic::new(Code::POLICY_EXTENSION, span, message);
        let removed = self.span(at, help::line_len(at));
        let help = Some("leave the line out".into());
        self.findings.push(found.with_suggestion(removed, "", help));
    }

    fn other(&mut self, name: &'a [u8], at: &'a [u8]) {
        let span = self.span(at, name.len());
        let shown = quoted_name(name);
        let misspelt = Misspelt::new(name, at, span.clone());
        // An `mx` may be given again, misspelt or not.
        let is_again = self.names.contains(name);
        if let Some(misspelt) = misspelt.filter(|field| !is_again || field.known == "mx") {
            self.misspelt.push(misspelt);
        } else if is_again {
            let message = format!("{shown} is given again: only the first one counts");
            self.findings.push(Diagnostic::new(Code::POLICY_DUPLICATE, span, message));
        } else {
            let message = format!("{shown} is no field of RFC 8461: senders ignore it");
            self.findings.push(Diagnostic::new(Code::POLICY_EXTENSION, span, message));
        }
    }

    /// Judges the misspelt fields when all fields are known: one that stands for a missing field is
    /// an error, and then the field is not missing.
    fn misspelt(&mut self) {
        for misspelt in core::mem::take(&mut self.misspelt) {
            let name = misspelt.known.as_bytes();
            if name == b"mode" && !self.names.contains(name) {
                self.note_mode(Some(&misspelt.reading()));
            }
            let is_mx = name == b"mx";
            let is_missing = !self.names.contains(name) || (is_mx && self.mx_is_misspelt);
            let needed = is_missing && (!is_mx || self.mx_needed());
            let line_span = self.span(misspelt.at, line(misspelt.at).len());
            let found = misspelt.diagnose(needed, is_missing, line_span.clone(), self.line_end);
            if found.severity == Severity::Error {
                self.findings.remove_within(Code::POLICY_SPACE_BEFORE_COLON, &line_span);
            }
            self.findings.push(found);
            self.mx_is_misspelt |= is_missing && is_mx;
            self.names.insert(name);
        }
    }

    fn mx_needed(&self) -> bool {
        let mode = self.mode.as_ref().map(|(mode, _)| *mode).or(self.meant_mode);
        mode.is_some_and(|mode| mode != Mode::None)
    }

    /// "required once", and "required at least once, except when mode is "none"" (RFC 8461
    /// §3.2).
    fn missing(&mut self) {
        let required: [(&[u8], PolicyErrorKind, bool); 4] = [
            (b"version", PolicyErrorKind::MissingVersion, true),
            (b"mode", PolicyErrorKind::MissingMode, true),
            (b"max_age", PolicyErrorKind::MissingMaxAge, true),
            (b"mx", PolicyErrorKind::MissingMx, self.mx_needed()),
        ];
        let end = self.input.len();
        for (name, kind, needed) in required {
            if needed && !self.names.contains(name) {
                self.findings.push(error(kind, end..end).with_help(help::policy(kind, &[])));
            }
        }
    }

    /// Returns the span of the value in the line that begins here.
    fn value(&self, at: &[u8]) -> Range<usize> {
        let line = line(at);
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or_default();
        let after = line.get(colon..).and_then(|rest| rest.get(1..)).unwrap_or_default();
        let len = after.trim_ascii_start().len();
        let end = self.span(at, line.len()).end;
        end.saturating_sub(len)..end
    }

    /// Returns the span of `len` bytes from where `rest`, an end of the input, begins.
    fn span(&self, rest: &[u8], len: usize) -> Range<usize> {
        let start = offset(self.input, rest);
        start..start.saturating_add(len)
    }
}

fn is_scheme(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"https") || name.eq_ignore_ascii_case(b"http")
}

/// Returns the error for an address, or another number, with a dot at its end. `before` is the text before
/// the dot.
fn dotted_number(which: Tolerances, before: &[u8]) -> Option<Diagnostic> {
    let line = before.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let (_, value) = str::from_utf8(line).ok()?.split_once(':')?;
    let value_read = || host::number(value.trim()).or_else(|| no_host(value.trim()));
    let meant = value_read().filter(|_| which == Tolerances::MX_TRAILING_DOT)?;
    let start = before.len().saturating_sub(value.trim_start().len());
    let span = start..before.len().saturating_add(1);
    let found = error(PolicyErrorKind::Mx, span).with_help(meant.help);
    Some(Diagnostic { message: meant.fault?, ..found })
}

/// Returns the first line, without white space at its end.
fn line(rest: &[u8]) -> &[u8] {
    rest.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end()
}
