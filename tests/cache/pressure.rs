//! What a full cache gives up when entries grow, and when the clock is set.

use mta_sts::{
    Mode, Policy,
    cache::{Config, EventKind, Lookup, LookupId, PolicyAnswer, Request},
};
use time::Duration as Step;

use crate::{
    seniority::{all_live, regulars, settled},
    world::{
        DAY, HOUR, MINUTE, World, dns_failed, domain, fetch_failed, found, no_record, parsed,
        policy,
    },
};

const BOUND: usize = 100_000;

/// Domains whose record is known, and whose Policy Hosts are still silent.
fn pending(world: &mut World, count: usize) -> Vec<LookupId> {
    let names = (0..count).map(|n| domain(&format!("new{n}.example")));
    let ids = names.filter_map(|name| match world.cache.lookup(&name, world.now) {
        Lookup::Waiting(id) => Some(id),
        Lookup::Answer(_) => None,
    });
    let ids = ids.collect();
    while let Some(request) = world.cache.poll_request() {
        if let Request::Txt { id, .. } = request {
            world.cache.handle_txt(id, found("a"), world.now);
        }
    }
    ids
}

#[test]
fn newcomers_that_grow_evict_no_policy_in_regular_use() {
    for mode in [Mode::Enforce, Mode::Testing] {
        let config = Config::new(1).with_persistence(true).with_max_bytes(BOUND);
        let names = regulars(200);
        let mut world = settled(config, &names, mode);
        let ids = pending(&mut world, 1000);
        assert!(ids.len() > 100, "{}", ids.len());
        all_live(&world, &names, mode);
        assert!(world.cache.memory_usage() <= BOUND, "{}", world.cache.memory_usage());
        // Each of them has an answer in the end.
        world.drain();
        world.pass(2 * MINUTE);
        for id in ids {
            let answers = world.events.iter().filter(
                |event| matches!(event.kind, EventKind::Answered { id: of, .. } if of == id),
            );
            assert_eq!(answers.count(), 1);
        }
        all_live(&world, &names, mode);
    }
}

#[test]
fn a_policy_in_regular_use_may_grow_at_the_cost_of_another() {
    let names = regulars(400);
    let mut world = settled(Config::new(1).with_max_bytes(BOUND), &names, Mode::Enforce);
    world.txt = found("b");
    let rest = "x".repeat(3000);
    for name in &names[380..] {
        let text =
            format!("version: STSv1\nmode: enforce\nmx: {name}\nmax_age: 31557600\nnote: {rest}\n");
        world.https = PolicyAnswer::from_body(&domain(name), text.as_bytes());
        world.lookup_of(name);
        world.drain();
        assert!(world.cache.memory_usage() <= BOUND, "{}", world.cache.memory_usage());
    }
    assert!(world.cache.entry(&domain(&names[399])).is_some());
}

#[test]
fn a_request_in_flight_does_not_let_a_wrong_clock_evict_its_policy() {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    world.publish("a", Mode::Enforce, 30 * DAY);
    for _ in 0..2 {
        world.pass(HOUR);
        for n in 0..5 {
            world.lookup_of(&format!("good{n}.example"));
        }
    }
    world.events.clear();
    // Their records are looked up again, in the background.
    world.now += HOUR;
    for n in 0..5 {
        let _ = world.cache.lookup(&domain(&format!("good{n}.example")), world.now);
    }
    let silent: Vec<_> = core::iter::from_fn(|| world.cache.poll_request()).collect();
    assert_eq!(silent.len(), 5);
    world.txt = no_record();
    let set_clock = |world: &mut World, by| {
        world.now += by;
        world.cache.clock_set(by, world.now);
    };
    set_clock(&mut world, Step::days(730));
    for n in 0..20 {
        world.lookup_of(&format!("new{n}.example"));
    }
    set_clock(&mut world, -Step::days(730));
    world.drain();
    for n in 0..5 {
        let name = domain(&format!("good{n}.example"));
        assert!(world.cache.entry(&name).is_some(), "{name}");
        let is_evicted = |kind: &EventKind| matches!(kind, EventKind::Evicted { .. });
        let mut events = world.events.iter().filter(|event| event.domain == name);
        assert!(!events.any(|event| is_evicted(&event.kind)), "{name}");
    }
}

#[test]
fn policies_that_end_while_the_machine_sleeps_are_the_first_to_be_evicted() {
    for is_suspended_again in [false, true] {
        policies_that_end_while_the_machine_sleeps(is_suspended_again);
    }
}

