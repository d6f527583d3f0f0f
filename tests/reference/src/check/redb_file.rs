//! The file of the embedded store, as others may leave it.

use std::{
    env, fs,
    path::Path,
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use mta_sts::{
    Domain,
    cache::{Cache, Config, Snapshot},
    store::{Change, Redb, Store as _},
};
use time::macros::utc_datetime;

/// What an input begins with. Others are ignored: each costs several writes to a disk.
const FIRST: u8 = 0xED;

/// Edits of a good file, four bytes each: what, where, with what. It must open, load and save, and
/// what was saved must be there when it is opened again.
pub fn redb_file(input: &[u8]) {
    static GOOD: LazyLock<Vec<u8>> = LazyLock::new(good);
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some((&FIRST, edits)) = input.split_first() else { return };
    let mut bytes = GOOD.clone();
    for edit in edits.chunks_exact(4).take(64) {
        apply([edit[0], edit[1], edit[2], edit[3]], &mut bytes);
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("mta-sts-fuzz-{}-{number}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    check(&folder.join("file"), &bytes);
    fs::remove_dir_all(folder).unwrap();
}

fn apply([what, high, low, value]: [u8; 4], bytes: &mut Vec<u8>) {
    let at = usize::from(high) << 8 | usize::from(low);
    let len = bytes.len();
    match what % 8 {
        // The head, where each byte counts.
        0..3 => bytes[at % len.min(512)] ^= value,
        3..5 => {
            let at = (at << 8 | usize::from(value)) % len;
            bytes[at] ^= 1 << (what >> 5);
        }
        5 => {
            let page = at % len.div_ceil(4096) * 4096;
            bytes[page..].iter_mut().take(4096).for_each(|byte| *byte = 0);
        }
        6 => bytes[at % len..].iter_mut().take(64).for_each(|byte| *byte = value),
        _ => bytes.truncate(1 + at * usize::from(value | 1) % len),
    }
}

fn check(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    let store = match Redb::open(path) {
        Ok(store) => store,
        // So little may be left that nobody can say whose it was. Then it stays as it is.
        Err(error) => {
            assert!(error.to_string().contains("not a file of mta-sts"), "{error}");
            assert!(fs::read(path).unwrap() == bytes, "it was written");
            return;
        }
    };
    let loaded = store.load(&mut |_| {}).unwrap();
    if let Some(aside) = store.set_aside() {
        assert!(fs::read(aside).unwrap().len() == bytes.len() && !loaded.damaged.is_empty());
    }
    store.save(&[change("new.example")]).unwrap();
    drop(store);
    let store = Redb::open(path).unwrap();
    assert_eq!(store.set_aside(), None);
    let (new, mut is_there) = (Domain::parse("new.example").unwrap(), false);
    store.load(&mut |row| is_there |= row.domain() == Some(&new)).unwrap();
    assert!(is_there);
}

fn change(name: &str) -> Change {
    let domain = Domain::parse(name).unwrap();
    let mut cache = Cache::new(Config::new(1));
    let _ = cache.lookup(&domain, utc_datetime!(2026-01-01 0:00));
    let snapshot: Option<Snapshot> = cache.snapshots().next();
    Change { domain, snapshot }
}

fn good() -> Vec<u8> {
    let path = env::temp_dir().join(format!("mta-sts-fuzz-{}-good", process::id()));
    let store = Redb::open(&path).unwrap();
    let changes: Vec<_> = (0..30).map(|n| change(&format!("d{n}.example"))).collect();
    store.save(&changes).unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    bytes
}
