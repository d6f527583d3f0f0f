//! Snapshots that were written, read, and damaged on the way.

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{Cache, Config, Snapshot, SnapshotError, SnapshotErrorKind},
};

use crate::world::{DAY, HOUR, World, fetch_failed, found};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn lines(world: &World) -> Vec<String> {
    world.cache.snapshots().map(|snapshot| serde_json::to_string(&snapshot).unwrap()).collect()
}

fn read(line: &str) -> Snapshot {
    serde_json::from_str(line).unwrap()
}

fn damage(line: &str) -> SnapshotError {
    let mut cache = Cache::new(Config::new(1));
    let now = World::new().now;
    let good = read(&lines(&World::with_policy("a", Mode::Enforce, WEEK))[0]);
    let report = cache.restore([read(line), good], now);
    assert_eq!((report.restored, cache.len()), (1, 1), "the good one is not lost");
    let [damage] = &report.damaged[..] else { panic!("{report:?}") };
    damage.clone()
}

#[test]
fn a_snapshot_survives_json() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    (world.txt, world.https) = (found("b"), fetch_failed());
    world.pass(2 * DAY);
    world.lookup();
    for (line, snapshot) in lines(&world).iter().zip(world.cache.snapshots()) {
        let mut cache = Cache::new(Config::new(9));
        assert_eq!(cache.restore([read(line)], world.now).restored, 1);
        assert_eq!(cache.snapshots().collect::<Vec<_>>(), [snapshot]);
    }
}

#[test]
fn a_damaged_one_is_named_and_takes_no_other_with_it() {
    let line = &lines(&World::with_policy("a", Mode::Enforce, WEEK))[0];
    let cases = [
        ("\"example.com\"", "\"exa mple.com\"", SnapshotErrorKind::Domain),
        ("\"version\":2", "\"version\":3", SnapshotErrorKind::Version(3)),
        ("\"version\":2", "\"version\":0", SnapshotErrorKind::Version(0)),
    ];
    for (from, to, kind) in cases {
        assert!(line.contains(from), "{line}");
        assert_eq!(*damage(&line.replace(from, to)).kind(), kind);
    }
    let policy = damage(&line.replace("mode: enforce", "mode: enforced"));
    assert!(matches!(policy.kind(), SnapshotErrorKind::Policy(_)));
    assert_eq!(policy.domain(), "example.com");
    let id = damage(&line.replace("\"id\":\"a\"", "\"id\":\"a-b\""));
    assert_eq!(
        id.to_string(),
        "the snapshot of example.com is damaged: its id is not valid: \"a-b\"",
    );
}

/// Only three members hold texts of others: an id among the failures is one of ours.
#[test]
fn a_damaged_id_among_the_failures_is_an_error_of_the_format() {
    for (good, bad) in [("\"known\":\"2\"", "\"known\":\"a-b\""), ("{\"id\":\"2\"", "{\"id\":\"\"")]
    {
        assert!(VERSION_1.contains(good), "{good}");
        serde_json::from_str::<Snapshot>(&VERSION_1.replace(good, bad)).unwrap_err();
    }
}

/// A row as the first release of the layout wrote it, all members present.
const VERSION_1: &str = r#"{"version":1,"domain":"example.com",
    "policy":"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n","id":"1",
    "fetched_at":1767225600000000,"check":{"armed_at":1767225600000000,"span":60},
    "refresh":{"armed_at":1767225600000000,"span":3600},"budget":{"full_at":1767225000},
    "used":490897,"ahead":2,"regular":true,"record":"found","lapsed":false,
    "trouble":{"attempts":[{"id":"2","failures":3,"until":{"armed_at":1767225600000000,"span":300}},null,null,null],
    "known":"2","text":"a sentence","failure":{"result_type":"sts-policy-fetch-error","reason_code":"connect",
    "subject":"mta-sts.example.com","message":"refused"},"dns_failures":1,"confirm":2,"confirm_armed":true,
    "absent_since":1767225500000000,"absence_told":true,"told":"refresh-failed","believed":1767235600000000}}"#;

