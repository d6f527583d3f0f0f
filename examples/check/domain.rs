//! One domain, from its record to its MX hosts.

use std::{sync::Arc, thread};

use mta_sts::{
    Domain, NoPolicy, Policy, SelectError, StsRecord, Tolerances,
    fetch::FetchError,
    lint::{self, Diagnostic},
};

use crate::{
    Tools,
    host::{self, Fetched},
    mx,
    report::{Linted, PolicyFile, Record, Report, Sender, Status, Trouble},
};

const NO_PANIC: &str = "no part of a check panics";

pub(crate) fn check(domain: &Domain, tools: &Tools) -> Report {
    let ((record, announced), (fetched, policy), records) = thread::scope(|scope| {
        let record = scope.spawn(|| record(domain, tools));
        let records = scope.spawn(|| tools.dns.mx(domain.as_str()));
        let policy = policy(domain, tools);
        let (record, records) = (record.join(), records.join());
        (record.expect(NO_PANIC), policy, records.expect(NO_PANIC))
    });
    let text = Policy::parse_with(&fetched.body, Tolerances::IN_THE_WILD).ok();
    let applies = announced.and_then(|()| {
        let no_policy = |error: FetchError| NoPolicy::FetchFailed(error.to_failure(domain).into());
        fetched.outcome.map_err(no_policy)
    });
    let mx = mx::check(domain, records, text.as_ref(), &applies, tools);
    let mut report = Report {
        domain: domain.to_string(),
        status: Status::Good,
        record,
        policy,
        certificate: fetched.certificate,
        mx,
        sender: Sender {
            mode: applies.as_ref().ok().map(|policy| policy.mode().as_str()),
            no_policy: applies.err().map(|why| why.to_string()),
        },
    };
    report.status = report.judge();
    report
}

/// The record, and whether it announces a policy.
fn record(domain: &Domain, tools: &Tools) -> (Record, Result<(), NoPolicy>) {
    let name = domain.txt_name();
    let empty = |trouble| Record { name: name.clone(), texts: Vec::new(), id: None, trouble };
    let texts = match tools.dns.texts(domain) {
        Ok(texts) => texts,
        Err(error) => {
            let why = NoPolicy::DnsFailed(error.as_str().into());
            return (empty(Some(Trouble::Failure(error))), Err(why));
        }
    };
    let selected = StsRecord::select(&texts).map(|record| record.id().as_str().to_owned());
    let (id, error) = match selected {
        Ok(id) => (Some(id), None),
        Err(error) => (None, Some(error)),
    };
    let trouble = error.as_ref().and_then(|error| match error {
        SelectError::NoRecord { records: 0 } => {
            Some("there is no TXT record: the domain announces no policy".to_owned())
        }
        // The linter has told.
        SelectError::Invalid(_) => None,
        error => Some(error.to_string()),
    });
    let announced = match error {
        None => Ok(()),
        Some(SelectError::NoRecord { .. }) => Err(NoPolicy::NoRecord),
        Some(error) => Err(NoPolicy::InvalidRecord(error.to_string().into())),
    };
    let texts = texts.into_iter().map(|text| Linted { findings: record_lint(&text), text });
    let trouble = trouble.map(Trouble::Finding);
    (Record { id, texts: texts.collect(), ..empty(trouble) }, announced)
}

/// Others' records are none of ours.
fn record_lint(text: &[u8]) -> Vec<Diagnostic> {
    let is_ours = text.windows(5).any(|piece| piece.eq_ignore_ascii_case(b"STSv1"));
    if is_ours { lint::record(text) } else { Vec::new() }
}

fn policy(domain: &Domain, tools: &Tools) -> (Fetched, PolicyFile) {
    let (fetched, failure) = match tools.dns.addresses(&domain.policy_host()) {
        Ok(addresses) => (host::fetch(domain, &addresses, tools), None),
        Err(error) => {
            let outcome = Err(FetchError::NoAddress(error.as_str().into()));
            let unknown = Fetched { address: None, certificate: None, body: Vec::new(), outcome };
            (unknown, Some(Trouble::Failure(error)))
        }
    };
    let error = fetched.outcome.as_ref().err();
    // Of a policy that is not valid the linter tells.
    let error = error.filter(|error| !matches!(error, FetchError::Policy(_)));
    let trouble = failure.or_else(|| error.map(|error| Trouble::Finding(told(error, &fetched))));
    let served = (!fetched.body.is_empty()).then(|| Linted {
        text: fetched.body.clone(),
        findings: lint::policy_of(domain, &fetched.body),
    });
    let read = fetched.outcome.as_ref().ok().map(Arc::clone);
    let file = PolicyFile {
        url: domain.policy_url(),
        address: fetched.address,
        mode: read.as_ref().map(|policy| policy.mode().as_str()),
        max_age: read.as_ref().map(|policy| policy.max_age().as_secs()),
        mx: read
            .iter()
            .flat_map(|it| it.mx().map(|mx| mx.to_string()).collect::<Vec<_>>())
            .collect(),
        served,
        trouble,
    };
    (fetched, file)
}

fn told(error: &FetchError, fetched: &Fetched) -> String {
    match (error, fetched.address) {
        (FetchError::Refused(refused), Some(address)) => {
            format!("{refused}, {address}, to which a sender would not connect (--allow-private)")
        }
        _ => error.to_string(),
    }
}
