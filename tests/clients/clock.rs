//! A calendar that is set, and a machine that was suspended: of both, only the calendar knows.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, Mode, NoPolicy,
    cache::{AlertKind, Answer, Config, EventKind, PolicyAnswer, Snapshot, TxtAnswer},
    client::Clock,
    dns,
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::{Dns, Site, Web, World};
use time::UtcDateTime;

use crate::world::{
    BOTH, Client, Events, Kind, LONG, POLICY, Part, Parts, domain, eventually, settings,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: i64 = 3600;

/// The clocks of the system, but that the calendar can be set.
#[derive(Debug)]
struct Settable {
    start: Instant,
    seconds: AtomicI64,
}

impl Settable {
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), seconds: AtomicI64::new(0) })
    }

    fn set(&self, by: i64) {
        self.seconds.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for Settable {
    fn now(&self) -> UtcDateTime {
        UtcDateTime::now() + time::Duration::seconds(self.seconds.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> mta_sts::Instant {
        self.start.elapsed().into()
    }
}

/// Parts with that clock, and what is told.
fn parts(clock: &Arc<Settable>) -> (Parts, Events) {
    let events = Events::default();
    let kept = Arc::clone(&events);
    let on_event =
        Arc::new(move |event: &mta_sts::cache::Event| kept.lock().unwrap().push(event.clone()));
    let clock: Arc<dyn Clock> = clock.clone();
    (Parts { clock: Some(clock), on_event: Some(on_event), ..Parts::default() }, events)
}

/// Opens when it is dropped, so that no test hangs when it fails.
#[derive(Clone, Default)]
struct Gate(Arc<AtomicBool>);

impl Gate {
    fn wait(&self) {
        while !self.0.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Opens(Gate);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn each_way(test: impl Fn(Kind, i64) + Sync) {
    thread::scope(|scope| {
        for kind in BOTH {
            for by in [HOUR, -HOUR, 30, -30, 30 * 24 * HOUR, -30 * 24 * HOUR] {
                let test = &test;
                scope.spawn(move || test(kind, by));
            }
        }
    });
}

#[test]
fn questions_that_are_lost_hold_no_slot_when_the_clock_is_set() {
    each_way(|kind, by| {
        let (world, clock) = (World::new(), Settable::new());
        for n in 0..4 {
            world.set(&format!("lost{n}.example"), Site { dns: Dns::Silent, ..Site::new("1", "") });
        }
        world.set("a.example", Site::new("1", POLICY));
        let settings = settings(&world).with_max_concurrent_discoveries(4);
        let client = Client::with(kind, settings, parts(&clock).0).unwrap();
        thread::scope(|scope| {
            let lost = (0..4).map(|n| {
                let client = &client;
                let lookup = move || {
                    let start = Instant::now();
                    (client.policy(&domain(&format!("lost{n}.example")), LONG), start.elapsed())
                };
                scope.spawn(lookup)
            });
            let lost: Vec<_> = lost.collect();
            thread::sleep(SECOND / 3);
            clock.set(by);
            let start = Instant::now();
            let answer = client.policy(&domain("a.example"), LONG);
            let took = start.elapsed();
            let lost: Vec<_> = lost.into_iter().map(|thread| thread.join().unwrap()).collect();
            client.shutdown();
            assert!(answer.unwrap().policy().is_some() && took < 5 * SECOND, "{kind:?}: {took:?}");
            for (answer, took) in lost {
                let Ok(Answer::NoPolicy(NoPolicy::DnsFailed(_))) = answer else {
                    panic!("{kind:?} by {by}: {answer:?}")
                };
                // As it is when no clock is set: all four wait for the whole deadline, or are ended
                // early for the one that waits.
                assert!(took < 5 * SECOND, "{kind:?} by {by}: {took:?}");
            }
        });
    });
}

#[test]
fn a_fetch_that_is_out_goes_on_when_the_clock_is_set() {
    each_way(|kind, by| {
        let (world, clock) = (World::new(), Settable::new());
        let web = Web::Slow(POLICY.into(), 2 * SECOND);
        world.set("a.example", Site { web, ..Site::new("1", POLICY) });
        let client = Client::with(kind, settings(&world), parts(&clock).0).unwrap();
        thread::scope(|scope| {
            let lookup = scope.spawn(|| client.policy(&domain("a.example"), LONG));
            thread::sleep(SECOND / 2);
            clock.set(by);
            let answer = lookup.join().unwrap();
            client.shutdown();
            assert!(answer.as_ref().unwrap().policy().is_some(), "{kind:?} by {by}: {answer:?}");
        });
    });
}

#[test]
fn nothing_that_is_out_fails_at_once_when_the_clock_is_set() {
    each_way(|kind, by| {
        let (world, clock, gate, asked) =
            (World::new(), Settable::new(), Gate::default(), Arc::new(AtomicBool::new(false)));
        let (within, is_asked) = (gate.clone(), Arc::clone(&asked));
        let txt = Part(Arc::new(move |_: &Domain| {
            is_asked.store(true, Ordering::SeqCst);
            within.wait();
            TxtAnswer::from_records(["v=STSv1; id=1"], SECOND * 60)
        }));
        let fetch = |domain: &Domain| PolicyAnswer::from_body(domain, POLICY.as_bytes());
        let (parts, events) = parts(&clock);
        let parts = Parts { txt: Some(txt), fetch: Some(Part(Arc::new(fetch))), ..parts };
        let client = Client::with(kind, settings(&world), parts).unwrap();
        thread::scope(|scope| {
            let opens = Opens(gate);
            let lookup = scope.spawn(|| client.policy(&domain("a.example"), LONG));
            eventually(|| asked.load(Ordering::SeqCst));
            clock.set(by);
            // Seen by now, twice.
            thread::sleep(SECOND * 3 / 2);
            drop(opens);
            let answer = lookup.join().unwrap();
            client.shutdown();
            assert!(answer.as_ref().unwrap().policy().is_some(), "{kind:?} by {by}: {answer:?}");
            let failed = |events: &Events| {
                let events = events.lock().unwrap();
                events.iter().any(|event| matches!(event.kind, EventKind::Failed { .. }))
            };
            assert!(!failed(&events), "{kind:?} by {by}: {events:?}");
        });
    });
}

#[test]
fn a_shard_that_nobody_asks_sees_that_the_clock_was_set() {
    each_way(|kind, by| {
        let (world, clock, gate, asked) =
            (World::new(), Settable::new(), Gate::default(), Arc::new(AtomicBool::new(false)));
        let (within, is_asked) = (gate.clone(), Arc::clone(&asked));
        let txt = Part(Arc::new(move |_: &Domain| {
            is_asked.store(true, Ordering::SeqCst);
            within.wait();
            TxtAnswer::NoRecord { ttl: None }
        }));
        let parts = Parts { txt: Some(txt), ..parts(&clock).0 };
        let dns = dns::Config::default().with_timeout(2 * SECOND);
        let client = Client::with(kind, settings(&world).with_dns_config(dns), parts).unwrap();
        thread::scope(|scope| {
            let opens = Opens(gate);
            let start = Instant::now();
            let lookup = scope.spawn(|| client.policy(&domain("a.example"), LONG));
            eventually(|| asked.load(Ordering::SeqCst));
            clock.set(by);
            let answer = lookup.join().unwrap();
            let took = start.elapsed();
            drop(opens);
            client.shutdown();
            let Ok(Answer::NoPolicy(NoPolicy::DnsFailed(_))) = answer else {
                panic!("{kind:?} by {by}: {answer:?}")
            };
            assert!(SECOND < took && took < 4 * SECOND, "{kind:?} by {by}: {took:?}");
        });
    });
}

/// Saves when it is let.
struct Slow {
    gate: Gate,
    begun: Arc<AtomicBool>,
    saved: Mutex<usize>,
}

impl Store for Slow {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.begun.store(true, Ordering::SeqCst);
        self.gate.wait();
        *self.saved.lock().unwrap() += changes.len();
        Ok(())
    }
}

/// Looks up a domain whose save is out when the clock is set; opens the gate after that time.
/// Returns how long the lookup took, and whether it was told that the save failed.
fn save(kind: Kind, by: i64, patience: Duration, open: Option<Duration>) -> (Duration, bool) {
    let (world, clock, gate) = (World::new(), Settable::new(), Gate::default());
    let begun = Arc::new(AtomicBool::new(false));
    let store = Slow { gate: gate.clone(), begun: Arc::clone(&begun), saved: Mutex::default() };
    let (parts, events) = parts(&clock);
    world.set("a.example", Site::new("1", POLICY));
    let cache = Config::new(1).with_persist_timeout(patience);
    let parts = Parts { store: Some(Box::new(store)), ..parts };
    let client = Client::with(kind, settings(&world).with_cache_config(cache), parts).unwrap();
    thread::scope(|scope| {
        let opens = Opens(gate.clone());
        let lookup = scope.spawn(|| {
            let answer = client.policy(&domain("a.example"), LONG);
            (answer, Instant::now())
        });
        eventually(|| begun.load(Ordering::SeqCst));
        let start = Instant::now();
        clock.set(by);
        if let Some(after) = open {
            thread::sleep(after);
            gate.open();
        }
        let (answer, end) = lookup.join().unwrap();
        let not_persisted =
            |event: &mta_sts::cache::Event| matches!(event.kind, EventKind::NotPersisted { .. });
        if open.is_none() {
            eventually(|| events.lock().unwrap().iter().any(not_persisted));
        }
        let is_told = events.lock().unwrap().iter().any(not_persisted);
        drop(opens);
        client.shutdown();
        assert!(answer.as_ref().unwrap().policy().is_some(), "{kind:?} by {by}: {answer:?}");
        (end.saturating_duration_since(start), is_told)
    })
}

#[test]
fn a_save_that_is_out_neither_fails_nor_is_waited_for_longer_when_the_clock_is_set() {
    each_way(|kind, by| {
        let (took, is_told) = save(kind, by, 10 * SECOND, Some(SECOND * 3 / 2));
        assert!(!is_told && took < 3 * SECOND, "{kind:?} by {by}: {took:?}");
        let (took, _) = save(kind, by, 2 * SECOND, None);
        assert!(SECOND < took && took < 4 * SECOND, "{kind:?} by {by}: {took:?}");
    });
}

#[test]
fn lives_follow_the_calendar_within_seconds() {
    BOTH.into_iter().for_each(lives_follow_the_calendar_of);
}

fn lives_follow_the_calendar_of(kind: Kind) {
    let (world, clock) = (World::new(), Settable::new());
    let (parts, events) = parts(&clock);
    world.set("a.example", Site::new("1", POLICY));
    let client = Client::with(kind, settings(&world), parts).unwrap();
    let name = domain("a.example");
    assert!(client.policy(&name, LONG).unwrap().policy().is_some());
    world.change("a.example", |site| site.dns = Dns::ServFail);
    world.change("a.example", |site| site.web = Web::Closes);
    // A machine that slept for more than a week, and nobody asks.
    clock.set(8 * 24 * HOUR);
    let start = Instant::now();
    let is_told = || {
        let events = events.lock().unwrap();
        events.iter().any(
            |event| matches!(&event.kind, EventKind::Alert(alert) if alert.kind == AlertKind::Expired),
        )
    };
    eventually(is_told);
    assert!(start.elapsed() < 3 * SECOND, "{kind:?}: {:?}", start.elapsed());
    assert!(client.policy(&name, LONG).unwrap().policy().is_none(), "{kind:?}");
    clock.set(-8 * 24 * HOUR);
    let answer = client.policy(&name, LONG).unwrap();
    assert_eq!(answer.policy().map(|policy| policy.mode()), Some(Mode::Enforce), "{kind:?}");
    client.shutdown();
}
