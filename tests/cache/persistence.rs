//! A change is durable before the answer that depends on it is given out.

use std::{collections::VecDeque, time::Duration};

use mta_sts::{
    Mode,
    cache::{Cache, Config, EventKind, Lookup, PersistRequestId, Request},
};

use crate::world::{
    DAY, HOUR, TTL, World, domain, fetch_failed, found, invalid_record, no_record, policy,
};

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
    world.cache.remove(&domain("other.example"), world.now);
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
        let view = cache.entry(&name).unwrap();
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
            core::iter::from_fn(|| cache.poll_event()).any(
                |event| matches!(event.kind, EventKind::Answered { id: who, .. } if who == waiter),
            )
        };
        assert!(!is_answered(&mut world.cache), "the store may still answer");
        world.now = start + seconds(answered);
        assert_eq!(world.cache.poll_timeout(), Some(world.now), "{came}");
        world.cache.handle_timeout(world.now);
        assert!(is_answered(&mut world.cache), "{came}");
    }
}

/// A lookup whose policy is found, and the request to save it.
fn found_and_asked(world: &mut World, name: &str) -> PersistRequestId {
    let _ = world.cache.lookup(&domain(name), world.now);
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("a"), world.now);
    let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
    asked(world)
}

fn asked(world: &mut World) -> PersistRequestId {
    let Some(Request::Persist { id, .. }) = world.cache.poll_request() else { panic!() };
    assert!(world.cache.poll_request().is_none());
    id
}

/// What was told: of saves, and of answers.
fn told(world: &mut World) -> Vec<String> {
    core::iter::from_fn(|| world.cache.poll_event())
        .filter_map(|event| {
            let name = event.domain;
            Some(match event.kind {
                EventKind::NotPersisted { error } => format!("{name} not saved: {error}"),
                EventKind::PersistRecovered => "all saved".to_owned(),
                EventKind::StoreStalled => "stalled".to_owned(),
                EventKind::StoreResumed => "resumed".to_owned(),
                EventKind::Answered { .. } => format!("{name} answered"),
                _ => return None,
            })
        })
        .collect()
}

/// Lets the time of the store pass.
fn let_time_out(world: &mut World) {
    world.now += Duration::from_secs(10);
    world.cache.handle_timeout(world.now);
}

const LATE: [&str; 2] = ["a.example not saved: no answer in time", "a.example answered"];

#[test]
fn a_save_that_ends_well_after_its_time_out_is_taken_back() {
    let mut world = persistent();
    let id = found_and_asked(&mut world, "a.example");
    let_time_out(&mut world);
    assert_eq!(told(&mut world), LATE);
    assert_eq!(world.cache.unsaved_count(), 1);
    world.now += Duration::from_secs(5);
    world.cache.handle_persisted(id, Ok(()), world.now);
    assert_eq!(told(&mut world), ["all saved"]);
    assert_eq!(world.cache.unsaved_count(), 0);
}

#[test]
fn a_save_that_fails_after_its_time_out_is_told_once_and_tried_again() {
    let mut world = persistent();
    let id = found_and_asked(&mut world, "a.example");
    let_time_out(&mut world);
    assert_eq!(told(&mut world), LATE);
    world.cache.handle_persisted(id, Err("the disk is full"), world.now);
    assert_eq!(told(&mut world), [""; 0]);
    assert_eq!(world.cache.unsaved_count(), 1);
    world.now += Duration::from_secs(1);
    world.cache.handle_timeout(world.now);
    let id = asked(&mut world);
    world.cache.handle_persisted(id, Ok(()), world.now);
    assert_eq!(told(&mut world), ["all saved"]);
}

#[test]
fn the_time_to_a_retry_doubles_until_a_save_succeeds() {
    let mut world = persistent();
    let mut id = found_and_asked(&mut world, "a.example");
    let failed = |world: &mut World, id, seconds: u64| {
        world.cache.handle_persisted(id, Err("the disk is full"), world.now);
        world.now += Duration::from_millis(seconds * 1000 - 1);
        world.cache.handle_timeout(world.now);
        assert!(world.cache.poll_request().is_none(), "{seconds} s");
        world.now += Duration::from_millis(1);
        world.cache.handle_timeout(world.now);
        asked(world)
    };
    for seconds in [1, 2, 4, 8] {
        id = failed(&mut world, id, seconds);
    }
    world.cache.handle_persisted(id, Err("the disk is full"), world.now);
    let other = found_and_asked(&mut world, "b.example");
    world.cache.handle_persisted(other, Ok(()), world.now);
    let id = asked(&mut world);
    let id = failed(&mut world, id, 1);
    let id = failed(&mut world, id, 2);
    // Also if the retry is out when another save succeeds.
    let other = found_and_asked(&mut world, "c.example");
    world.cache.handle_persisted(other, Ok(()), world.now);
    failed(&mut world, id, 1);
}

