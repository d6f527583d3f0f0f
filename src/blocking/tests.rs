//! Tests with a system that has too few threads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]

use alloc::{boxed::Box, sync::Arc};
use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};
use std::{
    io,
    sync::{Mutex, mpsc},
    thread,
};

use super::{Client, Resolver};
use crate::{
    cache::{Answer, TxtAnswer},
    client::{AddressAnswer, EventKind, settings_for_tests, spawn_apart},
    dns,
    domain::Domain,
    no_policy::NoPolicy,
};

const LONG: Duration = Duration::from_secs(20);

/// The number of threads that the system has.
#[derive(Clone, Default)]
struct System(Arc<AtomicUsize>);

/// Answers when the gate is open.
struct Gate(AtomicBool, Mutex<mpsc::Receiver<()>>);

impl Resolver for Gate {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        // The first one waits.
        if !self.0.swap(true, SeqCst) {
            let _ = self.1.lock().unwrap().recv();
        }
        TxtAnswer::NoRecord { ttl: None }
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        AddressAnswer::NoAddress
    }
}

struct World {
    /// First, so that nothing hangs at the end.
    open: mpsc::Sender<()>,
    client: Client,
    system: System,
    events: Mutex<mpsc::Receiver<EventKind>>,
}

fn world(threads: usize, patience: Duration) -> World {
    let system = System(Arc::new(AtomicUsize::new(threads)));
    let (open, gate) = mpsc::channel();
    let (sender, events) = mpsc::channel();
    let config = dns::Config::default().with_timeout(patience);
    let left = system.clone();
    let client = Client::builder()
        .with_settings(settings_for_tests().with_dns_config(config))
        .with_resolver(Gate(AtomicBool::new(false), Mutex::new(gate)))
        .with_event_handler(move |event| drop(sender.send(event.kind.clone())))
        .spawn(Box::new(move |work| {
            let taken = left.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
            taken.map_err(|_| io::Error::other("no thread"))?;
            spawn_apart("worker", work)
        }))
        .build()
        .unwrap();
    World { open, client, system, events: Mutex::new(events) }
}

impl World {
    fn ask(&self, name: &str) -> Answer {
        self.client.policy_within(&Domain::parse(name).unwrap(), LONG).unwrap()
    }

    fn hears(&self, of: &EventKind) -> bool {
        self.events.lock().unwrap().recv_timeout(LONG).is_ok_and(|kind| kind == *of)
    }
}

fn no_thread() -> EventKind {
    EventKind::NoThread { error: "no thread".into() }
}

#[test]
fn a_lookup_for_which_there_was_no_thread_has_one_later() {
    let world = world(0, LONG);
    world.open.send(()).unwrap();
    thread::scope(|scope| {
        let answer = scope.spawn(|| world.ask("a.example"));
        let heard = world.hears(&no_thread());
        world.system.0.store(9, SeqCst);
        assert_eq!(answer.join().unwrap(), Answer::NoPolicy(NoPolicy::NoRecord));
        assert!(heard && world.hears(&EventKind::ThreadsRecovered));
    });
}

#[test]
fn a_lookup_for_which_there_is_no_thread_in_time_is_overloaded() {
    let world = world(0, Duration::from_secs(1));
    assert_eq!(world.ask("a.example"), Answer::NoPolicy(NoPolicy::Overloaded));
    // There is one event, however many attempts were made.
    world.system.0.store(9, SeqCst);
    world.open.send(()).unwrap();
    assert_eq!(world.ask("b.example"), Answer::NoPolicy(NoPolicy::NoRecord));
    assert!(world.hears(&no_thread()) && world.hears(&EventKind::ThreadsRecovered));
}

#[test]
fn a_lookup_behind_a_thread_that_hangs_is_overloaded_and_does_not_wait_for_it() {
    let world = world(1, Duration::from_secs(2));
    thread::scope(|scope| {
        let first = scope.spawn(|| world.ask("a.example"));
        let second = scope.spawn(|| {
            thread::yield_now();
            world.ask("b.example")
        });
        let answers = [first.join().unwrap(), second.join().unwrap()];
        world.open.send(()).unwrap();
        let overloaded = Answer::NoPolicy(NoPolicy::Overloaded);
        assert_eq!(
            answers.iter().filter(|answer| **answer == overloaded).count(),
            1,
            "{answers:?}"
        );
    });
}
