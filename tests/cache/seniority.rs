//! What newcomers, restarts, stores that fail and clocks that jump may not cost: policies in use.

use std::time::Duration;

use mta_sts::{
    Mode, NoPolicy,
    cache::{
        Answer, Cache, Config, EventKind, Lookup, LookupId, PolicyAnswer, Request, StaticOutcome,
    },
};

use crate::world::{DAY, HOUR, MINUTE, TTL, World, domain, fetch_failed, found, no_record, parsed};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

pub(crate) fn regulars(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("good{n}.example")).collect()
}

/// A cache with domains that are used on two days.
pub(crate) fn settled(config: Config, names: &[String], mode: Mode) -> World {
    let mut world = World::with(config);
    world.publish("a", mode, 30 * DAY);
    for _ in 0..2 {
        for name in names {
            world.lookup_of(name);
        }
        world.pass(DAY);
    }
    world.drain();
    world
}

fn large(n: usize) -> PolicyAnswer {
    let rest = "x".repeat(65_000);
    let text = format!(
        "version: STSv1\nmode: enforce\nmx: mx{n}.example.com\nmax_age: 31557600\nnote: {rest}\n"
    );
    PolicyAnswer::from_body(&domain("a.example"), text.as_bytes())
}

pub(crate) fn all_live(world: &World, names: &[String], mode: Mode) {
    for name in names {
        let view = world.cache.entry(&domain(name));
        let held =
            view.and_then(|view| view.answer(world.now).policy().map(|policy| policy.mode()));
        assert_eq!(held, Some(mode), "{name} in memory");
        if world.cache.config().persistence() {
            assert!(world.store.contains_key(&domain(name)), "{name} on disk");
        }
    }
}

#[test]
fn i22_large_policies_of_newcomers_that_are_being_saved_drive_out_nobody() {
    for mode in [Mode::Enforce, Mode::Testing] {
        let config = Config::new(1).with_persistence(true).with_max_bytes(1 << 20);
        let names = regulars(1500);
        let mut world = settled(config, &names, mode);
        // All of them in one burst: nothing is saved, or polled, before the last one has come.
        let waiters: Vec<LookupId> = (0..30)
            .filter_map(|n| {
                match world.cache.lookup(&domain(&format!("evil{n}.example")), world.now) {
                    Lookup::Waiting(waiter) => Some(waiter),
                    Lookup::Answer(_) => None,
                }
            })
            .collect();
        let mut fetches = Vec::new();
        let mut persists = Vec::new();
        while let Some(request) = world.cache.poll_request() {
            match request {
                Request::Txt { id, .. } => world.cache.handle_txt(id, found("a"), world.now),
                Request::Fetch { id, .. } => fetches.push(id),
                other => persists.push(other),
            }
        }
        for (n, id) in fetches.into_iter().enumerate() {
            world.cache.handle_policy(id, large(n), world.now);
        }
        drop(persists);
        world.drain();
        all_live(&world, &names, mode);
        assert!(world.cache.memory_usage() <= 1 << 20);
        // They are answered all the same.
        for waiter in waiters {
            let told = world.events.iter().filter(
                |event| matches!(event.kind, EventKind::Answered { id: who, .. } if who == waiter),
            );
            assert_eq!(told.count(), 1);
        }
    }
}

#[test]
fn i22_what_is_in_use_in_mode_testing_stays_too() {
    let names = regulars(20);
    let mut world = settled(Config::new(1).with_max_entries(30), &names, Mode::Testing);
    world.publish("a", Mode::Enforce, WEEK);
    for n in 0..300 {
        world.lookup_of(&format!("evil{n}.example"));
    }
    all_live(&world, &names, Mode::Testing);
}

#[test]
fn i3_back_off_outlives_eviction() {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    world.txt = found("a");
    let mut fetches = 0;
    for n in 0..290 {
        world.txt = found("a");
        world.requests.clear();
        world.lookup_of("failing.example");
        fetches += world.took().iter().filter(|request| **request == "fetch").count();
        world.txt = no_record();
        for m in 0..10 {
            world.lookup_of(&format!("flood{n}-{m}.example"));
        }
        world.now += Duration::from_secs(1);
    }
    assert_eq!(fetches, 1);
}

