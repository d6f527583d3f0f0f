//! What a step of the clock does to what was noted before it, and to many domains at once.

use std::{collections::BTreeMap, time::Duration};

use mta_sts::{
    Mode, NoPolicy,
    cache::{AlertKind, Answer, Cache, Config, EventKind, StaticOutcome, TxtAnswer},
};
use time::macros::utc_datetime;

use crate::world::{
    DAY, HOUR, MINUTE, World, dns_failed, domain, fetch_failed, found, no_record, parsed, policy,
};

/// What happens to the sender.
#[derive(Clone, Copy, Debug)]
enum Do {
    /// The clock is set wrong.
    Wrong,
    Lookup,
    Restart,
    /// The clock is set right.
    Right,
}

use Do::{Lookup, Restart, Right, Wrong};

const ORDERS: [&[Do]; 7] = [
    &[Wrong, Lookup, Right],
    &[Wrong, Lookup, Restart, Right],
    &[Wrong, Restart, Lookup, Right],
    &[Wrong, Lookup, Right, Restart],
    &[Wrong, Lookup, Right, Lookup, Restart],
    &[Wrong, Restart, Lookup, Restart, Right, Restart],
    &[Wrong, Lookup, Right, Wrong, Right],
];

const SPANS: [Duration; 9] = [
    HOUR,
    Duration::from_secs(86_400),
    Duration::from_secs(10 * 86_400),
    Duration::from_secs(100 * 86_400),
    Duration::from_secs(170 * 86_400),
    Duration::from_secs(179 * 86_400),
    Duration::from_secs(200 * 86_400),
    Duration::from_secs(400 * 86_400),
    Duration::from_secs(7300 * 86_400),
];

#[test]
fn a_use_noted_at_a_clock_ahead_has_nothing_refreshed_for_longer_than_one_noted_now() {
    for span in SPANS {
        for order in ORDERS {
            let mut world = World::with_policy("a", Mode::Enforce, 30 * DAY);
            for step in order {
                match step {
                    Wrong => world.now += span,
                    Right => world.now -= span,
                    Restart => world.restart(),
                    Lookup => drop(world.lookup()),
                }
                world.cache.handle_timeout(world.now);
                world.drain();
                world.pass(MINUTE);
            }
            world.took();
            world.pass(170 * DAY);
            let fetches = world.took().into_iter().filter(|request| *request == "fetch").count();
            assert!(fetches >= 160, "{span:?} {order:?}: {fetches} refreshes");
            world.pass(12 * DAY);
            world.took();
            for month in 0..36 {
                world.pass(30 * DAY);
                assert_eq!(world.took(), [""; 0], "{span:?} {order:?}, month {month}");
                if month % 5 == 4 {
                    world.restart();
                }
            }
        }
    }
}

#[test]
fn a_failing_policy_is_not_tried_for_longer_because_of_a_use_in_the_future() {
    for span in [100 * DAY, 200 * DAY, 7300 * DAY] {
        let mut world = World::with_policy("a", Mode::Enforce, 360 * DAY);
        world.https = fetch_failed();
        world.now += span;
        world.lookup();
        world.now -= span;
        world.cache.handle_timeout(world.now);
        world.drain();
        world.pass(182 * DAY);
        world.took();
        for month in 0..12 {
            world.pass(30 * DAY);
            assert_eq!(world.took(), [""; 0], "{span:?}, month {month}");
        }
    }
}

