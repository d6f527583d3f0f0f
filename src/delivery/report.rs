use alloc::{sync::Arc, vec::Vec};
use core::{fmt, net::IpAddr};

use super::{
    refusal::Reason,
    requirement::{Dane, Requirement, Tls},
    rules::Rules,
    session::SessionOutcome,
};
use crate::{
    domain::Domain,
    failure::{Failure, ResultType},
    no_policy::NoPolicy,
    policy::Policy,
};

/// What one session counts as in a TLS report (RFC 8460), under one of the policies that applied.
///
/// A session with usable TLSA records and an MTA-STS policy counts under both: "reporters may report
/// multiple applied policies" (§4). It holds nothing of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionReport {
    domain: Domain,
    host: Arc<str>,
    policy_type: PolicyType,
    policy: Option<Arc<Policy>>,
    failures: Vec<Failure>,
    receiving_ip: Option<IpAddr>,
}

/// The kind of a policy, as in a report's `policy-type` (RFC 8460 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PolicyType {
    /// The host's TLSA records.
    Tlsa,
    /// The domain's MTA-STS policy, of mode `enforce` or `testing`.
    Sts,
    /// None of them, though they were looked for.
    NoPolicyFound,
}

impl PolicyType {
    /// The string of RFC 8460 §4.4: `tlsa`, `sts` or `no-policy-found`.
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
    /// The domain that the report is for: the recipient's, or the smart host's. (In its field
    /// `policy-domain`, RFC 8460 §4.4 wants the TLSA base domain for
    /// [`PolicyType::Tlsa`]: that is [`mx_host`](Self::mx_host), unless it was found by a CNAME.)
    #[must_use]
    pub fn policy_domain(&self) -> &Domain {
        &self.domain
    }

    /// The host, as the MX record names it: `receiving-mx-hostname`.
    #[must_use]
    pub fn mx_host(&self) -> &str {
        &self.host
    }

    /// Returns the address that was connected to, if it was told: `receiving-ip`.
    #[must_use]
    pub fn receiving_ip(&self) -> Option<IpAddr> {
        self.receiving_ip
    }

    pub(super) fn with_receiving_ip(self, receiving_ip: Option<IpAddr>) -> Self {
        Self { receiving_ip, ..self }
    }

    /// Under which kind of policy the session counts.
    #[must_use]
    pub fn policy_type(&self) -> PolicyType {
        self.policy_type
    }

    /// The MTA-STS policy, which a report quotes; none for the other types.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// Whether it counts as a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures.is_empty()
    }

    /// What did not hold. The session counts once as failed, and once under each of these: a report
    /// may have "overlapping 'counts' of failure types" (RFC 8460 §4).
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }
}

/// What a host counts as that is not even connected to.
pub(super) fn of_skip(
    rules: &Rules,
    host: &Arc<str>,
    dane: Dane,
    reason: &Reason,
) -> impl Iterator<Item = SessionReport> {
    let is_unlisted = *reason == Reason::NotListed && !rules.is_operators_policy;
    let sts = is_unlisted.then(|| vec_of(not_listed(host)));
    // A timeout need not be reported (RFC 8460 §4.3.4), a bogus answer is one without "valid
    // records" (§4.3.2.1).
    let tlsa = match (dane, reason) {
        (Dane::Failed, _) => Some(tlsa_failure(
            host,
            ResultType::DnssecInvalid,
            "tlsa-bogus",
            "the TLSA records fail DNSSEC validation",
        )),
        (Dane::Unusable, Reason::DaneRequired) => Some(unusable(host)),
        (Dane::NotSigned, Reason::DaneRequired) => Some(tlsa_failure(
            host,
            ResultType::DaneRequired,
            "tlsa-missing",
            "the sender requires DANE, and there are no secure TLSA records",
        )),
        _ => None,
    };
    reports(rules, host, sts, tlsa.map(vec_of), None)
}

