//! What the crate says to one question.

use core::error::Error;
use std::collections::HashSet;

use mta_sts::{
    Domain, MxPattern, Policy, StsRecord, Tolerances,
    lint::{self, Severity},
};
use serde_json::{Value, json};

#[cfg(feature = "verify")]
use crate::certificate::certificate;
use crate::{delivery::delivery, question::Question, scenario::scenario};

/// The value, or why there is none: the crate refuses the input, or the question makes no sense.
pub(crate) type Answer = Result<Value, Box<dyn Error>>;

/// Answers a question. Returns `None` if its kind is not known.
pub(crate) fn answer(question: &Question) -> Option<Answer> {
    let answer = match question.text("kind") {
        Ok("record") => record(question),
        Ok("recordset") => record_set(question),
        Ok("policy") => policy(question),
        Ok("media_type") => media_type(question),
        Ok("mx") => mx(question),
        Ok("domain") => domain(question),
        Ok("names") => names(question),
        Ok("scenario") => scenario(question),
        Ok("delivery") => delivery(question),
        #[cfg(feature = "verify")]
        Ok("certificate") => certificate(question),
        Ok(_) => return None,
        Err(error) => Err(error),
    };
    Some(answer)
}

fn record(question: &Question) -> Answer {
    let input = question.bytes("input")?;
    let record = StsRecord::parse(&input)?;
    let mut names = HashSet::new();
    // Of several fields with one name the first counts (RFC 8461 §3.2).
    let extensions: Vec<_> = record.extensions().filter(|(name, _)| names.insert(*name)).collect();
    Ok(json!({ "id": record.id().as_str(), "extensions": extensions }))
}

fn record_set(question: &Question) -> Answer {
    let records = question.byte_strings("records")?;
    Ok(json!({ "id": StsRecord::select(&records)?.id().as_str() }))
}

fn policy(question: &Question) -> Answer {
    let tolerances =
        if question.flag("tolerant")? { Tolerances::IN_THE_WILD } else { Tolerances::NONE };
    let policy = Policy::parse_with(&question.bytes("input")?, tolerances)?;
    let mx: Vec<_> = policy.mx().map(|mx| mx.as_str().to_ascii_lowercase()).collect();
    Ok(json!({ "mode": policy.mode().as_str(), "max_age": policy.max_age().as_secs(), "mx": mx }))
}

fn media_type(question: &Question) -> Answer {
    let findings = lint::media_type(&question.bytes("input")?);
    Ok(findings.iter().all(|finding| finding.severity() != Severity::Error).into())
}

fn mx(question: &Question) -> Answer {
    let host = question.text("host")?;
    let patterns: Result<Vec<_>, _> =
        question.texts("patterns")?.into_iter().map(MxPattern::parse).collect();
    Ok(patterns?.iter().any(|pattern| pattern.matches(host)).into())
}

fn domain(question: &Question) -> Answer {
    Ok(read_domain(question)?.as_str().into())
}

fn names(question: &Question) -> Answer {
    let domain = read_domain(question)?;
    Ok(json!({
        "txt": domain.txt_name(),
        "policy_host": domain.policy_host(),
        "policy_url": domain.policy_url(),
        "tlsrpt": domain.tlsrpt_name(),
    }))
}

fn read_domain(question: &Question) -> Result<Domain, Box<dyn Error>> {
    Ok(Domain::parse(str::from_utf8(&question.bytes("input")?)?)?)
}
