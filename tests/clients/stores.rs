//! Stores that hang, lose what they had, or are still busy at the end.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain,
    cache::{Config, Event, EventKind, PolicyAnswer, Snapshot, TxtAnswer},
    client::LookupError,
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::World;

use crate::world::{
    BOTH, Client, Kind, LONG, POLICY, Part, Parts, both_at_once, domain, eventually, settings,
};

/// A store in memory that can be held up.
#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
    calls: AtomicUsize,
    longest: AtomicUsize,
    /// Everything is lost before the next save.
    loses: AtomicBool,
    /// Everything is lost before every other save, from the next one on.
    keeps_losing: AtomicBool,
    /// Each save takes more than the time-out.
    is_slow: AtomicBool,
    rows: Mutex<BTreeMap<String, bool>>,
}

impl Gate {
    fn shut(&self) {
        *self.is_shut.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.is_shut.lock().unwrap() = false;
        self.opened.notify_all();
    }

    /// Waits until it is open.
    fn pass(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let shut = self.is_shut.lock().unwrap();
        drop(self.opened.wait_while(shut, |is_shut| *is_shut).unwrap());
    }

    /// Whether the store has a row of the domain.
    fn has(&self, name: &str) -> bool {
        self.rows.lock().unwrap().get(name).copied().unwrap_or(false)
    }
}

impl Store for Opening {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        let gate = &self.0;
        gate.longest.fetch_max(changes.len(), Ordering::SeqCst);
        gate.pass();
        if gate.is_slow.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1100));
        }
        let mut rows = gate.rows.lock().unwrap();
        let loses = gate.loses.swap(false, Ordering::SeqCst);
        if gate.keeps_losing.load(Ordering::SeqCst) {
            gate.loses.store(!loses, Ordering::SeqCst);
        }
        if loses {
            rows.clear();
            return Err(StoreError::lost("the file was removed"));
        }
        for change in changes {
            rows.insert(change.domain.to_string(), change.snapshot.is_some());
        }
        Ok(())
    }
}

/// The gate for a client; it is opened when a test ends, however it ends.
struct Opening(Arc<Gate>);

struct Release(Arc<Gate>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn record() -> Part<TxtAnswer> {
    Part(Arc::new(|_| TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))))
}

fn file() -> Part<PolicyAnswer> {
    Part(Arc::new(|domain| PolicyAnswer::from_body(domain, POLICY.as_bytes())))
}

pub(crate) type Told = Arc<Mutex<Vec<String>>>;

/// A client that waits a second for its store, and what it tells of it.
pub(crate) fn client(kind: Kind, world: &World, store: impl Store + 'static) -> (Client, Told) {
    client_waiting(Duration::from_secs(1), kind, world, store)
}

/// A client that waits so long for its store, and what it tells of it.
pub(crate) fn client_waiting(
    span: Duration,
    kind: Kind,
    world: &World,
    store: impl Store + 'static,
) -> (Client, Told) {
    let told = Told::default();
    let heard = Arc::clone(&told);
    let on_event = Arc::new(move |event: &Event| {
        let what = match &event.kind {
            EventKind::NotPersisted { error } => format!("{} not saved: {error}", event.domain),
            EventKind::PersistRecovered => "all saved".to_owned(),
            EventKind::StoreLost { .. } => "lost".to_owned(),
            EventKind::StoreStalled => "stalled".to_owned(),
            EventKind::StoreResumed => "resumed".to_owned(),
            _ => return,
        };
        heard.lock().unwrap().push(what);
    });
    let parts = Parts {
        txt: Some(record()),
        fetch: Some(file()),
        store: Some(Box::new(store)),
        on_event: Some(on_event),
        ..Parts::default()
    };
    let cache = Config::new(1).with_persist_timeout(span);
    (Client::with(kind, settings(world).with_cache_config(cache), parts).unwrap(), told)
}

pub(crate) fn count(told: &Told, what: &str) -> usize {
    told.lock().unwrap().iter().filter(|line| line.ends_with(what)).count()
}

#[test]
fn a_store_that_hangs_is_waited_for_a_few_times_and_then_no_more() {
    BOTH.into_iter().for_each(hanging_store_of);
}

