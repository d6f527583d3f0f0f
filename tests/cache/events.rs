//! Events as one line of a log, and in JSON.

use std::{mem, time::Duration};

use mta_sts::{
    Mode, Policy,
    cache::{Event, EventKind, RecheckError, RecheckOutcome},
};
#[cfg(feature = "serde")]
use serde_json::{Value, json, to_value};
use time::macros::utc_datetime;

use super::world::{DAY, World, fetch_failed};

#[cfg(feature = "serde")]
const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";

#[cfg(feature = "serde")]
fn events(world: &mut World) -> Vec<Value> {
    let in_json = |event: Event| {
        let (name, value) = (event.kind.as_str(), to_value(event).unwrap());
        let tag = match &value["kind"] {
            Value::String(tag) => tag.clone(),
            kind => kind.as_object().unwrap().keys().next().unwrap().clone(),
        };
        // It is the tag; that of an alert says which.
        let alert = value["kind"]["alert"]["kind"].as_str().map(|kind| format!("alert-{kind}"));
        assert_eq!(name, alert.unwrap_or(tag));
        value
    };
    world.events.drain(..).map(in_json).collect()
}

#[cfg(feature = "serde")]
#[test]
fn a_first_policy_in_json() {
    let mut world = World::new();
    world.publish("1", Mode::Enforce, 7 * DAY);
    world.lookup();
    assert_eq!(
        events(&mut world),
        [
            json!({
                "domain": "example.com",
                "kind": { "updated": { "policy": POLICY, "previous": null } },
            }),
            json!({
                "domain": "example.com",
                "kind": { "answered": { "answer": { "policy": {
                    "policy": POLICY,
                    "source": "fetched",
                    "fetched_at": "2026-01-01T00:00:00Z",
                    "checked_at": "2026-01-01T00:00:00Z",
                    "ends_at": "2026-01-08T00:00:00Z",
                } } } },
            }),
        ],
    );
}

/// Each policy that was fetched and differs from the one before, also where none applies then.
#[test]
fn what_counts_as_an_update() {
    let told = |world: &mut World| {
        world.refresh();
        let events = mem::take(&mut world.events).into_iter();
        let updates = events.filter_map(|event| match event.kind {
            EventKind::Updated { policy, previous } => {
                Some((policy.mode(), previous.map(|previous| previous.mode())))
            }
            _ => None,
        });
        (updates.collect::<Vec<_>>(), world.mode())
    };
    let mut world = World::new();
    world.publish("1", Mode::Enforce, Duration::ZERO);
    assert_eq!(told(&mut world), (vec![], None), "a first one that never applies");
    world.publish("2", Mode::None, DAY);
    assert_eq!(told(&mut world), (vec![(Mode::None, None)], None));
    assert_eq!(told(&mut world), (vec![], None), "the same one again");
    world.publish("3", Mode::Enforce, DAY);
    let enforce = Some(Mode::Enforce);
    assert_eq!(told(&mut world), (vec![(Mode::Enforce, Some(Mode::None))], enforce));
    world.publish("4", Mode::Testing, Duration::ZERO);
    assert_eq!(told(&mut world), (vec![(Mode::Testing, enforce)], None));
}

#[cfg(feature = "serde")]
#[test]
fn a_recheck_and_an_alert_in_json() {
    let mut world = World::with_policy("1", Mode::Enforce, 7 * DAY);
    world.recheck();
    world.https = fetch_failed();
    world.pass(DAY);
    let found = events(&mut world);
    assert_eq!(found[0]["kind"]["rechecked"]["result"]["outcome"], "unchanged");
    let alert = found.iter().find_map(|event| event["kind"].get("alert")).unwrap();
    assert_eq!(alert["kind"], "refresh-failed");
    assert_eq!(alert["ends_at"], "2026-01-08T00:00:00Z");
    assert_eq!(alert["failure"]["result_type"], "sts-policy-fetch-error");
}

#[test]
fn a_day_in_a_log() {
    let mut world = World::new();
    world.publish("1", Mode::Testing, 7 * DAY);
    world.lookup();
    world.publish("2", Mode::Enforce, 7 * DAY);
    world.recheck();
    world.https = fetch_failed();
    world.pass(DAY);
    let lines: Vec<String> = world.events.iter().take(6).map(Event::to_string).collect();
    assert_eq!(
        lines,
        [
            "example.com: a first policy, of mode testing",
            "example.com: lookup answered: a policy of mode testing",
            "example.com: a new policy, of mode enforce; the one before was of mode testing",
            "example.com: recheck: the policy has changed; a policy of mode enforce",
            "example.com: mta-sts.example.com: status 404 (sts-policy-fetch-error, http-404); the \
             cached policy still applies",
            "example.com: the policy could not be refreshed; it applies until 2026-01-08T00:00:00Z: \
             mta-sts.example.com: status 404 (sts-policy-fetch-error, http-404)",
        ],
    );
}

#[test]
fn every_kind_in_a_line() {
    let policy: Policy =
        "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 1\n".parse().unwrap();
    for (kind, line) in [
        (
            EventKind::Expired { ended_at: utc_datetime!(2026-01-31 12:00) },
            "the policy ended at 2026-01-31T12:00:00Z",
        ),
        (EventKind::Recovered, "the policy was refreshed, or its record is back"),
        (
            EventKind::Evicted { policy: policy.into() },
            "cache full, evicted a live policy of mode enforce; raise `max_entries` or `max_bytes`",
        ),
        (EventKind::PersistRecovered, "all changes are durable again"),
        (
            EventKind::NotPersisted { error: "disk\nfull\u{1b}[31m".into() },
            "change not durable: disk\\nfull\\u{1b}[31m",
        ),
        (
            EventKind::StoreLost { error: "gone".into() },
            "the store lost what was saved: gone; everything is saved again",
        ),
        (EventKind::StoreStalled, "the store does not answer; lookups no longer wait for it"),
        (EventKind::StoreResumed, "the store answers in time again"),
    ] {
        assert_eq!(kind.to_string(), line);
    }
    let unknown = RecheckOutcome::Unknown(RecheckError::Unconfirmed);
    assert!(!unknown.to_string().contains('\n'));
}
