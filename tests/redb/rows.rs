//! The rows of a file: of this version, and of earlier ones.

use std::{
    collections::{BTreeMap, HashSet},
    env,
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use mta_sts::{
    cache::Snapshot,
    store::{Change, Redb, Store as _},
};
use redb::{Database, ReadableDatabase as _, ReadableTable as _};
use serde_json::{Value, json};

use crate::{
    POLICIES, Rng, change, folder, json, load, names, texts::counts_are_right, without_marker,
};

/// The rows of a file as they are.
fn raw(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let database = Database::open(path).unwrap();
    let table = database.begin_read().unwrap().open_table(POLICIES).unwrap();
    let row = |row: Result<(redb::AccessGuard<'_, &str>, redb::AccessGuard<'_, &[u8]>), _>| {
        let (key, value) = row.unwrap();
        (key.value().to_owned(), value.value().to_vec())
    };
    table.iter().unwrap().map(row).collect()
}

/// The snapshots of a store, as JSON.
fn snapshots(store: &Redb) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let loaded = store
        .load(&mut |row| {
            let value = serde_json::to_value(&row).unwrap();
            assert!(all.insert(row.domain().unwrap().to_string(), value).is_none());
        })
        .unwrap();
    assert_eq!(*loaded.damaged, []);
    all
}

#[test]
fn of_the_changes_of_a_domain_in_one_save_the_last_counts() {
    let folder = folder("last");
    let path = folder.join("policies.redb");
    let rows_after = |changes: Vec<Change>, counts: &[u32]| {
        let store = Redb::open(&path).unwrap();
        store.save(&changes).unwrap();
        let names = names(&store);
        drop(store);
        counts_are_right(&path, counts);
        names.len()
    };
    // In the order in which keys are not stored.
    let added: Vec<_> = (0..100).rev().map(|n| change(&format!("domain{n:02}.example"))).collect();
    let removed = added.iter().map(|change| Change { snapshot: None, ..change.clone() });
    let removed: Vec<_> = removed.collect();
    assert_eq!(rows_after([removed.clone(), added.clone()].concat(), &[100]), 100);
    assert_eq!(rows_after([added, removed].concat(), &[]), 0);
}

/// The numbers of the documentation.
#[test]
fn a_row_takes_a_few_hundred_bytes() {
    const ROWS: usize = 20_000;
    let folder = folder("size");
    let path = folder.join("policies.redb");
    let mut store = Redb::open(&path).unwrap();
    let changes: Vec<_> = (0..ROWS).map(|n| change(&format!("domain{n}.example"))).collect();
    for _ in 0..2 {
        for some in changes.chunks(1000) {
            store.save(some).unwrap();
        }
    }
    let of_a_row = || usize::try_from(fs::metadata(&path).unwrap().len()).unwrap() / ROWS;
    assert!((150..500).contains(&of_a_row()), "{} bytes", of_a_row());
    store.compact().unwrap();
    assert!((100..250).contains(&of_a_row()), "{} bytes after compacting", of_a_row());
}

fn failure(result_type: &str) -> Value {
    json!({"result_type": result_type, "reason_code": "a-code", "subject": "mta-sts.example.com",
        "message": "it has failed"})
}

/// A snapshot in which all members have a value.
fn full() -> Value {
    let time = 1_767_225_600_000_000_u64;
    let deadline = |span: u32| json!({"armed_at": time, "span": span});
    json!({
        "version": 2, "domain": "full.example", "id": "20260101",
        "policy": "version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 604800\n",
        "fetched_at": time + 1, "record_check": deadline(60), "refresh": deadline(3600),
        "new_id_budget": {"full_at": 1_767_225_601}, "last_lookup": 490_897, "days_ahead": 2,
        "used_on_two_days": true, "record": "found", "expired": true,
        "failures": {
            "attempts": [{"id": "7", "failures": 3, "until": deadline(300)},
                {"id": null, "failures": 1, "until": deadline(301)}, null, null],
            "pending_id": "8", "record_error": "two records",
            "last_failure": failure("sts-webpki-invalid"), "dns_failures": 4,
            "confirming_fetches": 2, "confirming_armed": true, "absent_since": time + 2,
            "absence_alerted": true, "last_alert": "half-life-over", "trusted_until": time + 3,
        },
    })
}

