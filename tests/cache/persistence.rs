//! A change is durable before the answer that depends on it is given out.

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{Cache, Config, EventKind, Lookup, Request},
};

use crate::world::{DAY, HOUR, TTL, World, domain, fetch_failed, found, no_record, policy};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn persistent() -> World {
    World::with(Config::new(1).with_persistence(true))
}

#[test]
fn the_store_follows_the_cache() {
    let mut world = persistent();
    world.publish("a", Mode::Enforce, WEEK);
    world.lookup();
    world.https = fetch_failed();
    world.txt = found("b");
    world.pass(TTL);
    world.lookup();
    let mut cache = Cache::new(Config::new(2));
    let report = cache.restore(world.store.values().cloned(), world.now);
    assert_eq!((report.restored, report.damaged.len()), (1, 0));
    // The policy, and the back-off of the id that failed.
    world.cache = cache;
    world.took();
    world.pass(TTL.saturating_sub(Duration::from_secs(1)));
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert!(!world.took().contains(&"fetch"));
}

#[test]
fn absence_is_not_stored() {
    let mut world = persistent();
    world.lookup();
    assert!(world.store.is_empty());
}

#[test]
fn what_is_forgotten_or_evicted_leaves_the_store() {
    let mut world = World::with(Config::new(1).with_persistence(true).with_max_entries(1));
    world.publish("a", Mode::Testing, WEEK);
    world.lookup();
    assert_eq!(world.store.len(), 1);
    world.lookup_of("other.example");
    assert_eq!(world.store.keys().collect::<Vec<_>>(), [&domain("other.example")]);
    world.cache.forget(&domain("other.example"), world.now);
    world.drain();
    assert!(world.store.is_empty());
}

#[test]
fn a_refresh_that_changes_nothing_delays_nobody() {
    let mut world = persistent();
    world.publish("a", Mode::Enforce, WEEK);
    world.lookup();
    let name = domain("example.com");
    world.now = world.cache.poll_timeout().unwrap();
    world.cache.handle_timeout(world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("a"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
    let request = world.cache.poll_request();
    assert!(matches!(request, Some(Request::Persist { .. })));
    assert!(matches!(world.cache.lookup(&name, world.now), Lookup::Answer(_)));
}

#[test]
fn a_store_that_fails_or_hangs_is_no_reason_to_send_without_a_policy() {
    for answers in [true, false] {
        let mut world = persistent();
        let name = domain("example.com");
        world.fetch_policy(Mode::Enforce, WEEK);
        let Some(Request::Persist { id, .. }) = world.cache.poll_request() else { panic!() };
        if answers {
            world.cache.handle_persisted(id, Err("the disk is full"), world.now);
        } else {
            world.now += Duration::from_secs(10);
            assert_eq!(world.cache.poll_timeout(), Some(world.now));
            world.cache.handle_timeout(world.now);
        }
        let events: Vec<_> = core::iter::from_fn(|| world.cache.poll_event()).collect();
        let error = events.iter().find_map(|event| match &event.kind {
            EventKind::NotPersisted { error } => Some(&**error),
            _ => None,
        });
        assert_eq!(error, Some(if answers { "the disk is full" } else { "no answer in time" }));
        assert!(events.iter().any(|event| matches!(
            &event.kind,
            EventKind::Answered { answer, .. } if answer.policy().is_some()
        )));
        assert!(matches!(world.cache.lookup(&name, world.now), Lookup::Answer(_)));
    }
}

#[test]
fn many_changes_make_one_request_and_the_last_counts() {
    let mut world = persistent();
    world.publish("a", Mode::Enforce, WEEK);
    world.lookup();
    let name = domain("example.com");
    // Two changes before the store is asked.
    for (id, mode) in [("b", Mode::Testing), ("c", Mode::Enforce)] {
        world.now += TTL;
        let _ = world.cache.lookup(&name, world.now);
        let mut persists = 0;
        let mut kept = Vec::new();
        while let Some(request) = world.cache.poll_request() {
            match request {
                Request::Txt { id: ticket, .. } => {
                    world.cache.handle_txt(ticket, found(id), world.now);
                }
                Request::Fetch { id: ticket, .. } => {
                    world.cache.handle_policy(ticket, policy(mode, WEEK), world.now);
                }
                other => {
                    persists += 1;
                    kept.push(other);
                }
            }
        }
        assert_eq!(persists, 1, "{kept:?}");
        let Some(Request::Persist { snapshot: Some(snapshot), .. }) = kept.pop() else { panic!() };
        let mut cache = Cache::new(Config::new(3));
        let _ = cache.restore([snapshot], world.now);
        let view = cache.view(&name).unwrap();
        assert_eq!((view.id().unwrap().as_str(), view.policy().unwrap().mode()), (id, mode));
    }
}

#[test]
fn use_is_stored_once_a_day() {
    let mut world = persistent();
    world.publish("a", Mode::Enforce, 30 * DAY);
    world.lookup();
    let mut stored = 0;
    for _ in 0..24 {
        world.now += HOUR / 2;
        let _ = world.cache.lookup(&domain("example.com"), world.now);
        while let Some(request) = world.cache.poll_request() {
            match request {
                Request::Txt { id, .. } => world.cache.handle_txt(id, no_record(), world.now),
                Request::Fetch { .. } => panic!("not due"),
                _ => stored += 1,
            }
        }
    }
    assert_eq!(stored, 0);
    world.now += 12 * HOUR;
    let _ = world.cache.lookup(&domain("example.com"), world.now);
    let requests: Vec<_> = core::iter::from_fn(|| world.cache.poll_request()).collect();
    assert!(requests.iter().any(|request| matches!(request, Request::Persist { .. })));
}

#[test]
fn i5_a_store_that_hangs_does_not_prolong_a_lookup() {
    // The policy comes so many seconds after the lookup; the store never answers.
    for (came, answered) in [(0, 10), (40, 50), (60, 70), (65, 70), (69, 70)] {
        let mut world = persistent();
        let start = world.now;
        let seconds = Duration::from_secs;
        let Lookup::Waiting(waiter) = world.cache.lookup(&domain("example.com"), world.now) else {
            panic!()
        };
        let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
        world.now = start + seconds(came.min(9));
        world.cache.handle_txt(id, found("a"), world.now);
        let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
        world.now = start + seconds(came.min(10));
        assert!(world.cache.fetch_started(&id, world.now));
        world.now = start + seconds(came);
        world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
        while world.cache.poll_request().is_some() {}
        let is_answered = |cache: &mut Cache| {
            core::iter::from_fn(|| cache.poll_event()).any(|event| {
                matches!(event.kind, EventKind::Answered { waiter: who, .. } if who == waiter)
            })
        };
        assert!(!is_answered(&mut world.cache), "the store may still answer");
        world.now = start + seconds(answered);
        assert_eq!(world.cache.poll_timeout(), Some(world.now), "{came}");
        world.cache.handle_timeout(world.now);
        assert!(is_answered(&mut world.cache), "{came}");
    }
}
