//! The texts of policies, each stored once.

use std::{collections::BTreeMap, path::Path};

use mta_sts::store::{Change, Redb, Store as _};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::{POLICIES, Rng, change, folder, json, load, names};

const TEXTS: TableDefinition<'_, [u8; 16], (u32, &[u8])> = TableDefinition::new("mta-sts texts");

type Digest = [u8; 16];

/// The texts with their numbers, as they are.
fn texts(path: &Path) -> BTreeMap<Digest, (u32, Vec<u8>)> {
    let database = Database::open(path).unwrap();
    let table = database.begin_read().unwrap().open_table(TEXTS).unwrap();
    let rows = table.iter().unwrap().map(|row| {
        let (key, value) = row.unwrap();
        (key.value(), (value.value().0, value.value().1.to_vec()))
    });
    rows.collect()
}

/// Asserts that each text has the number of rows that refer to it, and that these are the numbers.
pub(crate) fn counts_are_right(path: &Path, expected: &[u32]) {
    let mut counted: BTreeMap<Digest, u32> = BTreeMap::new();
    {
        let database = Database::open(path).unwrap();
        let table = database.begin_read().unwrap().open_table(POLICIES).unwrap();
        for row in table.iter().unwrap() {
            let row = row.unwrap().1.value().to_vec();
            // The version, and that there is a policy.
            if row.starts_with(&[3, 1]) {
                *counted.entry(row[2..18].try_into().unwrap()).or_default() += 1;
            }
        }
    }
    let stored = texts(path).into_iter().map(|(digest, (count, _))| (digest, count)).collect();
    assert_eq!(counted, stored);
    let mut numbers: Vec<u32> = counted.into_values().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, expected);
}

/// A change to a policy of this number.
fn of(name: &str, policy: usize) -> Change {
    let row = json(name).replace("mx.example.net", &format!("mx{policy}.example.net"));
    Change { snapshot: Some(serde_json::from_str(&row).unwrap()), ..change(name) }
}

fn removed(name: &str) -> Change {
    Change { snapshot: None, ..change(name) }
}

/// Changes a text, or its number.
fn spoil(path: &Path, spoil: impl Fn(&mut u32, &mut Vec<u8>) -> bool) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(TEXTS).unwrap();
    let all: Vec<_> = table
        .iter()
        .unwrap()
        .map(|row| row.map(|(key, value)| (key.value(), value.value().0, value.value().1.to_vec())))
        .collect::<Result<_, _>>()
        .unwrap();
    for (digest, mut count, mut text) in all {
        if spoil(&mut count, &mut text) {
            table.insert(digest, (count, &*text)).unwrap();
        } else {
            table.remove(digest).unwrap();
        }
    }
    drop(table);
    transaction.commit().unwrap();
}

#[test]
fn a_text_is_stored_once_as_long_as_a_row_refers_to_it() {
    let folder = folder("texts");
    let path = folder.join("store");
    let save = |changes: &[Change]| Redb::open(&path).unwrap().save(changes).unwrap();
    save(&[of("a.example", 1), of("b.example", 1), of("c.example", 2)]);
    counts_are_right(&path, &[1, 2]);
    save(&[of("a.example", 1), of("b.example", 2)]);
    counts_are_right(&path, &[1, 2]);
    save(&[removed("a.example"), of("d.example", 1), removed("d.example"), removed("e.example")]);
    counts_are_right(&path, &[2]);
    save(&[removed("b.example"), removed("c.example")]);
    counts_are_right(&path, &[]);
}

#[test]
fn the_numbers_are_right_after_any_changes() {
    let folder = folder("any-texts");
    let path = folder.join("store");
    let mut rng = Rng(0x5EED_5EED);
    for _ in 0..30 {
        let store = Redb::open(&path).unwrap();
        for _ in 0..5 {
            let changes: Vec<_> = (0..rng.below(40))
                .map(|_| match (format!("d{}.example", rng.below(60)), rng.below(4)) {
                    (name, 0) => removed(&name),
                    (name, _) => of(&name, rng.below(6)),
                })
                .collect();
            store.save(&changes).unwrap();
        }
        drop(store);
        let mut numbers: Vec<u32> = texts(&path).into_values().map(|(count, _)| count).collect();
        numbers.sort_unstable();
        counts_are_right(&path, &numbers);
    }
}

