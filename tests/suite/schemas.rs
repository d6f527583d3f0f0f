//! Holds the vectors, and the answers of this crate, to the JSON Schemas.

use std::{collections::BTreeSet, fs, path::Path};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use crate::{
    judge::vectors::{self, Vector},
    reading::answers,
};

#[test]
fn every_vector_is_valid_by_the_schema_of_its_kind() {
    let mut schemas = Known::default();
    for Vector { id, kind, json, .. } in vectors::all(0).unwrap() {
        let error = schemas.error(&format!("{kind}.json"), &json);
        assert_eq!(error, None, "{id}");
    }
}

#[test]
fn every_kind_has_a_schema_and_every_schema_a_kind() {
    let kinds: BTreeSet<_> =
        vectors::all(0).unwrap().into_iter().map(|vector| vector.kind).collect();
    let files = fs::read_dir(vectors::folder().join("schema")).unwrap();
    let names = files.map(|file| file.unwrap().path().file_stem().unwrap().to_owned());
    let names: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(names, kinds.into_iter().chain(["vector".to_owned()]).collect());
}

#[test]
fn our_answers_about_time_and_deliveries_are_valid() {
    let mut schemas = Known::default();
    let mut asked = vectors::all(0).unwrap();
    asked.retain(|vector| matches!(vector.kind.as_str(), "scenario" | "delivery"));
    let lines: Vec<_> = asked.iter().map(|vector| vector.json.to_string()).collect();
    for (vector, answer) in asked.iter().zip(answers(&lines.join("\n")).unwrap()) {
        let schema = format!("{}.json#/$defs/value", vector.kind);
        assert_eq!(schemas.error(&schema, &answer["value"]), None, "{}", vector.id);
    }
}

#[test]
fn what_is_not_a_vector_is_not_valid() {
    let mut schemas = Known::default();
    let mut vector = |id: &str, change: &dyn Fn(&mut Value)| {
        let mut json = find(id);
        change(&mut json);
        schemas.error(&format!("{}.json", json["kind"].as_str().unwrap()), &json).is_some()
    };
    let record = "record-two-ids";
    assert!(!vector(record, &|_| ()));
    assert!(vector(record, &|json| json["unknown"] = true.into()));
    assert!(vector(record, &|json| json["category"] = "perhaps".into()));
    assert!(vector(record, &|json| json["rows"] = json!([])));
    assert!(vector(record, &|json| json["expect"] = json!({"ok": true})));
    assert!(vector(record, &|json| json["expect_any"] = json!([{"ok": false}, {"ok": true}])));
    assert!(vector(record, &|json| json["input_b64"] = "".into()));
    assert!(vector(record, &|json| json["reason"] = "two\nlines".into()));
    assert!(vector(record, &|json| _ = json.as_object_mut().unwrap().remove("reason")));

    let scenario = "scenario-life-of-a-minute";
    assert!(!vector(scenario, &|_| ()));
    assert!(vector(scenario, &|json| json["steps"][2]["wait"] = true.into()));
    assert!(vector(scenario, &|json| json["steps"][2]["expect"] = json!({"answers": []})));
    assert!(vector(scenario, &|json| json["steps"][0] = json!({"at": 0})));

    let delivery = "delivery-enforce-valid-exact";
    assert!(!vector(delivery, &|_| ()));
    assert!(vector(delivery, &|json| json["hosts"][0]["starttls"] = "perhaps".into()));
    assert!(vector(delivery, &|json| json["expect"]["value"] = json!({"outcome": "delivered"})));
}

fn find(id: &str) -> Value {
    let mut vectors = vectors::all(0).unwrap().into_iter();
    vectors.find(|vector| vector.id == id).unwrap_or_else(|| panic!("no vector {id}")).json
}

/// The schemas, compiled when they are first used.
#[derive(Default)]
struct Known {
    schemas: Schemas,
    by_name: Vec<(String, SchemaIndex)>,
}

impl Known {
    /// Returns what the schema says against a value.
    fn error(&mut self, name: &str, value: &Value) -> Option<String> {
        let index = match self.by_name.iter().find(|(known, _)| known == name) {
            Some((_, index)) => *index,
            None => self.compile(name),
        };
        let error = self.schemas.validate(value, index).err()?;
        Some(error.to_string())
    }

    fn compile(&mut self, name: &str) -> SchemaIndex {
        let folder = vectors::folder().join("schema");
        let location = format!("{}/{name}", Path::new(&folder).display());
        let index = Compiler::new().compile(&location, &mut self.schemas).unwrap();
        self.by_name.push((name.to_owned(), index));
        index
    }
}
