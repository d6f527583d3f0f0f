use alloc::string::{String, ToString as _};
use core::sync::atomic::AtomicU32;
use std::{
    env, fs,
    io::{self, ErrorKind},
    process,
};

use redb::{BackendError, ReadableTable as _};

use super::*;
use crate::domain::Domain;

std::thread_local! {
    /// The number of writes that succeed before the disk is full, for the databases that this
    /// thread opens.
    static ROOM: Arc<AtomicU32> = Arc::new(AtomicU32::new(u32::MAX));
    /// The number of times that these have waited for the disk.
    static SYNCS: Arc<AtomicU32> = Arc::default();
}

#[derive(Debug)]
struct Disk(FileBackend, Arc<AtomicU32>, Arc<AtomicU32>);

impl Disk {
    fn spend(&self) -> Result<(), BackendError> {
        let spent = self.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |room| match room {
            u32::MAX => Some(u32::MAX),
            room => room.checked_sub(1),
        });
        spent.map(drop).map_err(|_| io::Error::from(ErrorKind::StorageFull).into())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.spend().map_err(io::Error::from)?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.spend().map_err(io::Error::from)?;
        self.2.fetch_add(1, Ordering::SeqCst);
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.spend().map_err(io::Error::from)?;
        self.0.write(offset, data)
    }
}

fn on_disk(file: File) -> Result<Box<dyn StorageBackend>, DatabaseError> {
    Ok(Box::new(Disk(FileBackend::new(file)?, ROOM.with(Arc::clone), SYNCS.with(Arc::clone))))
}

fn room(writes: u32) {
    ROOM.with(|room| room.store(writes, Ordering::SeqCst));
}

fn path(name: &str) -> PathBuf {
    let path = env::temp_dir().join(format!("mta-sts-{}-{name}", process::id()));
    let _ = fs::remove_file(&path);
    path
}

fn json(name: &str) -> String {
    let json = r#"{"version":2,"domain":"NAME",
        "policy":"version: STSv1\nmode: none\nmax_age: 1\n","id":null,"fetched_at":0,
        "record_check":{"armed_at":0,"span":0},"refresh":{"armed_at":0,"span":0},"new_id_budget":{"full_at":0},
        "last_lookup":null,"used_on_two_days":false,"record":"missing","expired":false}"#;
    json.replace("NAME", name)
}

fn change(name: &str) -> Change {
    let snapshot = serde_json::from_str(&json(name)).unwrap();
    Change { domain: Domain::parse(name).unwrap(), snapshot: Some(snapshot) }
}

fn rows(store: &Redb) -> u32 {
    let mut rows = 0;
    let loaded = store.load(&mut |_| rows += 1).unwrap();
    assert_eq!(*loaded.damaged, []);
    rows
}

#[test]
fn a_full_disk_is_no_end() {
    let path = path("full");
    let store = Redb::open_by(&path, on_disk).unwrap();
    store.save(&[change("before.example")]).unwrap();
    for writes in 0..12 {
        let name = format!("d{writes}.example");
        room(writes);
        for _ in 0..3 {
            // Some fail, and some have just enough room.
            let _ = store.save(&[change(&name)]);
        }
        room(0);
        let error = store.save(&[change(&name)]).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        room(u32::MAX);
        store.save(&[change(&name)]).unwrap();
        assert_eq!(rows(&store), writes + 2);
    }
    assert_eq!(store.set_aside(), None);
    drop(store);
    let store = Redb::open(&path).unwrap();
    assert_eq!(rows(&store), 13);
    drop(store);
    fs::remove_file(path).unwrap();
}