/// The members that have other names in version 2.
const RENAMED: [(&str, &str); 15] = [
    ("\"version\":1", "\"version\":2"),
    ("\"check\"", "\"record_check\""),
    ("\"budget\"", "\"new_id_budget\""),
    ("\"used\"", "\"last_lookup\""),
    ("\"ahead\"", "\"days_ahead\""),
    ("\"regular\"", "\"used_on_two_days\""),
    ("\"lapsed\"", "\"expired\""),
    ("\"trouble\"", "\"failures\""),
    ("\"known\"", "\"pending_id\""),
    ("\"text\"", "\"record_error\""),
    ("\"failure\"", "\"last_failure\""),
    ("\"confirm\"", "\"confirming_fetches\""),
    ("\"confirm_armed\"", "\"confirming_armed\""),
    ("\"absence_told\"", "\"absence_alerted\""),
    ("\"told\"", "\"last_alert\""),
];

#[test]
fn rows_of_version_1_are_read_and_written_as_version_2() {
    let renamed = RENAMED.iter().fold(VERSION_1.to_owned(), |row, (old, new)| {
        assert!(row.contains(old), "{old}");
        row.replace(old, new)
    });
    let renamed = renamed.replace("\"believed\"", "\"trusted_until\"");
    let written = serde_json::to_value(read(&renamed)).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(&renamed).unwrap());

    let now = time::macros::utc_datetime!(2026-01-01 0:10);
    let [old, new] = [VERSION_1, &renamed].map(|row| {
        let mut cache = Cache::new(Config::new(1));
        assert_eq!(cache.restore([read(row)], now).restored, 1);
        serde_json::to_value(cache.snapshots().next().unwrap()).unwrap()
    });
    assert_eq!((&old, &old["version"]), (&new, &2.into()));
    assert_eq!(old["policy"], written["policy"]);
}

#[test]
fn no_number_in_a_snapshot_makes_anything_stall() {
    let line = &lines(&World::with_policy("a", Mode::Enforce, 20 * DAY))[0];
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    for path in ["record_check", "refresh"] {
        let mut value = value.clone();
        value[path]["span"] = u32::MAX.into();
        let mut world = World::new();
        world.publish("b", Mode::Testing, WEEK);
        let snapshot = serde_json::from_value(value).unwrap();
        let _ = world.cache.restore([snapshot], world.now);
        world.pass(DAY);
        world.lookup();
        assert_eq!(world.mode(), Some(Mode::Testing), "{path}");
    }
}

#[test]
fn every_field_survives_every_extreme() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    (world.txt, world.https) = (found("b"), fetch_failed());
    world.pass(2 * DAY);
    let line = &lines(&world)[0];
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let mut tried = 0;
    for extreme in ["0", "1", "4294967295", "-9223372036854775808", "9223372036854775807", "null"] {
        for n in 0.. {
            let mut value = value.clone();
            let mut left = n;
            if !replace(&mut value, &mut left, &serde_json::from_str(extreme).unwrap()) {
                break;
            }
            let Ok(snapshot) = serde_json::from_value(value) else { continue };
            tried += 1;
            let mut other = World::new();
            let _ = other.cache.restore([snapshot], world.now);
            other.now = world.now;
            other.publish("c", Mode::Testing, WEEK);
            other.lookup();
            other.pass(HOUR);
            other.recheck();
            other.pass(30 * DAY);
        }
    }
    assert!(tried > 40, "{tried}");
}

/// Replaces the number at place `left`, if there is one.
fn replace(value: &mut serde_json::Value, left: &mut usize, new: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(_) if *left == 0 => {
            *value = new.clone();
            true
        }
        serde_json::Value::Number(_) => {
            *left -= 1;
            false
        }
        serde_json::Value::Array(items) => items.iter_mut().any(|item| replace(item, left, new)),
        serde_json::Value::Object(map) => map.values_mut().any(|item| replace(item, left, new)),
        _ => false,
    }
}
