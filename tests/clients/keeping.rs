//! Policies over a restart: shut down, killed at any moment, with a store that fails.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::{
    Domain,
    cache::{Cache, Config, Event, EventKind, PolicyAnswer, Request, Snapshot, TxtAnswer},
    store::{Change, Loaded, Redb, Store, StoreError},
};
use mta_sts_testkit::{Dns, Folder, Site, World};

use crate::{
    files::folder,
    world::{BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, eventually, settings},
};

/// A path in a folder that no other test has.
fn path(name: &str) -> (Folder, PathBuf) {
    let folder = folder(name);
    let path = folder.join("policies.redb");
    (folder, path)
}

fn kept_in(path: &PathBuf) -> Parts {
    Parts { store: Some(Box::new(Redb::open(path).unwrap())), ..Parts::default() }
}

#[test]
fn over_a_restart() {
    BOTH.into_iter().for_each(over_a_restart_of);
}

fn over_a_restart_of(kind: Kind) {
    let world = World::new();
    let (_folder, path) = path(&format!("restart-{kind:?}"));
    let names: Vec<String> = (0..50).map(|n| format!("d{n}.example")).collect();
    for name in &names {
        world.set(name, Site::new("1", POLICY));
    }
    let first = Client::with(kind, settings(&world), kept_in(&path)).unwrap();
    assert_eq!(first.kept().policies.restored, 0);
    for name in &names {
        assert!(first.policy(&domain(name), LONG).unwrap().policy().is_some());
    }
    first.shutdown();
    drop(first);

    // Now an attacker withholds everything.
    for name in &names {
        world.change(name, |site| site.dns = Dns::Silent);
    }
    let second = Client::with(kind, settings(&world), kept_in(&path)).unwrap();
    assert_eq!((second.kept().policies.restored, second.kept().damaged.len()), (50, 0));
    for name in &names {
        let answer = second.policy(&domain(name), LONG).unwrap();
        assert_eq!(answer.policy().map(|policy| policy.as_text()), Some(POLICY), "{name}");
    }
}

/// What a child process does that is killed: it says the name of each domain whose policy it has.
#[test]
fn a_child() {
    let Ok(path) = env::var("MTA_STS_TEST_STORE") else { return };
    let kind = if env::var("MTA_STS_TEST_KIND").unwrap() == "Tokio" {
        Kind::Tokio
    } else {
        Kind::Blocking
    };
    let world = World::new();
    let parts = Parts { txt: Some(record()), fetch: Some(file()), ..kept_in(&path.into()) };
    let client = Client::with(kind, settings(&world), parts).unwrap();
    for n in client.len().. {
        let name = format!("d{n}.example");
        assert!(client.policy(&domain(&name), LONG).unwrap().policy().is_some());
        println!("has {name}");
    }
}

fn record() -> Part<TxtAnswer> {
    Part(Arc::new(|_| TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))))
}

fn file() -> Part<PolicyAnswer> {
    Part(Arc::new(|domain| PolicyAnswer::from_body(domain, POLICY.as_bytes())))
}

#[test]
fn killed_at_any_moment() {
    BOTH.into_iter().for_each(killed_at_any_moment_of);
}

fn killed_at_any_moment_of(kind: Kind) {
    let (_folder, path) = path(&format!("killed-{kind:?}"));
    let mut had: Vec<String> = Vec::new();
    for round in 1..=12 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["keeping::a_child", "--exact", "--nocapture"])
            .env("MTA_STS_TEST_STORE", &path)
            .env("MTA_STS_TEST_KIND", format!("{kind:?}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut names = lines.filter_map(|line| Some(line.split_once("has ")?.1.to_owned()));
        // After so many, and a little; what it has said until then counts, too.
        had.extend(names.by_ref().take(round * 3));
        thread::sleep(Duration::from_micros(700 * u64::try_from(round).unwrap()));
        child.kill().unwrap();
        had.extend(names);
        child.wait().unwrap();
        let mut kept: Vec<Domain> = Vec::new();
        let mut keep = |row: Snapshot| kept.extend(row.domain().cloned());
        let loaded = Redb::open(&path).unwrap().load(&mut keep).unwrap();
        assert!(loaded.damaged.is_empty(), "{loaded:?}");
        for name in &had {
            assert!(kept.contains(&domain(name)), "{name} was given out and is lost");
        }
    }
    assert!(had.len() >= 12 * 3);
}

