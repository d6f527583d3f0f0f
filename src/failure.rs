//! Failures, in the terms of TLS reports (RFC 8460 §4.3).

use alloc::{borrow::Cow, boxed::Box};
use core::{fmt, str::FromStr};

use thiserror::Error;
use time::UtcDateTime;

use crate::excerpt::Printable;

/// A result type of the IANA registry "STARTTLS Validation Result Types" ([RFC 8460 §4.3], [RFC
/// 8460 §6.6]).
///
/// The types are ordered from the least to the most specific: first the catch-all, then failures to
/// obtain a policy, then failures at the MX host; within each group, later steps come later. Of
/// several failures, report the greatest.
///
/// [RFC 8460 §4.3]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3
/// [RFC 8460 §6.6]: https://www.rfc-editor.org/rfc/rfc8460#section-6.6
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum ResultType {
    /// Any other failure ([RFC 8460 §4.3.3]), such as an MX host that the policy does not list.
    ///
    /// [RFC 8460 §4.3.3]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3.3
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
    /// The certificate is not valid for the name of the MX host.
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

    /// Returns the registered string, as in a report's `result-type`.
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

/// The reason codes of failures of the sender.
pub(crate) const HTTPS_PROXY: &str = "https-proxy";
pub(crate) const SOURCE_ADDRESS: &str = "source-address";

/// A failure, in the terms of a TLS report and of a log.
///
/// Failures are ordered by [`ResultType`]: the greatest of several is the most specific.
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
#[error("{}: {} ({})", Printable(subject), Printable(message), Codes(*result_type, reason_code))]
pub struct Failure {
    result_type: ResultType,
    reason_code: Cow<'static, str>,
    subject: Box<str>,
    message: Cow<'static, str>,
    /// Used by the cache when the failure happens, and not stored.
    #[cfg_attr(feature = "serde", serde(skip))]
    retry_after: Option<RetryAfter>,
}

/// The result type and the reason code of a failure, shown once if they are equal.
struct Codes<'a>(ResultType, &'a str);

impl fmt::Display for Codes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(result_type, reason_code) = self;
        if result_type.as_str() == *reason_code {
            return result_type.fmt(f);
        }
        write!(f, "{result_type}, {}", Printable(reason_code))
    }
}

/// The delay that a host asks for with `Retry-After` ([RFC 9110 §10.2.3]).
///
/// [RFC 9110 §10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RetryAfter {
    /// A number of seconds after the response.
    Seconds(u32),
    /// A date before which the host should not be asked again.
    Date(UtcDateTime),
}

impl Failure {
    /// The reason code of an error in the sender's own program, which is no failure of the host.
    pub(crate) const VERIFIER_REUSED: &str = "verifier-reused";

    /// The reason code of a handshake that ended without a fault of the host, such as by a lost
    /// connection. A message that requires TLS is not bounced for it.
    pub const HANDSHAKE_INTERRUPTED: &str = "tls-interrupted";

    /// Creates a failure.
    ///
    /// `reason_code` becomes a report's `failure-reason-code`, which [RFC 8460 §4.3] asks for
    /// beside `certificate-not-trusted` and `validation-failure`; `subject` names what failed (a
    /// domain, a Policy Host, an MX host); `message` is a sentence for people. Keep recipients'
    /// addresses out of all three: they are sent to others ([RFC 8460 §8]).
    ///
    /// [RFC 8460 §4.3]: https://www.rfc-editor.org/rfc/rfc8460#section-4.3
    /// [RFC 8460 §8]: https://www.rfc-editor.org/rfc/rfc8460#section-8
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

    /// Sets the delay that the host asked for. Default: none.
    ///
    /// A [`Cache`](crate::cache::Cache) extends its back-off to this delay, but to no more than an
    /// hour and no more than half of the remaining lifetime of a policy that applies.
    #[must_use]
    pub fn with_retry_after(self, retry_after: RetryAfter) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// Returns the delay that the host asked for, if any.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// Returns whether the cause is the sender's: its proxy, or its source address. Such a failure is
    /// no fact about the domain, and is not for a report to it.
    #[must_use]
    pub fn is_of_sender(&self) -> bool {
        [HTTPS_PROXY, SOURCE_ADDRESS].contains(&self.reason_code())
    }

    /// Removes the delay, so that the failure equals its stored form.
    pub(crate) fn take_retry_after(&mut self) -> Option<RetryAfter> {
        self.retry_after.take()
    }

    /// Returns the result type under which a report counts the failure.
    #[must_use]
    pub fn result_type(&self) -> ResultType {
        self.result_type
    }

    /// Returns the reason code, a stable identifier of the exact cause.
    #[must_use]
    pub fn reason_code(&self) -> &str {
        &self.reason_code
    }

    /// Returns the subject of the failure: a domain, a Policy Host or an MX host.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the message, a sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}
