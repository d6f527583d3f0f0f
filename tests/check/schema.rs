//! As much of JSON Schema as `examples/check/schema.json` uses; of any other keyword it panics.

use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../examples/check/schema.json")).unwrap()
});

/// Panics unless the schema allows this report.
#[track_caller]
pub(crate) fn assert_valid(report: &Value) {
    let errors = errors(&SCHEMA, report, "");
    assert!(errors.is_empty(), "{errors:#?} in\n{report:#}");
}

fn errors(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let keywords = schema.as_object().unwrap();
    keywords.iter().flat_map(|(keyword, rule)| check(keyword, rule, schema, value, at)).collect()
}

fn check(keyword: &str, rule: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let fails = |is_good: bool| {
        let error = format!("{at}: {keyword} {rule}, not {value}");
        if is_good { Vec::new() } else { vec![error] }
    };
    match keyword {
        "$schema" | "$defs" | "title" | "description" => Vec::new(),
        "$ref" => {
            let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
            errors(SCHEMA.pointer(pointer).unwrap(), value, at)
        }
        "type" => fails(match rule {
            Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
            kind => is_of(kind, value),
        }),
        "enum" => fails(rule.as_array().unwrap().contains(value)),
        "anyOf" => {
            let mut rules = rule.as_array().unwrap().iter();
            fails(rules.any(|rule| errors(rule, value, at).is_empty()))
        }
        "required" => {
            let mut names = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            fails(names.all(|name| value.get(name).is_some()))
        }
        "properties" => members(value)
            .filter_map(|(name, member)| Some((rule.get(name)?, name, member)))
            .flat_map(|(rule, name, member)| errors(rule, member, &format!("{at}/{name}")))
            .collect(),
        "additionalProperties" => {
            assert_eq!(*rule, false);
            let known = |name: &String| schema["properties"].get(name).is_some();
            fails(members(value).all(|(name, _)| known(name)))
        }
        "items" => {
            let items = value.as_array().into_iter().flatten().enumerate();
            items.flat_map(|(n, item)| errors(rule, item, &format!("{at}/{n}"))).collect()
        }
        other => panic!("{other:?} is a keyword that is not checked"),
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other:?} is a type that is not checked"),
    }
}

#[test]
fn what_the_schema_refuses() {
    let good: Value = serde_json::json!({"code": "x", "severity": "error", "clause": "RFC 1", "span":
        {"start": 0, "end": 1}, "message": "", "help": null});
    let rule = &SCHEMA["$defs"]["diagnostic"];
    assert!(errors(rule, &good, "").is_empty());
    for (pointer, bad) in [
        ("/severity", Value::from("grave")),
        ("/code", Value::Null),
        ("/span/start", Value::from("0")),
        ("/span", serde_json::json!({"start": 0})),
        ("/span", serde_json::json!({"start": 0, "end": 1, "more": 2})),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = bad;
        assert_eq!(errors(rule, &changed, "").len(), 1, "{pointer}");
    }
}
