//! Holds the vectors to their form, and the crate to the vectors, through the runner's own code.

use std::{
    collections::HashSet,
    fs,
    io::{self, Write},
    path::Path,
};

use serde_json::{Value, json};

use crate::{
    judge::{Answered, Vector, judged, vectors},
    runner::{RunError, run},
};

/// What shows only over a network is tested by faults of the hostile world.
#[test]
fn every_row_has_a_vector_or_a_fault() {
    let vectors = vectors::all(0).unwrap();
    let tested: HashSet<_> = vectors.iter().flat_map(|vector| &vector.rows).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = fs::read_dir(root.join("examples/hostile_world/catalogue")).unwrap();
    let faults: String =
        catalogue.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let mut missing = rows();
    missing.retain(|row| !tested.contains(row) && !faults.contains(&format!("\"{row}\"")));
    assert!(missing.is_empty(), "rows without a vector or a fault: {missing:#?}");
}

#[test]
fn ids_are_unique_and_rows_are_known() {
    let rows: HashSet<_> = rows().into_iter().collect();
    let mut ids = HashSet::new();
    for Vector { id, rows: tested, .. } in vectors::all(0).unwrap() {
        assert!(ids.insert(id.clone()), "a second {id}");
        assert!(tested.iter().all(|row| rows.contains(row)), "an unknown row in {id}: {tested:?}");
    }
}

#[test]
fn every_vector_is_answered_rightly() {
    let vectors = vectors::all(0).unwrap();
    let lines: Vec<_> = vectors.iter().map(|vector| vector.json.to_string()).collect();
    let answers = answers(&lines.join("\n")).unwrap();
    assert_eq!(answers.len(), vectors.len());

    let wrong: Vec<_> = vectors.iter().zip(&answers).filter_map(wrong).collect();
    assert!(
        wrong.is_empty(),
        "of {} answers, these are wrong:\n{}",
        answers.len(),
        wrong.join("\n")
    );
}

/// What is wrong with an answer of this build.
fn wrong((vector, answer): (&Vector, &Value)) -> Option<String> {
    // Others may lack the feature; of this build it is known.
    let has_feature = cfg!(feature = "idna") || vector.json["feature"] != "idna";
    if vector.json.get("feature").is_some() && answer["ok"] != has_feature {
        return Some(format!("{}: not by its features: {answer}", vector.id));
    }
    // Others may leave members out; this build does not.
    let expected = vector.json["expect"]["value"].as_object();
    let is_whole = expected
        .is_none_or(|members| members.keys().all(|name| answer["value"].get(name).is_some()));
    match judged(vector, answer) {
        Answered::Right if answer["id"] == *vector.id && is_whole => None,
        Answered::Unsupported if vector.kind == "certificate" && !cfg!(feature = "verify") => None,
        other => Some(format!("{}: {other:?}", vector.id)),
    }
}

#[test]
fn an_answer_may_leave_out_what_an_implementation_has_no_use_for() {
    let mut vectors = vectors::all(0).unwrap();
    vectors.retain(|vector| ["record-two-ids", "names-u-labels"].contains(&vector.id.as_str()));
    let [names, record] = &vectors[..] else { panic!("{vectors:?}") };
    let right =
        |vector, value| judged(vector, &json!({"ok": true, "value": value})) == Answered::Right;
    assert!(right(record, json!({"id": "1", "extensions": []})));
    assert!(right(record, json!({"id": "1"})));
    assert!(!right(record, json!({"id": "2"})));
    assert!(!right(record, json!({"id": "1", "extensions": [["id", "2"]]})));
    assert!(!right(record, json!({"extensions": []})));
    assert!(!right(record, json!("1")));

    let mut value = names.json["expect"]["value"].clone();
    assert!(right(names, value.clone()));
    for (name, is_optional) in [("txt", true), ("tlsrpt", true), ("policy_url", false)] {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove(name);
        assert_eq!(right(names, value), is_optional, "{name}");
    }
    value["tlsrpt"] = json!("_smtp._tls.other.example");
    assert!(!right(names, value));
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
}

#[test]
fn an_input_without_questions_is_an_error() {
    for input in ["", "\n \r\n"] {
        let error = answers(input).unwrap_err();
        assert_eq!(error.to_string(), "there are no questions on standard input");
    }
}

/// Whatever a question of somebody's own making asks.
#[test]
fn no_number_ends_the_run() {
    for number in [1e18, 1e300, -1e18, -1e300, 0.5, 4e9, 1e308, -0.0, 9.3e9] {
        let steps = [
            json!({"at": number, "lookup": true}),
            json!({"at": 0, "clock": number}),
            json!({"at": 0, "txt": {"records": ["v=STSv1; id=1"], "ttl": number}}),
        ];
        for step in steps {
            let lookup = json!({"at": 1e6, "lookup": true});
            let steps = [&lookup, &step, &lookup];
            for steps in [&steps[1..], &steps[..2]] {
                let question = json!({"kind": "scenario", "domain": "example.com", "steps": steps});
                let answer = &answers(&question.to_string()).unwrap()[0];
                assert!(answer["ok"].is_boolean(), "{question}: {answer}");
            }
        }
        let question =
            json!({"kind": "certificate", "host": "mx", "at": number, "chain": [], "roots": []});
        let answer = &answers(&question.to_string()).unwrap()[0];
        let is_supported = cfg!(feature = "verify");
        assert_eq!(answer["ok"].is_boolean(), is_supported, "{question}: {answer}");
        let host = json!({"host": "mx", "preference": number, "starttls": "absent"});
        let question = json!({"kind": "delivery", "domain": "example.com", "hosts": [host]});
        assert!(answers(&question.to_string()).unwrap()[0]["ok"].is_boolean());
    }
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    for (question, error) in [
        (json!({}), "there is no `kind`"),
        (json!({"kind": 1}), "`kind` must hold text only"),
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
fn an_unknown_kind_is_unsupported() {
    let answer = answers(r#"{"id":"c1","kind":"dnssec","chain":[]}"#).unwrap();
    assert_eq!(answer, [json!({"id": "c1", "unsupported": true})]);
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

/// A sender refreshes its policies for as long as it is asked to.
#[test]
fn no_history_is_longer_than_a_test_can_wait() {
    let body = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n";
    let question = |end: f64| {
        let steps = json!([
            {"at": 0, "txt": {"records": ["v=STSv1; id=1"], "ttl": 60}},
            {"at": 0, "https": {"body": body}},
            {"at": 0, "lookup": true},
            {"at": end, "lookup": true},
        ]);
        json!({"kind": "scenario", "domain": "example.com", "steps": steps}).to_string()
    };
    assert_eq!(answers(&question(1e8)).unwrap()[0]["ok"], true);
    let refused = &answers(&question(1e10)).unwrap()[0];
    let error = "10000000000 s later is not between 1970 and 2199";
    assert_eq!((&refused["ok"], &refused["error"]), (&json!(false), &json!(error)));
}

/// What the runner answers to these lines.
pub(crate) fn answers(lines: &str) -> Result<Vec<Value>, RunError> {
    let mut output = Vec::new();
    run(lines.as_bytes(), &mut output)?;
    let text = String::from_utf8(output).unwrap();
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The ids of the requirements.
fn rows() -> Vec<String> {
    let text = fs::read_to_string(vectors::folder().join("rows.tsv")).unwrap();
    let rows = text.lines().skip(1).filter_map(|line| line.split_once('\t'));
    rows.map(|(id, _)| id.to_owned()).collect()
}
