//! Every combination of mode, match, `STARTTLS`, certificate, DANE and floor, compared with an
//! oracle that knows nothing of how the crate goes about it.

use std::sync::Arc;

use mta_sts::{
    Mode, NoPolicy, Policy,
    ResultType::{
        self, CertificateExpired, DaneRequired, DnssecInvalid, StarttlsNotSupported, TlsaInvalid,
        ValidationFailure,
    },
    delivery::{
        CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, SendDecision, Session,
        SessionOutcome, SmtpReply, Step, TlsLevel, TlsaStatus,
    },
};

use super::{failure, only_address, policy, reports, to};

const FLOORS: [MinTlsLevel; 4] = [
    MinTlsLevel::Opportunistic,
    MinTlsLevel::Encrypted,
    MinTlsLevel::Authenticated,
    MinTlsLevel::Dane,
];

const DANES: [TlsaStatus; 5] = [
    TlsaStatus::Insecure,
    TlsaStatus::Usable,
    TlsaStatus::Unusable,
    TlsaStatus::Bogus,
    TlsaStatus::Indeterminate,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Check {
    Good,
    Bad,
    Unknown,
}

const CHECKS: [Check; 3] = [Check::Good, Check::Bad, Check::Unknown];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Met {
    Unreachable,
    NoStarttls,
    NoHandshake,
    /// A check has ended the handshake: one of them is bad.
    Rejected {
        pkix: Check,
        dane: Check,
    },
    Tls {
        pkix: Check,
        dane: Check,
    },
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// No policy at all if there is none.
    mode: Option<Mode>,
    listed: bool,
    floor: MinTlsLevel,
    dane: TlsaStatus,
    met: Met,
}

impl Cell {
    fn all() -> impl Iterator<Item = Self> {
        let tls = CHECKS.into_iter().flat_map(|pkix| CHECKS.map(|dane| Met::Tls { pkix, dane }));
        let rejected =
            CHECKS.into_iter().flat_map(|pkix| CHECKS.map(|dane| Met::Rejected { pkix, dane }));
        let rejected = rejected.filter(|met| {
            matches!(
                met,
                Met::Rejected { pkix: Check::Bad, .. } | Met::Rejected { dane: Check::Bad, .. }
            )
        });
        let met = [Met::Unreachable, Met::NoStarttls, Met::NoHandshake].into_iter();
        let met: Vec<_> = met.chain(rejected).chain(tls).collect();
        let modes = [None, Some(Mode::None), Some(Mode::Testing), Some(Mode::Enforce)];
        let mut cells = Vec::new();
        for mode in modes {
            for listed in [true, false] {
                for floor in FLOORS {
                    for dane in DANES {
                        cells.extend(met.iter().map(|&met| Self {
                            mode,
                            listed,
                            floor,
                            dane,
                            met,
                        }));
                    }
                }
            }
        }
        assert_eq!(cells.len(), 4 * 2 * 4 * 5 * 17);
        cells.into_iter()
    }

    fn host(self) -> &'static str {
        if self.listed { "mx1.example.net" } else { "mx1.example.com" }
    }

    fn policy(self) -> Result<Arc<Policy>, NoPolicy> {
        match self.mode {
            None => Err(NoPolicy::NoRecord),
            Some(mode) => Ok(policy(mode, &["*.example.net"])),
        }
    }

    fn delivery(self) -> Delivery {
        Delivery::new(to(&[self.host()]), self.policy(), self.floor)
    }

    fn outcome(self) -> SessionOutcome {
        match self.met {
            Met::Unreachable => SessionOutcome::Unreachable,
            Met::NoStarttls => SessionOutcome::ClearText,
            Met::NoHandshake => SessionOutcome::HandshakeFailed(failure(ValidationFailure)),
            Met::Rejected { pkix, dane } | Met::Tls { pkix, dane } => {
                let mut checks = CertificateChecks::new();
                match pkix {
                    Check::Good => checks = checks.with_pkix(Ok(())),
                    Check::Bad => checks = checks.with_pkix(Err(failure(CertificateExpired))),
                    Check::Unknown => {}
                }
                match dane {
                    Check::Good => checks = checks.with_dane(Ok(())),
                    Check::Bad => checks = checks.with_dane(Err(failure(ValidationFailure))),
                    Check::Unknown => {}
                }
                match self.met {
                    Met::Tls { .. } => SessionOutcome::Encrypted(checks),
                    _ => SessionOutcome::CertificateRejected(checks),
                }
            }
        }
    }
}

