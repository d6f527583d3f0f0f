//! What is printed before and after: JSON, or text for people.

use std::{fmt::Write as _, path::Path};

use serde_json::{Value, json};

use super::{
    answer::Answer,
    catalogue::{Applies, Delivery, Host, Scenario},
    judge::{Judgement, Observation, Verdict},
    log,
    world::HostileWorld,
};

/// Returns the description of a world.
pub(crate) fn description(world: &HostileWorld, ca: &Path) -> Value {
    let places = &world.places;
    let domains: Vec<Value> = world.scenarios.iter().map(|scenario| domain(scenario)).collect();
    json!({
        "nameserver": places.nameserver.to_string(),
        "https": places.https.to_string(),
        "https_port": places.https.port(),
        "smtp": places.smtp.map(|place| place.to_string()),
        "smtp_port": places.smtp.map(|place| place.port()),
        "ca": ca,
        "phases": world.phase_count(),
        "domains": domains,
    })
}

fn domain(scenario: &Scenario) -> Value {
    let expected: Vec<Value> =
        scenario.phases().map(|phase| expectations(scenario, phase.expected)).collect();
    let host = |host: &Host| {
        let delivery = match host.delivery {
            Delivery::Expected => "expected",
            Delivery::Allowed => "allowed",
            Delivery::Forbidden => "forbidden",
        };
        json!({ "host": scenario.fill(host.name), "delivery": delivery })
    };
    json!({
        "scenario": scenario.name,
        "domain": scenario.domain(),
        "recipient": recipient(scenario),
        "fault": scenario.reason,
        "requirements": scenario.rows,
        "expected": expected,
        "mx": scenario.hosts.iter().map(host).collect::<Vec<_>>(),
    })
}

/// Returns the line that says that a further phase has begun, and for whom.
pub(crate) fn phase(world: &HostileWorld, phase: usize) -> Value {
    let scenarios = world.scenarios.iter().filter(|scenario| scenario.phases().count() > phase);
    json!({
        "phase": phase + 1,
        "recipients": scenarios.map(|scenario| recipient(scenario)).collect::<Vec<_>>(),
    })
}

fn recipient(scenario: &Scenario) -> String {
    format!("test@{}", scenario.domain())
}

fn expectations(scenario: &Scenario, expected: &[Applies]) -> Value {
    let in_words = |applies: &Applies| match applies {
        Applies::Policy(mx) => {
            json!({ "policy": mx.iter().map(|name| scenario.fill(name)).collect::<Vec<_>>() })
        }
        Applies::NoPolicy => json!("no policy"),
        Applies::Unknown => json!("temporary failure"),
    };
    expected.iter().map(in_words).collect()
}

/// Returns the judgements as JSON.
pub(crate) fn judgement(judgements: &[Judgement]) -> Value {
    let scenarios: Vec<Value> = judgements.iter().map(one).collect();
    let count = |verdict| judgements.iter().filter(|judged| judged.verdict == verdict).count();
    json!({
        "right": count(Verdict::Right),
        "wrong": count(Verdict::Wrong),
        "unsafe": count(Verdict::Unsafe),
        "untested": count(Verdict::Untested),
        "scenarios": scenarios,
    })
}

fn one(judged: &Judgement) -> Value {
    let expected = judged.scenario.phases().map(|phase| phase.expected);
    let phases = judged.phases.iter().zip(expected).map(|((observed, findings), expected)| {
        let findings: Vec<Value> = findings
            .iter()
            .map(|found| json!({ "verdict": found.verdict.as_str(), "text": found.text }))
            .collect();
        json!({
            "expected": expectations(judged.scenario, expected),
            "answer": observed.answer.as_ref().map(answer),
            "findings": findings,
            "log": observed.events.iter().map(log::line).collect::<Vec<_>>(),
        })
    });
    json!({
        "scenario": judged.scenario.name,
        "domain": judged.scenario.domain(),
        "fault": judged.scenario.reason,
        "requirements": judged.scenario.rows,
        "verdict": judged.verdict.as_str(),
        "phases": phases.collect::<Vec<_>>(),
    })
}

/// Returns the judgements as text: a line for each, and below it what is wrong, with the log.
pub(crate) fn report(judgements: &[Judgement]) -> String {
    let mut text = String::new();
    for judged in judgements {
        let scenario = judged.scenario;
        let _ = writeln!(text, "{:<9} {}: {}", judged.verdict, scenario.name, scenario.reason);
        if judged.verdict > Verdict::Right {
            let _ = writeln!(text, "          {}", scenario.rows.join(", "));
            for (number, (observed, findings)) in (1..).zip(&judged.phases) {
                text += &details(number, observed, findings);
            }
        }
    }
    let counted = judgement(judgements);
    let _ = writeln!(
        text,
        "\n{} right, {} wrong, {} unsafe, {} untested",
        counted["right"], counted["wrong"], counted["unsafe"], counted["untested"]
    );
    text
}

fn details(number: usize, observed: &Observation, findings: &[super::judge::Finding]) -> String {
    let mut text = String::new();
    for found in findings {
        let _ = writeln!(text, "          phase {number}, {}: {}", found.verdict, found.text);
    }
    if let Some(found) = &observed.answer {
        let _ = writeln!(text, "            answer: {}", answer(found));
    }
    for event in &observed.events {
        let _ = writeln!(text, "            {}", log::line(event));
    }
    text
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Secure { text, .. } => text.clone(),
        Answer::NotFound => "no policy".to_owned(),
        Answer::Temporary => "temporary failure".to_owned(),
        Answer::Other(text) => format!("not an answer: {text:?}"),
    }
}