/// Fails, or panics, as it is told to.
#[derive(Default)]
struct Faulty {
    mood: AtomicU32,
    saved: Mutex<Vec<String>>,
}

impl Store for &'static Faulty {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        match self.mood.load(Ordering::SeqCst) {
            9 => Err(StoreError::new("it is gone")),
            _ => Ok(Loaded { damaged: vec!["a row".into()] }),
        }
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        match self.mood.load(Ordering::SeqCst) {
            0 => {}
            1 => return Err(StoreError::new("the disk is full")),
            2 => panic!("the store panics"),
            _ => thread::sleep(Duration::from_millis(1500)),
        }
        let names = changes.iter().map(|change| change.domain.as_str().to_owned());
        self.saved.lock().unwrap().extend(names);
        Ok(())
    }
}

#[test]
fn a_store_that_fails_is_told_of_and_never_turns_a_policy_into_none() {
    BOTH.into_iter().for_each(failing_store_of);
}

fn failing_store_of(kind: Kind) {
    let world = World::new();
    let store: &'static Faulty = Box::leak(Box::default());
    let settings = || {
        let cache = Config::new(1).with_persist_timeout(Duration::from_secs(1));
        settings(&world).with_cache_config(cache)
    };
    let events: Arc<Mutex<Vec<(Domain, String)>>> = Arc::default();
    let told = Arc::clone(&events);
    let parts = || {
        let told = Arc::clone(&told);
        let on_event = Arc::new(move |event: &Event| {
            if let EventKind::NotPersisted { error } = &event.kind {
                told.lock().unwrap().push((event.domain.clone(), error.to_string()));
            }
        });
        Parts {
            txt: Some(record()),
            fetch: Some(file()),
            store: Some(Box::new(store)),
            on_event: Some(on_event),
            ..Parts::default()
        }
    };
    let client = Client::with(kind, settings(), parts()).unwrap();
    assert_eq!(client.kept().damaged, ["a row".into()]);
    for (mood, error) in [
        (0, None),
        (1, Some("store error: the disk is full")),
        (2, Some("store error: it has panicked")),
        (3, Some("no answer in time")),
        (0, None),
    ] {
        store.mood.store(mood, Ordering::SeqCst);
        let name = format!("m{}.example", events.lock().unwrap().len() * 10 + mood as usize);
        let answer = client.policy(&domain(&name), LONG).unwrap();
        assert!(answer.policy().is_some(), "{mood}: {answer:?}");
        if let Some(error) = error {
            eventually(|| {
                events.lock().unwrap().iter().any(|event| event == &(domain(&name), error.into()))
            });
        } else {
            assert!(store.saved.lock().unwrap().contains(&name), "it was not durable yet");
        }
    }
    drop(client);
    store.mood.store(9, Ordering::SeqCst);
    let error = Client::with(kind, settings(), parts()).unwrap_err();
    assert_eq!(error.to_string(), "store error: it is gone");
}

#[test]
fn a_damaged_file_is_set_aside() {
    let (_folder, path) = path("damaged");
    let aside = path.with_extension("redb.damaged-1");
    drop(Redb::open(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..64]).unwrap();
    let store = Redb::open(&path).unwrap();
    assert_eq!(store.set_aside(), Some(&*aside));
    assert_eq!(fs::read(&aside).unwrap(), whole[..64]);
    let loaded = store.load(&mut |row| panic!("{row}")).unwrap();
    let told =
        format!("{} was damaged (it has been cut), and is now {}", path.display(), aside.display());
    assert_eq!(*loaded.damaged, [told.into()]);
    // It is in use: that is no damage.
    let error = Redb::open(&path).unwrap_err();
    assert!(error.to_string().starts_with("store error: "), "{error}");
    assert!(!path.with_extension("redb.damaged-2").exists());
    drop(store);
    assert!(Redb::open(&path).unwrap().set_aside().is_none());
    assert!(Redb::open(env!("CARGO_TARGET_TMPDIR")).is_err(), "a folder");
}

