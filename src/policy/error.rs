use alloc::{borrow::Cow, format, string::String};
use core::fmt;

use thiserror::Error;

use super::PolicyErrorKind;
use crate::{
    domain::Domain,
    excerpt::excerpt,
    failure::{Failure, ResultType},
    parse::{Fault, offset},
};

/// What is wrong with a policy file, and where.
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
            // The piece that the fault is in, of the pieces between line ends.
            line: before.split(|&byte| byte == b'\n').count(),
            found: found(fault.at),
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> PolicyErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the file; its length if something is missing.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Where, as the number of the line, the first being 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The same as a reportable [`Failure`], `sts-policy-invalid` (RFC 8460 §4.3.2.1).
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

/// What stands at a fault, up to the end of its line.
fn found(at: &[u8]) -> String {
    let line = at.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match line.strip_suffix(b"\r").unwrap_or(line) {
        [] if !at.is_empty() => "the end of the line".into(),
        line => excerpt(line),
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, offset, line, found } = self;
        match kind {
            PolicyErrorKind::Empty
            | PolicyErrorKind::TooLarge
            | PolicyErrorKind::NoVersion
            | PolicyErrorKind::NoMode
            | PolicyErrorKind::NoMaxAge
            | PolicyErrorKind::NoMx => write!(f, "{kind}"),
            _ => write!(f, "line {line}: {kind}, at byte {offset}: found {found}"),
        }
    }
}
