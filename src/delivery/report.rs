//! The contribution of a session to a TLS report (RFC 8460).

use alloc::{sync::Arc, vec::Vec};
use core::{fmt, net::IpAddr};

use super::{
    refusal::HostFailureReason,
    requirement::{Requirement, TlsLevel, TlsaStatus},
    rules::Rules,
    session::SessionOutcome,
};
use crate::{
    domain::Domain,
    failure::{Failure, ResultType},
    no_policy::NoPolicy,
    policy::Policy,
};

/// One session as counted in a TLS report (RFC 8460) under one of the policies that applied.
///
/// A session with usable TLSA records and an MTA-STS policy counts under both: "reporters may
/// report multiple applied policies" ([RFC 8460 §4]). It contains no data of the message.
///
/// [RFC 8460 §4]: https://www.rfc-editor.org/rfc/rfc8460#section-4
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionReport {
    domain: Domain,
    host: Arc<str>,
    policy_type: PolicyType,
    policy: Option<Arc<Policy>>,
    failures: Vec<Failure>,
    receiving_ip: Option<IpAddr>,
}

/// The kind of a policy, as in a report's `policy-type` ([RFC 8460 §4.4]).
///
/// [RFC 8460 §4.4]: https://www.rfc-editor.org/rfc/rfc8460#section-4.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum PolicyType {
    /// The host's TLSA records.
    Tlsa,
    /// The domain's MTA-STS policy of mode `enforce` or `testing`, including one that could not be
    /// fetched.
    Sts,
    /// No policy: discovery found neither TLSA records nor an MTA-STS policy.
    NoPolicyFound,
}

impl PolicyType {
    /// Returns the string of [RFC 8460 §4.4]: `tlsa`, `sts` or `no-policy-found`.
    ///
    /// [RFC 8460 §4.4]: https://www.rfc-editor.org/rfc/rfc8460#section-4.4
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tlsa => "tlsa",
            Self::Sts => "sts",
            Self::NoPolicyFound => "no-policy-found",
        }
    }
}

impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl SessionReport {
    /// Returns the domain that the report is for: the recipient's, or the smart host's. (For
    /// [`PolicyType::Tlsa`], the field `policy-domain` of [RFC 8460 §4.4] is the TLSA base domain:
    /// use [`mx_host`](Self::mx_host), unless the records were found by a CNAME.)
    ///
    /// [RFC 8460 §4.4]: https://www.rfc-editor.org/rfc/rfc8460#section-4.4
    #[must_use]
    pub fn policy_domain(&self) -> &Domain {
        &self.domain
    }

    /// Returns the host, as the MX record names it: `receiving-mx-hostname`.
    #[must_use]
    pub fn mx_host(&self) -> &str {
        &self.host
    }

    /// Returns the address of the host, if it was supplied: `receiving-ip`.
    #[must_use]
    pub fn receiving_ip(&self) -> Option<IpAddr> {
        self.receiving_ip
    }

    pub(super) fn with_receiving_ip(self, receiving_ip: Option<IpAddr>) -> Self {
        Self { receiving_ip, ..self }
    }

    /// Returns the kind of policy under which the session counts.
    #[must_use]
    pub fn policy_type(&self) -> PolicyType {
        self.policy_type
    }

    /// Returns the MTA-STS policy, which a report quotes. Returns `None` for the other types, and
    /// for a policy that could not be fetched.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// Returns whether the session counts as a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures.is_empty()
    }

    /// Returns the failures of the session. A report counts the session as failed once, and under
    /// each of these failures: one session may count under several failure types ([RFC 8460 §4]).
    ///
    /// [RFC 8460 §4]: https://www.rfc-editor.org/rfc/rfc8460#section-4
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }
}

/// Returns the reports on a host that was skipped without a connection.
pub(super) fn of_skip(
    rules: &Rules,
    host: &Arc<str>,
    dane: TlsaStatus,
    reason: &HostFailureReason,
) -> impl Iterator<Item = SessionReport> {
    let is_unlisted = *reason == HostFailureReason::NotListed && !rules.is_operators_policy;
    let sts = is_unlisted.then(|| vec_of(not_listed(host)));
    // A time-out need not be reported (RFC 8460 §4.3.4); a bogus answer is one without "valid
    // records" (RFC 8460 §4.3.2.1).
    let tlsa = match (dane, reason) {
        (TlsaStatus::Bogus, _) => Some(tlsa_failure(
            host,
            ResultType::DnssecInvalid,
            "tlsa-bogus",
            "the TLSA records fail DNSSEC validation",
        )),
        (TlsaStatus::Unusable, HostFailureReason::DaneRequired) => Some(unusable(host)),
        (TlsaStatus::Insecure, HostFailureReason::DaneRequired) => Some(tlsa_failure(
            host,
            ResultType::DaneRequired,
            "tlsa-missing",
            "the sender requires DANE, and there are no secure TLSA records",
        )),
        _ => None,
    };
    reports(rules, host, sts, tlsa.map(vec_of), None)
}

