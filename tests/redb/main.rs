//! The embedded store against real files: damaged, cut, of others, in use, on a full disk.
#![cfg(feature = "redb")]
#![allow(clippy::disallowed_methods, reason = "here real time passes")]

mod read;
mod rows;
mod texts;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use mta_sts::{
    Domain,
    cache::Snapshot,
    store::{Change, Redb, Store as _, StoreError},
};
use mta_sts_testkit::Folder;
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableHandle as _,
};

pub(crate) const POLICIES: TableDefinition<'_, &str, &[u8]> =
    TableDefinition::new("mta-sts policies");
const OTHERS: TableDefinition<'_, &str, u64> = TableDefinition::new("somebody else's");

/// An empty folder that no other test has.
pub(crate) fn folder(name: &str) -> Folder {
    Folder::new(env!("CARGO_TARGET_TMPDIR"), &format!("redb-{name}"))
}

pub(crate) fn json(name: &str) -> String {
    let rest = r#""id":"1","fetched_at":1767225600000000,"check":{"armed_at":1767225600000000,"span":60},
        "refresh":{"armed_at":1767225600000000,"span":3600},"budget":{"full_at":0},
        "used":null,"regular":false,"record":"found","lapsed":false"#;
    let policy = r"version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 604800\n";
    format!(r#"{{"version":1,"domain":"{name}","policy":"{policy}",{rest}}}"#)
}

pub(crate) fn change(name: &str) -> Change {
    let snapshot: Snapshot = serde_json::from_str(&json(name)).unwrap();
    Change { domain: Domain::parse(name).unwrap(), snapshot: Some(snapshot) }
}

/// The names in a store, and the sentences about what is damaged.
pub(crate) fn load(store: &Redb) -> Result<(Vec<String>, Vec<Box<str>>), StoreError> {
    let mut names = Vec::new();
    let loaded = store.load(&mut |row| names.push(row.domain().unwrap().to_string()))?;
    Ok((names, loaded.damaged))
}

pub(crate) fn names(store: &Redb) -> Vec<String> {
    load(store).unwrap().0
}

/// A file of ours with so many rows.
pub(crate) fn good(path: &Path, rows: usize) -> Vec<u8> {
    let store = Redb::open(path).unwrap();
    let changes: Vec<_> = (0..rows).map(|n| change(&format!("d{n}.example"))).collect();
    for some in changes.chunks(20) {
        store.save(some).unwrap();
    }
    drop(store);
    fs::read(path).unwrap()
}

/// A small generator, so that a failure can be repeated.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap() % bound
    }
}