#[test]
fn a_store_that_loses_all_again_and_again_is_not_tried_without_a_pause() {
    for is_timer_first in [true, false] {
        let mut world = persistent();
        let first = found_and_asked(&mut world, "a.example");
        world.cache.handle_persisted(first, Ok(()), world.now);
        let mut again = found_and_asked(&mut world, "b.example");
        for seconds in [1, 2, 4] {
            world.cache.save_all(world.now);
            if is_timer_first {
                world.cache.handle_timeout(world.now);
            }
            world.cache.handle_persisted(again, Err("all is lost"), world.now);
            while let Some(Request::Persist { id, .. }) = world.cache.poll_request() {
                world.cache.handle_persisted(id, Err("all is lost"), world.now);
            }
            world.now += Duration::from_millis(seconds * 1000 - 1);
            world.cache.handle_timeout(world.now);
            assert!(world.cache.poll_request().is_none(), "{seconds} s, {is_timer_first}");
            world.now += Duration::from_millis(1);
            world.cache.handle_timeout(world.now);
            let Some(Request::Persist { id, .. }) = world.cache.poll_request() else { panic!() };
            again = id;
        }
    }
}

#[test]
fn only_the_last_save_of_a_domain_settles_whether_it_is_saved() {
    for newer in [Ok(()), Err("the disk is full")] {
        let mut world = persistent();
        let first = found_and_asked(&mut world, "a.example");
        let_time_out(&mut world);
        assert_eq!(told(&mut world), LATE);
        // It is removed meanwhile.
        assert!(world.cache.remove(&domain("a.example"), world.now));
        let second = asked(&mut world);
        world.cache.handle_persisted(first, Ok(()), world.now);
        assert_eq!(told(&mut world), [""; 0], "the removal is still out");
        assert_eq!(world.cache.unsaved_count(), 1);
        world.cache.handle_persisted(second, newer, world.now);
        let is_saved = newer.is_ok();
        assert_eq!(told(&mut world), if is_saved { vec!["all saved"] } else { vec![] });
        assert_eq!(world.cache.unsaved_count(), usize::from(!is_saved));
    }
}

#[test]
fn nobody_waits_for_a_store_that_has_timed_out_several_times() {
    let mut world = persistent();
    let mut out = Vec::new();
    for name in ["a.example", "b.example", "c.example"] {
        out.push(found_and_asked(&mut world, name));
        assert_eq!(told(&mut world), [""; 0], "the store may still answer");
        let_time_out(&mut world);
        let mut expected =
            vec![format!("{name} not saved: no answer in time"), format!("{name} answered")];
        if name == "c.example" {
            expected.insert(1, "stalled".into());
        }
        assert_eq!(told(&mut world), expected);
    }
    out.push(found_and_asked(&mut world, "d.example"));
    assert_eq!(told(&mut world), ["d.example answered"]);
    let name = domain("d.example");
    assert!(matches!(world.cache.lookup(&name, world.now), Lookup::Answer(_)));
    let_time_out(&mut world);
    assert_eq!(told(&mut world), ["d.example not saved: no answer in time"]);
    // All come late; whether the store is faster now is not known yet.
    for id in out {
        world.cache.handle_persisted(id, Ok(()), world.now);
    }
    assert_eq!(told(&mut world), ["all saved"]);
    let id = asked(&mut world);
    world.cache.handle_persisted(id, Ok(()), world.now);
    assert_eq!(told(&mut world), ["resumed"]);
    let id = found_and_asked(&mut world, "e.example");
    assert_eq!(told(&mut world), [""; 0]);
    world.cache.handle_persisted(id, Ok(()), world.now);
    assert_eq!(told(&mut world), ["e.example answered"]);
}

#[test]
fn a_store_that_is_slow_but_in_time_is_not_stalled() {
    let mut world = persistent();
    for name in ["a.example", "b.example", "c.example", "d.example"] {
        // It has stood in a queue until it timed out, and is then saved in no time.
        let mut id = found_and_asked(&mut world, name);
        let_time_out(&mut world);
        id.started(world.now);
        world.cache.handle_persisted(id, Ok(()), world.now);
    }
    assert!(!told(&mut world).contains(&"stalled".to_owned()));
}