#[test]
fn i24_a_restore_removes_nothing_and_keeps_the_best() {
    let mut world = World::with(Config::new(1));
    let names = regulars(8);
    world.publish("a", Mode::Enforce, 200 * DAY);
    for (n, name) in names.iter().enumerate() {
        // The first ones of the alphabet are used last.
        world.now += HOUR * u32::try_from(names.len() - n).unwrap();
        world.lookup_of(name);
    }
    world.txt = no_record();
    for n in 0..4 {
        world.lookup_of(&format!("a{n}.example"));
    }
    let mut snapshots: Vec<_> = world.cache.snapshots().collect();
    snapshots.sort_by_key(|snapshot| snapshot.domain().map(ToString::to_string));
    for _ in 0..2 {
        let config = Config::new(1).with_max_entries(4).with_persistence(true);
        let mut cache = Cache::new(config);
        let report = cache.restore(snapshots.clone(), world.now);
        assert_eq!((report.restored, report.refused), (4, 8));
        assert_eq!((report.refused_by_class.enforce, report.refused_by_class.other), (4, 4));
        assert!(cache.poll_request().is_none(), "nothing is removed from the store");
        assert!(names[4..].iter().all(|name| cache.entry(&domain(name)).is_some()));
        snapshots.reverse();
    }
}

#[test]
fn i24_the_order_of_eviction_outlives_a_restart() {
    let mut world = World::with(Config::new(1).with_max_entries(4));
    world.publish("a", Mode::Enforce, 200 * DAY);
    for name in ["d.example", "b.example", "a.example", "c.example"] {
        world.lookup_of(name);
        world.now += 2 * HOUR;
    }
    let mut snapshots: Vec<_> = world.cache.snapshots().collect();
    snapshots.sort_by_key(|snapshot| snapshot.domain().map(ToString::to_string));
    world.cache = Cache::new(*world.cache.config());
    let _ = world.cache.restore(snapshots, world.now);
    for (n, gone) in ["d.example", "b.example", "a.example", "c.example"].into_iter().enumerate() {
        world.lookup_of(&format!("new{n}.example"));
        assert!(world.cache.entry(&domain(gone)).is_none(), "{gone} is next");
    }
}

#[test]
fn i24_a_restored_row_is_merged() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    world.pass(DAY);
    world.lookup();
    let rows: Vec<_> = world.cache.snapshots().collect();
    // A new id whose policy cannot be had.
    world.txt = found("b");
    world.https = fetch_failed();
    world.pass(TTL);
    world.lookup();
    world.took();
    for _ in 0..20 {
        world.now += Duration::from_secs(1);
        let _ = world.cache.restore(rows.clone(), world.now);
        let _ = world.cache.recheck(&domain("example.com"), world.now);
        world.drain();
    }
    let fetches = world.took().into_iter().filter(|request| *request == "fetch").count();
    assert_eq!(fetches, 0, "back-off is not undone");
    // An ended row is worth no more than what is known.
    let mut world = World::new();
    world.txt = no_record();
    world.lookup();
    world.took();
    let mut old = World::with_policy("a", Mode::Enforce, HOUR);
    old.now -= 30 * DAY;
    let rows: Vec<_> = old.cache.snapshots().collect();
    world.now += 3 * HOUR;
    world.lookup();
    world.took();
    let report = world.cache.restore(rows, world.now);
    assert_eq!((report.restored, report.outdated), (0, 1));
    assert_eq!(world.lookup(), Answer::NoPolicy(NoPolicy::NoRecord));
    assert_eq!(world.took(), [""; 0]);
}

#[test]
fn i23_what_was_not_saved_is_tried_again() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Enforce, WEEK);
    let name = domain("example.com");
    let _ = world.cache.lookup(&name, world.now);
    let drive = |world: &mut World, works: bool| {
        let mut rows = Vec::new();
        while let Some(request) = world.cache.poll_request() {
            match request {
                Request::Txt { id, .. } => world.cache.handle_txt(id, found("a"), world.now),
                Request::Fetch { id, .. } => {
                    world.cache.handle_policy(id, world.https.clone(), world.now);
                }
                Request::Persist { id, snapshot, .. } => {
                    let outcome = if works { Ok(()) } else { Err("the disk is full") };
                    world.cache.handle_persisted(id, outcome, world.now);
                    rows.push(snapshot.is_some());
                }
                other => panic!("{other:?}"),
            }
        }
        rows
    };
    assert_eq!(drive(&mut world, false), [true]);
    assert_eq!(world.cache.unsaved_count(), 1);
    // A second later, as the disk has room again.
    let due = world.cache.poll_timeout().unwrap();
    assert_eq!(due, world.now + Duration::from_secs(1));
    world.now = due;
    world.cache.handle_timeout(world.now);
    assert_eq!(drive(&mut world, true), [true]);
    assert_eq!(world.cache.unsaved_count(), 0);
    let told = core::iter::from_fn(|| world.cache.poll_event()).map(|event| event.kind);
    let told: Vec<_> = told.filter(|event| *event == EventKind::PersistRecovered).collect();
    assert_eq!(told.len(), 1);
    // A removal, too.
    assert!(world.cache.remove(&name, world.now));
    assert_eq!(drive(&mut world, false), [false]);
    world.now += Duration::from_secs(1);
    world.cache.handle_timeout(world.now);
    assert_eq!(drive(&mut world, false), [false]);
    world.cache.retry_unsaved(world.now);
    assert_eq!(drive(&mut world, true), [false]);
    assert_eq!(world.cache.unsaved_count(), 0);
}