fn hanging_store_of(kind: Kind) {
    let (world, gate) = (World::new(), Arc::<Gate>::default());
    // It is opened before the client is dropped, which waits for it.
    let (client, told) = client(kind, &world, Opening(Arc::clone(&gate)));
    let _release = Release(Arc::clone(&gate));
    gate.shut();
    let names: Vec<String> = (0..200).map(|n| format!("d{n}.example")).collect();
    for name in &names {
        let start = Instant::now();
        assert!(client.policy(&domain(name), LONG).unwrap().policy().is_some());
        if count(&told, "stalled") > 0 && start.elapsed() > Duration::from_millis(900) {
            assert!(count(&told, "no answer in time") <= 3, "{name} has waited");
        }
    }
    eventually(|| count(&told, "no answer in time") == names.len());
    assert_eq!(count(&told, "stalled"), 1);
    assert_eq!(gate.calls.load(Ordering::SeqCst), 1, "{kind:?}: one save is out");
    // Each of them, again and again: the store is still given no more than one row of each.
    for name in &names {
        client.refresh(&domain(name)).unwrap();
    }
    gate.open();
    eventually(|| count(&told, "all saved") == 1 && count(&told, "resumed") == 1);
    assert!(names.iter().all(|name| gate.has(name)));
    assert!(gate.longest.load(Ordering::SeqCst) <= names.len());
    assert_eq!(count(&told, "no answer in time"), names.len(), "{kind:?}: told once each");
    let start = told.lock().unwrap().len();
    assert!(client.policy(&domain("later.example"), LONG).unwrap().policy().is_some());
    assert!(gate.has("later.example"), "answered before it was durable");
    client.shutdown();
    assert_eq!(told.lock().unwrap()[start..], [""; 0]);
}

/// Calls `shutdown` in so many threads, and tells when each returns.
fn shut_down(client: &Arc<Client>, callers: usize) -> mpsc::Receiver<Duration> {
    let (sender, receiver) = mpsc::channel();
    let start = Instant::now();
    for _ in 0..callers {
        let (client, sender) = (Arc::clone(client), sender.clone());
        thread::spawn(move || {
            client.shutdown();
            drop(client);
            let _ = sender.send(start.elapsed());
        });
    }
    receiver
}

const A_WHILE: Duration = Duration::from_millis(300);

#[test]
fn every_shutdown_waits_for_a_job_that_is_out() {
    BOTH.into_iter().for_each(shutdown_with_a_job_of);
}

fn shutdown_with_a_job_of(kind: Kind) {
    let (world, gate, store) = (World::new(), Arc::<Gate>::default(), Arc::<Gate>::default());
    gate.shut();
    let held = Arc::clone(&gate);
    let txt = Part(Arc::new(move |_: &Domain| {
        held.pass();
        TxtAnswer::Failed("late".into())
    }));
    let parts = Parts {
        txt: Some(txt),
        fetch: Some(file()),
        store: Some(Box::new(Opening(Arc::clone(&store)))),
        ..Parts::default()
    };
    let client = Arc::new(Client::with(kind, settings(&world), parts).unwrap());
    let _release = Release(Arc::clone(&gate));
    let _ = client.policy(&domain("a.example"), Duration::from_millis(1));
    eventually(|| gate.calls.load(Ordering::SeqCst) == 1);
    let returned = shut_down(&client, 2);
    eventually(|| client.policy(&domain("b.example"), LONG) == Err(LookupError::ShutDown));
    // One more, when it is known that the first is under way.
    let later = shut_down(&client, 1);
    assert!(later.recv_timeout(A_WHILE).is_err(), "{kind:?}: a later one has not waited");
    assert!(returned.try_recv().is_err(), "{kind:?}: one has not waited");
    gate.open();
    for returned in [&returned, &returned, &later] {
        returned.recv_timeout(LONG).expect("the end");
    }
    assert_eq!(Arc::strong_count(&store), 1, "the store is closed when a shutdown returns");
    shut_down(&client, 1).recv_timeout(LONG).expect("the end");
}

#[test]
fn every_shutdown_waits_for_a_save_that_is_out_and_for_those_behind_it() {
    BOTH.into_iter().for_each(shutdown_with_a_save_of);
}

