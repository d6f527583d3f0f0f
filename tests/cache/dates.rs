//! Herds, dates in the future, short lives, the end of time.

use std::{collections::BTreeMap, time::Duration};

use mta_sts::{
    Mode, NoPolicy,
    cache::{Answer, Cache, Config},
};
use time::{UtcDateTime, macros::utc_datetime};

use crate::world::{DAY, HOUR, MINUTE, World, domain, fetch_failed, found};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn refreshes_of_one_moment_are_spread_whatever_the_life() {
    for max_age in [2 * HOUR, 2 * HOUR + MINUTE, 3 * HOUR, 12 * HOUR, 36 * HOUR, 30 * DAY] {
        let mut world = World::new();
        world.publish("a", Mode::Enforce, max_age);
        let start = world.now;
        for n in 0..500 {
            world.lookup_of(&format!("d{n}.example"));
        }
        world.took();
        let mut seconds: BTreeMap<i64, usize> = BTreeMap::new();
        let mut fetched = 0;
        while fetched < 500 {
            world.now = world.cache.poll_timeout().unwrap();
            assert!(world.now < start + max_age, "{max_age:?}: one is late");
            assert!(world.now >= start + HOUR, "{max_age:?}: one is early");
            world.cache.handle_timeout(world.now);
            world.drain();
            let count = world.took().into_iter().filter(|request| *request == "fetch").count();
            fetched += count;
            *seconds.entry(world.now.unix_timestamp()).or_default() += count;
        }
        let most = seconds.values().max().unwrap();
        assert!(*most <= 8, "{max_age:?}: {most} in one second");
    }
}

/// Restores what was fetched at `then`, at `now`, with nobody to ask.
fn restored(then: UtcDateTime, now: UtcDateTime) -> World {
    let mut world = World::new();
    world.now = then;
    world.publish("a", Mode::Enforce, DAY);
    world.lookup();
    world.txt = mta_sts::cache::TxtAnswer::Failed("nobody answers".into());
    world.https = fetch_failed();
    world.now = now;
    world.restart();
    world.events.clear();
    world
}

#[test]
fn i24_a_policy_dated_in_the_future_lives_no_longer_than_one_fetched_now() {
    let now = utc_datetime!(2026-01-01 0:00);
    let mut world = restored(utc_datetime!(2036-01-01 0:00), now);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(23 * HOUR);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(2 * HOUR);
    assert_eq!(world.mode(), None);
    // What has ended so stays ended.
    world.now = utc_datetime!(2036-01-01 1:00);
    world.cache.handle_timeout(world.now);
    world.drain();
    assert_eq!(world.mode(), None);
    // Not even by another restart.
    let mut world = restored(utc_datetime!(2036-01-01 0:00), now);
    for _ in 0..5 {
        world.pass(6 * HOUR);
        world.restart();
    }
    assert_eq!(world.mode(), None);
}

#[test]
fn i24_a_machine_that_boots_in_1970_loses_no_policy() {
    let then = utc_datetime!(2026-01-01 0:00);
    let mut world = restored(then, utc_datetime!(1970-01-01 0:00));
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(MINUTE);
    world.now = then + 12 * HOUR;
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.now = then + DAY - MINUTE;
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.now = then + DAY + MINUTE;
    assert_eq!(world.mode(), None);
}

#[test]
fn short_lives_leave_no_lookup_without_a_policy() {
    for max_age in [1, 10, 30, 59, 60, 61, 119] {
        let mut world = World::new();
        world.publish("a", Mode::Enforce, Duration::from_secs(max_age));
        for second in 0..3600 {
            assert_eq!(world.mode(), Some(Mode::Enforce), "max_age {max_age}, second {second}");
            world.now += SECOND;
        }
        let fetches = world.took().into_iter().filter(|request| *request == "fetch").count();
        assert!(fetches <= 3600 / usize::try_from(max_age.min(60)).unwrap() + 2, "{fetches}");
    }
}

#[test]
fn what_our_own_limit_holds_back_is_no_failure_of_the_domain() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, Duration::ZERO);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    let answer = world.lookup();
    let Answer::NoPolicy(why) = answer else { panic!("{answer:?}") };
    let cause = match &why {
        NoPolicy::Expired { cause, .. } => &**cause,
        other => other,
    };
    assert_eq!(*cause, NoPolicy::HeldBack);
    assert!(why.is_temporary());
    assert_eq!(why.fetch_failure(), None);
    world.now += SECOND;
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn i9_the_end_of_time_is_no_deadline() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, 30 * DAY);
    world.lookup();
    world.cache.handle_timeout(UtcDateTime::MAX);
    while world.cache.poll_request().is_some() {}
    assert_eq!(world.cache.poll_timeout(), None);
}

