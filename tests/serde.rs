//! Serialising goes through the same validation as parsing.
#![cfg(feature = "serde")]

use mta_sts::{
    Domain, Failure, Mode, MxPattern, Policy, PolicyId, ResultType, StsRecord, Tolerances, lint,
};
use serde_json::{Value, from_value, json, to_value};

/// `value` is written as `json`, and read back from it.
#[track_caller]
fn is_written<T>(value: &T, json: &Value)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(&to_value(value).unwrap(), json);
    assert_eq!(&from_value::<T>(json.clone()).unwrap(), value);
}

#[test]
fn values_are_strings() {
    is_written(&Domain::parse("Example.com").unwrap(), &json!("example.com"));
    is_written(&PolicyId::parse("a1").unwrap(), &json!("a1"));
    is_written(&Mode::Enforce, &json!("enforce"));
    is_written(&Tolerances::NONE, &json!([]));
    let set = Tolerances::MX_TRAILING_DOT | Tolerances::BLANK_LINES;
    is_written(&set, &json!(["blank-lines", "mx-trailing-dot"]));
    is_written(&"*.Example.com".parse::<MxPattern<'static>>().unwrap(), &json!("*.Example.com"));
    for kind in ResultType::ALL {
        is_written(&kind, &json!(kind.as_str()));
    }
    let record = StsRecord::parse(b"v=STSv1; id=1").unwrap().into_owned();
    is_written(&record, &json!("v=STSv1; id=1"));
    let policy: Policy = "version: STSv1\nmode: none\nmax_age: 1".parse().unwrap();
    is_written(&policy, &json!("version: STSv1\nmode: none\nmax_age: 1"));
    is_written(
        &Failure::new(ResultType::StsPolicyInvalid, "code", "mta-sts.example.com", "no"),
        &json!({
            "result_type": "sts-policy-invalid",
            "reason_code": "code",
            "subject": "mta-sts.example.com",
            "message": "no",
        }),
    );
}

#[test]
fn nothing_gets_past_the_validation() {
    assert!(from_value::<Domain>(json!("a..b")).is_err());
    assert!(from_value::<PolicyId>(json!("2024-01-01")).is_err());
    assert!(from_value::<Mode>(json!("Enforce")).is_err());
    assert!(from_value::<Tolerances>(json!(["anything"])).is_err());
    assert!(from_value::<MxPattern<'static>>(json!("*")).is_err());
    assert!(from_value::<StsRecord<'static>>(json!("v=STSv1")).is_err());
    assert!(from_value::<ResultType>(json!("none")).is_err());
    let error = from_value::<Policy>(json!("version: STSv1\nmode: none\nmax_age: x")).unwrap_err();
    assert!(error.to_string().starts_with("line 3: `max_age` must be"), "{error}");
}

#[test]
fn a_tolerated_policy_is_read_back() {
    let json = json!("version: STSv1\n\nmode: none\nmax_age: 1");
    let policy: Policy = from_value(json.clone()).unwrap();
    assert!(!policy.tolerated().is_empty());
    assert_eq!(to_value(&policy).unwrap(), json);
}

#[test]
fn diagnostics_can_be_written() {
    let found = lint::record(b"v=STSv1; id=a-b");
    assert_eq!(
        to_value(&found).unwrap(),
        json!([{
            "code": "record-id",
            "severity": "error",
            "clause": "RFC 8461 §3.1",
            "span": { "start": 9, "end": 15 },
            "message": "`id` must be 1 to 32 letters and digits",
            "help": "write `id=ab`, say",
        }]),
    );
}
