//! Holds the crate to the vectors in `tests/conformance`, through the conformance runner's own code.
#![cfg(test)]

#[path = "../examples/conformance/answer.rs"]
mod answer;
#[path = "../examples/conformance/question.rs"]
mod question;
#[path = "../examples/conformance/runner.rs"]
mod runner;

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::runner::{RunError, run};

#[test]
fn every_row_has_a_vector() {
    let tested: HashSet<_> = vectors().iter().flat_map(rows_of).collect();
    let mut missing: Vec<_> = rows().into_iter().filter(|(id, _)| !tested.contains(id)).collect();
    missing.sort();
    assert!(missing.is_empty(), "rows without a vector: {missing:#?}");
}

#[test]
fn every_vector_is_complete() {
    let rows = rows();
    let mut ids = HashSet::new();
    for vector in vectors() {
        let text = |name| vector[name].as_str().unwrap_or_default();
        for member in ["id", "kind", "clause", "title"] {
            assert!(!text(member).is_empty(), "no `{member}` in {vector}");
        }
        assert!(ids.insert(text("id").to_owned()), "a second {}", text("id"));
        assert!(!rows_of(&vector).is_empty(), "no `rows` in {vector}");
        for row in rows_of(&vector) {
            assert!(rows.contains_key(&row), "an unknown row {row} in {vector}");
        }
        let expect = &vector["expect"];
        assert!(expect["ok"].is_boolean(), "no `expect` in {vector}");
        assert!(expect["ok"] == true || expect["value"].is_null(), "a refusal's value in {vector}");
        assert!(matches!(text("feature"), "" | "idna"), "an unknown feature in {vector}");
    }
}

#[test]
fn every_vector_is_answered_as_it_expects() {
    let vectors = vectors();
    let lines: Vec<_> = vectors.iter().map(Value::to_string).collect();
    let answers = answers(&lines.join("\n")).unwrap();
    assert_eq!(answers.len(), vectors.len());

    let wrong: Vec<_> = vectors
        .iter()
        .zip(&answers)
        .filter(|(vector, answer)| !is_right(vector, answer))
        .map(|(vector, answer)| format!("{answer}, where {} is due to {vector}", due(vector)))
        .collect();
    let (wrong, of) = (wrong.join("\n"), vectors.len());
    assert!(wrong.is_empty(), "of {of} answers, these are wrong:\n{wrong}");
}