#[test]
fn a_clock_that_was_behind_for_a_moment_ends_no_refresh() {
    let right = utc_datetime!(2026-01-01 0:00);
    let since_1970 = (right - utc_datetime!(1970-01-01 0:00)).unsigned_abs();
    for span in SPANS.into_iter().chain([since_1970]) {
        for order in ORDERS {
            let mut world = World::with_policy("a", Mode::Enforce, 30 * DAY);
            // At the wrong time no certificate is valid.
            (world.txt, world.https) = (TxtAnswer::Failed("no route".into()), fetch_failed());
            for step in order {
                match step {
                    Wrong => world.now -= span,
                    Right => world.now += span,
                    Restart => world.restart(),
                    Lookup => drop(world.lookup()),
                }
                world.cache.handle_timeout(world.now);
                world.drain();
                world.pass(MINUTE);
            }
            (world.txt, world.https) = (found("a"), policy(Mode::Enforce, 30 * DAY));
            world.pass(100 * DAY);
            assert_eq!(world.mode(), Some(Mode::Enforce), "{span:?} {order:?}");
            assert!(world.took().len() >= 180, "{span:?} {order:?}");
        }
    }
}

#[test]
fn the_order_of_eviction_outlives_a_restart_at_a_wrong_clock() {
    let mut world = World::with(Config::new(1).with_max_entries(5));
    world.publish("a", Mode::Enforce, 365 * DAY);
    let names = ["d.example", "b.example", "e.example", "a.example", "c.example"];
    for name in names {
        world.lookup_of(name);
        world.now += HOUR;
    }
    world.now = utc_datetime!(1970-01-01 0:00);
    world.restart();
    for (n, name) in names.into_iter().enumerate() {
        assert!(world.cache.entry(&domain(name)).is_some(), "{name} has gone before others");
        world.lookup_of(&format!("new{n}.example"));
        assert!(world.cache.entry(&domain(name)).is_none(), "{name} stays, and another has gone");
    }
}

/// What happens to the sender, and how.
type Step = (&'static str, fn(&mut World));

/// Lets time pass until so many have been fetched. Returns when each was, in seconds.
fn fetch_times(world: &mut World, count: usize) -> Vec<u64> {
    let start = world.now;
    let mut times = Vec::new();
    loop {
        world.cache.handle_timeout(world.now);
        world.drain();
        let fetched = world.took().into_iter().filter(|request| *request == "fetch").count();
        let second = (world.now - start).whole_seconds().unsigned_abs();
        times.extend(std::iter::repeat_n(second, fetched));
        if times.len() >= count {
            return times;
        }
        world.now = world.cache.poll_timeout().unwrap().max(world.now);
    }
}

fn most_in_a_second(times: &[u64]) -> usize {
    let mut seconds: BTreeMap<u64, usize> = BTreeMap::new();
    for second in times {
        *seconds.entry(*second).or_default() += 1;
    }
    seconds.into_values().max().unwrap()
}

fn many(count: usize, max_age: Duration) -> World {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, max_age);
    (0..count).for_each(|n| drop(world.lookup_of(&format!("d{n}.example"))));
    world.took();
    world.events.clear();
    world
}

#[test]
fn what_is_late_together_is_spread() {
    let steps: [Step; 5] = [
        ("a restart after three days", |world| {
            world.now += 3 * DAY;
            world.restart();
        }),
        ("two restarts", |world| {
            world.now += 3 * DAY;
            world.restart();
            world.cache.handle_timeout(world.now);
            world.restart();
        }),
        ("a step ahead", |world| world.now += 2 * DAY),
        ("a step back", |world| world.now -= 2 * DAY),
        ("a step ahead and back", |world| {
            world.now += 2 * DAY;
            world.cache.handle_timeout(world.now);
            world.now -= 2 * DAY;
        }),
    ];
    for (step, happen) in steps {
        let mut world = many(2000, 30 * DAY);
        let start = world.now;
        happen(&mut world);
        if step == "a step ahead and back" {
            // Nothing was fetched: all is as it was.
            world.pass(HOUR);
            assert_eq!(world.took(), [""; 0], "{step}");
            continue;
        }
        let times = fetch_times(&mut world, 2000);
        let most = most_in_a_second(&times);
        assert!(most <= 20, "{step}: {most} in one second");
        assert!(times.iter().all(|&second| second <= 600), "{step}: not in ten minutes");
        assert!(world.now != start);
        // And the next ones are where they would be without the step.
        let times = fetch_times(&mut world, 2000);
        assert!(times[0] >= 17 * 3600 && most_in_a_second(&times) <= 20, "{step}: the day after");
    }
}