fn policies_that_end_while_the_machine_sleeps(is_suspended_again: bool) {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    world.publish("a", Mode::Enforce, 3 * DAY);
    for _ in 0..2 {
        for n in 0..5 {
            world.lookup_of(&format!("ended{n}.example"));
        }
        world.pass(DAY);
    }
    world.publish("a", Mode::None, 300 * DAY);
    for n in 0..5 {
        world.lookup_of(&format!("live{n}.example"));
    }
    (world.txt, world.https) = (no_record(), fetch_failed());
    world.now += 10 * DAY;
    world.handle_due();
    // For a day, it may be the clock that is wrong.
    if is_suspended_again {
        world.pass(9 * HOUR);
        world.now += 16 * HOUR;
        world.cache.clock_set(Step::hours(16), world.now);
    } else {
        world.pass(2 * DAY);
    }
    world.handle_due();
    world.publish("a", Mode::Enforce, DAY);
    for n in 0..5 {
        world.lookup_of(&format!("new{n}.example"));
    }
    for n in 0..5 {
        let is_held = |name: String| world.cache.entry(&domain(&name)).is_some();
        assert!(is_held(format!("live{n}.example")), "live{n} was evicted");
        assert!(!is_held(format!("ended{n}.example")), "ended{n} stays");
    }
}

#[test]
fn what_is_due_is_done_while_deadlines_are_rearmed() {
    let mut world = World::new();
    world.txt = no_record();
    for n in 0..3000 {
        world.lookup_of(&format!("{n}.example"));
    }
    world.now -= HOUR;
    let Lookup::Waiting(id) = world.cache.lookup(&domain("example.com"), world.now) else {
        panic!("it is known")
    };
    // The answer does not come, and there are still deadlines to rearm.
    world.now += 2 * MINUTE;
    world.cache.handle_timeout(world.now);
    let events = core::iter::from_fn(|| world.cache.poll_event());
    let is_answer =
        |kind: &EventKind| matches!(kind, EventKind::Answered { id: of, .. } if *of == id);
    assert_eq!(events.filter(|event| is_answer(&event.kind)).count(), 1);
    assert!(world.cache.poll_timeout().is_some_and(|due| due <= world.now), "it is all done");
    let mut calls = 0;
    while world.cache.poll_timeout().is_some_and(|due| due <= world.now) {
        world.cache.handle_timeout(world.now);
        calls += 1;
    }
    assert!((10..50).contains(&calls), "{calls}");
}

#[test]
fn the_first_newcomer_after_the_clock_was_set_back_evicts_what_is_least_missed() {
    let mut world = World::with(Config::new(1).with_max_entries(2000));
    world.publish("a", Mode::Enforce, DAY);
    for n in 0..1999 {
        world.lookup_of(&format!("{n}.example"));
    }
    world.txt = no_record();
    world.lookup_of("absent.example");
    let snapshots: Vec<_> = world.cache.snapshots().collect();
    let mut cache = mta_sts::cache::Cache::new(*world.cache.config());
    drop(cache.restore(snapshots, world.now + 300 * DAY));
    assert_eq!(cache.len(), 2000);
    let waits = matches!(cache.lookup(&domain("new.example"), world.now), Lookup::Waiting(_));
    assert!(waits, "there is room in the place of the one without a policy");
    assert!(cache.entry(&domain("absent.example")).is_none());
    assert_eq!(cache.len(), 2000);
}

#[test]
fn a_domain_takes_little_memory_again_after_a_failed_fetch() {
    for answers in [true, false] {
        let mut world = World::new();
        world.txt = found("a");
        if answers {
            world.lookup_of("a.example");
        } else {
            // The Policy Host is silent.
            let _ = pending(&mut world, 1);
            world.now += 2 * MINUTE;
            world.handle_due();
        }
        let failing = world.cache.memory_usage();
        assert!(failing > 300, "{failing}");
        world.txt = no_record();
        for _ in 0..3 {
            world.pass(HOUR);
            world.lookup_of(if answers { "a.example" } else { "new0.example" });
        }
        assert!(world.cache.memory_usage() < 100, "{}", world.cache.memory_usage());
        // It is discovered as any other domain.
        world.publish("a", Mode::Enforce, DAY);
        world.pass(2 * HOUR);
        let answer = world.lookup_of(if answers { "a.example" } else { "new0.example" });
        assert!(answer.policy().is_some(), "{answer:?}");
    }
}