/// Returns the reports on an attempt.
pub(super) fn of_session(
    rules: &Rules,
    host: &Arc<str>,
    dane: TlsaStatus,
    requirement: Requirement,
    outcome: &SessionOutcome,
) -> impl Iterator<Item = SessionReport> {
    // A failed handshake has been counted before the attempt without TLS.
    let counts = requirement.tls != TlsLevel::Never && !outcome.is_unreachable();
    let has_policy = rules.policy.is_ok() && !rules.is_operators_policy;
    let has_tlsa = matches!(dane, TlsaStatus::Usable | TlsaStatus::Unusable);
    // A policy that could not be fetched was announced as one of MTA-STS, and counts as such.
    // One that the sender's own network kept from it is nothing to report to the domain.
    let unfetched = rules.policy.as_ref().err().and_then(NoPolicy::fetch_failure);
    let unfetched = unfetched.filter(|failure| !failure.is_of_sender());
    let sts = match unfetched {
        Some(failure) => counts.then(|| not_fetched(failure, host, outcome)),
        None => (counts && has_policy).then(|| sts(rules, host, outcome)).flatten(),
    };
    let tlsa = (counts && has_tlsa).then(|| tlsa(host, dane, outcome)).flatten();
    let none = (counts && !has_tlsa && unfetched.is_none() && is_known_to_be_none(rules))
        .then(|| no_session(host, outcome).into_iter().collect());
    reports(rules, host, sts, tlsa, none)
}

/// Returns the failures under the MTA-STS policy, in mode `testing` as in `enforce` (RFC 8461 §6).
/// Returns `None` if there are no failures and the certificate was not checked.
fn sts(rules: &Rules, host: &Arc<str>, outcome: &SessionOutcome) -> Option<Vec<Failure>> {
    let mut failures = Vec::new();
    if !rules.lists(host) {
        failures.push(not_listed(host));
    }
    match tls_failure(host, outcome) {
        Some(failure) => failures.push(failure),
        None => match pkix(outcome) {
            Some(Err(failure)) => failures.push(failure.clone()),
            None if failures.is_empty() => return None,
            Some(Ok(())) | None => {}
        },
    }
    Some(failures)
}

/// Returns the result of the PKIX check, if there is one. A handshake that was ended by another
/// check is no success.
fn pkix(outcome: &SessionOutcome) -> Option<Result<(), &Failure>> {
    match outcome {
        SessionOutcome::Encrypted(checks) => Some(checks.pkix.as_ref()?.as_ref().copied()),
        SessionOutcome::CertificateRejected(checks) => {
            Some(Err(checks.pkix.as_ref()?.as_ref().err()?))
        }
        _ => None,
    }
}

/// Returns the result of the DANE check, under the same rules as [`pkix`].
fn dane_of(outcome: &SessionOutcome) -> Option<Result<(), &Failure>> {
    match outcome {
        SessionOutcome::Encrypted(checks) => Some(checks.dane.as_ref()?.as_ref().copied()),
        SessionOutcome::CertificateRejected(checks) => {
            Some(Err(checks.dane.as_ref()?.as_ref().err()?))
        }
        _ => None,
    }
}

/// Returns the failures under a policy that could not be fetched: that failure (RFC 8460 §4.3.2.2),
/// and the failure that prevented TLS, if any.
fn not_fetched(failure: &Failure, host: &Arc<str>, outcome: &SessionOutcome) -> Vec<Failure> {
    [Some(failure.clone()), no_session(host, outcome)].into_iter().flatten().collect()
}

/// Returns the failures under the host's TLSA records. If none of the records is usable, that is a
/// failure itself: "None of the records … were found to be valid" (RFC 8460 §4.3.2.1).
fn tlsa(host: &Arc<str>, dane: TlsaStatus, outcome: &SessionOutcome) -> Option<Vec<Failure>> {
    let mut failures = Vec::new();
    if dane == TlsaStatus::Unusable {
        failures.push(unusable(host));
    }
    match tls_failure(host, outcome) {
        Some(failure) => failures.push(failure),
        None if dane == TlsaStatus::Usable => match dane_of(outcome)? {
            Ok(()) => {}
            Err(failure) => failures.push(failure.clone()),
        },
        None => {}
    }
    Some(failures)
}

