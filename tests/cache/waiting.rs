//! Requests, waiters, and answers that come late or not at all.

use std::time::Duration;

use mta_sts::{
    Mode, NoPolicy, PolicyId,
    cache::{
        AlertKind, Answer, Cache, Config, Event, EventKind, FetchRequestId, Lookup, LookupId,
        PolicyAnswer, Request,
    },
};
use time::UtcDateTime;

use crate::world::{DAY, World, domain, fetch_failed, found, no_record, parsed, policy};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn wait(cache: &mut Cache, now: UtcDateTime) -> LookupId {
    match cache.lookup(&domain("example.com"), now) {
        Lookup::Waiting(waiter) => waiter,
        Lookup::Answer(answer) => panic!("{answer:?}"),
    }
}

fn answers(cache: &mut Cache) -> Vec<LookupId> {
    let events = core::iter::from_fn(|| cache.poll_event());
    let waiters = events.filter_map(|Event { kind, .. }| match kind {
        EventKind::Answered { id: waiter, .. } => Some(waiter),
        _ => None,
    });
    waiters.collect()
}

#[test]
fn every_lookup_is_answered_though_nobody_answers_it() {
    let mut world = World::new();
    let waiter = wait(&mut world.cache, world.now);
    let start = world.now;
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.now += Duration::from_secs(9);
    world.cache.handle_txt(id, found("a"), world.now);
    assert!(matches!(world.cache.poll_request(), Some(Request::Fetch { .. })));
    let due = world.cache.poll_timeout().unwrap();
    assert_eq!(due - start, Duration::from_secs(69));
    world.cache.handle_timeout(due);
    assert_eq!(answers(&mut world.cache), [waiter]);
}