// The oracle: one question a function, one rule a line.

fn enforces(cell: Cell) -> bool {
    cell.mode == Some(Mode::Enforce)
}

fn is_skipped(cell: Cell) -> bool {
    [
        enforces(cell) && !cell.listed,
        cell.dane == TlsaStatus::Bogus,
        cell.dane == TlsaStatus::Indeterminate,
        cell.floor == MinTlsLevel::Dane && cell.dane != TlsaStatus::Usable,
    ]
    .contains(&true)
}

/// Whether there is TLS, and whether it was found good by PKIX and by DANE.
fn has_tls(cell: Cell) -> bool {
    matches!(cell.met, Met::Tls { .. })
}

fn has_pkix(cell: Cell) -> bool {
    matches!(cell.met, Met::Tls { pkix: Check::Good, .. })
}

fn has_dane(cell: Cell) -> bool {
    matches!(cell.met, Met::Tls { dane: Check::Good, .. })
}

fn demands_tls(cell: Cell) -> bool {
    enforces(cell)
        || cell.floor != MinTlsLevel::Opportunistic
        || cell.dane == TlsaStatus::Usable
        || cell.dane == TlsaStatus::Unusable
}

fn demands_pkix(cell: Cell) -> bool {
    let by_policy = enforces(cell);
    let by_operator = cell.floor == MinTlsLevel::Authenticated;
    (by_policy || by_operator) && cell.dane != TlsaStatus::Usable
}

fn demands_dane(cell: Cell) -> bool {
    cell.dane == TlsaStatus::Usable
}

fn is_sent(cell: Cell) -> bool {
    if is_skipped(cell) || cell.met == Met::Unreachable {
        return false;
    }
    (!demands_tls(cell) || has_tls(cell))
        && (!demands_pkix(cell) || has_pkix(cell))
        && (!demands_dane(cell) || has_dane(cell))
}

/// Whether a bounce has to wait for a recheck.
fn is_by_policy(cell: Cell) -> bool {
    if !enforces(cell) || is_sent(cell) {
        return false;
    }
    if !cell.listed {
        return true;
    }
    if is_skipped(cell) || cell.met == Met::Unreachable {
        return false;
    }
    // DANE's verdict on a certificate is none of the policy's, whoever heard of it first.
    let by_dane = matches!(cell.met, Met::Tls { .. } | Met::Rejected { dane: Check::Bad, .. },);
    !by_dane || cell.dane != TlsaStatus::Usable
}

fn counted(cell: Cell) -> Vec<(&'static str, Vec<ResultType>)> {
    let mut counted = Vec::new();
    counted.extend(counted_as_tlsa(cell).map(|failures| ("tlsa", failures)));
    counted.extend(counted_as_sts(cell).map(|failures| ("sts", failures)));
    counted.extend(counted_without_policy(cell).map(|failures| ("no-policy-found", failures)));
    counted
}

fn counted_as_tlsa(cell: Cell) -> Option<Vec<ResultType>> {
    if cell.dane == TlsaStatus::Bogus {
        return Some(vec![DnssecInvalid]);
    }
    let unlisted = enforces(cell) && !cell.listed;
    if cell.floor == MinTlsLevel::Dane && !unlisted {
        match cell.dane {
            TlsaStatus::Insecure => return Some(vec![DaneRequired]),
            TlsaStatus::Unusable => return Some(vec![TlsaInvalid]),
            _ => {}
        }
    }
    if is_skipped(cell) {
        return None;
    }
    match (cell.dane, cell.met) {
        (_, Met::Unreachable) | (TlsaStatus::Insecure, _) => None,
        (TlsaStatus::Unusable, Met::NoStarttls) => Some(vec![TlsaInvalid, StarttlsNotSupported]),
        (TlsaStatus::Unusable, Met::NoHandshake) => Some(vec![TlsaInvalid, ValidationFailure]),
        (TlsaStatus::Unusable, Met::Rejected { .. } | Met::Tls { .. }) => Some(vec![TlsaInvalid]),
        (_, Met::NoStarttls) => Some(vec![StarttlsNotSupported]),
        (
            _,
            Met::NoHandshake
            | Met::Rejected { dane: Check::Bad, .. }
            | Met::Tls { dane: Check::Bad, .. },
        ) => Some(vec![ValidationFailure]),
        (_, Met::Tls { dane: Check::Good, .. }) => Some(vec![]),
        (_, Met::Rejected { .. } | Met::Tls { dane: Check::Unknown, .. }) => None,
    }
}

