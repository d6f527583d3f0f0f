//! What a client tells, in which order, and what a callback may do.

use std::{
    collections::BTreeMap,
    panic::panic_any,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, NoPolicy,
    cache::{self, Answer, PolicyAnswer, RecheckOutcome, Snapshot, TxtAnswer},
    client::{AddressAnswer, Event, EventKind, Part as Who},
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::World;

use crate::world::{BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, eventually, settings};

/// A domain whose policy is another one with each fetch.
fn changing() -> Parts {
    let count = AtomicUsize::new(0);
    let txt = Part(Arc::new(|_: &Domain| {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }));
    let fetch = Part(Arc::new(move |domain: &Domain| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let body = POLICY.replace("mx.example.com", &format!("mx{number}.example.com"));
        PolicyAnswer::from_body(domain, body.as_bytes())
    }));
    Parts { txt: Some(txt), fetch: Some(fetch), ..Parts::default() }
}

/// What a callback waits for, until it is dropped.
fn gate() -> (mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>) {
    let (open, gate) = mpsc::channel();
    (open, Mutex::new(gate))
}

#[test]
fn events_of_a_domain_are_told_in_their_order_each_once() {
    BOTH.into_iter().for_each(events_in_order);
}

fn events_in_order(kind: Kind) {
    let world = World::new();
    let events = Arc::new(Mutex::new(Vec::<Event>::new()));
    let kept = Arc::clone(&events);
    let on_event = move |event: &Event| {
        thread::yield_now();
        kept.lock().unwrap().push(event.clone());
    };
    let client = Client::hearing(kind, settings(&world), changing(), on_event).unwrap();
    let names: Vec<Domain> = (0..8).map(|n| domain(&format!("d{n}.example"))).collect();
    thread::scope(|scope| {
        for name in &names {
            let client = &client;
            scope.spawn(move || {
                client.policy(name, LONG).unwrap();
                for _ in 0..20 {
                    client.refresh(name).unwrap();
                }
            });
        }
    });
    client.shutdown();
    let events = events.lock().unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..=8 * 21).collect::<Vec<u64>>(), "{kind:?}");
    let mut latest = BTreeMap::new();
    for event in &*events {
        let EventKind::Cache(event) = &event.kind else { panic!("{event:?}") };
        let cache::EventKind::Updated { policy, previous } = &event.kind else {
            panic!("{event:?}")
        };
        let before = latest.insert(event.domain.clone(), Arc::clone(policy));
        assert_eq!(*previous, before, "{kind:?}");
    }
}

#[test]
fn a_callback_that_hangs_delays_nobody_and_what_it_misses_is_told() {
    BOTH.into_iter().for_each(what_is_missed_is_told);
}

fn what_is_missed_is_told(kind: Kind) {
    const DOMAINS: usize = 17_000;
    let world = World::new();
    let (open, gate) = gate();
    let told = Arc::new(Mutex::new(Vec::<(u64, u64)>::new()));
    let kept = Arc::clone(&told);
    let on_event = move |event: &Event| {
        let _ = gate.lock().unwrap().recv();
        let missed = if let EventKind::Dropped { count } = event.kind { count } else { 0 };
        kept.lock().unwrap().push((event.sequence, missed));
    };
    let config = cache::Config::new(1).with_max_entries(2 * DOMAINS);
    let settings = settings(&world).with_cache_config(config);
    let client = Client::hearing(kind, settings, changing(), on_event).unwrap();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= DOMAINS {
                        return;
                    }
                    let name = domain(&format!("d{number}.example"));
                    assert!(client.policy(&name, LONG).unwrap().policy().is_some());
                }
            });
        }
    });
    let health = client.health();
    drop(open);
    let is_told = || told.lock().unwrap().iter().any(|&(_, missed)| missed > 0);
    eventually(is_told);
    client.shutdown();
    let told = told.lock().unwrap();
    assert_eq!(health.events_waiting, 16_384, "{kind:?}");
    assert_eq!(health.events_dropped + 16_384 + 1, DOMAINS as u64, "{kind:?}");
    let mut last = 0;
    for &(number, missed) in &*told {
        assert_eq!(number, last + missed + 1, "{kind:?}: what is missing is not told");
        last = number;
    }
    assert_eq!(last, DOMAINS as u64 + 1, "{kind:?}");
}

#[test]
fn a_callback_may_call_the_client() {
    BOTH.into_iter().for_each(a_callback_calls_the_client);
}

/// A client that its own callback can call.
type Shared = Arc<OnceLock<Weak<Client>>>;

fn client_of(shared: &Shared) -> Option<Arc<Client>> {
    shared.wait().upgrade()
}

