//! The JSON Schema of the reports.

use std::path::Path;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

/// Panics unless the schema allows this report.
#[track_caller]
pub(crate) fn assert_valid(report: &Value) {
    let error = error("", report);
    assert_eq!(error, None, "in\n{report:#}");
}

/// Returns what the schema, or a part of it, says against a value.
fn error(part: &str, value: &Value) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/check/schema.json");
    let mut schemas = Schemas::new();
    let location = format!("{}{part}", file.display());
    let index = Compiler::new().compile(&location, &mut schemas).unwrap();
    schemas.validate(value, index).err().map(|error| error.to_string())
}

#[test]
fn what_the_schema_refuses() {
    let good: Value = json!({"code": "x", "severity": "error", "clause": "RFC 1", "span":
        {"start": 0, "end": 1}, "message": "", "help": null});
    let of_diagnostic = |value: &Value| error("#/$defs/diagnostic", value);
    assert_eq!(of_diagnostic(&good), None);
    for (pointer, bad) in [
        ("/severity", Value::from("grave")),
        ("/code", Value::Null),
        ("/span/start", Value::from("0")),
        ("/span", json!({"start": 0})),
        ("/span", json!({"start": 0, "end": 1, "more": 2})),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = bad;
        let error = of_diagnostic(&changed);
        assert!(error.is_some_and(|error| error.contains(pointer)), "{pointer}");
    }
}
