//! Serialising goes through the same validation as parsing.
#![cfg(feature = "serde")]

use mta_sts::{
    Domain, Failure, Mode, MxPattern, NoPolicy, Policy, PolicyId, ResultType, StsRecord,
    Tolerances, lint,
};
use serde_json::{Value, from_value, json, to_value};
use time::macros::utc_datetime;

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
            "start": { "line": 1, "column": 10, "column_utf16": 10 },
            "end": { "line": 1, "column": 16, "column_utf16": 16 },
            "multiline": false,
            "message": "`id` has `-`, which is no letter or digit",
            "help": "write `v=STSv1; id=ab`: an `id` has letters and digits only, 32 at the most",
            "suggestion": {
                "span": { "start": 0, "end": 15 },
                "replacement": "v=STSv1; id=ab",
            },
        }]),
    );
}

#[test]
fn reasons_for_no_policy() {
    let failure =
        Failure::new(ResultType::StsPolicyFetchError, "deadline", "mta-sts.example.com", "late");
    is_written(&NoPolicy::NoRecord, &json!("no-record"));
    is_written(&NoPolicy::DnsFailed("timed out".into()), &json!({ "dns-failed": "timed out" }));
    is_written(
        &NoPolicy::Expired {
            mode: Mode::Enforce,
            ended_at: utc_datetime!(2026-01-31 12:00:00.5),
            cause: NoPolicy::FetchFailed(failure.into()).into(),
        },
        &json!({ "expired": {
            "mode": "enforce",
            "ended_at": "2026-01-31T12:00:00.500000Z",
            "cause": { "fetch-failed": {
                "result_type": "sts-policy-fetch-error",
                "reason_code": "deadline",
                "subject": "mta-sts.example.com",
                "message": "late",
            } },
        } }),
    );
    is_written(
        &NoPolicy::from(Domain::parse("[192.0.2.1]").unwrap_err()),
        &json!({ "not-a-domain": { "address-literal": { "found": "\"[192.0.2.1]\"" } } }),
    );
}