/// A policy that comes after a record was withdrawn is not that of the domain any more.
#[test]
fn a_late_policy_of_a_domain_without_a_record_is_dropped() {
    let mut world = World::new();
    let name = domain("example.com");
    let _ = world.cache.lookup(&name, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("a"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.pass(2 * MINUTE);
    world.txt = no_record();
    world.now += HOUR;
    world.lookup();
    let late = world.cache.counters().late;
    world.cache.handle_policy(id, policy(Mode::Enforce, DAY), world.now);
    assert_eq!(world.cache.counters().late, late + 1);
    assert!(world.cache.entry(&name).unwrap().policy().is_none());
    assert_eq!(world.mode(), None);
}

/// The operator's policies may exceed the bound; what makes room for them is not sought for ever.
#[test]
fn what_grows_last_is_evicted_once() {
    let big = format!("version: STSv1\nmode: none\nmax_age: 86400\nnote: {}\n", "x".repeat(5000));
    let big = Policy::parse(big.as_bytes()).unwrap();
    let name = domain("b.example");
    let overfull = || {
        let mut world = World::with(Config::new(1).with_max_bytes(2000));
        world.cache.pin_policy(&name, parsed(Mode::None, DAY), world.now).unwrap();
        world.cache.pin_policy(&domain("a.example"), big.clone(), world.now).unwrap();
        assert!(world.cache.memory_usage() > 2000);
        world
    };
    let mut world = overfull();
    assert!(world.cache.clear_override(&name, world.now));
    assert_eq!((world.cache.len(), world.cache.counters().evicted), (1, 1));

    let mut world = World::with(Config::new(1).with_max_bytes(2000));
    let Lookup::Waiting(_) = world.cache.lookup(&name, world.now) else { panic!("it is known") };
    world.cache.pin_policy(&domain("a.example"), big.clone(), world.now).unwrap();
    world.drain();
    let answers = world.events.iter().filter(|event| event.domain == name);
    assert_eq!(answers.count(), 1);
}

#[test]
fn a_policy_in_regular_use_that_grows_makes_newcomers_go_first() {
    let config = Config::new(1).with_persistence(true).with_max_bytes(BOUND);
    let names = regulars(200);
    let mut world = settled(config, &names, Mode::Enforce);
    let ids = pending(&mut world, 1000);
    // A failure of DNS for a domain whose policy applies takes room, too.
    world.txt = dns_failed();
    world.took();
    world.now += HOUR;
    for name in &names[..50] {
        let answer = world.cache.lookup(&domain(name), world.now);
        assert!(matches!(answer, Lookup::Answer(_)), "{name}");
    }
    while let Some(request) = world.cache.poll_request() {
        match request {
            Request::Txt { id, .. } => world.cache.handle_txt(id, dns_failed(), world.now),
            other => world.answer(other),
        }
    }
    all_live(&world, &names, Mode::Enforce);
    assert!(world.cache.memory_usage() <= BOUND);
    world.handle_due();
    world.pass(2 * MINUTE);
    let answers = world.events.iter().filter(|event| match event.kind {
        EventKind::Answered { id, .. } => ids.contains(&id),
        _ => false,
    });
    assert_eq!(answers.count(), ids.len());
}

/// DNS fails for all domains, and there is no more room for what is known of that.
#[test]
fn policies_that_make_room_for_others_stay_in_the_store() {
    let config = Config::new(1).with_persistence(true).with_max_bytes(BOUND);
    let names = regulars(440);
    let mut world = settled(config, &names, Mode::Enforce);
    assert_eq!(world.store.len(), 440);
    world.txt = dns_failed();
    for name in &names {
        world.lookup_of(name);
    }
    assert!(world.cache.memory_usage() <= BOUND);
    assert!(world.cache.len() < 400, "{}", world.cache.len());
    assert_eq!(world.store.len(), 440);
}

/// Two threads have read the clock after it was set ahead, and come in the other order.
#[test]
fn a_moment_back_does_not_prove_a_clock_that_was_set_ahead() {
    for by in [Step::milliseconds(-1), Step::seconds(-30), Step::hours(-2), Step::days(2)] {
        let mut world = World::with(Config::new(1).with_max_entries(10));
        world.publish("a", Mode::Enforce, 30 * DAY);
        for n in 0..5 {
            world.lookup_of(&format!("good{n}.example"));
        }
        let start = world.now;
        world.txt = no_record();
        world.now += 730 * DAY;
        world.lookup_of("new.example");
        world.now += by;
        for n in 0..20 {
            world.lookup_of(&format!("new{n}.example"));
        }
        world.handle_due();
        world.now = start;
        for n in 0..5 {
            let name = domain(&format!("good{n}.example"));
            assert!(world.cache.entry(&name).is_some(), "{by}: {name}");
        }
    }
}

/// The clock is wrong, so that lookups wait for new policies, whose fetches fail.
#[test]
fn a_policy_that_seems_to_have_expired_stays_in_the_store_while_lookups_wait_for_it() {
    let config = Config::new(1).with_persistence(true).with_max_bytes(BOUND);
    let names = regulars(440);
    let mut world = settled(config, &names, Mode::Enforce);
    let stored = world.store.len();
    world.now += 730 * DAY;
    world.cache.clock_set(Step::days(730), world.now);
    for name in &names {
        let _ = world.cache.lookup(&domain(name), world.now);
    }
    world.txt = dns_failed();
    world.drain();
    assert!(world.cache.memory_usage() <= BOUND, "{}", world.cache.memory_usage());
    assert!(world.cache.len() < 440);
    assert_eq!(world.store.len(), stored);
}