fn counted_as_sts(cell: Cell) -> Option<Vec<ResultType>> {
    if !matches!(cell.mode, Some(Mode::Testing | Mode::Enforce)) {
        return None;
    }
    if enforces(cell) && !cell.listed {
        return Some(vec![ValidationFailure]);
    }
    if is_skipped(cell) {
        return None;
    }
    let mut failures = if cell.listed { vec![] } else { vec![ValidationFailure] };
    match cell.met {
        Met::Unreachable => return None,
        Met::NoStarttls => failures.push(StarttlsNotSupported),
        Met::NoHandshake => failures.push(ValidationFailure),
        Met::Rejected { pkix: Check::Bad, .. } | Met::Tls { pkix: Check::Bad, .. } => {
            failures.push(CertificateExpired);
        }
        Met::Rejected { .. } | Met::Tls { pkix: Check::Unknown, .. } if cell.listed => return None,
        Met::Rejected { .. } | Met::Tls { .. } => {}
    }
    Some(failures)
}

fn counted_without_policy(cell: Cell) -> Option<Vec<ResultType>> {
    if cell.mode.is_some() || cell.dane != TlsaStatus::Insecure || is_skipped(cell) {
        return None;
    }
    match cell.met {
        Met::Unreachable => None,
        Met::Tls { .. } => Some(vec![]),
        Met::NoStarttls => Some(vec![StarttlsNotSupported]),
        Met::Rejected { pkix: Check::Bad, .. } => Some(vec![CertificateExpired]),
        Met::NoHandshake | Met::Rejected { .. } => Some(vec![ValidationFailure]),
    }
}