#[test]
fn answers_come_in_order_with_their_ids() {
    let lines = concat!(
        r#"{"id":"a","kind":"domain","input":"B.example"}"#,
        "\r\n \n\n",
        r#"{"id":{"n":[1,null]},"kind":"mx","patterns":[],"host":""}"#,
        "\n",
        r#"{"kind":"record","input":"v=STSv1; id=1","unknown":true}"#,
    );
    let expected = [
        json!({"id": "a", "ok": true, "value": "b.example"}),
        json!({"id": {"n": [1, null]}, "ok": true, "value": false}),
        json!({"id": null, "ok": true, "value": {"id": "1", "extensions": []}}),
    ];
    assert_eq!(answers(lines).unwrap(), expected);
    assert_eq!(answers("").unwrap(), [] as [Value; 0]);
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    for (question, error) in [
        (json!({}), "there is no `kind`"),
        (json!({"kind": 1}), "`kind` must hold text only"),
        (json!({"kind": "a\nb"}), r#"the kind "a\nb" is not known"#),
        (json!({"kind": "record"}), "there is neither `input` nor `input_b64`"),
        (json!({"kind": "record", "input": null}), "`input` must hold text only"),
        (
            json!({"kind": "record", "input": "", "input_b64": ""}),
            "give `input` or `input_b64`, not both",
        ),
        (
            json!({"kind": "record", "input_b64": "dj1TVFN2MQ"}),
            "`input_b64` is not base64: Invalid padding",
        ),
        (json!({"kind": "recordset", "records": "v=STSv1; id=1"}), "`records` must be a list"),
        (json!({"kind": "recordset", "records": [1]}), "`records` must hold text only"),
        (json!({"kind": "policy", "input": "", "tolerant": 1}), "`tolerant` must be true or false"),
        (json!({"kind": "mx", "host": "mx.example"}), "there is no `patterns`"),
        (json!({"kind": "mx", "patterns": []}), "there is no `host`"),
        (
            json!({"kind": "mx", "patterns": ["*"], "host": "mx.example"}),
            "an MX pattern is one host name, or `*.` and a host name, not \"*\"",
        ),
    ] {
        let refusal = json!({"id": null, "ok": false, "error": error});
        assert_eq!(answers(&question.to_string()).unwrap(), [refusal], "to {question}");
    }
}

#[test]
fn a_line_that_is_not_json_ends_the_run_after_the_answers_before_it() {
    let question = r#"{"id":1,"kind":"domain","input":"example"}"#;
    for (line, reason) in [
        ("garbage", "expected value at column 1"),
        (r#"{"id":"#, "EOF while parsing a value at column 6"),
        ("[1]", "it is another JSON value"),
    ] {
        let mut output = Vec::new();
        let input = format!("\n{question}\n{line}\n{question}\n");
        let error = run(input.as_bytes(), &mut output).unwrap_err();
        assert_eq!(error.to_string(), format!("line 3 is not a JSON object: {reason}"));
        assert_eq!(output, b"{\"id\":1,\"ok\":true,\"value\":\"example\"}\n");
    }
    assert!(matches!(run(&b"\xFF"[..], Vec::new()), Err(RunError::NotJson { line: 1, .. })));
}

#[test]
fn a_long_line_is_a_line() {
    let extensions: Vec<_> = (0..20_000).map(|n| format!("; a{n}=b; a{n}=c")).collect();
    let record = format!("v=STSv1; id=1{}", extensions.concat());
    let question = json!({"kind": "record", "input": record});
    let answers = answers(&question.to_string()).unwrap();
    let extensions = answers[0]["value"]["extensions"].as_array().unwrap();
    assert_eq!(extensions.len(), 20_000);
    assert!(extensions.iter().all(|extension| extension[1] == "b"));
}

#[test]
fn a_closed_output_ends_the_run() {
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let error = run(&b"{}"[..], Closed).unwrap_err();
    assert!(matches!(error, RunError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe));
}

/// What the runner answers to these lines.
fn answers(lines: &str) -> Result<Vec<Value>, RunError> {
    let mut output = Vec::new();
    run(lines.as_bytes(), &mut output)?;
    let text = String::from_utf8(output).unwrap();
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn is_right(vector: &Value, answer: &Value) -> bool {
    let due = due(vector);
    answer["id"] == vector["id"]
        && answer["ok"] == due["ok"]
        && due.get("value").is_none_or(|value| has(&answer["value"], value))
}

/// What is expected of this build: without the feature that a vector asks for, a refusal.
fn due(vector: &Value) -> Value {
    if vector["feature"] == "idna" && !cfg!(feature = "idna") {
        json!({"ok": false})
    } else {
        vector["expect"].clone()
    }
}

/// Whether `value` is the one expected: of an object, at least all its members.
fn has(value: &Value, expected: &Value) -> bool {
    match expected.as_object() {
        Some(members) => members.iter().all(|(name, member)| value.get(name) == Some(member)),
        None => value == expected,
    }
}

fn vectors() -> Vec<Value> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension() == Some("ndjson".as_ref())).collect();
    files.sort();
    files.iter().flat_map(|path| vectors_in(path)).collect()
}

fn vectors_in(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(read).collect()
}

/// The requirements, by id.
fn rows() -> HashMap<String, String> {
    let text = fs::read_to_string(folder().join("rows.tsv")).unwrap();
    let rows = text.lines().skip(1).filter_map(|line| line.split_once('\t'));
    rows.map(|(id, rest)| (id.to_owned(), rest.to_owned())).collect()
}

fn rows_of(vector: &Value) -> Vec<String> {
    let rows = vector["rows"].as_array().into_iter().flatten();
    rows.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}