#[test]
fn changes_of_a_domain_take_effect_in_their_order() {
    let (_folder, path) = path("order");
    let mut store = Redb::open(&path).unwrap();
    let change = |snapshot| Change { domain: domain("a.example"), snapshot };
    let count = |store: &Redb| {
        let mut rows = 0;
        store.load(&mut |_| rows += 1).unwrap();
        rows
    };
    let good = some_snapshot();
    store.save(&[change(Some(good.clone())), change(None)]).unwrap();
    assert_eq!(count(&store), 0);
    store.save(&[change(None), change(Some(good))]).unwrap();
    assert_eq!(count(&store), 1);
    store.compact().unwrap();
    assert_eq!(count(&store), 1);
    store.save(&[]).unwrap();
}

/// Of a domain of which nothing is known yet.
fn some_snapshot() -> Snapshot {
    let mut cache = Cache::new(Config::new(1));
    let now = time::macros::utc_datetime!(2026-01-01 0:00);
    let _ = cache.lookup(&domain("a.example"), now);
    cache.snapshots().next().unwrap()
}

/// Rows, and no more than that.
struct Rows(Vec<Snapshot>);

impl Store for Rows {
    fn load(&self, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        self.0.iter().cloned().for_each(each);
        Ok(Loaded::default())
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        let removed = changes.iter().filter(|change| change.snapshot.is_none());
        assert_eq!(removed.count(), 0, "a restore removes nothing");
        Ok(())
    }
}

/// Rows of domains that were fetched `age` ago.
fn rows(names: std::ops::Range<usize>, age: Duration) -> Vec<Snapshot> {
    let mut cache = Cache::new(Config::new(1));
    let then = time::UtcDateTime::now() - age;
    for n in names {
        let _ = cache.lookup(&domain(&format!("d{n}.example")), then);
        while let Some(request) = cache.poll_request() {
            match request {
                Request::Txt { id, domain } => cache.handle_txt(id, record().0(&domain), then),
                Request::Fetch { id, domain } => cache.handle_policy(id, file().0(&domain), then),
                other => panic!("{other:?}"),
            }
        }
        while cache.poll_event().is_some() {}
    }
    cache.snapshots().collect()
}

#[test]
fn i24_the_bound_is_one_over_all_shards_at_a_restart() {
    const ROOM: usize = 16_384;
    for kind in BOTH {
        let world = World::new();
        // By name, as a store gives them: what has ended stands before what applies.
        let ended = rows(0..5000, Duration::from_secs(400 * 86_400));
        let live = rows(5000..20_000, Duration::from_secs(60));
        for (rows, restored, ended_refused) in
            [(live.clone(), 15_000, 0), ([ended.clone(), live.clone()].concat(), ROOM, 3616)]
        {
            let settings =
                settings(&world).with_cache_config(Config::new(1).with_max_entries(ROOM));
            let parts = Parts {
                txt: Some(record()),
                fetch: Some(file()),
                store: Some(Box::new(Rows(rows))),

                ..Parts::default()
            };
            let client = Client::with(kind, settings, parts).unwrap();
            let report = &client.kept().policies;
            assert_eq!((report.restored, report.refused), (restored, ended_refused));
            let by_class = report.refused_by_class;
            assert_eq!((by_class.enforce, by_class.testing), (0, 0));
            assert_eq!((by_class.other, client.len()), (ended_refused, restored));
            client.shutdown();
        }
    }
}