/// A snapshot with each value of each enumeration.
fn all_kinds() -> Vec<Value> {
    let mut rows = vec![full()];
    let mut add = |pointer: &str, value: Value| {
        let mut row = full();
        *row.pointer_mut(pointer).unwrap() = value;
        row["domain"] = format!("row{}.example", rows.len()).into();
        rows.push(row);
    };
    for record in ["unknown", "found", "missing", "invalid", "failed"] {
        add("/record", record.into());
    }
    for alert in
        ["record-absent", "refresh-failed", "half-life-over", "quarter-life-left", "expired"]
    {
        add("/failures/last_alert", alert.into());
    }
    for kind in mta_sts::ResultType::ALL {
        add("/failures/last_failure", failure(kind.as_str()));
    }
    for member in ["/policy", "/id", "/last_lookup", "/failures/pending_id"] {
        add(member, Value::Null);
    }
    let mut bare = full();
    bare.as_object_mut().unwrap().remove("failures");
    bare["domain"] = "bare.example".into();
    rows.push(bare);
    rows
}

/// What files contain: it never changes but with a new version of the rows.
const ROWS: &str = include_str!("rows.txt");

#[test]
fn rows_are_what_they_always_were() {
    let folder = folder("layout");
    let path = folder.join("store");
    let store = Redb::open(&path).unwrap();
    let expected: BTreeMap<String, Value> = all_kinds()
        .into_iter()
        .map(|row| (row["domain"].as_str().unwrap().to_owned(), row))
        .collect();
    for (name, row) in &expected {
        let snapshot: Snapshot = serde_json::from_value(row.clone()).unwrap();
        let change = Change { snapshot: Some(snapshot), ..change(name) };
        store.save(&[change]).unwrap();
    }
    assert_eq!(snapshots(&store), expected);
    drop(store);
    let mut text = String::new();
    for (name, row) in raw(&path) {
        write!(text, "{name} ").unwrap();
        for byte in row {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    assert_eq!(text, ROWS);
}

/// A file of the first version.
fn earlier(path: &Path, rows: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..rows).map(|n| format!("d{n}.example")).collect();
    names.sort();
    let rows: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    without_marker(path, &rows);
    names
}

#[test]
fn earlier_rows_are_read_and_rewritten_some_with_each_save() {
    let folder = folder("earlier");
    let path = folder.join("store");
    let names = earlier(&path, 1300);
    let store = Redb::open(&path).unwrap();
    let before = snapshots(&store);
    assert!(before.keys().eq(&names));
    let json_rows = |store: Redb| {
        drop(store);
        raw(&path).values().filter(|row| row[0] == b'{').count()
    };
    // Loading writes nothing.
    assert_eq!(json_rows(store), 1300);
    for (save, left) in [800, 300, 0, 0].into_iter().enumerate() {
        let store = Redb::open(&path).unwrap();
        store.save(&[change(&format!("new{save}.example"))]).unwrap();
        assert_eq!(json_rows(store), left);
        counts_are_right(&path, &[u32::try_from(1300 - left + save + 1).unwrap()]);
    }
    let store = Redb::open(&path).unwrap();
    let mut after = snapshots(&store);
    after.retain(|name, _| !name.starts_with("new"));
    // The names of members are those of this version.
    assert_eq!(after["d7.example"]["used_on_two_days"], before["d7.example"]["used_on_two_days"]);
    let without = |mut row: Value| {
        row.as_object_mut().unwrap().remove("version");
        row
    };
    let plain = |rows: BTreeMap<_, _>| rows.into_values().map(without).collect::<Vec<_>>();
    assert_eq!(plain(after), plain(before));
}

#[test]
fn earlier_rows_are_all_rewritten_by_compacting() {
    let folder = folder("compact");
    let path = folder.join("store");
    let names = earlier(&path, 2500);
    let mut store = Redb::open(&path).unwrap();
    store.compact().unwrap();
    assert!(snapshots(&store).keys().eq(&names));
    drop(store);
    assert!(raw(&path).values().all(|row| row[0] == 3));
}

#[test]
fn a_damaged_earlier_row_stays_and_keeps_no_other_from_being_rewritten() {
    let folder = folder("earlier-damaged");
    let path = folder.join("store");
    earlier(&path, 10);
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let later = json("later.example").replace("\"version\":1", "\"version\":9");
    let mut table = transaction.open_table(POLICIES).unwrap();
    table.insert("d3.example", br#"{"version":1,"dom"#.as_slice()).unwrap();
    table.insert("later.example", later.as_bytes()).unwrap();
    drop(table);
    transaction.commit().unwrap();
    drop(database);
    let store = Redb::open(&path).unwrap();
    for _ in 0..2 {
        let (names, damaged) = load(&store).unwrap();
        assert_eq!((names.len(), damaged.len()), (10, 1));
        assert!(damaged[0].starts_with("the row of \"d3.example\": EOF"), "{damaged:?}");
        store.save(&[change("d1.example")]).unwrap();
    }
    drop(store);
    let left: Vec<_> = raw(&path).into_iter().filter(|(_, row)| row[0] != 3).collect();
    assert_eq!(left.len(), 2);
    assert_eq!(left[1].1, later.into_bytes());
}

#[test]
fn no_damage_to_a_row_affects_another() {
    let folder = folder("row-damage");
    let path = folder.join("store");
    let mut rng = Rng(0x5EED);
    let store = Redb::open(&path).unwrap();
    store.save(&(0..20).map(|n| change(&format!("d{n}.example"))).collect::<Vec<_>>()).unwrap();
    drop(store);
    let good = raw(&path);
    for _ in 0..200 {
        let (mut spoilt, place) = (good["d7.example"].clone(), rng.below(good["d7.example"].len()));
        match rng.below(4) {
            0 => spoilt.truncate(place),
            1 => spoilt.push(0),
            _ => spoilt[place] ^= 1 << rng.below(8),
        }
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(POLICIES).unwrap().insert("d7.example", &*spoilt).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let store = Redb::open(&path).unwrap();
        let (names, damaged) = load(&store).unwrap();
        // A bit of a number may be wrong unnoticed.
        assert_eq!(names.len() + damaged.len(), 20, "{damaged:?}");
        assert!(names.len() >= 19 && store.set_aside().is_none());
        assert!(damaged.iter().all(|what| what.contains("\"d7.example\"")), "{damaged:?}");
        store.save(&[change("d7.example")]).unwrap();
        assert_eq!(load(&store).unwrap().1, []);
        drop(store);
        counts_are_right(&path, &[20]);
    }
}

const KILLED: &str = "MTA_STS_TEST_KILLED";

/// In a child: saves until it is killed, and says what it has saved.
fn save_on(path: &Path) {
    let store = Redb::open(path).unwrap();
    for n in 0.. {
        let name = format!("new{n}.example");
        store.save(&[change(&name)]).unwrap();
        println!("has {name}");
    }
}

#[test]
fn killed_while_earlier_rows_are_rewritten() {
    if let Ok(path) = env::var(KILLED) {
        return save_on(Path::new(&path));
    }
    let folder = folder("killed");
    let path = folder.join("store");
    let old = earlier(&path, 8000);
    let (mut rng, mut seen) = (Rng(0x5EED), Vec::new());
    for round in 0..20 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["rows::killed_while_earlier_rows_are_rewritten", "--exact", "--nocapture"])
            .env(KILLED, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut saved = lines.filter_map(|line| Some(line.split_once("has ")?.1.to_owned()));
        let mut had: Vec<String> = saved.by_ref().take(1).collect();
        let micros = u64::try_from(rng.below(9000)).unwrap();
        thread::sleep(Duration::from_micros(micros));
        child.kill().unwrap();
        had.extend(saved);
        child.wait().unwrap();
        let store = Redb::open(&path).unwrap();
        assert_eq!(store.set_aside(), None);
        let names: HashSet<String> = names(&store).into_iter().collect();
        assert!(
            old.iter().chain(&had).all(|name| names.contains(name)),
            "round {round}: a row is lost"
        );
        drop(store);
        let rows = raw(&path);
        let new = rows.values().filter(|row| row[0] == 3).count();
        counts_are_right(&path, &[u32::try_from(new).unwrap()]);
        seen.push(rows.len() - new);
    }
    // Some were killed in the midst of it.
    assert!(seen.iter().any(|left| (1..8000).contains(left)), "{seen:?}");
}
