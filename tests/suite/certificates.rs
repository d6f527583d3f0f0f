//! The certificates that are made of the table.

use serde_json::Value;

use crate::judge::{Category, Vector, vectors};

#[test]
fn there_are_certificates_of_each_result() {
    let vectors = certificates();
    assert!(vectors.len() >= 80, "{} certificates", vectors.len());
    for result in
        ["valid", "certificate-expired", "certificate-host-mismatch", "certificate-not-trusted"]
    {
        let has = |vector: &Vector| vector.json["expect"]["value"]["result"] == result;
        assert!(vectors.iter().any(has), "no certificate is {result}");
    }
}

/// RFC 8461 demands that a certificate is refused. By which type that is reported, RFC 8460 recommends.
#[test]
fn what_must_be_refused_may_be_reported_by_any_type() {
    let binding = certificates().into_iter().filter(|vector| vector.category == Category::Must);
    for Vector { id, json, .. } in binding {
        match json["expect_any"].as_array() {
            Some(answers) => assert_eq!(answers.len(), 4, "{id}"),
            None => assert_eq!(json["expect"]["value"]["result"], "valid", "{id}"),
        }
    }
}

#[test]
fn a_seed_makes_the_same_certificates_again() {
    let made = |seed| -> Vec<Value> {
        let vectors = vectors::all(seed).unwrap().into_iter();
        vectors.filter(|vector| vector.kind == "certificate").map(|vector| vector.json).collect()
    };
    let first = made(7);
    assert_eq!(made(7), first);
    let others = made(8);
    assert_eq!(others.len(), first.len());
    assert!(others.iter().zip(&first).all(|(other, one)| other["roots"] != one["roots"]));
}

fn certificates() -> Vec<Vector> {
    let mut vectors = vectors::all(0).unwrap();
    vectors.retain(|vector| vector.kind == "certificate");
    vectors
}
