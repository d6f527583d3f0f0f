//! Makes `delivery.ndjson` of `deliveries.txt`, which describes the notation.

use serde_json::{Value, json};

use crate::table::{assert_current, vectors};

#[test]
fn the_file_is_current() {
    let lines = vectors("deliveries.txt", "delivery", |lines| {
        let mut members = vec![("domain", json!("example.com"))];
        members.extend(members_of(lines));
        members
    });
    assert!(lines.len() >= 200, "{} decisions", lines.len());
    assert_current("delivery.ndjson", &lines.concat());
}

/// Returns the members that the lines of a decision stand for.
fn members_of(lines: &[String]) -> Vec<(&'static str, Value)> {
    let mut members = Vec::new();
    let mut hosts = Vec::new();
    let mut reports = None;
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        match *words {
            ["policy", "-"] => {}
            ["policy", "-", result_type] => {
                members.push(("policy_failure", result_type.into()));
            }
            ["policy", mode, ref patterns @ ..] => members.push(("policy", policy(mode, patterns))),
            ["message", tag] => members.push(("message", tag.into())),
            ["secure-mx"] => members.push(("secure_mx", true.into())),
            ["no-mx"] => members.push(("no_mx", true.into())),
            ["host", name, ref facts @ ..] => hosts.push(host(name, facts, hosts.len())),
            ["report", "nothing"] => reports = Some(Vec::new()),
            ["report" | "may-report", host, policy_type, result_types] => {
                let is_optional = words[0] == "may-report";
                let report = report(host, policy_type, result_types, is_optional);
                reports.get_or_insert_default().push(report);
            }
            _ => {
                let answers = line.split(" or ").map(answer);
                members.push(("hosts", hosts.drain(..).collect()));
                members.push(expectation(answers.collect()));
            }
        }
    }
    assert!(hosts.is_empty(), "no answer in {lines:?}");
    // Without that, senders differ in whether TLSA records count.
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has("secure-mx") || !has("tlsa="), "insecure MX records and TLSA: {lines:?}");
    members.extend(reports.map(|reports| ("reports", reports.into())));
    members
}

fn policy(mode: &str, patterns: &[&str]) -> Value {
    let patterns: Vec<_> = patterns.iter().map(|name| format!("mx: {}\r\n", full(name))).collect();
    let patterns = patterns.concat();
    format!("version: STSv1\r\nmode: {mode}\r\n{patterns}max_age: 604800\r\n").into()
}

/// Returns the name of a host of the domain.
fn full(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("{name}.example.com") }
}

/// Reads what is found at a host. `before` is how many hosts come before it.
fn host(name: &str, facts: &[&str], before: usize) -> Value {
    let mut host = json!({ "host": full(name), "preference": 10 * (before + 1) });
    for fact in facts {
        let (name, value): (_, Value) = match fact.split_once('=') {
            Some(("pref", preference)) => ("preference", preference.parse::<u16>().unwrap().into()),
            Some(("tlsa", tlsa)) => ("tlsa", tlsa.into()),
            _ => match *fact {
                "requiretls" | "self" => (*fact, true.into()),
                "no-starttls" => ("starttls", "absent".into()),
                "starttls-refused" => ("starttls", "refused".into()),
                "no-handshake" => ("starttls", "fails".into()),
                "unreachable" => ("starttls", "unreachable".into()),
                certificate => {
                    host["starttls"] = "works".into();
                    ("certificate", certificate.into())
                }
            },
        };
        host[name] = value;
    }
    assert!(host["starttls"].is_string(), "what is found at {name}?");
    host
}

fn answer(text: &str) -> Value {
    let words: Vec<_> = text.split_whitespace().collect();
    let value = match *words {
        ["deliver", host, tls @ ("tls" | "clear")] => {
            let host = full(host.trim_end_matches('.')).to_ascii_lowercase();
            json!({ "outcome": "delivered", "host": host, "tls": tls == "tls" })
        }
        ["defer"] => json!({ "outcome": "deferred" }),
        ["bounce"] => json!({ "outcome": "bounced" }),
        _ => panic!("what is {text}"),
    };
    json!({ "ok": true, "value": value })
}

fn expectation(mut answers: Vec<Value>) -> (&'static str, Value) {
    match answers.len() {
        1 => ("expect", answers.remove(0)),
        _ => ("expect_any", answers.into()),
    }
}

fn report(host: &str, policy_type: &str, result_types: &str, is_optional: bool) -> Value {
    let result_types: Vec<_> = match result_types {
        "-" => Vec::new(),
        named => named.split(',').collect(),
    };
    let mut report = json!({ "policy_type": policy_type, "result_types": result_types });
    if host != "*" {
        report["mx_host"] = full(host).into();
    }
    if is_optional {
        report["optional"] = true.into();
    }
    report
}