#[test]
fn a_request_that_stood_in_a_queue_has_its_whole_time() {
    use mta_sts::cache::{Lookup, Request, TxtAnswer};

    let (mut cache, mut now) = (Cache::new(Config::new(1)), utc_datetime!(2026-01-01 0:00));
    let name = domain("example.com");
    let Lookup::Waiting(_) = cache.lookup(&name, now) else { panic!() };
    let Some(Request::Txt { id, .. }) = cache.poll_request() else { panic!() };
    now += 9 * SECOND;
    assert!(cache.txt_started(&id, now));
    now += 9 * SECOND;
    cache.handle_timeout(now);
    cache.handle_txt(id, TxtAnswer::from_records(["v=STSv1; id=1"], 60 * SECOND), now);
    let Some(Request::Fetch { id, .. }) = cache.poll_request() else { panic!("it was given up") };
    now += 30 * SECOND;
    assert!(cache.fetch_started(&id, now));
    // All of it within both time-outs.
    assert_eq!(cache.poll_timeout(), Some(utc_datetime!(2026-01-01 0:01:10)));
    now = utc_datetime!(2026-01-01 0:01:10);
    cache.handle_timeout(now);
    assert!(!cache.fetch_started(&id, now), "it is given up, and must not be begun");
}

/// Also if it is never started.
#[test]
fn a_fetch_after_a_query_that_stood_in_a_queue_ends_with_its_discovery() {
    use mta_sts::cache::{Lookup, Request};

    let (mut cache, start) = (Cache::new(Config::new(1)), utc_datetime!(2026-01-01 0:00));
    let name = domain("example.com");
    let Lookup::Waiting(_) = cache.lookup(&name, start) else { panic!() };
    let Some(Request::Txt { id, .. }) = cache.poll_request() else { panic!() };
    assert!(cache.txt_started(&id, start + 55 * SECOND));
    cache.handle_txt(id, found("a"), start + 64 * SECOND);
    let Some(Request::Fetch { .. }) = cache.poll_request() else { panic!() };
    assert_eq!(cache.poll_timeout(), Some(start + 70 * SECOND));
}

/// The machine was suspended, and there is no bound left to keep: the fetch has its whole time, the
/// discovery that of a new one, and its policy is saved before the answer.
#[test]
fn a_discovery_that_is_late_gets_another_bound() {
    use mta_sts::cache::{EventKind, Lookup, Request};

    let config = Config::new(1).with_persistence(true);
    let (mut cache, start) = (Cache::new(config), utc_datetime!(2026-01-01 0:00));
    let Lookup::Waiting(_) = cache.lookup(&domain("example.com"), start) else { panic!() };
    let Some(Request::Txt { id, .. }) = cache.poll_request() else { panic!() };
    cache.handle_txt(id, found("a"), start + 100 * SECOND);
    let Some(Request::Fetch { id, .. }) = cache.poll_request() else { panic!() };
    assert_eq!(cache.poll_timeout(), Some(start + 160 * SECOND));
    assert!(cache.fetch_started(&id, start + 101 * SECOND));
    assert_eq!(cache.poll_timeout(), Some(start + 161 * SECOND));
    assert!(cache.fetch_started(&id, start + 140 * SECOND));
    assert_eq!(cache.poll_timeout(), Some(start + 170 * SECOND));
    assert!(cache.fetch_started(&id, start + 180 * SECOND));
    assert_eq!(cache.poll_timeout(), Some(start + 240 * SECOND));
    let late = start + 300 * SECOND;
    let policy = crate::world::policy(Mode::Enforce, 30 * DAY);
    cache.handle_policy(id, policy, late);
    cache.handle_timeout(late);
    assert!(matches!(cache.poll_request(), Some(Request::Persist { .. })));
    let mut events = std::iter::from_fn(|| cache.poll_event());
    let is_early =
        |kind| matches!(kind, EventKind::Answered { .. } | EventKind::NotPersisted { .. });
    assert!(events.all(|event| !is_early(event.kind)), "the policy is not saved yet");
}

#[test]
fn a_call_handles_a_bounded_number_of_domains() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, 30 * DAY);
    for n in 0..10_000 {
        world.lookup_of(&format!("d{n}.example"));
    }
    world.now += 2 * DAY;
    let mut calls = 0;
    while world.cache.poll_timeout().is_some_and(|due| due <= world.now) {
        world.cache.handle_timeout(world.now);
        calls += 1;
    }
    assert_eq!(calls, 40);
}
