//! The operator's levers.

use std::time::Duration;

use mta_sts::{
    Mode, NoPolicy,
    cache::{Answer, Cache, Config, EventKind, RecheckOutcome, Source, StaticOutcome},
};

use crate::world::{DAY, HOUR, TTL, World, domain, fetch_failed, no_record, parsed};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn source(answer: &Answer) -> Option<Source> {
    match answer {
        Answer::Policy(applied) => Some(applied.source()),
        Answer::NoPolicy(_) => None,
    }
}

#[test]
fn a_pinned_policy_applies_whatever_is_published() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    let name = domain("example.com");
    world.cache.pin_policy(&name, parsed(Mode::Enforce, HOUR), world.now).unwrap();
    for _ in 0..30 {
        let answer = world.lookup();
        assert_eq!(source(&answer), Some(Source::Pinned));
        assert_eq!(answer.policy().unwrap().mode(), Mode::Enforce);
        world.pass(DAY);
    }
    assert_eq!(world.outcome(), RecheckOutcome::Unchanged);
    assert_eq!(world.took(), [""; 0], "nobody is asked");
    let Answer::Policy(applied) = world.lookup() else { panic!() };
    assert_eq!((applied.ends_at(), applied.checked_at()), (None, None));

    assert!(world.cache.clear_override(&name, world.now));
    assert!(!world.cache.clear_override(&name, world.now));
    assert_eq!(world.mode(), Some(Mode::Testing), "looked for anew: the old one has ended");
}

#[test]
fn a_pinned_policy_of_mode_none_is_none() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.cache.pin_policy(&domain("example.com"), parsed(Mode::None, HOUR), world.now).unwrap();
    assert_eq!(world.why(), NoPolicy::ModeNone);
}

#[test]
fn what_is_known_beneath_an_override_stays() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let name = domain("example.com");
    world.cache.disable(&name, world.now).unwrap();
    assert_eq!(world.why(), NoPolicy::Disabled);
    world.cache.pin_policy(&name, parsed(Mode::Testing, HOUR), world.now).unwrap();
    assert_eq!(world.mode(), Some(Mode::Testing));
    world.https = fetch_failed();
    world.cache.clear_override(&name, world.now);
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn an_override_leaves_nobody_waiting() {
    let mut world = World::new();
    let name = domain("example.com");
    let _ = world.cache.lookup(&name, world.now);
    let waiter = world.cache.recheck(&name, world.now);
    while world.cache.poll_request().is_some() {}
    world.cache.disable(&name, world.now).unwrap();
    world.drain();
    assert_eq!(world.rechecked(waiter).unwrap().outcome, RecheckOutcome::Unchanged);
    assert!(world.events.iter().any(|event| matches!(
        &event.kind,
        EventKind::Answered { answer: Answer::NoPolicy(NoPolicy::Disabled), .. }
    )));
    // What was asked comes to an end.
    world.pass(HOUR);
    assert!(!world.cache.entry(&name).unwrap().is_discovering());
    assert_eq!(world.cache.poll_timeout(), None);
}

/// The requests in flight belong to the domain, not to the override.
#[test]
fn a_discovery_in_flight_goes_on_beneath_a_pin() {
    let mut world = World::new();
    let name = domain("example.com");
    world.publish("a", Mode::Testing, WEEK);
    let _ = world.cache.lookup(&name, world.now);
    let query = world.cache.poll_request().unwrap();
    world.cache.pin_policy(&name, parsed(Mode::Enforce, HOUR), world.now).unwrap();
    world.answer(query);
    world.drain();
    assert_eq!(world.took(), ["txt", "fetch"], "the fetch belongs to it");
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert!(world.cache.clear_override(&name, world.now));
    assert_eq!(world.mode(), Some(Mode::Testing), "it is cached");
    assert_eq!(world.took(), [""; 0]);
}

#[test]
fn a_domain_can_be_ignored_before_it_is_known() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    world.cache.disable(&domain("example.com"), world.now).unwrap();
    assert_eq!(world.why(), NoPolicy::Disabled);
    assert_eq!(world.took(), [""; 0]);
    assert_eq!(world.cache.poll_timeout(), None);
}

