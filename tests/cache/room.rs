//! Who stays where there is little room, and what the operator and the store are told.

use std::time::Duration;

use mta_sts::{
    Mode, NoPolicy,
    cache::{Answer, Cache, Config, EventKind, Lookup, Request},
};

use crate::world::{DAY, HOUR, World, dns_failed, domain, fetch_failed, found, no_record, policy};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[test]
fn who_waits_for_a_policy_that_has_ended_is_not_driven_out_by_newcomers() {
    let mut world = World::with(Config::new(1).with_max_entries(3));
    world.publish("a", Mode::Enforce, HOUR);
    world.lookup();
    world.pass(DAY);
    let Lookup::Waiting(waiter) = world.cache.lookup(&domain("example.com"), world.now) else {
        panic!("it has ended")
    };
    for n in 0..20 {
        let _ = world.cache.lookup(&domain(&format!("new{n}.example")), world.now);
    }
    world.drain();
    let answer = world.events.iter().find_map(|event| match &event.kind {
        EventKind::Answered { id: who, answer } if *who == waiter => Some(answer),
        _ => None,
    });
    assert!(answer.is_some_and(|answer| answer.policy().is_some()), "{answer:?}");
}

/// Its nameservers do not agree, so that the limit on new ids is reached at any time.
#[test]
fn i21_who_was_evicted_is_fetched_again_however_many_ids_there_were() {
    let mut world = World::with(Config::new(1).with_max_entries(1));
    for (id, fetches) in [("1", 1), ("2", 1), ("3", 1), ("4", 0)] {
        world.publish(id, Mode::Enforce, DAY);
        world.recheck();
        assert_eq!(world.took().iter().filter(|&&name| name == "fetch").count(), fetches, "{id}");
    }
    world.lookup_of("other.example");
    assert!(world.lookup().policy().is_some());
    // The limit is remembered with a failure.
    world.https = fetch_failed();
    for id in ["5", "6", "7"] {
        world.txt = found(id);
        world.recheck();
    }
    world.lookup_of("other.example");
    world.publish("8", Mode::Enforce, DAY);
    world.took();
    assert_eq!(world.why(), NoPolicy::Overloaded);
    assert_eq!(world.took(), ["txt"]);
}

#[test]
fn i22_newcomers_gain_nothing_by_a_clock_that_jumps_ahead() {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    world.publish("a", Mode::Enforce, 365 * DAY);
    let names: Vec<String> = (0..10).map(|n| format!("good{n}.example")).collect();
    for _ in 0..2 {
        for name in &names {
            world.lookup_of(name);
        }
        world.pass(DAY);
    }
    let before = world.now;
    world.now += 60 * DAY;
    for n in 0..30 {
        assert_eq!(
            world.lookup_of(&format!("new{n}.example")).into_policy().unwrap_err(),
            NoPolicy::Overloaded
        );
    }
    world.now = before;
    for name in &names {
        assert_eq!(world.lookup_of(name).policy().unwrap().mode(), Mode::Enforce, "{name}");
    }
}

#[test]
fn what_is_forgotten_leaves_the_store_though_there_was_no_room_for_it() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Enforce, WEEK);
    for n in 0..4 {
        world.lookup_of(&format!("d{n}.example"));
    }
    let rows: Vec<_> = world.store.values().cloned().collect();
    world.cache = Cache::new(Config::new(1).with_persistence(true).with_max_entries(1));
    let report = world.cache.restore(rows, world.now);
    assert_eq!((report.restored, report.refused), (1, 3));
    world.drain();
    assert_eq!(world.store.len(), 4);
    for n in 0..4 {
        world.cache.remove(&domain(&format!("d{n}.example")), world.now);
    }
    world.drain();
    assert!(world.store.is_empty(), "{:?}", world.store.keys());
}

#[test]
fn a_row_saved_after_its_removal_was_queued_stays() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Enforce, WEEK);
    world.lookup();
    let name = domain("example.com");
    // A new policy waits to be saved, and is forgotten; then the domain is met again. Nothing of it
    // is carried out meanwhile.
    world.pass(HOUR);
    let _ = world.cache.lookup(&name, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("b"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_policy(id, policy(Mode::Testing, WEEK), world.now);
    world.cache.remove(&name, world.now);
    let _ = world.cache.lookup(&name, world.now);
    world.drain();
    let held = world.cache.entry(&name).and_then(|view| view.policy().cloned());
    assert_eq!(held.map(|policy| policy.mode()), Some(Mode::Enforce));
    assert!(world.store.contains_key(&name), "the cache holds it, and the store does not");
}

/// Lets the store take all, or nothing, and tells how often it was said that a row is not saved.
fn save(world: &mut World, works: bool) -> usize {
    while let Some(request) = world.cache.poll_request() {
        match request {
            Request::Txt { id, .. } => world.cache.handle_txt(id, found("a"), world.now),
            Request::Fetch { id, .. } => {
                world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
            }
            Request::Persist { id, domain, snapshot } => {
                if works {
                    world.store.extend(snapshot.map(|snapshot| (domain, snapshot)));
                }
                let outcome = if works { Ok(()) } else { Err("the disk is full") };
                world.cache.handle_persisted(id, outcome, world.now);
            }
            other => panic!("{other:?}"),
        }
    }
    let mut told = 0;
    while let Some(event) = world.cache.poll_event() {
        match event.kind {
            EventKind::NotPersisted { .. } => told += 1,
            EventKind::PersistRecovered => {
                assert_eq!(world.cache.unsaved_count(), 0, "told before all was saved");
                world.events.push(event);
            }
            _ => {}
        }
    }
    told
}

#[test]
fn i23_a_store_that_is_down_is_told_once_for_each_row_and_its_end_when_all_is_saved() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    for n in 0..50 {
        let _ = world.cache.lookup(&domain(&format!("d{n}.example")), world.now);
    }
    assert_eq!(save(&mut world, false), 50);
    assert_eq!(world.cache.unsaved_count(), 50);
    for _ in 0..20 {
        world.now = world.cache.poll_timeout().unwrap();
        world.cache.handle_timeout(world.now);
        assert_eq!(save(&mut world, false), 0, "told again");
        assert_eq!(world.cache.unsaved_count(), 50);
    }
    // The store works again: another row is saved, and with it all the others. One is on its way
    // when the first of them is durable.
    let _ = world.cache.lookup(&domain("other.example"), world.now);
    assert_eq!(save(&mut world, true), 0);
    assert_eq!((world.cache.unsaved_count(), world.store.len()), (0, 51));
    let recovered = |world: &World| {
        world
            .events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::PersistRecovered))
            .count()
    };
    assert_eq!(recovered(&world), 1);
}

#[test]
fn negatives_go_before_who_is_waited_for() {
    let mut world = World::with(Config::new(1).with_max_entries(2));
    world.txt = no_record();
    world.lookup_of("absent.example");
    let _ = world.cache.lookup(&domain("first.example"), world.now);
    let _ = world.cache.lookup(&domain("second.example"), world.now);
    assert!(world.cache.entry(&domain("absent.example")).is_none());
    let refused = world.cache.lookup(&domain("third.example"), world.now);
    assert_eq!(refused, Lookup::Answer(Answer::NoPolicy(NoPolicy::Overloaded)));
    world.txt = dns_failed();
    world.drain();
    assert!(world.cache.entry(&domain("first.example")).is_some());
}
