use alloc::{borrow::Cow, format, string::String};
use core::fmt;

use thiserror::Error;

use super::PolicyErrorKind;
use crate::{
    domain::Domain,
    excerpt::excerpt,
    failure::{Failure, ResultType},
    parse::{Fault, offset},
    tolerances::Tolerances,
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
    pub(super) fn new(fault: Fault<'_, PolicyErrorKind>, input: &[u8]) -> Self {
        let offset = offset(input, fault.at);
        let before = input.get(..offset).unwrap_or_default();
        Self {
            kind: fault.kind,
            offset,
            // The piece that the fault is in, of the pieces between line ends.
            line: before.split(|&byte| byte == b'\n').count(),
            found: excerpt(fault.at),
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

impl PolicyErrorKind {
    /// A stable word for it: a report's `failure-reason-code`, a diagnostic's code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "policy-empty",
            Self::TooLarge => "policy-too-large",
            Self::NotUtf8 => "policy-not-utf8",
            Self::Deviation(which) => deviation_code(which),
            Self::FieldName => "policy-field-name",
            Self::Colon => "policy-no-colon",
            Self::FieldValue => "policy-field-value",
            Self::Version => "policy-version",
            Self::Mode => "policy-mode",
            Self::MaxAge => "policy-max-age",
            Self::Mx => "policy-mx",
            Self::NoVersion => "policy-no-version",
            Self::NoMode => "policy-no-mode",
            Self::NoMaxAge => "policy-no-max-age",
            Self::NoMx => "policy-no-mx",
        }
    }
}

fn deviation_code(which: Tolerances) -> &'static str {
    match which {
        Tolerances::BLANK_LINES => "policy-blank-line",
        Tolerances::LEADING_SPACE => "policy-leading-space",
        Tolerances::SPACE_BEFORE_COLON => "policy-space-before-colon",
        Tolerances::BYTE_ORDER_MARK => "policy-byte-order-mark",
        _ => "policy-mx-trailing-dot",
    }
}