#[test]
fn an_operators_word_holds_at_once() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Testing, WEEK);
    let name = domain("example.com");
    let Lookup::Waiting(waiter) = world.cache.lookup(&name, world.now) else { panic!() };
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("a"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_policy(id, world.https.clone(), world.now);
    // The save is out.
    world.cache.pin_policy(&name, parsed(Mode::Enforce, WEEK), world.now).unwrap();
    let answers = core::iter::from_fn(|| world.cache.poll_event());
    let answers: Vec<_> = answers
        .filter_map(|event| match event.kind {
            EventKind::Answered { id: who, answer } if who == waiter => answer.into_policy().ok(),
            _ => None,
        })
        .collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].mode(), Mode::Enforce);

    // A listed policy stays when what was found out is forgotten.
    let mut world = World::new();
    let listed = parsed(Mode::Enforce, WEEK);
    let loaded = world.cache.set_static_policy(&name, listed, world.now).unwrap();
    assert_eq!(loaded, StaticOutcome::Loaded);
    world.cache.remove(&name, world.now);
    assert_eq!(world.lookup().policy().unwrap().mode(), Mode::Enforce);

    // What is forgotten while its fetch is out, and comes then, is in cache and store.
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Testing, WEEK);
    world.lookup();
    let _ = world.cache.force_refresh(&name, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("b"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.remove(&name, world.now);
    world.cache.handle_policy(id, world.https.clone(), world.now);
    world.drain();
    assert!(world.cache.entry(&name).unwrap().policy().is_some());
    assert!(world.store.contains_key(&name));
}

#[test]
fn a_clock_that_jumps_ahead_for_a_moment_evicts_nothing_silently() {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    world.publish("a", Mode::Enforce, 30 * DAY);
    for n in 0..5 {
        world.lookup_of(&format!("good{n}.example"));
    }
    world.now += HOUR;
    for n in 0..5 {
        world.lookup_of(&format!("good{n}.example"));
    }
    world.events.clear();
    world.txt = no_record();
    world.now += 730 * DAY;
    for n in 0..20 {
        world.lookup_of(&format!("new{n}.example"));
    }
    world.now -= 730 * DAY;
    world.drain();
    for n in 0..5 {
        let name = domain(&format!("good{n}.example"));
        let is_told = world
            .events
            .iter()
            .any(|event| event.domain == name && matches!(event.kind, EventKind::Evicted { .. }));
        let is_held = world.cache.entry(&name).is_some();
        assert!(is_held && !is_told, "{name}: {is_held} {is_told}");
    }
}

#[test]
fn cancelling_one_of_many_takes_no_time() {
    let mut world = World::new();
    let name = domain("example.com");
    let waiters: Vec<LookupId> = (0..100_000)
        .map(|_| match world.cache.lookup(&name, world.now) {
            Lookup::Waiting(waiter) => waiter,
            Lookup::Answer(answer) => panic!("{answer:?}"),
        })
        .collect();
    // Quadratic, this would take 10^10 steps.
    for waiter in waiters.iter().skip(2) {
        world.cache.cancel(*waiter);
    }
    world.drain();
    let told = world.events.iter().filter_map(|event| match &event.kind {
        EventKind::Answered { id: waiter, .. } => Some(*waiter),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), waiters[..2], "in the order in which they came");
}

#[test]
fn i3_who_fails_again_and_again_is_not_washed_out_by_a_flood_of_failures() {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    world.txt = found("a");
    world.why();
    world.pass(7 * MINUTE);
    world.why();
    assert_eq!(world.took(), ["txt", "fetch", "txt", "fetch"]);
    // More than are remembered, within its back-off.
    for n in 0..12_000 {
        world.lookup_of(&format!("flood{n}.example"));
        world.events.clear();
    }
    assert!(world.cache.entry(&domain("example.com")).is_none());
    world.took();
    world.now += 4 * MINUTE;
    world.why();
    assert_eq!(world.took(), ["txt"], "too early");
}
