//! Asks mailrs-mta-sts: parsers and a decision, without DNS and HTTPS.
//!
//! Its documentation says that it tolerates white space, upper case in names, and comments. It reads text,
//! so that what is not UTF-8 cannot be given to it and is refused here; choosing one of several records,
//! the media type and the cache's life are its caller's. It returns no extensions.

#[path = "../../common/lines.rs"]
mod lines;

use mailrs_mta_sts::{Decision, Policy, PolicyMode, StsRecord, enforce, policy_url};
use serde_json::{Value, json};

fn main() {
    lines::answer_all(|kind, vector| match kind {
        "record" => Some(text(vector).and_then(|text| record(&text))),
        "policy" => Some(text(vector).and_then(|text| policy(&text))),
        "mx" => Some(matches(vector)),
        "names" => Some(Ok(names(vector["input"].as_str().expect("text")))),
        _ => None,
    });
}

fn text(vector: &Value) -> Result<String, String> {
    String::from_utf8(lines::data(vector)).map_err(|error| error.to_string())
}

fn record(text: &str) -> Result<Value, String> {
    let record = StsRecord::parse(text).map_err(|error| error.to_string())?;
    Ok(json!({"id": record.id.as_str()}))
}

fn policy(text: &str) -> Result<Value, String> {
    let Policy { mode, mx, max_age } = Policy::parse(text).map_err(|error| error.to_string())?;
    let mode = match mode {
        PolicyMode::Enforce => "enforce",
        PolicyMode::Testing => "testing",
        PolicyMode::None => "none",
    };
    let mx: Vec<&str> = mx.iter().map(|mx| mx.as_str()).collect();
    Ok(json!({"mode": mode, "max_age": max_age, "mx": mx}))
}

fn matches(vector: &Value) -> Result<Value, String> {
    let host = vector["host"].as_str().expect("text");
    let patterns = vector["patterns"].as_array().expect("a list");
    let lines = patterns.iter().map(|pattern| format!("mx: {}\n", pattern.as_str().expect("text")));
    let file = format!("version: STSv1\nmode: enforce\nmax_age: 1\n{}", lines.collect::<String>());
    let policy = match patterns.len() {
        // Its parser refuses a policy without an mx.
        0 => Policy { mode: PolicyMode::Enforce, mx: Vec::new(), max_age: 1 },
        _ => Policy::parse(&file).map_err(|error| error.to_string())?,
    };
    Ok((enforce(&policy, host) == Decision::Allow).into())
}

/// The name of the record is for its caller to make.
fn names(domain: &str) -> Value {
    let url = policy_url(domain);
    json!({"policy_host": url.split('/').nth(2), "policy_url": url})
}