#[test]
fn a_discovery_that_took_long_is_no_time_out_of_the_store() {
    let mut world = persistent();
    for name in ["a.example", "b.example", "c.example", "d.example"] {
        let _ = world.cache.lookup(&domain(name), world.now);
        let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
        world.now += Duration::from_secs(9);
        world.cache.handle_txt(id, found("a"), world.now);
        let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
        world.now += Duration::from_secs(1);
        assert!(world.cache.fetch_started(&id, world.now));
        world.now += Duration::from_secs(59);
        world.cache.handle_policy(id, policy(Mode::Enforce, WEEK), world.now);
        let _ = asked(&mut world);
        world.now += Duration::from_secs(1);
        world.cache.handle_timeout(world.now);
    }
    let told = told(&mut world);
    assert_eq!(told.iter().filter(|line| line.ends_with("answered")).count(), 4);
    assert!(!told.contains(&"stalled".to_owned()), "{told:?}");
}

#[test]
fn what_is_held_is_saved_again_when_the_store_has_lost_it() {
    let mut world = persistent();
    world.publish("a", Mode::Enforce, WEEK);
    for n in 0..500 {
        world.lookup_of(&format!("d{n}.example"));
    }
    world.txt = no_record();
    world.lookup_of("absent.example");
    let before = std::mem::take(&mut world.store);
    world.events.clear();
    world.cache.save_all(world.now);
    assert!(world.cache.unsaved_count() >= 500);
    world.handle_due();
    assert_eq!(world.cache.unsaved_count(), 0);
    assert_eq!(world.store.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let kinds: Vec<_> = world.events.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(kinds, [EventKind::PersistRecovered]);
}

/// Whatever else the cache has: entries without anything to save before, between and after.
#[test]
fn what_a_store_has_lost_is_saved_a_few_at_a_time() {
    let mut world = persistent();
    let fill = |world: &mut World, kind: &str, count: usize| {
        world.txt = if kind == "saved" { found("a") } else { invalid_record() };
        for n in 0..count {
            world.lookup_of(&format!("{kind}{n}.{}.example", world.store.len()));
        }
    };
    world.publish("a", Mode::Enforce, WEEK);
    for (kind, count) in [("failing", 10_000), ("saved", 1), ("failing", 10_000), ("saved", 10_000)]
    {
        fill(&mut world, kind, count);
    }
    fill(&mut world, "failing", 10_000);
    let before = std::mem::take(&mut world.store);
    assert_eq!(before.len(), 10_001);
    world.events.clear();
    world.cache.save_all(world.now);
    assert!(world.cache.unsaved_count() >= 10_000);
    let mut most = 0;
    while world.cache.unsaved_count() > 0 {
        assert!(world.events.is_empty(), "recovered with {} to save", world.cache.unsaved_count());
        let requests: Vec<_> = std::iter::from_fn(|| world.cache.poll_request()).collect();
        most = most.max(requests.len());
        if requests.is_empty() {
            world.now = world.cache.poll_timeout().expect("more is to be done").max(world.now);
            world.cache.handle_timeout(world.now);
        }
        for request in requests {
            world.answer(request);
        }
        world.events.extend(std::iter::from_fn(|| world.cache.poll_event()));
    }
    assert!(most <= 1024, "{most} requests at once");
    assert_eq!(world.store.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let kinds: Vec<_> = world.events.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(kinds, [EventKind::PersistRecovered]);
}

#[test]
fn another_save_does_not_end_the_search_for_what_is_lost() {
    let mut world = persistent();
    world.publish("a", Mode::Enforce, WEEK);
    world.txt = invalid_record();
    for n in 0..10_000 {
        world.lookup_of(&format!("failing{n}.example"));
    }
    world.txt = found("a");
    world.lookup_of("saved.example");
    world.store.clear();
    world.cache.save_all(world.now);
    world.lookup_of("new.example");
    world.pass(Duration::from_secs(1));
    assert_eq!((world.store.len(), world.cache.unsaved_count()), (2, 0));
}

/// As many saves are out as may be, and none has ended.
#[test]
fn the_search_for_what_is_lost_waits_for_a_slow_store() {
    let mut world = persistent();
    world.publish("a", Mode::Enforce, WEEK);
    for n in 0..3000 {
        world.lookup_of(&format!("d{n}.example"));
    }
    world.cache.save_all(world.now);
    world.cache.handle_timeout(world.now);
    let mut out = VecDeque::new();
    while out.len() < 1024 {
        let Some(Request::Persist { id, .. }) = world.cache.poll_request() else {
            let id = out.pop_front().expect("one of the first");
            world.cache.handle_persisted(id, Ok(()), world.now);
            continue;
        };
        out.push_back(id);
    }
    let other = found_and_asked(&mut world, "new.example");
    world.cache.handle_persisted(other, Ok(()), world.now);
    assert!(world.cache.poll_request().is_none());
    assert!(world.cache.poll_timeout().is_none_or(|due| due > world.now));
    assert!(world.cache.unsaved_count() > 1024);
}

/// A removal that failed is made good when the domain is held again without anything to store: else
/// the row would come back at the next start.
#[test]
fn a_failed_removal_is_tried_again_when_the_domain_is_back() {
    let mut world = persistent();
    let name = domain("example.com");
    world.fetch_policy(Mode::Enforce, WEEK);
    let id = asked(&mut world);
    world.cache.handle_persisted(id, Ok(()), world.now);
    assert!(world.cache.remove(&name, world.now));
    let removal = asked(&mut world);
    world.cache.handle_persisted(removal, Err("the disk is full"), world.now);
    // It publishes nothing any more.
    let Lookup::Waiting(_) = world.cache.lookup(&name, world.now) else { panic!() };
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, no_record(), world.now);
    let mut removed = 0;
    for _ in 0..20 {
        let Some(due) = world.cache.poll_timeout() else { break };
        world.now = due;
        world.cache.handle_timeout(world.now);
        while let Some(request) = world.cache.poll_request() {
            if let Request::Persist { id, snapshot, .. } = request {
                assert!(snapshot.is_none());
                removed += 1;
                world.cache.handle_persisted(id, Ok(()), world.now);
            }
        }
    }
    assert_eq!(removed, 1);
    assert_eq!(world.cache.unsaved_count(), 0);
}

/// A cache whose store is stalled, and the saves that have timed out.
fn stalled() -> (World, Vec<PersistRequestId>) {
    let mut world = persistent();
    let out = ["a.example", "b.example", "c.example"].map(|name| {
        let id = found_and_asked(&mut world, name);
        let_time_out(&mut world);
        id
    });
    (world, out.into())
}

/// Removes a domain that is stored, which then has no record. Returns the request to remove its row.
fn removed_and_absent(world: &mut World, name: &str) -> PersistRequestId {
    world.cache.remove(&domain(name), world.now);
    let id = asked(world);
    let _ = world.cache.lookup(&domain(name), world.now);
    let Some(Request::Txt { id: txt, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(txt, no_record(), world.now);
    id
}

#[test]
fn a_stalled_store_is_tried_again_by_a_domain_that_is_not_stored() {
    let (mut world, mut out) = stalled();
    out.push(removed_and_absent(&mut world, "c.example"));
    assert!(told(&mut world).contains(&"stalled".to_owned()));
    let_time_out(&mut world);
    for id in out {
        assert!(world.cache.poll_request().is_none());
        world.cache.handle_persisted(id, Ok(()), world.now);
    }
    assert_eq!(told(&mut world), ["all saved"]);
    let id = asked(&mut world);
    world.cache.handle_persisted(id, Ok(()), world.now);
    assert_eq!(told(&mut world), ["resumed"]);
}

#[test]
fn a_stalled_store_is_tried_by_one_request_at_a_time() {
    let (mut world, mut out) = stalled();
    for _ in 0..3 {
        for id in out.drain(..) {
            world.cache.handle_persisted(id, Ok(()), world.now);
        }
        out.push(asked(&mut world));
        // What was asked for at that time is as late as this one.
        for name in ["a.example", "b.example", "c.example"] {
            world.cache.remove(&domain(name), world.now);
            while let Some(request) = world.cache.poll_request() {
                if let Request::Persist { id, .. } = request {
                    out.push(id);
                }
            }
            let _ = world.cache.lookup(&domain(name), world.now);
            let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
            world.cache.handle_txt(id, no_record(), world.now);
        }
        let_time_out(&mut world);
    }
}

#[test]
fn a_domain_without_a_record_takes_little_memory_once_its_row_is_removed() {
    let mut absent = persistent();
    absent.lookup();
    let mut world = persistent();
    world.publish("a", Mode::Enforce, HOUR);
    world.lookup();
    world.pass(DAY);
    let name = domain("example.com");
    let Lookup::Waiting(_) = world.cache.lookup(&name, world.now) else { panic!() };
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    // While it is waited for, it stays in the cache.
    world.cache.remove(&name, world.now);
    world.cache.handle_txt(id, no_record(), world.now);
    assert!(world.cache.memory_usage() > absent.cache.memory_usage());
    world.drain();
    assert!(world.store.is_empty());
    assert_eq!(world.cache.memory_usage(), absent.cache.memory_usage());
}
