//! One vocabulary for everything that can go wrong (RFC 8460 §4.3).

use alloc::{borrow::Cow, boxed::Box};
use core::{fmt, str::FromStr};

use thiserror::Error;
use time::UtcDateTime;

use crate::excerpt::Printable;

/// A result type of the IANA registry "STARTTLS Validation Result Types" (RFC 8460 §§4.3, 6.6).
///
/// The order is from the least to the most telling: the catch-all first, then what was met on the
/// way to a policy, then what was met at the MX host; within each, what shows up later is a finding
/// about one thing rather than about all. Of several failures, report the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum ResultType {
    /// None of the others (§4.3.3), such as an MX host that the policy does not list.
    ValidationFailure,
    /// The policy could not be retrieved.
    StsPolicyFetchError,
    /// The Policy Host could not be authenticated by PKIX.
    StsWebpkiInvalid,
    /// The policy was retrieved but is not valid.
    StsPolicyInvalid,
    /// The MX host does not offer STARTTLS.
    StarttlsNotSupported,
    /// The sender requires DANE and found no TLSA records.
    DaneRequired,
    /// The resolver found no valid DNSSEC records.
    DnssecInvalid,
    /// No record of the TLSA set is valid.
    TlsaInvalid,
    /// The certificate chains to no trusted root, or breaks a rule of its chain.
    CertificateNotTrusted,
    /// The certificate is not for the MX host.
    CertificateHostMismatch,
    /// The certificate has expired.
    CertificateExpired,
}

impl ResultType {
    /// Every result type, in order.
    pub const ALL: [Self; 11] = [
        Self::ValidationFailure,
        Self::StsPolicyFetchError,
        Self::StsWebpkiInvalid,
        Self::StsPolicyInvalid,
        Self::StarttlsNotSupported,
        Self::DaneRequired,
        Self::DnssecInvalid,
        Self::TlsaInvalid,
        Self::CertificateNotTrusted,
        Self::CertificateHostMismatch,
        Self::CertificateExpired,
    ];

    /// The registered string, as in a report's `result-type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailure => "validation-failure",
            Self::StsPolicyFetchError => "sts-policy-fetch-error",
            Self::StsWebpkiInvalid => "sts-webpki-invalid",
            Self::StsPolicyInvalid => "sts-policy-invalid",
            Self::StarttlsNotSupported => "starttls-not-supported",
            Self::DaneRequired => "dane-required",
            Self::DnssecInvalid => "dnssec-invalid",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateExpired => "certificate-expired",
        }
    }
}

impl fmt::Display for ResultType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A string that is no registered [`ResultType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a result type of RFC 8460 §4.3")]
pub struct ParseResultTypeError(());

impl FromStr for ResultType {
    type Err = ParseResultTypeError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(ParseResultTypeError(()))
    }
}

/// Something that went wrong, in the terms of a TLS report and of a log.
///
/// Failures are ordered: the greatest of several is the most telling one.
///
/// ```
/// use mta_sts::{Failure, ResultType};
///
/// let timeout = Failure::new(
///     ResultType::StsPolicyFetchError, "deadline", "mta-sts.example.com", "no answer in 60 s",
/// );
/// let invalid = Failure::new(
///     ResultType::StsPolicyInvalid, "policy-no-mode", "mta-sts.example.com", "no `mode`",
/// );
/// assert_eq!(
///     [timeout, invalid].iter().max().unwrap().to_string(),
///     "mta-sts.example.com: no `mode` (sts-policy-invalid, policy-no-mode)",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[error(
    "{}: {} ({result_type}, {})",
    Printable(subject),
    Printable(message),
    Printable(reason_code)
)]
pub struct Failure {
    result_type: ResultType,
    reason_code: Cow<'static, str>,
    subject: Box<str>,
    message: Cow<'static, str>,
    /// Not stored: it counts when the failure happens, for the cache.
    #[cfg_attr(feature = "serde", serde(skip))]
    retry_after: Option<RetryAfter>,
}

/// The time for which a host asks to be left alone, by `Retry-After` (RFC 9110 §10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RetryAfter {
    /// So many seconds from the response on.
    Seconds(u32),
    /// Until this date.
    Date(UtcDateTime),
}

impl Failure {
    /// A failure of this type.
    ///
    /// `reason_code` becomes a report's `failure-reason-code`, which §4.3 asks for beside
    /// `certificate-not-trusted` and `validation-failure`; `subject` names what it happened to (a
    /// Policy Host, an MX host); `message` is a sentence for people. Keep recipients' addresses out
    /// of all three: they are sent to others (§8).
    pub fn new(
        result_type: ResultType,
        reason_code: impl Into<Cow<'static, str>>,
        subject: impl Into<Box<str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            result_type,
            reason_code: reason_code.into(),
            subject: subject.into(),
            message: message.into(),
            retry_after: None,
        }
    }

    /// Sets the time for which the host asks to be left alone. Default: none.
    ///
    /// A [`Cache`](crate::cache::Cache) lengthens its back-off by it: to an hour at the most, and to
    /// half of what is left of the life of a policy that applies.
    #[must_use]
    pub fn with_retry_after(self, retry_after: RetryAfter) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// Returns the time for which the host asks to be left alone, if it does.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// Removes that time, so that the failure is what it is once it has been stored.
    pub(crate) fn take_retry_after(&mut self) -> Option<RetryAfter> {
        self.retry_after.take()
    }

    /// What it counts as in a report.
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        self.result_type
    }

    /// What exactly it was, as a stable word.
    #[must_use]
    pub fn reason_code(&self) -> &str {
        &self.reason_code
    }

    /// What it happened to.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What happened, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}
