//! Findings, with stable codes for programs.

use std::{borrow::Cow, net::IpAddr};

use mta_sts::{
    Domain,
    lint::{Diagnostic, Severity},
};
use serde::Serialize;

/// One thing worth telling about a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// A stable word: that of the linter, a reason code of the library, or one of this example.
    pub(crate) code: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    /// The clause it comes from, such as `RFC 8461 §3.1`.
    pub(crate) clause: &'static str,
    pub(crate) domain: String,
    /// The host that it is about, if it is about one.
    pub(crate) host: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// It is wrong, missing or risky.
    Finding,
    /// It could not be found out.
    Failure,
}

impl Finding {
    /// Creates an error in what the domain publishes.
    pub(crate) fn error(
        code: impl Into<Cow<'static, str>>,
        clause: &'static str,
        domain: &Domain,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            kind: Kind::Finding,
            severity: Severity::Error,
            clause,
            domain: domain.to_string(),
            host: None,
            address: None,
            message: message.into(),
            help: None,
        }
    }

    /// Creates a failure: something that could not be found out.
    pub(crate) fn failure(
        code: impl Into<Cow<'static, str>>,
        clause: &'static str,
        domain: &Domain,
        message: impl Into<String>,
    ) -> Self {
        Self { kind: Kind::Failure, ..Self::error(code, clause, domain, message) }
    }

    pub(crate) fn linted(diagnostic: &Diagnostic, domain: &Domain) -> Self {
        Self {
            severity: diagnostic.severity(),
            help: diagnostic.help().map(str::to_owned),
            ..Self::error(
                diagnostic.code().to_owned(),
                diagnostic.clause(),
                domain,
                diagnostic.message(),
            )
        }
    }

    /// Makes it a failure of the check if it is about a certificate that others may be able to verify.
    pub(crate) fn of_certificate(self) -> Self {
        if is_unverified(&self.code) { Self { kind: Kind::Failure, ..self } } else { self }
    }

    pub(crate) fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    pub(crate) fn with_host(self, host: &str) -> Self {
        Self { host: Some(host.to_owned()), ..self }
    }

    pub(crate) fn with_address(self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    pub(crate) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Returns the severity, or `failure` for something that could not be found out.
    pub(crate) fn severity_name(&self) -> &'static str {
        match self.kind {
            Kind::Finding => self.severity.as_str(),
            Kind::Failure => "failure",
        }
    }

    /// Returns a key that sorts the gravest finding first.
    pub(crate) fn order(&self) -> (bool, std::cmp::Reverse<Severity>) {
        (self.kind == Kind::Failure, std::cmp::Reverse(self.severity))
    }
}

/// Returns whether this is the code of a certificate that may be valid: the cryptography of this program cannot
/// tell.
pub(crate) fn is_unverified(code: &str) -> bool {
    matches!(code, "certificate-unsupported-key" | "certificate-unsupported-signature")
}
