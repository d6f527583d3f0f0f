//! Decision table 7.2 of the requirements, cell by cell: delivery to one host.

use std::sync::Arc;

use mta_sts::{
    Mode, NoPolicy, Policy,
    ResultType::{
        self, CertificateExpired, CertificateHostMismatch, CertificateNotTrusted,
        StarttlsNotSupported, ValidationFailure,
    },
    delivery::{Delivery, MinTlsLevel, SendDecision, SessionOutcome, TlsaStatus},
};

use super::{advise, failure, invalid, only_address, policy, reports, to, valid};

const LISTED: bool = true;
const UNLISTED: bool = false;

/// What is met at the host.
#[derive(Clone, Copy, Debug)]
enum Met {
    NoStarttls,
    NoHandshake,
    Bad(ResultType),
    Good,
}
use Met::{Bad, Good, NoHandshake, NoStarttls};

impl Met {
    fn outcome(self) -> SessionOutcome {
        match self {
            NoStarttls => SessionOutcome::ClearText,
            NoHandshake => SessionOutcome::HandshakeFailed(failure(ValidationFailure)),
            Bad(result_type) => invalid(result_type),
            Good => valid(),
        }
    }
}

type Row = (bool, Met, bool, Option<&'static [ResultType]>);

/// Listed, what is met, whether it is sent, and what fails in the report (`None`: no report).
const ENFORCE: &[Row] = &[
    (UNLISTED, Good, false, Some(&[ValidationFailure])),
    (UNLISTED, Bad(CertificateExpired), false, Some(&[ValidationFailure])),
    (UNLISTED, NoHandshake, false, Some(&[ValidationFailure])),
    (UNLISTED, NoStarttls, false, Some(&[ValidationFailure])),
    (LISTED, NoStarttls, false, Some(&[StarttlsNotSupported])),
    (LISTED, NoHandshake, false, Some(&[ValidationFailure])),
    (LISTED, Bad(CertificateExpired), false, Some(&[CertificateExpired])),
    (LISTED, Bad(CertificateHostMismatch), false, Some(&[CertificateHostMismatch])),
    (LISTED, Bad(CertificateNotTrusted), false, Some(&[CertificateNotTrusted])),
    (LISTED, Good, true, Some(&[])),
];

const TESTING: &[Row] = &[
    (UNLISTED, Good, true, Some(&[ValidationFailure])),
    (UNLISTED, Bad(CertificateExpired), true, Some(&[ValidationFailure, CertificateExpired])),
    (UNLISTED, NoHandshake, true, Some(&[ValidationFailure, ValidationFailure])),
    (UNLISTED, NoStarttls, true, Some(&[ValidationFailure, StarttlsNotSupported])),
    (LISTED, NoStarttls, true, Some(&[StarttlsNotSupported])),
    (LISTED, NoHandshake, true, Some(&[ValidationFailure])),
    (LISTED, Bad(CertificateExpired), true, Some(&[CertificateExpired])),
    (LISTED, Good, true, Some(&[])),
];

/// Whether TLS came about counts; a certificate has nothing to meet.
const NO_POLICY: &[Row] = &[
    (UNLISTED, Good, true, Some(&[])),
    (UNLISTED, Bad(CertificateExpired), true, Some(&[])),
    (UNLISTED, NoHandshake, true, Some(&[ValidationFailure])),
    (UNLISTED, NoStarttls, true, Some(&[StarttlsNotSupported])),
];

/// As without a policy, but "except if that policy's mode is `none`" (§6): nothing is reported.
const NONE: &[Row] = &[
    (UNLISTED, Good, true, None),
    (LISTED, Good, true, None),
    (UNLISTED, Bad(CertificateExpired), true, None),
    (LISTED, Bad(CertificateExpired), true, None),
    (UNLISTED, NoHandshake, true, None),
    (LISTED, NoHandshake, true, None),
    (UNLISTED, NoStarttls, true, None),
    (LISTED, NoStarttls, true, None),
];

#[test]
fn t7_2_enforce() {
    check(ENFORCE, "sts", &Ok(policy(Mode::Enforce, &["mx1.example.net"])));
}

#[test]
fn t7_2_testing() {
    check(TESTING, "sts", &Ok(policy(Mode::Testing, &["mx1.example.net"])));
}

#[test]
fn t7_2_none() {
    check(NONE, "no-policy-found", &Ok(policy(Mode::None, &["mx1.example.net"])));
    check(NONE, "no-policy-found", &Err(NoPolicy::ModeNone));
}

#[test]
fn t7_2_no_policy() {
    check(NO_POLICY, "no-policy-found", &Err(NoPolicy::NoRecord));
    check(NO_POLICY, "no-policy-found", &Err(super::dns_failed()));
}

#[track_caller]
fn check(rows: &[Row], policy_type: &str, policy: &Result<Arc<Policy>, NoPolicy>) {
    for row in rows {
        let (listed, met, sent, counted) = *row;
        let host = if listed { "mx1.example.net" } else { "mx9.example.net" };
        let mut delivery = Delivery::new(to(&[host]), policy.clone(), MinTlsLevel::Opportunistic);
        assert_eq!(is_sent(&mut delivery, host, met), sent, "{row:?}");
        let expected: Vec<_> = counted
            .map(|failures| (policy_type, host.to_owned(), failures.to_vec()))
            .into_iter()
            .collect();
        assert_eq!(reports(&mut delivery), expected, "{row:?}");
    }
}

/// One host, in clear text too if the delivery says so.
fn is_sent(delivery: &mut Delivery, host: &str, met: Met) -> bool {
    let Ok(attempt) = advise(delivery, host, TlsaStatus::Insecure) else { return false };
    match only_address(delivery, attempt, met.outcome()) {
        SendDecision::Send(_) => true,
        SendDecision::Reject(_) | SendDecision::NextAddress(_) => false,
        SendDecision::RetryPlaintext(attempt) => {
            let outcome = SessionOutcome::ClearText;
            matches!(only_address(delivery, attempt, outcome), SendDecision::Send(_))
        }
    }
}
