//! The errors of a policy file.

use alloc::{borrow::Cow, format, string::String};
use core::fmt;

use thiserror::Error;

use super::PolicyErrorKind;
use crate::{
    domain::Domain,
    excerpt::{excerpt, quoted_name},
    failure::{Failure, ResultType},
    parse::{Fault, offset},
};

/// An error of a policy file: its kind and its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct PolicyError {
    kind: PolicyErrorKind,
    offset: usize,
    line: usize,
    found: String,
}

impl PolicyError {
    #[cold]
    pub(super) fn new(fault: Fault<'_, PolicyErrorKind>, input: &[u8]) -> Self {
        let offset = offset(input, fault.at);
        let before = input.get(..offset).unwrap_or_default();
        Self {
            kind: fault.kind,
            offset,
            // The number of the part with the fault, if the text is split at line ends.
            line: before.split(|&byte| byte == b'\n').count(),
            found: found(fault),
        }
    }

    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> PolicyErrorKind {
        self.kind
    }

    /// Returns the place of the error, in bytes from the start of the file. If something is
    /// missing, returns the length of the file.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the number of the line with the error, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Converts to a reportable [`Failure`], `sts-policy-invalid` ([RFC 8460 §4.3.2.2]).
    ///
    /// [RFC 8460 §4.3.2.2]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3.2.2
    #[must_use]
    pub fn to_failure(&self, domain: &Domain) -> Failure {
        Failure::new(
            ResultType::StsPolicyInvalid,
            self.kind.code(),
            domain.policy_host(),
            Cow::Owned(format!("{self}")),
        )
    }
}

/// Returns the text at a fault, up to the end of its line.
fn found(fault: Fault<'_, PolicyErrorKind>) -> String {
    let Fault { kind, at } = fault;
    let line = at.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match line.strip_suffix(b"\r").unwrap_or(line) {
        [] if !at.is_empty() => "the end of the line".into(),
        // A host name is shown whole, to be compared with those of the MX records.
        line if kind == PolicyErrorKind::Mx => quoted_name(line.trim_ascii_end()),
        line => excerpt(line),
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, offset, line, found } = self;
        match kind {
            PolicyErrorKind::Empty
            | PolicyErrorKind::TooLarge
            | PolicyErrorKind::MissingVersion
            | PolicyErrorKind::MissingMode
            | PolicyErrorKind::MissingMaxAge
            | PolicyErrorKind::MissingMx => write!(f, "{kind}"),
            _ => write!(f, "line {line}: {kind}, at byte {offset}: found {found}"),
        }
    }
}