#[test]
fn what_time_has_brought_is_told_though_the_refresh_is_put_off() {
    let mut world = many(1000, 30 * DAY);
    world.https = fetch_failed();
    world.pass(DAY);
    world.events.clear();
    world.now += 15 * DAY;
    world.handle_due();
    assert_eq!(world.alerts(), [AlertKind::HalfLifeOver; 1000]);
    world.publish("a", Mode::Enforce, 30 * DAY);
    world.took();
    let times = fetch_times(&mut world, 900);
    assert!(most_in_a_second(&times) <= 20, "{} in a second", most_in_a_second(&times));
    assert!(*times.last().unwrap() <= 600);
}

#[test]
fn what_ends_first_is_refreshed_first() {
    let mut world = many(1000, 30 * DAY);
    world.publish("a", Mode::Enforce, DAY);
    (0..1000).for_each(|n| drop(world.lookup_of(&format!("short{n}.example"))));
    world.took();
    world.now += DAY;
    world.now -= 10 * MINUTE;
    world.restart();
    world.handle_due();
    world.pass(Duration::from_secs(73));
    let fetches = world.took().into_iter().filter(|request| *request == "fetch").count();
    assert!(fetches < 1300, "{fetches}, with those that do not end soon");
    let late = |world: &World, name: &str| {
        let all = world.cache.entries().filter(|view| view.domain().as_str().starts_with(name));
        all.filter(|view| view.fetched_at() < Some(world.now - DAY / 2)).count()
    };
    assert_eq!(late(&world, "short"), 0);
    world.pass(10 * MINUTE);
    assert_eq!(late(&world, ""), 0);
    assert_eq!(world.alerts(), []);
}

#[test]
fn no_lookup_waits_for_what_is_spread() {
    let mut world = many(2000, 30 * DAY);
    world.now += 3 * DAY;
    world.restart();
    world.cache.handle_timeout(world.now);
    world.drain();
    let at_once = world.took().into_iter().filter(|request| *request == "fetch").count();
    // One that is known is answered at once, and refreshed now; a new one has nothing before it.
    for name in ["d7.example", "new.example"] {
        assert!(world.lookup_of(name).policy().is_some());
        assert_eq!(world.took(), ["txt", "fetch"], "{name}");
    }
    // Not once more when its turn would have come.
    let times = fetch_times(&mut world, 1999 - at_once);
    assert!(*times.last().unwrap() <= 600);
}

#[test]
fn what_one_step_of_the_clock_ends_is_one_alert() {
    let steps: [Step; 3] = [
        ("a step of years", |world| world.now += 800 * DAY),
        ("a step of hours", |world| world.now += 13 * HOUR),
        ("a stop", |world| {
            world.now += 3 * DAY;
            world.restart();
        }),
    ];
    for (step, happen) in steps {
        let mut world = many(6000, 12 * HOUR);
        happen(&mut world);
        while world.cache.poll_timeout().is_some_and(|due| due <= world.now) {
            world.cache.handle_timeout(world.now);
            world.now += Duration::from_secs(1);
        }
        world.drain();
        let told = |world: &World| {
            world
                .events
                .iter()
                .filter(|event| matches!(event.kind, EventKind::Expired { .. }))
                .count()
        };
        assert_eq!(told(&world), 5999, "{step}");
        assert_eq!(world.alerts(), [AlertKind::Expired], "{step}");
        // The next step is another.
        world.txt = found("b");
        world.lookup_of("d17.example");
        world.now += 3 * DAY;
        world.cache.handle_timeout(world.now);
        world.drain();
        assert_eq!(world.alerts(), [AlertKind::Expired], "{step}, and another");
        let name = domain("d17.example");
        let answer = world.cache.entry(&name).unwrap().answer(world.now).cloned();
        let is_told = matches!(answer, Answer::NoPolicy(NoPolicy::Expired { .. }));
        assert!(is_told, "{step}: {answer:?}");
    }
    // What ends one by one is told one by one.
    let mut world = many(20, DAY);
    world.txt = TxtAnswer::Failed("no route".into());
    world.https = fetch_failed();
    world.pass(2 * DAY);
    let ends = world.alerts().into_iter().filter(|kind| *kind == AlertKind::Expired).count();
    assert_eq!(ends, 20);
}