/// Whatever is in the file: it opens, loads and saves, and what it saves is there afterwards.
fn survives(folder: &Path, bytes: &[u8], what: &str) -> bool {
    let path = folder.join("store");
    fs::write(&path, bytes).unwrap();
    // It may be readable or not; it stays as it is.
    let _ = read::read(&path);
    assert!(fs::read(&path).unwrap() == bytes, "{what}");
    let store = Redb::open(&path).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (_, damaged) = load(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
    if let Some(aside) = store.set_aside() {
        assert_eq!(fs::read(aside).unwrap().len(), bytes.len(), "{what}");
        assert!(!damaged.is_empty(), "{what}: not reported");
        fs::remove_file(aside).unwrap();
    }
    let is_aside = store.set_aside().is_some();
    store.save(&[change("new.example")]).unwrap_or_else(|error| panic!("{what}: {error}"));
    drop(store);
    let store = Redb::open(&path).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(store.set_aside(), None, "{what}");
    assert!(names(&store).contains(&"new.example".to_owned()), "{what}");
    drop(store);
    fs::remove_file(path).unwrap();
    is_aside
}

/// How many files of each size are damaged at random; `MTA_STS_DAMAGED_FILES` sets more.
fn damaged_files() -> usize {
    std::env::var("MTA_STS_DAMAGED_FILES").map_or(100, |count| count.parse().expect("a number"))
}

#[test]
fn no_damage_keeps_a_store_from_starting() {
    thread::scope(|scope| {
        for rows in [0, 3, 100] {
            scope.spawn(move || no_damage_keeps_a_store_of_so_many_from_starting(rows));
        }
    });
}

fn no_damage_keeps_a_store_of_so_many_from_starting(rows: usize) {
    let folder = folder(&format!("damage-{rows}"));
    let (mut rng, mut aside) = (Rng(0x5EED_5EED), 0);
    let good = good(&folder.join("good"), rows);
    for n in 0..damaged_files() {
        let mut bytes = good.clone();
        for _ in 0..=rng.below(64) {
            // Many of them in the head, where each counts.
            let bound = if n % 4 == 0 { 512 } else { bytes.len() };
            let at = rng.below(bound);
            bytes[at] ^= 1 << rng.below(8);
        }
        aside += usize::from(survives(&folder, &bytes, &format!("{rows} rows, flips {n}")));
    }
    for page in 0..good.len() / 4096 {
        let mut bytes = good.clone();
        bytes[page * 4096..][..4096].fill(0);
        aside += usize::from(survives(&folder, &bytes, &format!("{rows} rows, zeroed {page}")));
    }
    let lengths = (1..140).step_by(3).chain((140..good.len()).step_by(good.len() / 30));
    for len in lengths {
        assert!(survives(&folder, &good[..len], &format!("{rows} rows, cut to {len}")));
    }
    assert!(aside > damaged_files() / 2, "{aside}");
}

#[test]
fn an_empty_file_is_a_new_one() {
    let folder = folder("empty");
    assert!(!survives(&folder, b"", "empty"));
    assert!(survives(&folder, &vec![0; 100_000], "zeros"));
}

#[test]
fn a_file_that_was_never_ours_is_not_touched() {
    let folder = folder("foreign");
    let path = folder.join("file");
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(OTHERS).unwrap().insert("a", 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let others = fs::read(&path).unwrap();
    let mut sqlite = b"SQLite format 3\0".to_vec();
    sqlite.resize(8192, 0);
    sqlite.extend_from_slice(b"CREATE TABLE `mta-sts policies`");
    let mut iso = vec![0; 32768];
    iso.extend_from_slice(b"\x01CD001");
    for foreign in [
        b"x".to_vec(),
        b"this is no database, and long enough to be read as the head of one".repeat(3),
        b"About the table `mta-sts policies`, in which a row is {\"version\":1,\"domain\":\""
            .to_vec(),
        b"redis".to_vec(),
        others,
        sqlite,
        iso,
    ] {
        fs::write(&path, &foreign).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let error = Redb::open(&path).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert!(error.contains("not a file of mta-sts"), "{error}");
        assert_eq!(read::read(&path).unwrap_err().to_string(), error);
        assert!(fs::read(&path).unwrap() == foreign, "{error}");
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), modified);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = folder("named");
    for path in [folder.to_path_buf(), folder.join("missing/file"), "/dev/null".into(), "/".into()]
    {
        for error in [Redb::open(&path).unwrap_err(), read::read(&path).unwrap_err()] {
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }
    let path = folder.join("file");
    let store = Redb::open(&path).unwrap();
    let error = Redb::open(&path).unwrap_err().to_string();
    let expected = "another process, or another client of this one, has it open";
    assert_eq!(error, format!("store error: {}: {expected}", path.display()));
    drop(store);
    assert!(Redb::open(&path).is_ok());
}

#[cfg(unix)]
#[test]
fn links_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = folder("links");
    let (target, link) = (folder.join("target"), folder.join("link"));
    symlink("target", folder.join("between")).unwrap();
    symlink(folder.join("between"), &link).unwrap();
    // One that leads to nothing yet makes the file where it leads.
    drop(Redb::open(&link).unwrap());
    assert!(fs::symlink_metadata(&target).unwrap().is_file());
    let mut bytes = good(&target, 5);
    bytes[64..320].fill(0xAA);
    fs::write(&target, &bytes).unwrap();
    let store = Redb::open(&link).unwrap();
    assert_eq!(store.set_aside(), Some(&*folder.join("target.damaged-1")));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::symlink_metadata(&target).unwrap().is_file());
}

