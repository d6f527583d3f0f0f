//! The file of policies: damaged, cut, full, somebody else's.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mta_sts::{
    cache::{Cache, Config, PolicyAnswer, Request, Snapshot, TxtAnswer},
    store::{Change, Redb, Store},
};
use time::macros::utc_datetime;

use crate::world::domain;

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// A row with a policy of so many bytes.
fn row(name: &str, len: usize) -> Change {
    let (mut cache, now) = (Cache::new(Config::new(1)), utc_datetime!(2026-01-01 0:00));
    let _ = cache.lookup(&domain(name), now);
    while let Some(request) = cache.poll_request() {
        match request {
            Request::Txt { id, .. } => {
                let ttl = std::time::Duration::from_secs(60);
                cache.handle_txt(id, TxtAnswer::from_records(["v=STSv1; id=1"], ttl), now);
            }
            Request::Fetch { id, domain } => {
                let text = format!(
                    "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\nx: {}\n",
                    "y".repeat(len)
                );
                let answer = PolicyAnswer::from_body(&domain, text.as_bytes());
                cache.handle_policy(id, answer, now);
            }
            other => panic!("{other:?}"),
        }
    }
    let snapshot: Option<Snapshot> = cache.snapshot().next();
    Change { domain: domain(name), snapshot: Some(snapshot.unwrap()) }
}

fn filled(path: &Path) -> Vec<u8> {
    let store = Redb::open(path).unwrap();
    let rows: Vec<Change> = (0..20).map(|n| row(&format!("d{n}.example"), 100)).collect();
    store.save(&rows).unwrap();
    drop(store);
    fs::read(path).unwrap()
}

/// Numbers that are the same in every run.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    }
}

/// Opens, loads and saves, whatever the file is, and finds what was saved.
fn survives(path: &Path, what: &str) {
    let store = Redb::open(path).unwrap_or_else(|error| panic!("{what}: {error}"));
    store.load().unwrap_or_else(|error| panic!("{what}: {error}"));
    // One save may find the damage.
    let change = [row("new.example", 10)];
    if store.save(&change).is_err() {
        store.save(&change).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    drop(store);
    let loaded = Redb::open(path).unwrap().load().unwrap();
    let saved = loaded.snapshots.iter().any(|it| it.domain() == Some(&domain("new.example")));
    assert!(saved, "{what}: it is not there");
}

#[test]
fn no_damage_keeps_a_client_from_starting() {
    let folder = folder("damage");
    let path = folder.join("policies.redb");
    let good = filled(&path);
    let mut number = numbers(7);
    for n in 0..300 {
        let mut bytes = good.clone();
        // Most of the file is room to grow.
        let used = if n % 2 == 0 { 8192 } else { bytes.len() };
        for _ in 0..=number(64) {
            bytes[number(used)] ^= 1 << number(8);
        }
        fs::write(&path, bytes).unwrap();
        survives(&path, &format!("flip {n}"));
    }
    let lengths = (0..80).chain([100, 511, 512, 513, 4095, 4096, 4097, 8192, 100_000]);
    for len in lengths.filter(|&len| len < good.len()) {
        fs::write(&path, &good[..len]).unwrap();
        survives(&path, &format!("cut to {len}"));
    }
    for start in (0..good.len()).step_by(good.len() / 20) {
        let mut bytes = good.clone();
        let end = (start + 4096).min(bytes.len());
        bytes[start..end].fill(0);
        fs::write(&path, bytes).unwrap();
        survives(&path, &format!("zeros from {start}"));
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = folder("foreign");
    let text = folder.join("main.cf");
    fs::write(&text, "smtp_tls_security_level = dane\n").unwrap();
    let other = folder.join("other.redb");
    let table: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("theirs");
    let theirs = redb::Database::create(&other).unwrap();
    let transaction = theirs.begin_write().unwrap();
    transaction.open_table(table).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(theirs);
    for path in [&text, &other] {
        let before = fs::read(path).unwrap();
        let error = Redb::open(path).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read(path).unwrap().len(), before.len());
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing was renamed");
    let theirs = redb::Database::open(&other).unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&theirs).unwrap();
    assert_eq!(transaction.list_tables().unwrap().count(), 1);
    fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_is_followed() {
    let folder = folder("link");
    let (path, link) = (folder.join("real.redb"), folder.join("link.redb"));
    let mut bytes = filled(&path);
    bytes[..4096].fill(7);
    fs::write(&path, bytes).unwrap();
    std::os::unix::fs::symlink("real.redb", &link).unwrap();
    let store = Redb::open(&link).unwrap();
    let aside = store.set_aside().unwrap();
    assert!(aside.ends_with("real.redb.damaged-1"), "{aside:?}");
    assert!(link.symlink_metadata().unwrap().is_symlink());
    drop(store);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_open_file_is_named() {
    let folder = folder("open");
    let path = folder.join("policies.redb");
    let store = Redb::open(&path).unwrap();
    let error = Redb::open(&path).unwrap_err().to_string();
    let named = format!("{}: another process, or another store of this one", path.display());
    assert!(error.contains(&named), "{error}");
    drop(store);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_row_under_another_name_is_not_loaded_and_goes() {
    let folder = folder("misplaced");
    let path = folder.join("policies.redb");
    filled(&path);
    use redb::ReadableTable as _;

    let table: redb::TableDefinition<'_, &str, &[u8]> =
        redb::TableDefinition::new("mta-sts policies");
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(table).unwrap();
        let row = table.get("d1.example").unwrap().unwrap().value().to_vec();
        table.insert("victim.example", row.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let store = Redb::open(&path).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!((loaded.snapshots.len(), loaded.damaged.len()), (20, 1));
    assert!(loaded.damaged[0].contains("victim.example"), "{loaded:?}");
    assert_eq!(store.load().unwrap().damaged.len(), 0);
    drop(store);
    fs::remove_dir_all(folder).unwrap();
}

const FULL: &str = "MTA_STS_TEST_FULL";

/// A file may not grow beyond some MiB, and then may.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_was_full_is_saved_to_again() {
    if let Ok(path) = env::var(FULL) {
        return fill_up(Path::new(&path));
    }
    let folder = folder("full");
    let script = "trap '' XFSZ; ulimit -S -f 8192; exec \"$0\" \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", script, env::current_exe().unwrap().to_str().unwrap()])
        .args(["files::a_disk_that_was_full_is_saved_to_again", "--exact", "--nocapture"])
        .env(FULL, folder.join("policies.redb"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.ends_with("full")), "it never was");
    let limit = format!("--pid={}", child.id());
    let raised = Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status().unwrap();
    assert!(raised.success());
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(lines.any(|line| line.ends_with("saved again")), "it was not saved");
    assert!(child.wait().unwrap().success());
    fs::remove_dir_all(folder).unwrap();
}

fn fill_up(path: &Path) {
    let store = Redb::open(path).unwrap();
    let save = |n: usize| store.save(&[row(&format!("d{n}.example"), 60_000)]);
    let full = (0..1000).find(|&n| save(n).is_err()).expect("a full disk");
    // It stays so.
    for n in 0..3 {
        assert!(save(full + n).is_err());
    }
    println!("full");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for n in 0..3 {
        save(full + n).unwrap();
    }
    assert_eq!(store.load().unwrap().snapshots.len(), full + 3);
    println!("saved again");
}