#[test]
fn a_28_a_static_policy_applies_until_the_domains_own_is_found() {
    let mut world = World::new();
    let name = domain("example.com");
    let loaded = world.cache.set_static_policy(&name, parsed(Mode::Enforce, HOUR), world.now);
    assert_eq!(loaded, Ok(StaticOutcome::Loaded));
    for _ in 0..10 {
        assert_eq!(source(&world.lookup()), Some(Source::Static));
        world.pass(DAY);
    }
    assert!(world.took().iter().all(|&name| name == "txt"), "no record, no fetch");
    world.publish("a", Mode::Testing, WEEK);
    world.lookup();
    let answer = world.lookup();
    assert_eq!(source(&answer), Some(Source::Fetched));
    assert_eq!(answer.policy().unwrap().mode(), Mode::Testing);
    let again = world.cache.set_static_policy(&name, parsed(Mode::Enforce, HOUR), world.now);
    assert_eq!(again, Ok(StaticOutcome::HasOwnPolicy));
    assert_eq!(world.mode(), Some(Mode::Testing));
}

/// The clock is ahead when the list is loaded.
#[test]
fn a_static_policy_instead_of_one_that_seems_to_have_expired_leaves_its_row() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Enforce, 20 * DAY);
    world.lookup();
    let start = world.now;
    world.now += 60 * DAY;
    world.start_again();
    world.txt = no_record();
    let name = domain("example.com");
    let loaded = world.cache.set_static_policy(&name, parsed(Mode::Testing, HOUR), world.now);
    assert_eq!(loaded, Ok(StaticOutcome::Loaded));
    assert_eq!(source(&world.lookup()), Some(Source::Static));
    let late = world.now;
    world.now = start + DAY;
    world.start_again();
    assert_eq!(world.mode(), Some(Mode::Enforce));
    // The operator can remove it.
    world.now = late;
    world.start_again();
    world.cache.set_static_policy(&name, parsed(Mode::Testing, HOUR), late).unwrap();
    world.cache.remove(&name, late);
    world.drain();
    assert!(world.store.is_empty());
}

/// The other way round: the row comes after the list.
#[test]
fn a_row_that_seems_to_have_expired_stays_beneath_a_static_policy() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Enforce, 20 * DAY);
    world.lookup();
    let start = world.now;
    world.now += 60 * DAY;
    world.cache = Cache::new(*world.cache.config());
    let name = domain("example.com");
    world.cache.set_static_policy(&name, parsed(Mode::Testing, HOUR), world.now).unwrap();
    let restored = world.cache.restore(world.store.values().cloned(), world.now);
    assert_eq!(restored.outdated, 1);
    world.txt = no_record();
    assert_eq!(source(&world.lookup()), Some(Source::Static));
    world.now = start + DAY;
    world.start_again();
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn a_static_policy_is_not_in_snapshots_and_one_fetched_is() {
    let mut world = World::new();
    let name = domain("example.com");
    world.cache.set_static_policy(&name, parsed(Mode::Enforce, HOUR), world.now).unwrap();
    world.restart();
    assert_eq!(world.mode(), None, "the list is to be loaded again");
    world.cache.set_static_policy(&name, parsed(Mode::Enforce, HOUR), world.now).unwrap();
    world.publish("a", Mode::Testing, WEEK);
    world.pass(HOUR);
    world.lookup();
    world.restart();
    assert_eq!(world.mode(), Some(Mode::Testing));
}

#[test]
fn forgetting_starts_anew() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let name = domain("example.com");
    assert!(world.cache.remove(&name, world.now));
    assert!(!world.cache.remove(&name, world.now));
    assert!(world.cache.is_empty());
    assert_eq!((world.cache.memory_usage(), world.cache.policy_count()), (0, 0));
    world.txt = no_record();
    assert_eq!(world.why(), NoPolicy::NoRecord);
}