/// As versions before the marker made it.
pub(crate) fn without_marker(path: &Path, rows: &[(&str, &str)]) {
    let database = Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(POLICIES).unwrap();
    for (key, name) in rows {
        table.insert(*key, json(name).as_bytes()).unwrap();
    }
    drop(table);
    transaction.commit().unwrap();
}

#[test]
fn files_of_yesterday_are_marked_and_those_of_tomorrow_refused() {
    const MARKER: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("mta-sts store");
    let folder = folder("marker");
    let path = folder.join("file");
    without_marker(&path, &[("a.example", "a.example")]);
    assert_eq!(names(&Redb::open(&path).unwrap()), ["a.example"]);
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut marker = transaction.open_table(MARKER).unwrap();
    let mut value = marker.get("format").unwrap().unwrap().value().to_vec();
    *value.last_mut().unwrap() += 1;
    marker.insert("format", &*value).unwrap();
    drop(marker);
    transaction.commit().unwrap();
    drop(database);
    let error = Redb::open(&path).unwrap_err().to_string();
    assert!(error.contains("later version") && error.contains(path.to_str().unwrap()), "{error}");
    assert_eq!(read::read(&path).unwrap_err().to_string(), error);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_row_under_another_key_is_told_and_removed() {
    let folder = folder("keys");
    let path = folder.join("file");
    without_marker(&path, &[("a.example", "b.example"), ("c.example", "c.example")]);
    let store = Redb::open(&path).unwrap();
    let (names_before, damaged) = load(&store).unwrap();
    assert_eq!(names_before.len(), 1);
    assert_eq!(*damaged, ["the row of \"a.example\": it holds the snapshot of b.example".into()]);
    store.save(&[change("d.example")]).unwrap();
    assert_eq!(names(&store), ["c.example", "d.example"]);
    assert!(load(&store).unwrap().1.is_empty());
    drop(store);
    let database = Database::open(&path).unwrap();
    let table = database.begin_read().unwrap().open_table(POLICIES).unwrap();
    let keys: Vec<_> = table.iter().unwrap().map(|row| row.unwrap().0.value().to_owned()).collect();
    assert_eq!(keys, ["c.example", "d.example"]);
    assert_eq!(table.name(), "mta-sts policies");
}

/// Done to a file, with an older copy of it at hand.
type Mischief = fn(&Path, &Path);

/// What others do to a file that is open: each with the path, and an older copy of it.
const MISCHIEF: [(&str, Mischief); 10] = [
    ("deleted", |path, _| fs::remove_file(path).unwrap()),
    ("renamed", |path, _| fs::rename(path, path.with_extension("old")).unwrap()),
    ("emptied", |path, _| fs::write(path, "").unwrap()),
    ("cut to its head", |path, _| cut(path, |_| 512)),
    ("cut to half", |path, _| cut(path, |len| len / 2)),
    ("all zeros", |path, _| {
        let len = fs::metadata(path).unwrap().len();
        fs::write(path, vec![0; usize::try_from(len).unwrap()]).unwrap();
    }),
    ("zeros from its middle on", |path, _| {
        let mut bytes = fs::read(path).unwrap();
        let from = bytes.len() / 64;
        bytes[from..].fill(0);
        fs::write(path, bytes).unwrap();
        // The clock of a file system may be coarse.
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        let later = modified + std::time::Duration::from_secs(1);
        fs::OpenOptions::new().append(true).open(path).unwrap().set_modified(later).unwrap();
    }),
    ("replaced by an older copy", |path, older| fs::rename(older, path).unwrap()),
    ("overwritten by an older copy", |path, older| {
        fs::copy(older, path).unwrap();
    }),
    ("replaced by another of ours", |path, _| {
        let other = path.with_extension("other");
        good(&other, 3);
        fs::rename(other, path).unwrap();
    }),
];

fn cut(path: &Path, len: fn(u64) -> u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(len(file.metadata().unwrap().len())).unwrap();
}

/// A store of some rows, and an older copy of its file.
fn open_with_copy(folder: &Path) -> (Redb, PathBuf, PathBuf) {
    let (path, older) = (folder.join("store"), folder.join("older"));
    good(&path, 20);
    fs::copy(&path, &older).unwrap();
    let store = Redb::open(&path).unwrap();
    for n in 20..40 {
        store.save(&[change(&format!("d{n}.example"))]).unwrap();
    }
    (store, path, older)
}

#[test]
fn a_file_that_others_have_changed_is_noticed_by_the_next_save() {
    for (what, mischief) in MISCHIEF {
        let folder = folder("mischief");
        let (store, path, older) = open_with_copy(&folder);
        mischief(&path, &older);
        let saved = store.save(&[change("next.example")]);
        assert!(saved.as_ref().is_err_and(StoreError::is_lost), "{what}: {saved:?}");
        let error = saved.unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{what}: {error}");
        // Once.
        store.save(&[change("next.example"), change("more.example")]).unwrap();
        drop(store);
        let store = Redb::open(&path).unwrap();
        let names = names(&store);
        assert!(names.contains(&"next.example".into()), "{what}: {names:?}");
        assert!(names.contains(&"more.example".into()), "{what}: {names:?}");
    }
}

#[test]
fn a_file_of_others_in_the_place_of_an_open_one_is_not_touched() {
    for in_place in [true, false] {
        let folder = folder("usurped");
        let (store, path, _) = open_with_copy(&folder);
        let other = folder.join("foreign");
        let database = Database::create(&other).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(OTHERS).unwrap().insert("a", 1).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let bytes = fs::read(&other).unwrap();
        if in_place {
            fs::write(&path, &bytes).unwrap();
        } else {
            fs::rename(&other, &path).unwrap();
        }
        for _ in 0..2 {
            let error = store.save(&[change("next.example")]).unwrap_err();
            assert!(error.to_string().contains("it is not a file of mta-sts"), "{error}");
            assert!(!error.is_lost());
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "in place: {in_place}");
        fs::remove_file(&path).unwrap();
        let error = store.save(&[change("next.example")]).unwrap_err();
        assert!(error.is_lost(), "{error}");
        store.save(&[change("next.example")]).unwrap();
        assert_eq!(names(&store), ["next.example"]);
        drop(store);
        assert!(Redb::open(&path).is_ok());
    }
}

#[test]
fn a_file_that_was_only_touched_is_not_lost() {
    let folder = folder("touched");
    let (store, path, _) = open_with_copy(&folder);
    let file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    drop(file);
    store.save(&[change("next.example")]).unwrap();
    assert_eq!(names(&store).len(), 41);
    assert_eq!(store.set_aside(), None);
}

#[test]
fn a_file_is_open_once_by_whatever_name() {
    let folder = folder("twice");
    let path = folder.join("store");
    let store = Redb::open(&path).unwrap();
    let mut paths = vec![path.clone()];
    #[cfg(unix)]
    {
        paths.extend([folder.join("symbolic"), folder.join("hard")]);
        std::os::unix::fs::symlink(&path, &paths[1]).unwrap();
        fs::hard_link(&path, &paths[2]).unwrap();
    }
    for other in &paths {
        let error = Redb::open(other).unwrap_err().to_string();
        assert!(error.contains("another client of this one, has it open"), "{other:?}: {error}");
        store.save(&[change("a.example")]).unwrap();
    }
    drop(store);
    assert_eq!(names(&Redb::open(&path).unwrap()), ["a.example"]);
}