#[test]
fn a_damaged_text_loses_the_policies_that_refer_to_it_and_is_told() {
    let folder = folder("damaged-text");
    let path = folder.join("store");
    let all = [of("a.example", 1), of("b.example", 1), of("c.example", 2), of("d.example", 3)];
    let mx1 = |text: &[u8]| String::from_utf8_lossy(text).contains("mx1.");
    for (what, is_missing) in [("is damaged", false), ("is missing", true)] {
        Redb::open(&path).unwrap().save(&all).unwrap();
        spoil(&path, |_, text| {
            if mx1(text) {
                text[20] ^= 1;
                return !is_missing;
            }
            true
        });
        let store = Redb::open(&path).unwrap();
        let sentence = |rows: &str| {
            format!("the text of the policy of \"a.example\"{rows} {what}").into_boxed_str()
        };
        let (names_left, damaged) = load(&store).unwrap();
        assert_eq!(names_left, ["c.example", "d.example"]);
        assert_eq!(damaged, [sentence(", which 1 other rows refer to,")]);
        // It is whole again as soon as one of them is saved again.
        store.save(&[of("c.example", 2)]).unwrap();
        assert_eq!(names(&store), ["c.example", "d.example"]);
        store.save(&[of("b.example", 1)]).unwrap();
        assert_eq!(names(&store), ["a.example", "b.example", "c.example", "d.example"]);
        drop(store);
        counts_are_right(&path, &[1, 1, 2]);
    }
}

#[test]
fn numbers_that_disagree_are_mended() {
    let folder = folder("counts");
    let path = folder.join("store");
    for wrong in [0, 1, 99, u32::MAX] {
        let all = [of("a.example", 1), of("b.example", 1), of("c.example", 2)];
        Redb::open(&path).unwrap().save(&all).unwrap();
        spoil(&path, |count, _| {
            *count = wrong;
            true
        });
        // An orphan.
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(TEXTS).unwrap().insert([7; 16], (wrong, b"x".as_slice())).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let store = Redb::open(&path).unwrap();
        let (names_left, damaged) = load(&store).unwrap();
        assert_eq!((names_left.len(), damaged.len()), (3, 0), "{damaged:?}");
        store.save(&[removed("a.example")]).unwrap();
        assert_eq!(names(&store), ["b.example", "c.example"]);
        drop(store);
        counts_are_right(&path, &[1, 1]);
    }
}

#[test]
fn a_text_that_is_no_policy_is_told() {
    let folder = folder("no-policy");
    let path = folder.join("store");
    let row = json("a.example").replace("enforce", "nonsense");
    let snapshot = serde_json::from_str(&row).unwrap();
    let store = Redb::open(&path).unwrap();
    store.save(&[Change { snapshot: Some(snapshot), ..change("a.example") }]).unwrap();
    let (names, damaged) = load(&store).unwrap();
    assert_eq!(names.len(), 0);
    let sentence = "the text of the policy of \"a.example\" is not a valid policy";
    assert_eq!(damaged, [sentence.into()]);
}

#[test]
fn a_damaged_snapshot_is_not_saved() {
    let folder = folder("not-saved");
    let store = Redb::open(folder.join("store")).unwrap();
    let row = json("a.example").replace("\"id\":\"1\"", "\"id\":\"-\"");
    let snapshot = serde_json::from_str(&row).unwrap();
    let change = Change { snapshot: Some(snapshot), ..change("a.example") };
    let error = store.save(&[change]).unwrap_err().to_string();
    assert!(error.contains("a.example is damaged"), "{error}");
}
