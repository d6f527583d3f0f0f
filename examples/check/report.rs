//! What was found out about a domain. As JSON this is the interface that `--help` describes.

use std::net::IpAddr;

use mta_sts::lint::{Diagnostic, Severity};
use serde::Serialize;

use crate::certificate::Certificate;

/// The exit status, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Good = 0,
    Findings = 1,
    Failed = 2,
}

/// What stands against a part of what is published, beside findings.
#[derive(Serialize)]
#[serde(tag = "kind", content = "message", rename_all = "lowercase")]
pub(crate) enum Trouble {
    /// It is wrong or missing.
    Finding(String),
    /// It could not be found out.
    Failure(String),
}

#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) domain: String,
    pub(crate) status: Status,
    pub(crate) record: Record,
    pub(crate) policy: PolicyFile,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) mx: MxRecords,
    pub(crate) sender: Sender,
}

#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) texts: Vec<Linted>,
    pub(crate) id: Option<String>,
    pub(crate) trouble: Option<Trouble>,
}

/// A text and what is to be said of it.
#[derive(Serialize)]
pub(crate) struct Linted {
    #[serde(serialize_with = "lossy")]
    pub(crate) text: Vec<u8>,
    pub(crate) findings: Vec<Diagnostic>,
}

#[derive(Serialize)]
pub(crate) struct PolicyFile {
    pub(crate) url: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) mode: Option<&'static str>,
    pub(crate) max_age: Option<u64>,
    pub(crate) mx: Vec<String>,
    pub(crate) served: Option<Linted>,
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Serialize)]
pub(crate) struct MxRecords {
    pub(crate) kind: MxKind,
    pub(crate) hosts: Vec<MxHost>,
    pub(crate) findings: Vec<Diagnostic>,
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MxKind {
    Records,
    /// There is none: the domain itself is the host (RFC 5321 §5.1).
    Implicit,
    /// The domain accepts no mail (RFC 7505).
    Null,
    Unknown,
}

#[derive(Serialize)]
pub(crate) struct MxHost {
    pub(crate) preference: u16,
    pub(crate) host: String,
    /// The pattern of the policy that allows it.
    pub(crate) listed_as: Option<String>,
    pub(crate) probe: Option<Probe>,
    pub(crate) delivery: Decision,
}

/// What came of a connection.
#[derive(Serialize)]
pub(crate) struct Probe {
    pub(crate) address: Option<IpAddr>,
    pub(crate) certificate: Option<Certificate>,
    /// Why there is no TLS, if so.
    pub(crate) trouble: Option<Trouble>,
}

/// What a sender does with a host.
#[derive(Serialize)]
pub(crate) struct Decision {
    pub(crate) delivers: bool,
    pub(crate) sentence: String,
    /// What it reports (RFC 8460 §4.3).
    pub(crate) reports: Vec<String>,
}

/// What applies to a sender that knows nothing of the domain yet.
#[derive(Serialize)]
pub(crate) struct Sender {
    pub(crate) mode: Option<&'static str>,
    /// Why no policy applies.
    pub(crate) no_policy: Option<String>,
}

impl Trouble {
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Finding(message) | Self::Failure(message) => message,
        }
    }
}

impl Report {
    /// The gravest of all.
    pub(crate) fn judge(&self) -> Status {
        let served = self.policy.served.iter();
        let probes = || self.mx.hosts.iter().filter_map(|host| host.probe.as_ref());
        let findings = self.record.texts.iter().chain(served).flat_map(|it| &it.findings);
        let findings = findings.chain(&self.mx.findings).map(of_finding);
        let troubles = [&self.record.trouble, &self.policy.trouble, &self.mx.trouble];
        let troubles = troubles.into_iter().chain(probes().map(|it| &it.trouble));
        let troubles = troubles.flatten().map(of_trouble);
        // That of the Policy Host is a trouble of the policy.
        let certificates = probes().filter_map(|it| it.certificate.as_ref());
        let certificates = certificates.map(|it| found(it.error.is_some()));
        // What a sender does follows from all of these.
        let all = findings.chain(troubles).chain(certificates);
        all.max().unwrap_or(Status::Good)
    }
}

/// Advice is no finding: nothing is wrong.
fn of_finding(diagnostic: &Diagnostic) -> Status {
    found(diagnostic.severity() >= Severity::Warning)
}

fn of_trouble(trouble: &Trouble) -> Status {
    match trouble {
        Trouble::Finding(_) => Status::Findings,
        Trouble::Failure(_) => Status::Failed,
    }
}

fn found(is_wrong: bool) -> Status {
    if is_wrong { Status::Findings } else { Status::Good }
}

fn lossy<S: serde::Serializer>(text: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(text))
}