fn shutdown_with_a_save_of(kind: Kind) {
    let (world, gate) = (World::new(), Arc::<Gate>::default());
    let (client, _) = client(kind, &world, Opening(Arc::clone(&gate)));
    let client = Arc::new(client);
    let _release = Release(Arc::clone(&gate));
    gate.shut();
    let names = ["a.example", "b.example"];
    for name in names {
        let _ = client.policy(&domain(name), A_WHILE);
    }
    let returned = shut_down(&client, 3);
    assert!(returned.recv_timeout(A_WHILE).is_err(), "{kind:?}: one has not waited");
    assert!(!names.iter().any(|name| gate.has(name)));
    gate.open();
    for _ in 0..3 {
        returned.recv_timeout(LONG).expect("the end");
        assert!(names.iter().all(|name| gate.has(name)), "{kind:?}: not all is saved");
    }
}

#[test]
fn no_shutdown_waits_for_ever_for_a_store_that_hangs() {
    for kind in BOTH {
        let (world, gate) = (World::new(), Arc::<Gate>::default());
        let (client, _) = client(kind, &world, Opening(Arc::clone(&gate)));
        let client = Arc::new(client);
        let _release = Release(Arc::clone(&gate));
        gate.shut();
        let _ = client.policy(&domain("a.example"), A_WHILE);
        let returned = shut_down(&client, 3);
        for _ in 0..3 {
            let took = returned.recv_timeout(LONG).expect("the end");
            assert!(took < Duration::from_secs(8), "{kind:?}: {took:?}");
        }
    }
}

#[test]
fn a_client_that_is_dropped_while_a_save_is_out_saves_what_is_behind_it() {
    for kind in BOTH {
        let (world, gate) = (World::new(), Arc::<Gate>::default());
        let (client, _) = client(kind, &world, Opening(Arc::clone(&gate)));
        let _release = Release(Arc::clone(&gate));
        gate.shut();
        let names = ["a.example", "b.example", "c.example"];
        for name in names {
            let _ = client.policy(&domain(name), A_WHILE);
        }
        let (sender, dropped) = mpsc::channel();
        thread::spawn(move || {
            drop(client);
            let _ = sender.send(());
        });
        assert!(dropped.recv_timeout(A_WHILE).is_err(), "{kind:?}: it has not waited");
        gate.open();
        dropped.recv_timeout(LONG).expect("the end");
        assert!(names.iter().all(|name| gate.has(name)), "{kind:?}: not all is saved");
        assert_eq!(Arc::strong_count(&gate), 2, "{kind:?}: the store is open");
    }
}

#[test]
fn a_client_that_is_dropped_in_a_runtime_saves_behind_it() {
    let (world, gate) = (World::new(), Arc::<Gate>::default());
    let (client, _) = client(Kind::Tokio, &world, Opening(Arc::clone(&gate)));
    let _release = Release(Arc::clone(&gate));
    gate.shut();
    let names = ["a.example", "b.example", "c.example"];
    for name in names {
        let _ = client.policy(&domain(name), A_WHILE);
    }
    let Client::Tokio(runtime, client) = client else { panic!() };
    let (sender, dropped) = mpsc::channel();
    runtime.spawn(async move {
        drop(client);
        let _ = sender.send(());
    });
    dropped.recv_timeout(LONG).expect("it waits in a runtime");
    gate.open();
    eventually(|| names.iter().all(|name| gate.has(name)) && Arc::strong_count(&gate) == 2);
}

/// A client of many caches with 300 policies, all of which are saved.
fn with_saved_policies(kind: Kind, world: &World, gate: &Arc<Gate>) -> (Client, Told, Vec<String>) {
    let (client, told) = client(kind, world, Opening(Arc::clone(gate)));
    let names: Vec<String> = (0..300).map(|n| format!("d{n}.example")).collect();
    for name in &names {
        assert!(client.policy(&domain(name), LONG).unwrap().policy().is_some());
    }
    eventually(|| names.iter().all(|name| gate.has(name)));
    (client, told, names)
}

#[test]
fn what_a_store_has_lost_is_saved_again_while_the_client_runs() {
    for kind in BOTH {
        let (world, gate) = (World::new(), Arc::<Gate>::default());
        let (client, told, names) = with_saved_policies(kind, &world, &gate);
        gate.loses.store(true, Ordering::SeqCst);
        assert!(client.policy(&domain("last.example"), LONG).unwrap().policy().is_some());
        eventually(|| count(&told, "all saved") > 0);
        assert!(names.iter().all(|name| gate.has(name)), "{kind:?}: not all is saved");
        client.shutdown();
        assert_eq!((count(&told, "lost"), count(&told, "all saved")), (1, 1), "{kind:?}");
    }
}

