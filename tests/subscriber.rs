//! A `tracing` subscriber that panics, whatever it is called for. It costs what it would have noted.

#![cfg(all(feature = "blocking", feature = "tokio", feature = "tracing"))]
#![allow(clippy::disallowed_methods, reason = "here real time passes")]

#[allow(dead_code, reason = "not all of it is needed")]
#[path = "clients/world.rs"]
mod world;

use std::{
    panic::{self, panic_any},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use mta_sts::{
    Domain,
    cache::{PolicyAnswer, Snapshot, TxtAnswer},
    client::{Event, EventKind, Part as Who},
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::World;
use tracing::{
    Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

use self::world::{BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, eventually, settings};

/// Which of its methods panics.
static PANICS: AtomicUsize = AtomicUsize::new(0);
/// How often each was called.
static CALLS: [AtomicU64; METHODS.len()] = [const { AtomicU64::new(0) }; METHODS.len()];

const METHODS: [&str; 7] =
    ["enabled", "new_span", "enter", "exit", "event", "try_close", "clone_span"];

struct Bad;

/// Thrown by it.
struct Thrown;

fn call(method: &str) {
    let method = METHODS.iter().position(|known| *known == method).unwrap();
    CALLS[method].fetch_add(1, Ordering::SeqCst);
    if PANICS.load(Ordering::SeqCst) == method {
        panic_any(Thrown);
    }
}

impl Subscriber for Bad {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What the tests are made of is told, too.
        if !metadata.target().starts_with("mta_sts") {
            return false;
        }
        call("enabled");
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        call("new_span");
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        call("event");
    }

    fn enter(&self, _: &Id) {
        call("enter");
    }

    fn exit(&self, _: &Id) {
        call("exit");
    }

    fn clone_span(&self, id: &Id) -> Id {
        call("clone_span");
        id.clone()
    }

    fn try_close(&self, _: Id) -> bool {
        call("try_close");
        true
    }
}

struct Saved(Arc<AtomicUsize>);

impl Store for Saved {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded { damaged: vec!["a row is damaged".into()] })
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.0.fetch_add(changes.len(), Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_subscriber_that_panics_costs_what_it_would_have_noted() {
    tracing::subscriber::set_global_default(Bad).unwrap();
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<Thrown>() {
            usual(info);
        }
    }));
    for (n, method) in METHODS.into_iter().enumerate() {
        PANICS.store(n, Ordering::SeqCst);
        for kind in BOTH {
            in_spite_of(kind, method);
        }
    }
    let calls = CALLS.each_ref().map(|count| count.load(Ordering::SeqCst));
    // The clients clone no span.
    assert!(calls[..6].iter().all(|count| *count > 0), "{calls:?}");
}

fn in_spite_of(kind: Kind, method: &str) {
    let world = World::new();
    let txt = Part(Arc::new(|_: &Domain| {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }));
    let fetch =
        Part(Arc::new(|domain: &Domain| PolicyAnswer::from_body(domain, POLICY.as_bytes())));
    let saved = Arc::new(AtomicUsize::new(0));
    let store: Box<dyn Store> = Box::new(Saved(Arc::clone(&saved)));
    let parts =
        Parts { txt: Some(txt), fetch: Some(fetch), store: Some(store), ..Parts::default() };
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let hear = move |event: &Event| kept.lock().unwrap().push(event.kind.clone());
    // One slot of each: none is lost.
    let settings =
        settings(&world).with_max_concurrent_discoveries(1).with_max_concurrent_refreshes(1);
    let client = Client::hearing(kind, settings, parts, hear).unwrap();
    for n in 0..3 {
        let name = domain(&format!("d{n}.example"));
        assert!(client.policy(&name, LONG).unwrap().policy().is_some(), "{kind:?}, {method}");
        assert!(client.refresh(&name).unwrap().answer.policy().is_some(), "{kind:?}, {method}");
    }
    let panicked = EventKind::Panicked { part: Who::Subscriber };
    if method != "clone_span" {
        eventually(|| told.lock().unwrap().contains(&panicked));
    }
    client.shutdown();
    let panics = client.health().panics;
    assert_eq!(panics.total(), panics.count(Who::Subscriber), "{kind:?}, {method}: {panics:?}");
    let updates =
        told.lock().unwrap().iter().filter(|event| matches!(event, EventKind::Cache(_))).count();
    assert_eq!(updates, 3, "{kind:?}, {method}");
    assert!(saved.load(Ordering::SeqCst) >= 3, "{kind:?}, {method}");
}
