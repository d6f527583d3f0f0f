//! What was found out about a domain. As JSON this is the interface that `--help` describes, and of which
//! `schema.json` is the schema.

use std::net::IpAddr;

use mta_sts::lint::Diagnostic;
use serde::Serialize;

use super::{certificate::Certificate, finding::Finding};

/// The exit status, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Good = 0,
    Findings = 1,
    Failed = 2,
}

/// What the domain does with MTA-STS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    PublishesNothing,
    /// There is no error. There may be warnings.
    Sound,
    Broken,
    #[serde(rename = "could-not-be-checked")]
    Unchecked,
}

#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) domain: String,
    /// What was typed, if that was no domain.
    pub(crate) note: Option<String>,
    pub(crate) status: Status,
    pub(crate) verdict: Verdict,
    /// All of them, the gravest first.
    pub(crate) findings: Vec<Finding>,
    pub(crate) record: Record,
    pub(crate) policy: PolicyFile,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) mx: MxRecords,
    pub(crate) sender: Sender,
}

#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// The name that it is an alias for, if it is one.
    pub(crate) alias_of: Option<String>,
    pub(crate) texts: Vec<Linted>,
    pub(crate) id: Option<String>,
    pub(crate) trouble: Option<Finding>,
}

/// A text and what is to be said of it.
#[derive(Serialize)]
pub(crate) struct Linted {
    #[serde(serialize_with = "lossy")]
    pub(crate) text: Vec<u8>,
    pub(crate) findings: Vec<Diagnostic>,
}

/// What is served, at the address where it is worst.
#[derive(Serialize)]
pub(crate) struct PolicyFile {
    pub(crate) url: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) mode: Option<&'static str>,
    pub(crate) max_age: Option<u64>,
    pub(crate) mx: Vec<String>,
    pub(crate) served: Option<Linted>,
    /// Each address.
    pub(crate) visits: Vec<PolicyVisit>,
    pub(crate) trouble: Option<Finding>,
}

/// What one address of the Policy Host did.
#[derive(Serialize)]
pub(crate) struct PolicyVisit {
    pub(crate) address: IpAddr,
    /// Of the policy, if a sender can use it.
    pub(crate) mode: Option<&'static str>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) trouble: Option<Finding>,
}

#[derive(Serialize)]
pub(crate) struct MxRecords {
    pub(crate) kind: MxKind,
    pub(crate) hosts: Vec<MxHost>,
    pub(crate) findings: Vec<Diagnostic>,
    pub(crate) trouble: Option<Finding>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MxKind {
    Records,
    /// There is no MX record: the domain itself is the host (RFC 5321 §5.1).
    Implicit,
    /// The domain accepts no mail (RFC 7505).
    Null,
    /// The domain does not exist.
    Absent,
    Unknown,
}

#[derive(Serialize)]
pub(crate) struct MxHost {
    pub(crate) preference: u16,
    pub(crate) host: String,
    /// The pattern of the policy that allows it.
    pub(crate) listed_as: Option<String>,
    /// The address where it is worst.
    pub(crate) probe: Option<Probe>,
    /// Each address.
    pub(crate) probes: Vec<Probe>,
    /// Why no address was visited.
    pub(crate) trouble: Option<Finding>,
    pub(crate) delivery: Decision,
}

/// The outcome of a connection.
#[derive(Clone, Serialize)]
pub(crate) struct Probe {
    pub(crate) address: Option<IpAddr>,
    pub(crate) certificate: Option<Certificate>,
    /// Why there is no TLS, if so.
    pub(crate) trouble: Option<Finding>,
}

/// What a sender does with a host.
#[derive(Serialize)]
pub(crate) struct Decision {
    /// `None` if that could not be found out.
    pub(crate) delivers: Option<bool>,
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

fn lossy<S: serde::Serializer>(text: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(text))
}