fn a_callback_calls_the_client(kind: Kind) {
    let world = World::new();
    let shared = Shared::default();
    let (sender, results) = mpsc::channel();
    let (within, calls) = (Arc::clone(&shared), AtomicUsize::new(0));
    let on_event = move |event: &Event| {
        if calls.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let client = client_of(&within).unwrap();
        // There is one slot, and it is not that of the callback.
        let other = client.policy(&domain("b.example"), LONG);
        let again = client.recheck(event.domain().unwrap());
        client.shutdown();
        sender.send((other, again)).unwrap();
    };
    let settings =
        settings(&world).with_max_concurrent_discoveries(1).with_max_concurrent_refreshes(1);
    let client = Client::hearing(kind, settings, changing(), on_event).unwrap();
    let client = Arc::new(client);
    shared.set(Arc::downgrade(&client)).unwrap();
    let start = Instant::now();
    client.policy(&domain("a.example"), LONG).unwrap();
    let (other, again) = results.recv_timeout(LONG).unwrap();
    assert!(other.unwrap().policy().is_some(), "{kind:?}");
    assert_ne!(again.unwrap().outcome, RecheckOutcome::Changed, "{kind:?}");
    assert!(client.policy(&domain("c.example"), LONG).is_err(), "{kind:?}");
    assert!(start.elapsed() < Duration::from_secs(4), "{kind:?}: {:?}", start.elapsed());
}

/// A store that takes its time, and counts what it has saved.
struct Slow(Arc<AtomicUsize>);

impl Store for Slow {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        thread::sleep(Duration::from_millis(300));
        self.0.fetch_add(changes.len(), Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_callback_waits_for_the_end_of_another_client() {
    for (kind, other) in BOTH.into_iter().flat_map(|kind| BOTH.map(|other| (kind, other))) {
        ends_another_client(kind, other, false);
    }
    // A client of tokio's that is dropped within a runtime waits for nothing.
    for kind in BOTH {
        ends_another_client(kind, Kind::Blocking, true);
    }
}

fn ends_another_client(kind: Kind, other: Kind, is_dropped: bool) {
    let world = World::new();
    let saved = Arc::new(AtomicUsize::new(0));
    let store: Box<dyn Store> = Box::new(Slow(Arc::clone(&saved)));
    let parts = Parts { store: Some(store), ..changing() };
    let theirs = Client::with(other, settings(&world), parts).unwrap();
    // It is being saved when the client ends.
    let _ = theirs.policy(&domain("a.example"), Duration::from_millis(50));
    let (theirs, (sender, results)) = (Mutex::new(Some(theirs)), mpsc::channel());
    let counted = Arc::clone(&saved);
    let on_event = move |_: &Event| {
        let Some(theirs) = theirs.lock().unwrap().take() else { return };
        if !is_dropped {
            theirs.shutdown();
        }
        drop(theirs);
        sender.send(counted.load(Ordering::SeqCst)).unwrap();
    };
    let client = Client::hearing(kind, settings(&world), changing(), on_event).unwrap();
    client.policy(&domain("b.example"), LONG).unwrap();
    assert_eq!(results.recv_timeout(LONG), Ok(1), "{kind:?}, {other:?}, {is_dropped}");
}

#[test]
fn a_callback_may_take_a_lock_that_its_callers_hold() {
    BOTH.into_iter().for_each(a_callback_takes_a_lock);
}

fn a_callback_takes_a_lock(kind: Kind) {
    let world = World::new();
    let lock = Arc::new(Mutex::new(0));
    let within = Arc::clone(&lock);
    let on_event = move |_: &Event| *within.lock().unwrap() += 1;
    let client = Client::hearing(kind, settings(&world), changing(), on_event).unwrap();
    let (sender, results) = mpsc::channel();
    let held = lock.lock().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let name = domain("a.example");
            let answers = [client.policy(&name, LONG).is_ok(), client.refresh(&name).is_ok()];
            sender.send(answers).unwrap();
        });
        let answers = results.recv_timeout(LONG);
        drop(held);
        assert_eq!(answers, Ok([true; 2]), "{kind:?}");
    });
    client.shutdown();
    assert_eq!(*lock.lock().unwrap(), 2, "{kind:?}");
}

#[test]
fn shutdown_does_not_wait_for_ever_for_a_callback() {
    BOTH.into_iter().for_each(shutdown_with_a_callback_that_hangs);
}

fn shutdown_with_a_callback_that_hangs(kind: Kind) {
    let world = World::new();
    let (open, gate) = gate();
    let on_event = move |_: &Event| {
        let _ = gate.lock().unwrap().recv();
    };
    let client = Client::hearing(kind, settings(&world), changing(), on_event).unwrap();
    client.policy(&domain("a.example"), LONG).unwrap();
    let start = Instant::now();
    client.shutdown();
    let took = start.elapsed();
    // It has waited: what ends the client once more does not.
    let start = Instant::now();
    client.shutdown();
    drop(client);
    let again = start.elapsed();
    drop(open);
    let expected = Duration::from_secs(4)..Duration::from_secs(8);
    assert!(expected.contains(&took), "{kind:?}: {took:?}");
    assert!(again < Duration::from_secs(2), "{kind:?}: {again:?}");
}

/// What a panic may leave behind.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any("dropped");
    }
}

struct Store1(AtomicUsize, Arc<AtomicUsize>);

