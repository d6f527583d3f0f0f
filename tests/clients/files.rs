//! The file of policies: on a disk that is full, changed by others, and used by two processes.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use mta_sts::{
    cache::{Cache, Config, PolicyAnswer, Request, Snapshot, TxtAnswer},
    store::{Change, Redb, Store},
};
use mta_sts_testkit::{Folder, World};
use time::macros::utc_datetime;

use crate::{
    stores::{Told, client_waiting, count},
    world::{BOTH, Client, Kind, LONG, domain, eventually},
};

/// An empty folder that no other test has.
pub(crate) fn folder(name: &str) -> Folder {
    Folder::new(env!("CARGO_TARGET_TMPDIR"), &format!("files-{name}"))
}

/// A client with a store on a disk, which may be busy.
fn client(kind: Kind, world: &World, store: Redb) -> (Client, Told) {
    client_waiting(Duration::from_secs(10), kind, world, store)
}

/// A row with a policy of so many bytes.
fn row(name: &str, len: usize) -> Change {
    let (mut cache, now) = (Cache::new(Config::new(1)), utc_datetime!(2026-01-01 0:00));
    let _ = cache.lookup(&domain(name), now);
    while let Some(request) = cache.poll_request() {
        match request {
            Request::Txt { id, .. } => {
                let ttl = Duration::from_secs(60);
                cache.handle_txt(id, TxtAnswer::from_records(["v=STSv1; id=1"], ttl), now);
            }
            Request::Fetch { id, domain } => {
                let text = format!(
                    "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\nx: {name}{}\n",
                    "y".repeat(len)
                );
                let answer = PolicyAnswer::from_body(&domain, text.as_bytes());
                cache.handle_policy(id, answer, now);
            }
            other => panic!("{other:?}"),
        }
    }
    let snapshot: Option<Snapshot> = cache.snapshots().next();
    Change { domain: domain(name), snapshot: Some(snapshot.unwrap()) }
}

/// The number of rows in a store, and of those that are damaged.
fn rows(store: &Redb) -> (usize, usize) {
    let mut rows = 0;
    let loaded = store.load(&mut |_| rows += 1).unwrap();
    (rows, loaded.damaged.len())
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
    assert_eq!(rows(&store).0, full + 3);
    println!("saved again");
}

#[test]
fn what_is_held_is_saved_again_in_a_file_that_others_have_changed() {
    for kind in BOTH {
        for what in ["deleted", "emptied", "zeros", "an older copy", "somebody else's"] {
            others_change_the_file_of(kind, what);
        }
    }
}

fn others_change_the_file_of(kind: Kind, what: &str) {
    let (world, folder) = (World::new(), folder(&format!("changed-{kind:?}")));
    let (path, older) = (folder.join("policies.redb"), folder.join("older"));
    let (client, told) = client(kind, &world, Redb::open(&path).unwrap());
    let meet = |n: usize| {
        let answer = client.policy(&domain(&format!("d{n}.example")), LONG).unwrap();
        assert!(answer.policy().is_some());
    };
    (0..100).for_each(|n| {
        if n == 10 {
            fs::copy(&path, &older).unwrap();
        }
        meet(n);
    });
    let len = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    match what {
        "deleted" => fs::remove_file(&path).unwrap(),
        "emptied" => fs::write(&path, "").unwrap(),
        "zeros" => fs::write(&path, vec![0; len]).unwrap(),
        "an older copy" => fs::rename(&older, &path).unwrap(),
        _ => fs::write(&path, "some text").unwrap(),
    }
    meet(100);
    if what == "somebody else's" {
        eventually(|| count(&told, "and stays as it is") == 1);
        assert_eq!(fs::read(&path).unwrap(), b"some text");
        assert_eq!(count(&told, "lost"), 0);
        fs::remove_file(&path).unwrap();
    }
    eventually(|| count(&told, "all saved") == 1);
    assert_eq!(count(&told, "lost"), 1, "{kind:?}, {what}: {told:?}");
    client.shutdown();
    assert_eq!(rows(&Redb::open(&path).unwrap()), (101, 0), "{kind:?}, {what}");
}

const OTHER: &str = "MTA_STS_TEST_OTHER";

/// Runs this test in a child, with a client of this kind for the file.
fn child(test: &str, path: &Path, kind: Kind) -> std::process::Child {
    Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(OTHER, path)
        .env("MTA_STS_TEST_KIND", format!("{kind:?}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// In a child: the path, and which client.
fn as_a_child() -> Option<(PathBuf, Kind)> {
    let path = env::var(OTHER).ok()?;
    let kind = env::var("MTA_STS_TEST_KIND").unwrap();
    Some((path.into(), BOTH.into_iter().find(|client| format!("{client:?}") == kind).unwrap()))
}

#[test]
fn a_second_process_is_told_that_the_file_is_open() {
    if let Some((path, kind)) = as_a_child() {
        let (world, store) = (World::new(), Redb::open(path).unwrap());
        let (client, _) = client(kind, &world, store);
        client.policy(&domain("child.example"), LONG).unwrap();
        println!("has it open");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    for kind in BOTH {
        let folder = folder("two-processes");
        let path = folder.join("policies.redb");
        let mut child = child("files::a_second_process_is_told_that_the_file_is_open", &path, kind);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_open = { lines }.any(|line| line.ends_with("has it open"));
        let refused = Redb::open(&path);
        // It ends as it may, without any goodbye.
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_open);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("policies.redb: another process, or another client"), "{error}");
        let store = Redb::open(&path).unwrap();
        assert_eq!((rows(&store), store.set_aside()), ((1, 0), None));
    }
}

#[test]
fn a_process_that_ends_without_a_shutdown_loses_no_answer() {
    if let Some((path, kind)) = as_a_child() {
        let (world, store) = (World::new(), Redb::open(path).unwrap());
        let (client, _) = client(kind, &world, store);
        for n in 0..20 {
            client.policy(&domain(&format!("d{n}.example")), LONG).unwrap();
        }
        std::process::exit(0);
    }
    for kind in BOTH {
        let folder = folder("no-shutdown");
        let path = folder.join("policies.redb");
        let test = "files::a_process_that_ends_without_a_shutdown_loses_no_answer";
        assert!(child(test, &path, kind).wait().unwrap().success());
        assert_eq!(rows(&Redb::open(&path).unwrap()), (20, 0));
    }
}