#[test]
fn a_store_has_recovered_if_it_lost_nothing_that_is_left() {
    for kind in BOTH {
        let (world, gate) = (World::new(), Arc::<Gate>::default());
        let (client, told) = client(kind, &world, Opening(Arc::clone(&gate)));
        let name = domain("a.example");
        assert!(client.policy(&name, LONG).unwrap().policy().is_some());
        eventually(|| gate.has("a.example"));
        gate.loses.store(true, Ordering::SeqCst);
        assert!(client.cache().remove(&name));
        eventually(|| count(&told, "lost") == 1 && count(&told, "all saved") == 1);
    }
}

/// The store has lost everything, and the last save before the end is the first one to notice.
#[test]
fn what_a_store_has_lost_is_saved_again_before_the_end() {
    for kind in BOTH {
        let (world, gate) = (World::new(), Arc::<Gate>::default());
        let (client, told, names) = with_saved_policies(kind, &world, &gate);
        let _release = Release(Arc::clone(&gate));
        gate.shut();
        let _ = client.policy(&domain("last.example"), A_WHILE);
        let client = Arc::new(client);
        let returned = shut_down(&client, 1);
        assert!(returned.recv_timeout(A_WHILE).is_err(), "{kind:?}: it has not waited");
        gate.loses.store(true, Ordering::SeqCst);
        gate.open();
        returned.recv_timeout(LONG).expect("the end");
        assert_eq!(count(&told, "lost"), 1, "{kind:?}");
        let missing = names.iter().filter(|name| !gate.has(name)).count();
        assert_eq!(missing, 0, "{kind:?}");
        assert!(gate.has("last.example"), "{kind:?}");
        assert_eq!(count(&told, "all saved"), 1, "{kind:?}");
    }
}

/// The same, and nothing waits for the store.
#[test]
fn what_a_store_has_lost_is_saved_again_after_the_client_is_dropped_in_a_runtime() {
    let (world, gate) = (World::new(), Arc::<Gate>::default());
    let (client, _, names) = with_saved_policies(Kind::Tokio, &world, &gate);
    let _release = Release(Arc::clone(&gate));
    gate.shut();
    let _ = client.policy(&domain("last.example"), A_WHILE);
    let Client::Tokio(runtime, client) = client else { panic!() };
    runtime.block_on(async move { drop(client) });
    gate.loses.store(true, Ordering::SeqCst);
    gate.open();
    eventually(|| Arc::strong_count(&gate) == 2);
    let missing = names.iter().filter(|name| !gate.has(name)).count();
    assert_eq!(missing, 0);
    assert!(gate.has("last.example"));
}

/// A handle of the client is left, and the store is closed.
#[test]
fn the_store_is_closed_even_if_it_loses_everything_again_and_again() {
    for kind in BOTH {
        let (world, gate) = (World::new(), Arc::<Gate>::default());
        let (client, told) = client(kind, &world, Opening(Arc::clone(&gate)));
        for n in 0..300 {
            let name = format!("d{n}.example");
            assert!(client.policy(&domain(&name), LONG).unwrap().policy().is_some());
        }
        gate.keeps_losing.store(true, Ordering::SeqCst);
        gate.loses.store(true, Ordering::SeqCst);
        let _ = client.policy(&domain("last.example"), A_WHILE);
        client.shutdown();
        eventually(|| Arc::strong_count(&gate) == 1);
        assert!(count(&told, "lost") > 0, "{kind:?}");
        drop(client);
    }
}

/// Each of its saves is late, which is a reason to try it once more.
#[test]
fn the_store_is_closed_even_if_it_is_always_late() {
    both_at_once(|kind| {
        let (world, gate) = (World::new(), Arc::<Gate>::default());
        let (client, told) = client(kind, &world, Opening(Arc::clone(&gate)));
        gate.is_slow.store(true, Ordering::SeqCst);
        for n in 0..5 {
            let name = format!("d{n}.example");
            assert!(client.policy(&domain(&name), LONG).unwrap().policy().is_some());
        }
        assert_eq!(count(&told, "stalled"), 1, "{kind:?}");
        client.shutdown();
        eventually(|| Arc::strong_count(&gate) == 1);
        drop(client);
    });
}
