//! Whether an answer is right.

use serde_json::{Value, json};

use super::{Vector, history, reports, shape};

/// What an answer is worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Right,
    Unsupported,
    /// It is wrong, and this is why.
    Wrong(String),
}

/// Judges the answer to a vector.
pub(crate) fn judged(vector: &Vector, answer: &Value) -> Answered {
    if let Some(fault) = shape::fault(&vector.kind, answer) {
        return Answered::Wrong(format!("{fault}; it was answered {answer}"));
    }
    if answer["unsupported"] == true {
        return Answered::Unsupported;
    }
    let difference = match vector.kind.as_str() {
        "scenario" => history::difference(&vector.json, answer),
        "delivery" => difference(&vector.json, answer)
            .or_else(|| reports::difference(&vector.json, &answer["value"])),
        _ => difference(&vector.json, answer),
    };
    difference.map_or(Answered::Right, Answered::Wrong)
}

/// Compares an answer with those that are permitted.
fn difference(vector: &Value, answer: &Value) -> Option<String> {
    let permitted = permitted(vector);
    if permitted.iter().any(|expected| is_as_expected(answer, expected)) {
        return None;
    }
    let expected: Vec<_> = permitted.iter().map(ToString::to_string).collect();
    Some(format!("expected {}, not {answer}", expected.join(" or ")))
}

/// Returns the answers that are right. A program that lacks the feature of a vector refuses the input.
fn permitted(vector: &Value) -> Vec<Value> {
    let mut answers = match vector["expect_any"].as_array() {
        Some(answers) => answers.clone(),
        None => vec![vector["expect"].clone()],
    };
    if vector.get("feature").is_some() {
        answers.push(json!({"ok": false}));
    }
    answers
}

/// Returns whether `ok` is as expected, and `value` if one is.
fn is_as_expected(answer: &Value, expected: &Value) -> bool {
    answer["ok"] == expected["ok"]
        && expected.get("value").is_none_or(|value| has(&answer["value"], value))
}

/// Members of a value that an implementation leaves out which has no use for them.
const OPTIONAL: [&str; 3] = ["extensions", "tlsrpt", "txt"];

/// Returns whether `value` is the expected one: of an object, at least all its members.
pub(super) fn has(value: &Value, expected: &Value) -> bool {
    let Some(members) = expected.as_object() else {
        return is_equal(value, expected);
    };
    value.is_object()
        && members.iter().all(|(name, member)| match value.get(name) {
            Some(value) => is_equal(value, member),
            None => OPTIONAL.contains(&name.as_str()),
        })
}

/// Compares values. `86400.0` is the number `86400`: JSON has one type of numbers.
fn is_equal(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Number(number), Value::Number(expected)) => number.as_f64() == expected.as_f64(),
        (Value::Array(values), Value::Array(expected)) => {
            values.len() == expected.len()
                && values.iter().zip(expected).all(|(value, expected)| is_equal(value, expected))
        }
        _ => value == expected,
    }
}