#[test]
fn a_late_answer_changes_nothing() {
    let mut world = World::new();
    let _ = wait(&mut world.cache, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.pass(Duration::from_secs(10));
    world.cache.handle_txt(id, found("a"), world.now);
    assert!(world.cache.poll_request().is_none());
    assert_eq!(world.why(), NoPolicy::DnsFailed("no answer in time".into()));
    assert_eq!(world.cache.counters().late, 1);
}

/// A world whose lookup of example.com has waited in vain, and the fetch made for the id "a".
fn overdue() -> (World, FetchRequestId) {
    let mut world = World::new();
    (world.txt, world.https) = (found("a"), fetch_failed());
    let _ = wait(&mut world.cache, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("a"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.pass(Duration::from_secs(61));
    assert!(matches!(world.why(), NoPolicy::FetchFailed(_)));
    (world, id)
}

#[test]
fn a_policy_that_comes_late_is_kept() {
    for after in [0, 9, 299, 3600] {
        let (mut world, id) = overdue();
        world.pass(Duration::from_secs(after));
        world.events.clear();
        world.took();
        world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
        let view = world.cache.entry(&domain("example.com")).unwrap();
        assert_eq!(view.id(), Some(PolicyId::parse("a").unwrap()));
        assert_eq!(view.fetched_at(), Some(world.now));
        assert_eq!(view.failure(), None);
        assert_eq!(world.mode(), Some(Mode::Enforce), "after {after}");
        let is_told = |event: &Event| matches!(event.kind, EventKind::Updated { .. });
        assert_eq!(world.events.iter().filter(|event| is_told(event)).count(), 1);
        assert_eq!(world.cache.counters().late, 0);
        // Nothing holds back the next one.
        world.txt = found("b");
        world.https = policy(Mode::Testing, WEEK);
        assert_eq!(world.recheck().answer.policy().unwrap().mode(), Mode::Testing);
    }
}

#[test]
fn a_policy_that_comes_late_takes_the_place_of_the_one_before() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    world.pass(DAY);
    let Lookup::Answer(_) = world.cache.lookup(&domain("example.com"), world.now) else { panic!() };
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("b"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    (world.txt, world.https) = (found("b"), fetch_failed());
    world.pass(Duration::from_secs(100));
    assert_eq!(world.alerts(), [AlertKind::RefreshFailed]);
    world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
    world.drain();
    assert!(
        world.events.iter().any(|event| event.kind == EventKind::Recovered),
        "{:?}",
        world.events
    );
    assert_eq!(world.mode(), Some(Mode::Enforce));
    let id = world.cache.entry(&domain("example.com")).unwrap().id();
    assert_eq!(id, Some(PolicyId::parse("b").unwrap()));
}

#[test]
fn who_waits_for_another_request_is_told_of_a_policy_that_comes_late() {
    let (mut world, id) = overdue();
    world.pass(Duration::from_secs(900));
    let waiter = wait(&mut world.cache, world.now);
    assert!(matches!(world.cache.poll_request(), Some(Request::Txt { .. })));
    world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
    assert_eq!(answers(&mut world.cache), [waiter]);
    // The query that is out is not disturbed.
    assert!(world.cache.entry(&domain("example.com")).unwrap().is_discovering());
    world.pass(Duration::from_secs(60));
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn a_late_policy_is_of_the_id_that_it_was_fetched_for() {
    let (mut world, id) = overdue();
    // The record says "b" by now; that fetch has failed, and is made again.
    world.txt = found("b");
    world.pass(Duration::from_secs(900));
    assert!(matches!(world.why(), NoPolicy::FetchFailed(_)));
    world.cache.handle_policy(id, policy(Mode::Testing, WEEK), world.now);
    let held = |world: &World| world.cache.entry(&domain("example.com")).unwrap().id();
    assert_eq!(held(&world), Some(PolicyId::parse("a").unwrap()));
    world.https = policy(Mode::Enforce, WEEK);
    world.took();
    world.pass(Duration::from_secs(400));
    assert_eq!(world.took(), ["txt", "fetch"], "as soon as it may be");
    assert_eq!(held(&world), Some(PolicyId::parse("b").unwrap()));
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn a_late_policy_undoes_nothing_that_came_after_it() {
    let late = |world: &mut World, id| {
        world.cache.handle_policy(id, policy(Mode::Testing, WEEK), world.now);
        world.drain();
    };
    let name = domain("example.com");
    // Another fetch has succeeded.
    let (mut world, id) = overdue();
    world.publish("b", Mode::Enforce, WEEK);
    world.pass(Duration::from_secs(900));
    assert_eq!(world.mode(), Some(Mode::Enforce));
    late(&mut world, id);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    // The domain was forgotten, and is not known or known anew.
    for is_met_again in [false, true] {
        let (mut world, id) = overdue();
        world.txt = no_record();
        world.cache.remove(&name, world.now);
        if is_met_again {
            world.why();
        }
        late(&mut world, id);
        assert_eq!(world.why(), NoPolicy::NoRecord);
    }
    // The operator has spoken.
    let (mut world, id) = overdue();
    world.cache.pin_policy(&name, parsed(Mode::Enforce, WEEK), world.now).unwrap();
    late(&mut world, id);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    // A late failure, and what was never sent, are no news either.
    for answer in [fetch_failed(), PolicyAnswer::NotSent] {
        let (mut world, id) = overdue();
        let why = world.why();
        world.cache.handle_policy(id, answer, world.now);
        assert_eq!(world.why(), why);
    }
    // One that is of no age serves only those who waited.
    let (mut world, id) = overdue();
    world.cache.handle_policy(id, policy(Mode::Enforce, Duration::ZERO), world.now);
    assert!(world.lookup().policy().is_none());
}

#[test]
fn an_answer_to_an_earlier_request_is_not_taken_for_that_to_a_later_one() {
    let mut world = World::new();
    let _ = wait(&mut world.cache, world.now);
    let Some(Request::Txt { id: early, .. }) = world.cache.poll_request() else { panic!() };
    world.pass(Duration::from_secs(60));
    let waiter = wait(&mut world.cache, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(early, found("spoofed"), world.now);
    assert!(world.cache.poll_request().is_none());
    world.cache.handle_txt(id, found("a"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
    assert_eq!(answers(&mut world.cache), [waiter]);
}

#[test]
fn an_answer_about_a_domain_that_had_to_go_reaches_no_other() {
    let mut world = World::with(Config::new(1).with_max_entries(1));
    let waiter = wait(&mut world.cache, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.cancel(waiter);
    let _ = world.cache.lookup(&domain("other.example"), world.now);
    assert!(world.cache.entry(&domain("example.com")).is_none());
    world.cache.handle_txt(id, found("a"), world.now);
    let requests: Vec<_> = core::iter::from_fn(|| world.cache.poll_request()).collect();
    assert!(
        matches!(&requests[..], [Request::Txt { domain, .. }] if domain.as_str() == "other.example")
    );
}

#[test]
fn a_lookup_waits_for_the_fetch_of_the_id_that_is_published_now() {
    let mut world = World::new();
    world.txt = found("a");
    world.lookup();
    // Fetching "a" has failed, and has to wait; DNS says "b" now.
    let name = domain("example.com");
    let _ = world.cache.recheck(&name, world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("b"), world.now);
    let waiter = wait(&mut world.cache, world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
    assert_eq!(answers(&mut world.cache), [waiter]);
}

#[test]
fn cancelling_removes_the_waiter_and_nothing_else() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    let first = wait(&mut world.cache, world.now);
    let second = wait(&mut world.cache, world.now);
    world.cache.cancel(first);
    world.drain();
    let answered: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::Answered { id: waiter, .. } => Some(waiter),
            _ => None,
        })
        .collect();
    assert_eq!(answered, [second]);
    // With nobody left, discovery still goes on.
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    let only = wait(&mut world.cache, world.now);
    world.cache.cancel(only);
    world.drain();
    assert_eq!(world.took(), ["txt", "fetch"]);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.cache.cancel(only);
}

#[test]
fn a_request_that_timed_out_in_the_queue_is_not_given_out() {
    let mut world = World::new();
    let _ = wait(&mut world.cache, world.now);
    world.cache.handle_timeout(world.now + Duration::from_secs(10));
    assert!(world.cache.poll_request().is_none());
}

#[test]
fn calling_for_nothing_does_nothing() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let timeout = world.cache.poll_timeout();
    for _ in 0..10 {
        world.cache.handle_timeout(world.now);
        assert!(world.cache.poll_request().is_none() && world.cache.poll_event().is_none());
        assert_eq!(world.cache.poll_timeout(), timeout);
    }
}

#[test]
fn get_tells_what_a_lookup_would_only_read() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let name = domain("example.com");
    let got = |world: &World| world.cache.get(&name, world.now).map(Answer::cloned);
    assert_eq!(got(&world), Some(world.cache.entry(&name).unwrap().answer(world.now).cloned()));
    world.pass(Duration::from_secs(299));
    assert!(got(&world).is_some());
    world.pass(Duration::from_secs(1));
    assert_eq!(got(&world), None, "the record is to be looked up");
    world.lookup();
    assert!(got(&world).is_some());
    // Absence, too.
    world.txt = no_record();
    world.lookup_of("none.example");
    let absent = world.cache.get(&domain("none.example"), world.now).unwrap();
    assert_eq!(absent.cloned().into_policy().unwrap_err(), NoPolicy::NoRecord);
    assert_eq!(world.cache.get(&domain("unknown.example"), world.now), None);
    // Once an hour there is a use to be noted.
    world.txt = mta_sts::cache::TxtAnswer::Found {
        id: "a".parse().unwrap(),
        ttl: Duration::from_secs(86_400),
    };
    world.pass(Duration::from_secs(300));
    world.lookup();
    world.pass(Duration::from_secs(3600));
    assert_eq!(got(&world), None);
    world.lookup();
    assert!(got(&world).is_some());
}

#[test]
fn a_cache_can_be_read_by_many_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Cache>();
    shared::<mta_sts::cache::Entry>();
    shared::<Event>();
}

#[test]
fn a_recheck_that_is_cancelled_is_not_answered() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let name = domain("example.com");
    let [first, second] = [0, 1].map(|_| world.cache.recheck(&name, world.now));
    world.cache.cancel(first);
    world.drain();
    assert!(world.rechecked(second).is_some());
    assert_eq!(world.rechecked(first), None);
}
