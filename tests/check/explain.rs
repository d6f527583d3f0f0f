//! Explanations of what a store holds.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use mta_sts::{
    Cache, Domain,
    cache::{Config, PolicyAnswer, Request, Snapshot, TxtAnswer},
    store::{Change, Redb, Store as _},
};
use mta_sts_testkit::Folder;
use redb::TableDefinition;
use serde_json::Value;
use time::{UtcDateTime, macros::utc_datetime};

use crate::world::{POLICY, run};

const LONG_AGO: UtcDateTime = utc_datetime!(2000-01-01 0:00);

/// The snapshot of a domain whose policy was fetched at this time.
fn snapshot(domain: &Domain, at: UtcDateTime) -> Snapshot {
    let mut cache = Cache::new(Config::new(1));
    let _ = cache.lookup(domain, at);
    while let Some(request) = cache.poll_request() {
        match request {
            Request::Txt { id, .. } => {
                let txt = TxtAnswer::from_records(["v=STSv1; id=a"], Duration::from_secs(300));
                cache.handle_txt(id, txt, at);
            }
            Request::Fetch { id, domain } => {
                cache.handle_policy(id, PolicyAnswer::from_body(&domain, POLICY.as_bytes()), at);
            }
            other => panic!("{other:?}"),
        }
    }
    cache.snapshots().next().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the program reads the clock of the system")]
fn now() -> UtcDateTime {
    UtcDateTime::now()
}

/// A file with two domains, a policy of one of which applies, and its store, which stays open.
fn store(name: &str) -> (Folder, PathBuf, Redb) {
    let folder = Folder::new(env!("CARGO_TARGET_TMPDIR"), &format!("explain-{name}"));
    let path = folder.join("policies.redb");
    let store = Redb::open(&path).unwrap();
    let rows = [("b.example", LONG_AGO), ("a.example", now())];
    let changes = rows.map(|(name, at)| {
        let domain = Domain::parse(name).unwrap();
        Change { snapshot: Some(snapshot(&domain, at)), domain }
    });
    store.save(&changes).unwrap();
    (folder, path, store)
}

/// Returns what the program prints, its errors, and its exit status.
fn explain(store: &Path, args: &[&str]) -> (String, String, i32) {
    let output = run(&[&["--explain", store.to_str().unwrap()], args].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

#[test]
fn a_domain_in_a_store_is_explained() {
    let (_folder, path, _open) = store("one");
    let before = fs::read(&path).unwrap();
    let (said, errors, status) = explain(&path, &["postmaster@B.example"]);
    assert_eq!((&*errors, status), ("", 0));
    let (first, rest) = said.split_once('\n').unwrap();
    assert!(first.starts_with("b.example at 2"), "{first}");
    let expected = "\
        answer: a lookup waits for discovery\n\
        source: fetched from the Policy Host, restored from a snapshot\n\
        policy: mode enforce, id a, fetched at 2000-01-01T00:00:00Z, ended at 2000-01-15T00:00:00Z\n\
        record: id a, looked up at 2000-01-01T00:00:00Z, TTL 300 s\n\
        next: a lookup queries the record\n\
        last lookup: in the hour from 2000-01-01T00:00:00Z\n\
        changes when: the next message starts a discovery\n";
    assert_eq!(rest, expected);
    assert!(fs::read(&path).unwrap() == before, "the store was changed");
}

#[test]
fn all_domains_in_a_store_are_explained() {
    let (_folder, path, _open) = store("all");
    let (said, errors, status) = explain(&path, &[]);
    assert_eq!((&*errors, status), ("", 0));
    let texts: Vec<_> = said.split("\n\n").collect();
    assert_eq!(texts.len(), 2, "{said}");
    assert!(texts[0].starts_with("a.example at "), "{said}");
    assert!(texts[0].contains("\nanswer: a policy of mode enforce applies\n"), "{said}");
    assert!(texts[1].starts_with("b.example at "), "{said}");
}

#[test]
fn explanations_are_printed_as_json() {
    let (_folder, path, _open) = store("json");
    let (said, ..) = explain(&path, &["--json"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let domains: Vec<_> = lines.iter().map(|line| line["domain"].as_str().unwrap()).collect();
    assert_eq!(domains, ["a.example", "b.example"]);
    let old = &lines[1];
    assert_eq!((&old["origin"], &old["answer"]), (&"restored".into(), &Value::Null));
    assert_eq!(old["policy"]["ends_at"], "2000-01-15T00:00:00Z");
    assert_eq!((&old["record"]["ttl"], &old["change"]), (&300.into(), &"lookup".into()));
}

#[test]
fn a_damaged_row_is_an_error() {
    let (_folder, path, open) = store("damaged");
    let domain = Domain::parse("c.example").unwrap();
    let other = snapshot(&Domain::parse("d.example").unwrap(), LONG_AGO);
    let misplaced = [Change { snapshot: Some(other.clone()), domain }];
    assert_eq!(
        open.save(&misplaced).unwrap_err().to_string(),
        format!(
            "store error: {}: the change of c.example: it holds the snapshot of d.example",
            path.display()
        ),
    );
    drop(open);
    let rows = TableDefinition::<&str, &[u8]>::new("mta-sts policies");
    let change = redb::Database::open(&path).unwrap().begin_write().unwrap();
    let json = serde_json::to_vec(&other).unwrap();
    change.open_table(rows).unwrap().insert("c.example", &*json).unwrap();
    change.commit().unwrap();
    let (said, errors, status) = explain(&path, &["a.example"]);
    let expected = "check: the row of \"c.example\": it holds the snapshot of d.example\n";
    assert_eq!((&*errors, status), (expected, 2));
    assert!(said.starts_with("a.example at "), "{said}");
}

#[test]
fn what_is_not_there_is_an_error() {
    let (_folder, path, _open) = store("missing");
    let (said, errors, status) = explain(&path, &["c.example", "a.example"]);
    let expected = format!("check: {}: no policy of c.example is in the store\n", path.display());
    assert_eq!((errors, status), (expected, 2));
    assert!(said.starts_with("a.example at "), "{said}");

    let other = path.with_extension("other");
    let (said, errors, status) = explain(&other, &["a.example"]);
    let expected = format!("check: store error: {}: ", other.display());
    assert!(errors.starts_with(&expected) && errors.contains("No such file"), "{errors}");
    assert_eq!((&*said, status), ("", 2));
    assert!(!other.exists());
}
