//! The file of policies on a disk that is full.

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