/// What an attempt counts as.
pub(super) fn of_session(
    rules: &Rules,
    host: &Arc<str>,
    dane: Dane,
    requirement: Requirement,
    outcome: &SessionOutcome,
) -> impl Iterator<Item = SessionReport> {
    // What failed the handshake has been counted before the attempt without TLS.
    let counts = requirement.tls != Tls::Never && !outcome.is_unreachable();
    let has_policy = rules.policy.is_ok() && !rules.is_operators_policy;
    let has_tlsa = matches!(dane, Dane::Usable | Dane::Unusable);
    // A policy that could not be had was looked for as one of MTA-STS, and counts as such.
    let unfetched = rules.policy.as_ref().err().and_then(NoPolicy::fetch_failure);
    let sts = match unfetched {
        Some(failure) => counts.then(|| not_fetched(failure, host, outcome)),
        None => (counts && has_policy).then(|| sts(rules, host, outcome)).flatten(),
    };
    let tlsa = (counts && has_tlsa).then(|| tlsa(host, dane, outcome)).flatten();
    let none = (counts && !has_tlsa && unfetched.is_none() && is_known_to_be_none(rules))
        .then(|| no_session(host, outcome).into_iter().collect());
    reports(rules, host, sts, tlsa, none)
}

/// The session under the MTA-STS policy, in mode `testing` as in `enforce` (RFC 8461 §6). Nothing
/// if it is not known whether the certificate holds and all else does.
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

/// Returns the verdict of PKIX on the session, if that is known. A handshake that another check has
/// ended is no success.
fn pkix(outcome: &SessionOutcome) -> Option<Result<(), &Failure>> {
    match outcome {
        SessionOutcome::Encrypted(checks) => Some(checks.pkix.as_ref()?.as_ref().copied()),
        SessionOutcome::CertificateRejected(checks) => {
            Some(Err(checks.pkix.as_ref()?.as_ref().err()?))
        }
        _ => None,
    }
}

/// The same of DANE.
fn dane_of(outcome: &SessionOutcome) -> Option<Result<(), &Failure>> {
    match outcome {
        SessionOutcome::Encrypted(checks) => Some(checks.dane.as_ref()?.as_ref().copied()),
        SessionOutcome::CertificateRejected(checks) => {
            Some(Err(checks.dane.as_ref()?.as_ref().err()?))
        }
        _ => None,
    }
}

/// The session under a policy that could not be fetched: it counts as failed, by the type of that
/// failure (RFC 8460 §4.3.2.2), and by whatever else kept it from TLS.
fn not_fetched(failure: &Failure, host: &Arc<str>, outcome: &SessionOutcome) -> Vec<Failure> {
    [Some(failure.clone()), no_session(host, outcome)].into_iter().flatten().collect()
}

/// The session under the host's TLSA records. If none of them is usable, that is a failure itself:
/// "None of the records … were found to be valid" (RFC 8460 §4.3.2.1).
fn tlsa(host: &Arc<str>, dane: Dane, outcome: &SessionOutcome) -> Option<Vec<Failure>> {
    let mut failures = Vec::new();
    if dane == Dane::Unusable {
        failures.push(unusable(host));
    }
    match tls_failure(host, outcome) {
        Some(failure) => failures.push(failure),
        None if dane == Dane::Usable => match dane_of(outcome)? {
            Ok(()) => {}
            Err(failure) => failures.push(failure.clone()),
        },
        None => {}
    }
    Some(failures)
}

/// Returns whether a policy was looked for and "neither a DANE nor an MTA-STS policy could be found"
/// (RFC 8460 §4.4). What counts then is whether there was TLS.
///
/// A policy of mode `none` was found, and failures under it are not reported (RFC 8461 §6); nor are
/// successes, which alone would tell of a domain where nothing ever fails.
fn is_known_to_be_none(rules: &Rules) -> bool {
    rules.policy.as_ref().err().is_some_and(was_looked_for)
}

fn was_looked_for(why: &NoPolicy) -> bool {
    match why {
        NoPolicy::NoRecord
        | NoPolicy::InvalidRecord(_)
        | NoPolicy::DnsFailed(_)
        | NoPolicy::FetchFailed(_) => true,
        NoPolicy::Expired { cause, .. } => was_looked_for(cause),
        // Limits and choices of the sender's tell nothing of the domain.
        NoPolicy::Overloaded
        | NoPolicy::HeldBack
        | NoPolicy::Ignored
        | NoPolicy::NotADomain(_)
        | NoPolicy::ModeNone => false,
    }
}

/// Returns why there was no TLS, whichever side ended it.
fn no_session(host: &Arc<str>, outcome: &SessionOutcome) -> Option<Failure> {
    match outcome {
        SessionOutcome::CertificateRejected(checks) => checks.failure().cloned(),
        _ => tls_failure(host, outcome),
    }
}

/// Returns why there was no TLS, if no check of the certificate ended it.
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

/// No other type fits, so it is a `validation-failure`, which comes with a reason code (RFC 8460
/// §4.3.3).
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

/// Nothing is reported about address literals: they have no domain that could ask for it.
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