impl Store for Store1 {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            panic_any(Bomb);
        }
        self.1.fetch_add(changes.len(), Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn whatever_panics_costs_one_call_and_is_told() {
    BOTH.into_iter().for_each(whatever_panics);
}

fn whatever_panics(kind: Kind) {
    let world = World::new();
    let txt = Part(Arc::new(|domain: &Domain| {
        if domain.as_str() == "resolver.example" {
            panic_any(Bomb);
        }
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }));
    let fetch = Part(Arc::new(|domain: &Domain| {
        if domain.as_str() == "fetcher.example" {
            panic_any(Bomb);
        }
        PolicyAnswer::from_body(domain, POLICY.as_bytes())
    }));
    let saved = Arc::new(AtomicUsize::new(0));
    let store = Box::new(Store1(AtomicUsize::new(0), Arc::clone(&saved)));
    let parts =
        Parts { txt: Some(txt), fetch: Some(fetch), store: Some(store), ..Parts::default() };
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let on_event = move |event: &Event| {
        kept.lock().unwrap().push(event.kind.clone());
        panic_any(Bomb);
    };
    // One slot of each: none is lost.
    let settings =
        settings(&world).with_max_concurrent_discoveries(1).with_max_concurrent_refreshes(1);
    let client = Client::hearing(kind, settings, parts, on_event).unwrap();
    let policy = |name| client.policy(&domain(name), LONG).unwrap();
    assert!(matches!(policy("resolver.example"), Answer::NoPolicy(NoPolicy::DnsFailed(_))));
    assert_eq!(policy("fetcher.example"), Answer::NoPolicy(NoPolicy::Overloaded));
    for name in ["a.example", "b.example", "c.example"] {
        assert!(policy(name).policy().is_some(), "{kind:?}");
    }
    for who in [Who::Resolver, Who::Fetcher, Who::Store, Who::Callback] {
        let panicked = EventKind::Panicked { part: who };
        eventually(|| told.lock().unwrap().contains(&panicked));
    }
    client.shutdown();
    let panics = client.health().panics;
    let counts = [Who::Resolver, Who::Fetcher, Who::Store, Who::Waker, Who::Other];
    assert_eq!(counts.map(|who| panics.count(who)), [1, 1, 1, 0, 0], "{kind:?}");
    let told = told.lock().unwrap();
    // Of a callback that panics each time it is told once each time, and not of that again.
    assert!(told.len() < 30, "{kind:?}: {:?}", &told[..30]);
    assert_eq!(panics.count(Who::Callback), told.len() as u64, "{kind:?}");
    // What could not be saved at first was saved then.
    assert!(saved.load(Ordering::SeqCst) >= 3, "{kind:?}: {saved:?}");
}

#[test]
fn a_panic_about_addresses_is_the_resolvers_and_no_failure_of_the_domain() {
    for kind in BOTH {
        let world = World::new();
        let addresses = Part(Arc::new(|_: &Domain| -> AddressAnswer { panic_any(Bomb) }));
        let parts = Parts { addresses: Some(addresses), ..Parts::default() };
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        let on_event = move |event: &Event| kept.lock().unwrap().push(event.kind.clone());
        let client = Client::hearing(kind, settings(&world), parts, on_event).unwrap();
        let answer = client.policy(&domain("a.example"), LONG).unwrap();
        assert_eq!(answer, Answer::NoPolicy(NoPolicy::Overloaded), "{kind:?}");
        client.shutdown();
        let expected = [EventKind::Panicked { part: Who::Resolver }];
        assert_eq!(*told.lock().unwrap(), expected, "{kind:?}");
    }
}

#[test]
fn many_that_wait_for_one_domain_all_have_their_answer() {
    for others in [0, 20] {
        many_wait(others);
    }
}

/// With a slot for one query, that of each other domain begins while the answers are given out.
fn many_wait(others: usize) {
    const MANY: usize = 20_000;
    let world = World::new();
    let (open, gate) = gate();
    let txt = Part(Arc::new(move |_: &Domain| {
        let _ = gate.lock().unwrap().recv();
        TxtAnswer::NoRecord { ttl: None }
    }));
    let parts = Parts { txt: Some(txt), ..Parts::default() };
    let config = cache::Config::new(1).with_max_entries(1000);
    let settings = settings(&world).with_cache_config(config).with_max_concurrent_discoveries(1);
    let both = Client::with(Kind::Tokio, settings, parts).unwrap();
    let Client::Tokio(runtime, client) = &both else { unreachable!() };
    let mut names = vec![domain("a.example"); MANY];
    names.extend((0..others).map(|n| domain(&format!("b{n}.example"))));
    let mut waiting: Vec<_> =
        names.iter().map(|name| Box::pin(client.policy_within(name, LONG))).collect();
    let answers = runtime.block_on(async {
        std::future::poll_fn(|context| {
            assert!(waiting.iter_mut().all(|future| future.as_mut().poll(context).is_pending()));
            std::task::Poll::Ready(())
        })
        .await;
        drop(open);
        let mut answers = Vec::new();
        for waiting in waiting {
            answers.push(waiting.await);
        }
        answers
    });
    let expected = Ok(Answer::NoPolicy(NoPolicy::NoRecord));
    assert!(answers.iter().all(|answer| *answer == expected));
    assert!(!both.is_waited_for());
}