/// What the delivery does with the cell: the session it sends over, if any.
fn run(cell: Cell, delivery: &mut Delivery) -> Option<Session> {
    let Step::Consider(candidate) = delivery.poll() else { panic!("no host") };
    let ConnectDecision::Attempt(attempt) = delivery.handle_tlsa(candidate, cell.dane) else {
        assert!(is_skipped(cell), "{cell:?}");
        return None;
    };
    assert!(!is_skipped(cell), "{cell:?}");
    let requirement = attempt.requirement();
    assert_eq!(requirement.allows_clear_text(), !demands_tls(cell), "{cell:?}");
    assert_eq!(requirement.is_pkix_fatal(), demands_pkix(cell), "{cell:?}");
    assert_eq!(requirement.is_dane_fatal(), demands_dane(cell), "{cell:?}");
    let has_policy = matches!(cell.mode, Some(Mode::Testing | Mode::Enforce));
    assert_eq!(requirement.validates_pkix(), has_policy || demands_pkix(cell), "{cell:?}");
    match only_address(delivery, attempt, cell.outcome()) {
        SendDecision::Send(transaction) => {
            let session = transaction.session().clone();
            delivery.handle_reply(transaction, SmtpReply::Accepted);
            Some(session)
        }
        SendDecision::Reject(_) => None,
        SendDecision::NextAddress(_) => panic!("{cell:?}"),
        SendDecision::RetryPlaintext(attempt) => {
            assert!(matches!(cell.met, Met::NoHandshake | Met::Rejected { .. }), "{cell:?}");
            assert!(!demands_tls(cell), "{cell:?}");
            assert_eq!(attempt.requirement().tls(), TlsLevel::Never);
            assert!(attempt.requirement().allows_clear_text());
            assert!(!attempt.requirement().validates_pkix());
            match only_address(delivery, attempt, SessionOutcome::ClearText) {
                SendDecision::Send(transaction) => Some(transaction.session().clone()),
                other => panic!("{cell:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_cell_is_as_the_oracle_says() {
    for cell in Cell::all() {
        let mut delivery = cell.delivery();
        let session = run(cell, &mut delivery);
        assert_eq!(session.is_some(), is_sent(cell), "{cell:?}");
        let reports = reports(&mut delivery);
        let reports: Vec<_> = reports.into_iter().map(|(kind, _, failed)| (kind, failed)).collect();
        assert_eq!(reports, counted(cell), "{cell:?}");
        if session.is_none() {
            match delivery.poll() {
                Step::Recheck(_) => assert!(is_by_policy(cell), "{cell:?}"),
                Step::Defer(deferral) => {
                    assert!(!is_by_policy(cell) && deferral.may_bounce(), "{cell:?}");
                }
                other => panic!("{cell:?}: {other:?}"),
            }
        }
    }
}

/// Whether this address takes the message without a second try in clear text.
fn is_taken(cell: Cell) -> bool {
    is_sent(cell) && !has_failed_handshake(cell)
}

fn has_failed_handshake(cell: Cell) -> bool {
    matches!(cell.met, Met::NoHandshake | Met::Rejected { .. })
}

/// What is left of a host in clear text.
fn in_clear_text(cell: Cell) -> SessionOutcome {
    match cell.met {
        Met::Unreachable => SessionOutcome::Unreachable,
        _ => SessionOutcome::ClearText,
    }
}

/// Tries the addresses in their order: over which the message is sent, if over any, and whether that
/// was the second round.
fn run_addresses(delivery: &mut Delivery, cells: [Cell; 2]) -> Option<(usize, bool)> {
    let Step::Consider(candidate) = delivery.poll() else { panic!("no host") };
    let advice = delivery.handle_tlsa(candidate, cells[0].dane);
    let ConnectDecision::Attempt(mut attempt) = advice else { return None };
    for outcome in [Cell::outcome, in_clear_text] {
        let is_second = attempt.requirement().tls() == TlsLevel::Never;
        for (at, cell) in cells.into_iter().enumerate() {
            attempt = match delivery.handle_session(attempt, outcome(cell)) {
                SendDecision::NextAddress(attempt) => attempt,
                SendDecision::Send(transaction) => {
                    delivery.handle_reply(transaction, SmtpReply::Accepted);
                    return Some((at, is_second));
                }
                other => panic!("{cells:?}: {other:?}"),
            };
        }
        attempt = match delivery.handle_no_address(attempt) {
            SendDecision::RetryPlaintext(attempt) => attempt,
            SendDecision::Reject(_) => return None,
            other => panic!("{cells:?}: {other:?}"),
        };
    }
    panic!("{cells:?} is tried without end");
}

/// What one address is not allowed or able to do, the other may; what neither may is not done.
#[test]
fn every_pair_of_addresses_is_as_the_oracle_says() {
    let mets: Vec<_> = Cell::all().take(17).map(|cell| cell.met).collect();
    for first in Cell::all() {
        for &met in &mets {
            let cells = [first, Cell { met, ..first }];
            let mut delivery = first.delivery();
            let found = run_addresses(&mut delivery, cells);

            let may_retry = !is_skipped(first)
                && !demands_tls(first)
                && cells.into_iter().any(has_failed_handshake);
            let expected = match cells.into_iter().position(is_taken) {
                Some(at) => Some((at, false)),
                None if may_retry => cells
                    .into_iter()
                    .position(|cell| cell.met != Met::Unreachable)
                    .map(|at| (at, true)),
                None => None,
            };
            assert_eq!(found, expected, "{cells:?}");

            let sessions = if is_skipped(first) || is_taken(first) { 1 } else { 2 };
            let counted: Vec<_> = cells.into_iter().take(sessions).flat_map(counted).collect();
            let reports = reports(&mut delivery).into_iter();
            let reports: Vec<_> = reports.map(|(kind, _, failed)| (kind, failed)).collect();
            assert_eq!(reports, counted, "{cells:?}");

            match delivery.poll() {
                Step::Delivered => assert!(expected.is_some(), "{cells:?}"),
                Step::Recheck(_) => assert!(cells.into_iter().any(is_by_policy), "{cells:?}"),
                Step::Defer(_) => assert!(!cells.into_iter().any(is_by_policy), "{cells:?}"),
                other => panic!("{cells:?}: {other:?}"),
            }
        }
    }
}

/// What is told more exactly is decided and counted alike.
#[test]
fn every_way_without_tls_is_as_the_oracle_says() {
    for cell in Cell::all() {
        let outcomes = match cell.met {
            Met::Unreachable => {
                vec![SessionOutcome::GreetingRefused, SessionOutcome::ConnectionLost]
            }
            Met::NoStarttls => [true, false]
                .map(|is_temporary| SessionOutcome::StarttlsRefused { is_temporary })
                .into(),
            _ => continue,
        };
        for outcome in outcomes {
            let mut delivery = cell.delivery();
            let Step::Consider(candidate) = delivery.poll() else { panic!("no host") };
            if let ConnectDecision::Attempt(attempt) = delivery.handle_tlsa(candidate, cell.dane) {
                let verdict = only_address(&mut delivery, attempt, outcome);
                assert_eq!(matches!(verdict, SendDecision::Send(_)), is_sent(cell), "{cell:?}");
                if let SendDecision::Reject(refusal) = verdict {
                    assert_eq!(refusal.is_by_policy(), is_by_policy(cell), "{cell:?}");
                }
            }
            let reports = reports(&mut delivery).into_iter();
            let reports: Vec<_> = reports.map(|(kind, _, failed)| (kind, failed)).collect();
            assert_eq!(reports, counted(cell), "{cell:?}");
        }
    }
}

/// The other way round: what was sent, was sent over a session that all who have a say accept.
#[test]
fn nothing_is_sent_over_a_session_that_does_not_satisfy_all() {
    let mut sent = 0;
    for cell in Cell::all() {
        let Some(session) = run(cell, &mut cell.delivery()) else { continue };
        sent += 1;
        assert_eq!(session.is_encrypted(), has_tls(cell), "{cell:?}");
        assert_eq!(session.is_pkix_valid(), has_pkix(cell), "{cell:?}");
        assert_eq!(session.is_dane_valid(), has_dane(cell), "{cell:?}");
        assert_eq!(session.host(), cell.host());
        let authenticated = session.is_pkix_valid() || session.is_dane_valid();
        if cell.mode == Some(Mode::Enforce) {
            assert!(cell.listed && session.is_encrypted() && authenticated, "{cell:?}");
        }
        match cell.dane {
            TlsaStatus::Insecure => {}
            TlsaStatus::Usable => assert!(session.is_dane_valid(), "{cell:?}"),
            TlsaStatus::Unusable => assert!(session.is_encrypted(), "{cell:?}"),
            TlsaStatus::Bogus | TlsaStatus::Indeterminate => panic!("{cell:?}"),
        }
        match cell.floor {
            MinTlsLevel::Encrypted => assert!(session.is_encrypted(), "{cell:?}"),
            MinTlsLevel::Authenticated => assert!(authenticated, "{cell:?}"),
            MinTlsLevel::Dane => assert!(session.is_dane_valid(), "{cell:?}"),
            _ => {}
        }
    }
    assert!(sent > 100, "only {sent} were sent");
}

/// A connection carries mail of another domain exactly if a new one with its properties would.
#[test]
fn a_connection_is_reused_only_if_it_satisfies_the_other_domain() {
    let sessions: Vec<_> = Cell::all()
        .filter(|cell| {
            cell.mode.is_none() && cell.floor == MinTlsLevel::Opportunistic && cell.listed
        })
        .filter(|cell| cell.dane == TlsaStatus::Insecure)
        .filter_map(|cell| run(cell, &mut cell.delivery()).map(|session| (cell.met, session)))
        .collect();
    assert_eq!(sessions.len(), 16);
    for cell in Cell::all().filter(|cell| cell.met == Met::NoStarttls) {
        for (met, session) in &sessions {
            let mut delivery = cell.delivery();
            let Step::Consider(candidate) = delivery.poll() else { panic!("no host") };
            let advice = delivery.handle_tlsa(candidate, cell.dane);
            let ConnectDecision::Attempt(attempt) = advice else { continue };
            let is_reused = delivery.reuse(attempt, session).is_ok();
            // A failed handshake has led to a session in clear text.
            let met = match *met {
                Met::NoHandshake | Met::Rejected { .. } => Met::NoStarttls,
                met => met,
            };
            let expected = cell.listed && is_sent(Cell { met, ..cell });
            assert_eq!(is_reused, expected, "{cell:?} {session:?}");
            assert_eq!(reports(&mut delivery), [], "a message is no session");
        }
    }
}