#[test]
fn forgetting_in_the_midst_of_discovery_leaves_nobody_without_an_answer() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    let name = domain("example.com");
    let _ = world.cache.lookup(&name, world.now);
    assert!(world.cache.remove(&name, world.now));
    world.drain();
    assert_eq!(world.events.iter().filter(|event| {
        matches!(&event.kind, EventKind::Answered { answer, .. } if answer.policy().is_some())
    }).count(), 1);
}

#[test]
fn views_tell_what_is_known() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let start = world.now;
    world.pass(TTL);
    world.lookup_of("other.example");
    world.cache.disable(&domain("ignored.example"), world.now).unwrap();
    world.txt = no_record();
    world.lookup_of("none.example");

    let mut names: Vec<_> = world.cache.entries().map(|view| view.domain().to_string()).collect();
    names.sort();
    assert_eq!(names, ["example.com", "ignored.example", "none.example", "other.example"]);
    let view = world.cache.entry(&domain("example.com")).unwrap();
    assert_eq!(view.policy().unwrap().mode(), Mode::Enforce);
    assert_eq!(view.id().unwrap().as_str(), "a");
    assert_eq!(view.fetched_at(), Some(start));
    assert_eq!(view.ends_at(), Some(start + WEEK));
    assert_eq!(view.last_used(), Some(start));
    assert_eq!(view.failure(), None);
    assert!(!view.is_discovering() && !view.is_overridden());
    assert!(world.cache.entry(&domain("ignored.example")).unwrap().is_overridden());
    assert!(world.cache.entry(&domain("unknown.example")).is_none());
    // Filters are those of iterators.
    let enforced = world.cache.entries().filter(|view| {
        view.answer(world.now).policy().is_some_and(|policy| policy.mode() == Mode::Enforce)
    });
    assert_eq!(enforced.count(), 2);
}

#[test]
fn counters_count() {
    let mut world = World::with(Config::new(1).with_max_entries(1));
    world.publish("a", Mode::Testing, WEEK);
    world.lookup();
    world.lookup();
    let counters = world.cache.counters();
    assert_eq!((counters.cached, counters.waited), (1, 1));
    assert_eq!((counters.txt_queries, counters.fetches, counters.late), (1, 1, 0));
    world.lookup_of("other.example");
    let counters = world.cache.counters();
    assert_eq!((counters.evicted, counters.evicted_live, counters.overloaded), (1, 1, 0));
    let (first, second) = (domain("a.example"), domain("b.example"));
    let _ = world.cache.lookup(&first, world.now);
    let _ = world.cache.lookup(&second, world.now);
    assert_eq!(world.cache.counters().overloaded, 1, "the one that is waited for stays");
}

#[test]
fn equal_policies_are_kept_once() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let bytes = world.cache.memory_usage();
    for n in 0..10 {
        world.lookup_of(&format!("{n}.example"));
    }
    assert_eq!(world.cache.policy_count(), 1);
    assert!(world.cache.memory_usage() - bytes < 10 * 400);
    let [one, other] = ["1.example", "2.example"].map(|name| {
        std::sync::Arc::as_ptr(world.cache.entry(&domain(name)).unwrap().policy().unwrap())
    });
    assert_eq!(one, other);
    world.publish("b", Mode::Testing, WEEK);
    world.pass(TTL);
    for n in 0..10 {
        world.lookup_of(&format!("{n}.example"));
    }
    assert_eq!(world.cache.policy_count(), 2);
    world.pass(DAY);
    assert_eq!(world.cache.policy_count(), 1);
    world.restart();
    assert_eq!(world.cache.policy_count(), 1);
}

/// A call of `get` does not say what the operator has set: a lookup does.
#[test]
fn what_get_leaves_to_lookups() {
    let mut world = World::new();
    let name = domain("example.com");
    world.cache.pin_policy(&name, parsed(Mode::Enforce, DAY), world.now).unwrap();
    assert!(world.cache.get(&name, world.now).is_none());
    assert_eq!(world.mode(), Some(Mode::Enforce));
}