/// Returns whether discovery ran and "neither a DANE nor MTA-STS Policy could be found" (RFC 8460
/// §4). Such a session counts by whether there was TLS.
///
/// Failures under a policy of mode `none` are not reported (RFC 8461 §6). Nor are successes:
/// without the failures, the report would show a domain where nothing ever fails.
fn is_known_to_be_none(rules: &Rules) -> bool {
    rules.policy.as_ref().err().is_some_and(was_looked_for)
}

fn was_looked_for(why: &NoPolicy) -> bool {
    match why {
        NoPolicy::NoRecord | NoPolicy::InvalidRecord(_) | NoPolicy::DnsFailed(_) => true,
        NoPolicy::FetchFailed(failure) => !failure.is_of_sender(),
        NoPolicy::Expired { cause, .. } => was_looked_for(cause),
        // Limits and choices of the sender are no facts about the domain.
        NoPolicy::Overloaded
        | NoPolicy::HeldBack
        | NoPolicy::Disabled
        | NoPolicy::NotADomain(_)
        | NoPolicy::ModeNone => false,
    }
}

/// Returns the failure that prevented TLS, whichever side ended the session.
fn no_session(host: &Arc<str>, outcome: &SessionOutcome) -> Option<Failure> {
    match outcome {
        SessionOutcome::CertificateRejected(checks) => checks.failure().cloned(),
        _ => tls_failure(host, outcome),
    }
}

/// Returns the failure that prevented TLS, if it was not a check of the certificate.
fn tls_failure(host: &Arc<str>, outcome: &SessionOutcome) -> Option<Failure> {
    match outcome {
        SessionOutcome::ClearText => Some(Failure::new(
            ResultType::StarttlsNotSupported,
            "starttls-not-offered",
            &**host,
            "the host does not offer STARTTLS",
        )),
        SessionOutcome::StarttlsRefused { is_temporary } => Some(Failure::new(
            ResultType::StarttlsNotSupported,
            "starttls-refused",
            &**host,
            if *is_temporary {
                "the host offers STARTTLS and refuses it for now"
            } else {
                "the host offers STARTTLS and refuses it"
            },
        )),
        SessionOutcome::HandshakeFailed(failure) => Some(failure.clone()),
        SessionOutcome::Unreachable
        | SessionOutcome::GreetingRefused
        | SessionOutcome::ConnectionLost
        | SessionOutcome::CertificateRejected(_)
        | SessionOutcome::Encrypted(_) => None,
    }
}

/// Creates the failure of a host that the policy does not list. No other type fits, so it is a
/// `validation-failure`, which comes with a reason code (RFC 8460 §4.3.3).
fn not_listed(host: &Arc<str>) -> Failure {
    Failure::new(
        ResultType::ValidationFailure,
        "sts-mx-mismatch",
        &**host,
        "the MTA-STS policy does not list the host",
    )
}

fn unusable(host: &Arc<str>) -> Failure {
    tlsa_failure(
        host,
        ResultType::TlsaInvalid,
        "tlsa-unusable",
        "none of the TLSA records is usable",
    )
}

fn tlsa_failure(
    host: &Arc<str>,
    result_type: ResultType,
    code: &'static str,
    message: &'static str,
) -> Failure {
    Failure::new(result_type, code, &**host, message)
}

fn vec_of(failure: Failure) -> Vec<Failure> {
    [failure].into()
}

/// Creates the reports from the failures under each policy. Returns none for address literals: they
/// have no domain that could request reports.
fn reports(
    rules: &Rules,
    host: &Arc<str>,
    sts: Option<Vec<Failure>>,
    tlsa: Option<Vec<Failure>>,
    none: Option<Vec<Failure>>,
) -> impl Iterator<Item = SessionReport> {
    let found =
        [(PolicyType::Tlsa, tlsa), (PolicyType::Sts, sts), (PolicyType::NoPolicyFound, none)];
    let (domain, host) = (rules.domain.clone(), host.clone());
    let policy = rules.policy.clone().ok();
    found.into_iter().filter_map(move |(policy_type, failures)| {
        let policy = policy.clone().filter(|_| policy_type == PolicyType::Sts);
        let (domain, host) = (domain.clone()?, host.clone());
        Some(SessionReport {
            domain,
            host,
            policy_type,
            policy,
            failures: failures?,
            receiving_ip: None,
        })
    })
}