#[test]
fn a_step_back_is_taken_in_by_calls_that_are_bounded() {
    let mut world = World::with(Config::new(1).with_max_entries(10_001));
    world.publish("a", Mode::Enforce, DAY);
    for n in 0..10_000 {
        world.lookup_of(&format!("d{n}.example"));
        world.events.clear();
    }
    let start = world.now;
    // It stands wrong for longer than it is doubted.
    (world.txt, world.https) = (TxtAnswer::NotSent, fetch_failed());
    for _ in 0..3 {
        world.now += 2 * DAY;
        while world.cache.poll_timeout().is_some_and(|due| due <= world.now) {
            world.cache.handle_timeout(world.now);
            world.drain();
        }
    }
    world.now = start + HOUR;
    let ends = |world: &World| {
        let last = world.cache.entry(&domain("d9999.example")).unwrap();
        last.answer(world.now).policy().is_some()
    };
    assert!(ends(&world));
    let mut calls = 0;
    loop {
        world.cache.handle_timeout(world.now);
        calls += 1;
        // All along, what applies again is given out.
        for n in [0, 5000, 9999] {
            assert!(world.lookup_of(&format!("d{n}.example")).policy().is_some(), "{n}");
        }
        world.events.clear();
        if world.cache.poll_timeout().is_none_or(|due| due > world.now) {
            break;
        }
    }
    assert!((2..100).contains(&calls), "{calls} calls");

    // Nor does it go for a newcomer while something less worth is there.
    world.txt = TxtAnswer::NoRecord { ttl: None };
    world.lookup_of("nothing.example");
    world.now = start + 5 * DAY;
    while world.cache.poll_timeout().is_some_and(|due| due <= world.now) {
        world.cache.handle_timeout(world.now);
        world.drain();
    }
    world.now += 2 * DAY;
    world.lookup_of("d9998.example");
    world.now = start + HOUR;
    world.events.clear();
    world.lookup_of("new.example");
    assert!(world.cache.entry(&domain("nothing.example")).is_none());
    let evicted = |event: &mta_sts::cache::Event| matches!(event.kind, EventKind::Evicted { .. });
    assert!(!world.events.iter().any(evicted));
}

/// A cache with room for two domains. One of them was used on two days.
fn with_a_senior() -> World {
    let mut world = World::with(Config::new(1).with_persistence(true).with_max_entries(2));
    world.publish("a", Mode::Enforce, 7 * DAY);
    world.lookup();
    world.now += DAY;
    world.lookup();
    world.lookup_of("second.example");
    world
}

