//! Reading a file without opening it as a store.

use std::{fs, path::Path, thread};

use mta_sts::store::{Loaded, Redb, Store as _, StoreError};

use crate::{change, folder, good};

/// The names in a file, and what is damaged in it.
pub(crate) fn read(path: &Path) -> Result<(Vec<String>, Loaded), StoreError> {
    let mut names = Vec::new();
    let loaded = Redb::read(path, &mut |row| names.push(row.domain().unwrap().to_string()))?;
    Ok((names, loaded))
}

#[test]
fn a_file_in_use_is_read_and_stays_as_it_is() {
    let folder = folder("in-use");
    let path = folder.join("store");
    let store = Redb::open(&path).unwrap();
    store.save(&[change("a.example"), change("b.example")]).unwrap();
    let state = || (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
    let before = state();
    assert_eq!(read(&path).unwrap().0, ["a.example", "b.example"]);
    assert!(state() == before);
    // The store does not notice.
    store.save(&[change("c.example")]).unwrap();
    assert_eq!(read(&path).unwrap().0.len(), 3);
}

/// A reader sees all rows of before a save, or all of after it.
#[test]
fn a_file_is_read_while_it_is_written() {
    const SAVES: usize = 200;
    let folder = folder("written");
    let path = folder.join("store");
    let store = Redb::open(&path).unwrap();
    let rows = |n: usize| (0..10).map(move |row| change(&format!("d{row}x{n}.example")));
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..SAVES {
                store.save(&rows(n).collect::<Vec<_>>()).unwrap();
            }
        });
        let mut last = 0;
        while last < SAVES * 10 {
            let is_over = writer.is_finished();
            match read(&path) {
                Ok((names, loaded)) => {
                    assert!(loaded.damaged.is_empty(), "{:?}", loaded.damaged);
                    let count = names.len();
                    assert!(count.is_multiple_of(10) && count >= last, "{count} after {last}");
                    last = count;
                }
                Err(error) => assert!(!is_over, "{error}"),
            }
        }
    });
}

#[test]
fn a_missing_file_is_not_created() {
    let folder = folder("missing");
    let path = folder.join("store");
    let error = read(&path).unwrap_err().to_string();
    let start = format!("store error: {}: ", path.display());
    assert!(error.starts_with(&start) && error.contains("No such file"), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_damaged_file_is_not_set_aside() {
    let folder = folder("read-damaged");
    let path = folder.join("store");
    let whole = good(&path, 50);
    let mut spoilt = whole.clone();
    spoilt[64..320].fill(0xAA);
    for damaged in [&whole[..whole.len() / 2], &whole[..5000], &spoilt, &vec![0; 100_000]] {
        fs::write(&path, damaged).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert!(fs::read(&path).unwrap() == *damaged, "{error}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "{error}");
    }
}
