//! Reads questions and writes answers, a line each, for the adapters in Rust.

use std::io;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

/// What an implementation says: a value, that it refuses the input, or `None` if it cannot be asked.
pub type Answer = Option<Result<Value, String>>;

/// Answers each line of standard input.
///
/// # Panics
///
/// Panics if a line is not a vector.
pub fn answer_all(answer: impl Fn(&str, &Value) -> Answer) {
    for line in io::stdin().lines() {
        let vector: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let kind = vector["kind"].as_str().expect("a kind");
        // None of them has a tolerant mode beside another.
        let answer = (vector["tolerant"] != true).then(|| answer(kind, &vector)).flatten();
        let id = &vector["id"];
        println!(
            "{}",
            match answer {
                None => json!({"id": id, "unsupported": true}),
                Some(Ok(value)) => json!({"id": id, "ok": true, "value": value}),
                Some(Err(error)) => json!({"id": id, "ok": false, "error": error}),
            }
        );
    }
}

/// Returns the bytes that `input` or `input_b64` stands for.
pub fn data(vector: &Value) -> Vec<u8> {
    match vector["input"].as_str() {
        Some(text) => text.into(),
        None => decoded(&vector["input_b64"]),
    }
}

/// Returns the bytes of each record of a question about several.
#[allow(dead_code, reason = "not every implementation can be asked")]
pub fn records(vector: &Value) -> Vec<Vec<u8>> {
    match vector["records"].as_array() {
        Some(records) => {
            records.iter().map(|record| record.as_str().expect("text").into()).collect()
        }
        None => vector["records_b64"].as_array().expect("a list").iter().map(decoded).collect(),
    }
}

fn decoded(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().expect("text")).expect("base64")
}
