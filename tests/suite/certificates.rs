//! Plants faults in a verifier of certificates: each is caught by a vector that is named here.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use x509_parser::{extensions::GeneralName, prelude::*};

use crate::{
    judge::{Answered, Vector, judged, vectors},
    reading::answers,
};

#[derive(Clone, Copy, Debug)]
enum Fault {
    AcceptsCommonName,
    WildcardMatchesTwoLabels,
    IgnoresExpiry,
}

#[test]
fn each_fault_of_a_verifier_is_caught() {
    let vectors = certificates();
    for (fault, id) in [
        (Fault::AcceptsCommonName, "certificate-common-name-only"),
        (Fault::WildcardMatchesTwoLabels, "certificate-wildcard-for-two-labels"),
        (Fault::IgnoresExpiry, "certificate-expired"),
    ] {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let verdict = judged(vector, &answer(&vector.json, fault));
        assert!(matches!(verdict, Answered::Wrong(_)), "{fault:?} is not caught by {id}");
    }
}

#[test]
fn there_are_certificates_of_each_result() {
    let vectors = certificates();
    assert!(vectors.len() >= 60, "{} certificates", vectors.len());
    for result in
        ["valid", "certificate-expired", "certificate-host-mismatch", "certificate-not-trusted"]
    {
        let has = |vector: &Vector| vector.json["expect"]["value"]["result"] == result;
        assert!(vectors.iter().any(has), "no certificate is {result}");
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

/// What a verifier with this fault answers.
fn answer(question: &Value, fault: Fault) -> Value {
    let host = question["host"].as_str().unwrap();
    let der = BASE64_STANDARD.decode(question["chain"][0].as_str().unwrap()).unwrap();
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    let mut question = question.clone();
    let is_accepted = match fault {
        Fault::AcceptsCommonName => {
            leaf.subject().iter_common_name().any(|name| name.as_str() == Ok(host))
        }
        Fault::WildcardMatchesTwoLabels => {
            let names = leaf.subject_alternative_name().unwrap().unwrap();
            names.value.general_names.iter().any(|name| match name {
                GeneralName::DNSName(name) => {
                    name.strip_prefix('*').is_some_and(|parent| host.ends_with(parent))
                }
                _ => false,
            })
        }
        Fault::IgnoresExpiry => {
            question["at"] = (leaf.validity().not_after.timestamp() - 1).into();
            false
        }
    };
    if is_accepted {
        return json!({ "id": question["id"], "ok": true, "value": { "result": "valid" } });
    }
    answers(&question.to_string()).unwrap().remove(0)
}
