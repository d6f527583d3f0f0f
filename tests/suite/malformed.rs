//! Answers with members of another type than is asked for: they are wrong, and not read as absent.

use serde_json::{Value, json};

use crate::judge::{Answered, Vector, judged, vectors};

#[test]
fn a_member_of_another_type_is_wrong_and_named() {
    let vectors = vectors::all(0).unwrap();
    for (id, member, value, told) in [
        ("record-two-ids", "/ok", json!("true"), "`ok` is a string, not true or false"),
        ("record-two-ids", "/ok", Value::Null, "`ok` is null, not true or false"),
        ("record-two-ids", "/error", json!(3), "`error` is 3, not a string"),
        ("record-two-ids", "/unsupported", json!(1), "`unsupported` is 1, not true or false"),
        ("record-two-ids", "/unsupported", json!(true), "`ok` stands beside `unsupported`"),
        ("record-two-ids", "/value", Value::Null, "`value` is null, not an object"),
        ("record-two-ids", "/value/id", json!(1), "`value.id` is 1, not a string"),
        (
            "record-two-ids",
            "/value/extensions",
            Value::Null,
            "`value.extensions` is null, not an array",
        ),
        (
            "record-two-ids",
            "/value/extensions",
            json!([["a"], {"a": "b"}]),
            "`value.extensions[1]` is an object, not an array",
        ),
        ("names-u-labels", "/value/txt", Value::Null, "`value.txt` is null, not a string"),
        (
            "names-u-labels",
            "/value/tlsrpt",
            json!([]),
            "`value.tlsrpt` is an array, not a string or null",
        ),
        (
            "certificate-label-expired",
            "/value/result",
            json!(["certificate-expired"]),
            "`value.result` is an array, not a string",
        ),
        (DELIVERY, "/value/tls", json!("true"), "`value.tls` is a string, not true or false"),
        (DELIVERY, "/value/reports", Value::Null, "`value.reports` is null, not an array"),
        (DELIVERY, "/value/reports", json!({}), "`value.reports` is an object, not an array"),
        (DELIVERY, "/value/reports", json!("no list"), "`value.reports` is a string, not an array"),
        (
            DELIVERY,
            "/value/reports/0/mx_host",
            Value::Null,
            "`value.reports[0].mx_host` is null, not a string",
        ),
        (
            DELIVERY,
            "/value/reports/0/result_types",
            json!("validation-failure"),
            "`value.reports[0].result_types` is a string, not an array",
        ),
        (
            DELIVERY,
            "/value/reports/0",
            json!({"policy_type": "sts"}),
            "`value.reports[0].result_types` is missing",
        ),
        (SCENARIO, "/value", json!({}), "`value` is an object, not an array"),
        (SCENARIO, "/value/0", json!([]), "`value[0]` is an array, not an object"),
        (SCENARIO, "/value/2/https", json!(["2"]), "`value[2].https[0]` is a string, not a number"),
        (SCENARIO, "/value/2/txt", json!(2), "`value[2].txt` is 2, not an array"),
        (
            SCENARIO,
            "/value/2/alerts",
            json!("7"),
            "`value[2].alerts` is a string, not an integer of 0 or more",
        ),
        (
            SCENARIO,
            "/value/2/alerts",
            json!(99.5),
            "`value[2].alerts` is 99.5, not an integer of 0 or more",
        ),
        (
            SCENARIO,
            "/value/2/alerts",
            json!(-1),
            "`value[2].alerts` is -1, not an integer of 0 or more",
        ),
        (
            SCENARIO,
            "/value/2/may_bounce",
            json!(0),
            "`value[2].may_bounce` is 0, not true or false",
        ),
        (
            SCENARIO,
            "/value/2/answer",
            json!("none"),
            "`value[2].answer` is a string, not an object",
        ),
        (SCENARIO, "/value/2/answer", json!({"mx": []}), "`value[2].answer.mode` is missing"),
    ] {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let mut answer = right(vector);
        assert_eq!(judged(vector, &answer), Answered::Right, "{id}");
        set(&mut answer, member, value);
        let Answered::Wrong(why) = judged(vector, &answer) else { panic!("right: {answer}") };
        assert!(why.starts_with(&format!("{told}; it was answered ")), "{why}");
    }
}

const DELIVERY: &str = "delivery-report-success-enforce";
const SCENARIO: &str = "scenario-life-of-a-minute";

/// A program that reports its requests as texts, and its alerts as a fraction, to be asked for none.
#[test]
fn requests_that_are_no_numbers_are_not_taken_for_none() {
    let mut vectors = vectors::all(0).unwrap();
    vectors.retain(|vector| vector.kind == "scenario");
    for vector in &vectors {
        let mut answer = crate::faults::remembered(vector);
        for (step, seen) in
            vector.json["steps"].as_array().unwrap().iter().zip(steps(&mut answer).iter_mut())
        {
            let at = step["at"].to_string();
            seen["https"] = json!([at, at, at]);
        }
        assert!(matches!(judged(vector, &answer), Answered::Wrong(_)), "{}", vector.id);
    }
}

#[test]
fn an_integer_may_be_written_as_a_fraction() {
    let vectors = vectors::all(0).unwrap();
    let vector =
        vectors.iter().find(|vector| vector.json["expect"]["value"]["max_age"] == 604_800).unwrap();
    let mut answer = right(vector);
    answer["value"]["max_age"] = json!(604_800.0);
    assert_eq!(judged(vector, &answer), Answered::Right);
    answer["value"]["max_age"] = json!(604_800.5);
    assert!(matches!(judged(vector, &answer), Answered::Wrong(_)));
}

fn steps(answer: &mut Value) -> &mut Vec<Value> {
    answer["value"].as_array_mut().unwrap()
}

/// An answer that is right.
fn right(vector: &Vector) -> Value {
    if vector.kind == "scenario" {
        return crate::faults::remembered(vector);
    }
    let mut answer = vector.json["expect"].clone();
    if let Some(reports) = vector.json.get("reports") {
        answer["value"]["reports"] = reports.clone();
    }
    answer
}

/// Sets a member, or an element that there may not be yet.
fn set(answer: &mut Value, path: &str, value: Value) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = answer.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(number) => parent[number] = value,
        Err(_) => parent[name] = value,
    }
}