/// Simulates a full disk, or a killed process, at any moment of the creation.
#[test]
fn a_creation_that_was_cut_short_is_no_obstacle() {
    let path = path("creation");
    for writes in 0..60 {
        room(writes);
        let begun = Redb::open_by(&path, on_disk);
        drop(begun);
        room(u32::MAX);
        let store = Redb::open(&path).unwrap_or_else(|error| panic!("{writes} writes: {error}"));
        store.save(&[change("a.example")]).unwrap();
        if let Some(aside) = store.set_aside() {
            fs::remove_file(aside).unwrap();
        }
        drop(store);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_save_waits_for_the_disk_once() {
    let path = path("syncs");
    let store = Redb::open_by(&path, on_disk).unwrap();
    let changes = |day: u32| -> Vec<_> {
        (0..1000).map(|n| change(&format!("d{n}.day{day}.example"))).collect()
    };
    // The file grows with the first ones, which the file system has to note, too.
    for day in 0..4 {
        store.save(&changes(day)).unwrap();
    }
    let before = SYNCS.with(|syncs| syncs.load(Ordering::SeqCst));
    store.save(&changes(0)).unwrap();
    assert_eq!(SYNCS.with(|syncs| syncs.load(Ordering::SeqCst)) - before, 1);
    drop(store);
    fs::remove_file(path).unwrap();
}

/// Simulates a full disk, or a killed process, at any moment of a save that rewrites earlier rows.
#[test]
fn rewriting_that_was_cut_short_loses_nothing() {
    const ROWS: u32 = 700;
    let (path, earlier) = (path("rewriting"), path("earlier"));
    let database = Database::create(&earlier).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(tables::POLICIES).unwrap();
    for name in (0..ROWS).map(|n| format!("d{n}.example")) {
        table.insert(&*name, json(&name).as_bytes()).unwrap();
    }
    drop(table);
    transaction.commit().unwrap();
    drop(database);
    let mut failed = 0;
    for writes in 0..400 {
        fs::copy(&earlier, &path).unwrap();
        let store = Redb::open_by(&path, on_disk).unwrap();
        room(writes);
        let saved = store.save(&[change("new.example")]).is_ok();
        // As the process ends, nothing more is written.
        room(0);
        drop(store);
        room(u32::MAX);
        let store = Redb::open(&path).unwrap();
        assert_eq!(store.set_aside(), None, "{writes} writes");
        let kept = rows(&store);
        assert!((ROWS + u32::from(saved)..=ROWS + 1).contains(&kept), "{writes} writes: {kept}");
        if saved {
            break;
        }
        failed += 1;
    }
    assert!((5..400).contains(&failed), "{failed}");
    fs::remove_file(path).unwrap();
    fs::remove_file(earlier).unwrap();
}

/// Simulates a full disk at any moment of a save that corrects a wrong number, and the same save again:
/// it may have succeeded before.
#[test]
fn a_number_that_was_corrected_is_not_corrected_again() {
    for writes in 0..60 {
        let path = path("correcting");
        let five: Vec<_> = (0..5).map(|n| change(&format!("d{n}.example"))).collect();
        Redb::open(&path).unwrap().save(&five).unwrap();
        spoil_number(&path);

        let store = Redb::open_by(&path, on_disk).unwrap();
        assert_eq!(rows(&store), 5);
        let two = [change("x.example"), change("y.example")];
        room(writes);
        let _ = store.save(&two);
        room(u32::MAX);
        store.save(&two).unwrap();
        // The text must not go with the rows that are removed.
        let gone = five.into_iter().map(|change| Change { snapshot: None, ..change });
        store.save(&gone.collect::<Vec<_>>()).unwrap();
        assert_eq!(rows(&store), 2, "{writes} writes");
        drop(store);
        fs::remove_file(path).unwrap();
    }
}

/// Makes the number of rows that refer to the text less than it is.
fn spoil_number(path: &Path) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut texts = transaction.open_table(super::super::text::TEXTS).unwrap();
    let (digest, (_, text)) = {
        let (digest, text) = texts.first().unwrap().unwrap();
        (digest.value(), (text.value().0, text.value().1.to_vec()))
    };
    texts.insert(digest, (3, text.as_slice())).unwrap();
    drop(texts);
    transaction.commit().unwrap();
}
