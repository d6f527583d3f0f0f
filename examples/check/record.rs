//! The TXT record at `_mta-sts`.

use mta_sts::{
    Domain, NoPolicy, PolicyId, StsRecord,
    error::SelectError,
    lint::{self, Diagnostic, Severity},
};

use super::{
    Tools,
    dns::Answer,
    finding::Finding,
    listing::printable,
    report::{Linted, Record},
};

/// The longest text that is quoted, in bytes.
const MAX_SHOWN: usize = 512;

/// The record and the findings about it.
pub(crate) struct Looked {
    pub(crate) record: Record,
    pub(crate) findings: Vec<Finding>,
    /// `Ok` if a policy is announced.
    pub(crate) announced: Result<(), NoPolicy>,
    /// `true` if a TXT record was meant to be an MTA-STS record.
    pub(crate) is_meant: bool,
}

pub(crate) fn look(domain: &Domain, tools: &Tools) -> Looked {
    let name = domain.txt_name();
    let answer = match tools.dns.texts(&name) {
        Ok(answer) => answer,
        Err(error) => return unknown(domain, name, error),
    };
    let selected = StsRecord::select(&answer.found);
    let id = selected.as_ref().ok().map(|record| record.id().as_str().to_owned());
    let announced = match &selected {
        Ok(_) => Ok(()),
        Err(SelectError::NoRecord { .. }) => Err(NoPolicy::NoRecord),
        Err(error) => Err(NoPolicy::InvalidRecord(error.to_string().into())),
    };
    let error = selected.err();
    let texts: Vec<Linted> = linted(&answer.found);
    let diagnostics = texts.iter().flat_map(|text| &text.findings);
    let mut findings: Vec<Finding> =
        diagnostics.map(|diagnostic| Finding::linted(diagnostic, domain)).collect();
    let is_told = findings.iter().any(|finding| finding.severity == Severity::Error);
    let trouble = error.and_then(|error| trouble(domain, &name, &answer, &error, is_told, tools));
    let alias = answer.alias_of.as_ref().filter(|_| !answer.found.is_empty());
    findings.extend(trouble.clone());
    findings.extend(alias.map(|target| aliased(domain, &name, target)));
    let is_meant = announced.is_ok() || answer.found.iter().any(|text| is_like_ours(text));
    let record = Record { name, texts, id, alias_of: answer.alias_of, trouble };
    Looked { record, findings, announced, is_meant }
}

fn unknown(domain: &Domain, name: String, error: String) -> Looked {
    let why = NoPolicy::DnsFailed(error.as_str().into());
    let failure = Finding::failure("dns-failed", "RFC 8461 §3.1", domain, error);
    let trouble = Some(failure.clone());
    let record = Record { name, texts: Vec::new(), id: None, alias_of: None, trouble };
    Looked { record, findings: vec![failure], announced: Err(why), is_meant: false }
}

/// Lints a lone text, and each that begins like a record. Other texts belong to other protocols.
fn linted(texts: &[Vec<u8>]) -> Vec<Linted> {
    let is_alone = texts.len() == 1;
    let lint = |text: &Vec<u8>| -> Vec<Diagnostic> {
        if is_alone || is_like_ours(text) { lint::record(text) } else { Vec::new() }
    };
    texts.iter().map(|text| Linted { findings: lint(text), text: text.clone() }).collect()
}

/// Returns whether a text begins like a record, or has one in it.
fn is_like_ours(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '=').collect();
    plain.starts_with("v=sts") || plain.starts_with("sts") || plain.contains("stsv1")
}

fn trouble(
    domain: &Domain,
    name: &str,
    answer: &Answer<Vec<u8>>,
    error: &SelectError,
    is_told: bool,
    tools: &Tools,
) -> Option<Finding> {
    let found = |code: &'static str, message: String| {
        Finding::error(code, "RFC 8461 §3.1", domain, message)
    };
    Some(match (error, &answer.alias_of) {
        // The linter reports it.
        (SelectError::Invalid(_) | SelectError::NoRecord { records: 1 }, _) if is_told => {
            return None;
        }
        (SelectError::NoRecord { records: 0 }, Some(target)) => {
            let message =
                format!("{name} is an alias (CNAME) for {target}, where there is no TXT record");
            found("record-alias-empty", message)
        }
        (SelectError::NoRecord { records: 0 }, None) => {
            let message =
                format!("there is no TXT record at {name}: the domain announces no policy");
            found("record-absent", message).with_help(help_of_absence(domain, tools))
        }
        (SelectError::NoRecord { records: 1 }, _) => {
            found("record-foreign", format!("the TXT record at {name} is no MTA-STS record"))
                .with_help(help_of_absence(domain, tools))
        }
        (SelectError::NoRecord { records }, _) => {
            let message =
                format!("none of the {records} TXT records at {name} is an MTA-STS record");
            found("record-foreign", message).with_help(help_of_absence(domain, tools))
        }
        (SelectError::Several { candidates }, _) => {
            let message =
                format!("there are {candidates} MTA-STS records at {name}: only one is allowed");
            found("record-several", message).with_help("keep the newest one and remove the others")
        }
        (error, _) => found("record-invalid", error.to_string()),
    })
}

fn help_of_absence(domain: &Domain, tools: &Tools) -> String {
    near(domain, tools).unwrap_or_else(|| {
        let id = PolicyId::from_timestamp(tools.now);
        format!(
            "publish \"v=STSv1; id={id};\" there once the policy is served; `check --propose {domain}` prints both"
        )
    })
}

/// Looks for a record at the names where records are put by mistake, by six queries at the most.
fn near(domain: &Domain, tools: &Tools) -> Option<String> {
    let parent = domain.as_str().split_once('.').map(|(_, parent)| parent);
    let parent = parent.filter(|parent| parent.contains('.'));
    let names = [
        Some(format!("mta-sts.{domain}")),
        Some(format!("_mta_sts.{domain}")),
        Some(format!("_mta-sts.{domain}.{domain}")),
        Some(domain.to_string()),
        parent.map(|parent| format!("_mta-sts.{parent}")),
        parent.map(str::to_owned),
    ];
    names.into_iter().flatten().find_map(|name| {
        let texts = tools.dns.texts_only(&name).ok()?.found;
        let text = texts.iter().find(|text| text.starts_with(b"v=STSv1"))?;
        let text = shown(text);
        let is_parents =
            parent.is_some_and(|parent| name.ends_with(parent)) && !name.ends_with(domain.as_str());
        Some(if is_parents {
            format!(
                "{name} has {text}, which counts for that domain only: publish one at {} (RFC 8461 \
                 §3.4)",
                domain.txt_name()
            )
        } else {
            format!("{text} was found at {name}: move it to {}", domain.txt_name())
        })
    })
}

/// Quotes a text, unless it is longer than any record.
fn shown(text: &[u8]) -> String {
    match text.len() {
        0..=MAX_SHOWN => format!("\"{}\"", printable(&String::from_utf8_lossy(text))),
        len => format!("a text of {len} bytes that begins `v=STSv1`"),
    }
}

fn aliased(domain: &Domain, name: &str, target: &str) -> Finding {
    let message = format!(
        "{name} is an alias (CNAME) for {target}; the policy is still asked from {}",
        domain.policy_host()
    );
    Finding::error("record-alias", "RFC 8461 §8.2", domain, message).with_severity(Severity::Advice)
}