/// A newcomer comes while the clock is 60 days ahead; then it is set right, and nothing can be fetched.
fn meet_newcomer_and_set_right(world: &mut World) {
    world.txt = no_record();
    world.lookup_of("other.example");
    world.now -= 60 * DAY;
    (world.txt, world.https) = (dns_failed(), fetch_failed());
    world.cache.handle_timeout(world.now);
    world.handle_due();
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn i22_a_restart_while_the_clock_is_ahead_lets_no_newcomer_evict_what_seems_to_have_ended() {
    let mut world = with_a_senior();
    world.now += 60 * DAY;
    world.start_again();
    meet_newcomer_and_set_right(&mut world);

    // It is known after another restart, too, when a row was saved meanwhile.
    for restarts in [0, 1, 2] {
        let mut world = with_a_senior();
        world.now += 60 * DAY;
        (0..restarts).for_each(|_| world.start_again());
        world.handle_due();
        world.lookup_of("second.example");
        world.pass(HOUR);
        world.start_again();
        meet_newcomer_and_set_right(&mut world);
    }

    // Whatever else is done first, and if the rows come one by one.
    let mut world = with_a_senior();
    world.now += 60 * DAY;
    world.cache = Cache::new(*world.cache.config());
    world.events.clear();
    assert!(!world.cache.clear_override(&domain("example.com"), world.now));
    for row in world.store.values() {
        assert_eq!(world.cache.restore([row.clone()], world.now).restored, 1);
    }
    meet_newcomer_and_set_right(&mut world);
}

#[test]
fn a_clock_that_was_ahead_of_the_rows_counts_as_right_a_day_later() {
    for restarts in 0..3 {
        let mut world = with_a_senior();
        world.lookup_of("second.example");
        world.now += 60 * DAY;
        world.start_again();
        world.handle_due();
        world.lookup_of("second.example");
        for _ in 0..restarts {
            world.pass(8 * HOUR);
            world.start_again();
            world.handle_due();
        }
        world.pass(DAY);
        world.txt = no_record();
        world.lookup_of("other.example");
        assert!(world.cache.entry(&domain("example.com")).is_none(), "{restarts}");
        assert!(world.cache.entry(&domain("second.example")).is_some(), "{restarts}");
    }
}

#[test]
fn policies_that_seem_to_have_ended_are_evicted_in_the_order_of_their_use() {
    let mut world = World::with(Config::new(1).with_persistence(true).with_max_entries(2));
    for (name, max_age) in [("used.example", 7 * DAY), ("unused.example", 365 * DAY)] {
        world.publish("a", Mode::Enforce, max_age);
        for _ in 0..2 {
            world.lookup_of(name);
            world.pass(DAY);
        }
    }
    world.lookup_of("used.example");
    world.now += 40 * DAY;
    world.publish("a", Mode::Enforce, 7 * DAY);
    world.lookup_of("used.example");
    world.now += 20 * DAY;
    world.start_again();
    world.txt = no_record();
    world.lookup_of("other.example");
    assert!(world.cache.entry(&domain("used.example")).is_some());
    assert!(world.cache.entry(&domain("unused.example")).is_none());
}

/// A list of the operator is loaded when the time has just been found out.
#[test]
fn a_list_replaces_no_policy_whose_date_was_in_the_future() {
    let mut world = World::with_policy("a", Mode::Enforce, DAY);
    world.now -= 20_000 * DAY;
    world.restart();
    world.now += 20_000 * DAY + HOUR;
    let listed = parsed(Mode::Testing, DAY);
    let name = domain("example.com");
    let outcome = world.cache.set_static_policy(&name, listed, world.now).unwrap();
    assert_eq!(outcome, StaticOutcome::HasOwnPolicy);
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn every_call_notes_a_clock_that_is_set() {
    let mut world = World::with(Config::new(1).with_max_entries(1));
    world.publish("a", Mode::Enforce, 7 * DAY);
    world.lookup();
    world.now += DAY;
    world.lookup();
    let name = domain("example.com");
    world.cache.disable(&name, world.now).unwrap();
    assert!(world.cache.clear_override(&name, world.now + 3650 * DAY));
    world.publish("a", Mode::Testing, DAY);
    world.lookup_of("other.example");
    assert_eq!(world.mode(), Some(Mode::Enforce));

    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Enforce, 7 * DAY);
    world.lookup();
    world.store.clear();
    world.cache.save_all(world.now + 3650 * DAY);
    world.cache.handle_timeout(world.now);
    world.handle_due();
    assert_eq!(world.store.len(), 1);
}
