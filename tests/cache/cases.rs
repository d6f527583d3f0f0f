//! Cases from the field that must come out right.

use std::time::Duration;

use mta_sts::{
    Mode, NoPolicy,
    cache::{Cache, Config, EventKind, Lookup, RecheckOutcome, Request, TxtAnswer},
};

use crate::world::{
    DAY, HOUR, MINUTE, TTL, World, dns_failed, domain, fetch_failed, found, no_record,
};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[test]
fn a_domain_that_adopts_mta_sts_is_noticed_within_the_negative_ttl() {
    // The TTL of the SOA, the default, and both bounds.
    for (ttl, counts) in [(Some(600), 600), (None, 300), (Some(0), 60), (Some(86_400), 3600)] {
        let mut world = World::new();
        world.txt = TxtAnswer::NoRecord { ttl: ttl.map(Duration::from_secs) };
        assert_eq!(world.why(), NoPolicy::NoRecord);
        world.publish("a", Mode::Enforce, WEEK);
        world.pass(Duration::from_secs(counts - 1));
        assert_eq!(world.why(), NoPolicy::NoRecord);
        world.pass(Duration::from_secs(1));
        assert_eq!(world.mode(), Some(Mode::Enforce), "a negative TTL of {ttl:?}");
    }
}

#[test]
fn a_change_of_mode_is_noticed_by_the_second_lookup_after_the_ttl() {
    for (from, to) in [(Mode::Testing, Mode::Enforce), (Mode::Enforce, Mode::None)] {
        let mut world = World::with_policy("a", from, WEEK);
        world.publish("b", to, WEEK);
        world.pass(TTL);
        world.lookup();
        assert_eq!(world.mode(), Some(to).filter(|&mode| mode != Mode::None));
    }
}

#[test]
fn a_change_of_mode_is_noticed_by_a_recheck_at_once() {
    for (from, to) in [(Mode::Testing, Mode::Enforce), (Mode::Enforce, Mode::None)] {
        let mut world = World::with_policy("a", from, WEEK);
        world.publish("b", to, WEEK);
        assert_eq!(world.outcome(), RecheckOutcome::Changed);
        assert_eq!(world.mode(), Some(to).filter(|&mode| mode != Mode::None));
    }
}

#[test]
fn a_policy_that_has_ended_is_not_revived_by_its_id() {
    let mut world = World::with_policy("a", Mode::Enforce, HOUR);
    world.https = fetch_failed();
    world.pass(HOUR + Duration::from_secs(1));
    for _ in 0..100 {
        assert_eq!(world.mode(), None);
        world.pass(MINUTE);
    }
}

#[test]
fn a_new_id_with_https_down_keeps_the_old_policy() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.https = fetch_failed();
    for n in 0..100 {
        world.txt = found(&format!("spoofed{n}"));
        world.pass(HOUR);
        assert_eq!(world.mode(), Some(Mode::Enforce));
    }
}

#[test]
fn what_was_answered_survives_a_kill() {
    // The snapshot is taken when the policy has come, before its answer is given out.
    let mut world = World::new();
    let waiter = world.fetch_policy(Mode::Enforce, WEEK);
    let snapshots: Vec<_> = world.cache.snapshots().collect();
    let answered = core::iter::from_fn(|| world.cache.poll_event())
        .any(|event| matches!(event.kind, EventKind::Answered { id: who, .. } if who == waiter));
    assert!(answered);

    let mut cache = Cache::new(Config::new(2));
    let _ = cache.restore(snapshots, world.now);
    world.cache = cache;
    (world.txt, world.https) = (no_record(), fetch_failed());
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn with_persistence_no_answer_is_given_before_its_policy_is_durable() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    let name = domain("example.com");
    world.fetch_policy(Mode::Enforce, WEEK);
    let Some(Request::Persist { id, snapshot, .. }) = world.cache.poll_request() else { panic!() };
    let is_answer = |kind: &EventKind| matches!(kind, EventKind::Answered { .. });
    while let Some(event) = world.cache.poll_event() {
        assert!(!is_answer(&event.kind), "answered too early");
    }
    // Nor to those who ask meanwhile.
    assert!(matches!(world.cache.lookup(&name, world.now), Lookup::Waiting(_)));
    assert_eq!(world.cache.get(&name, world.now), None);

    world.cache.handle_persisted(id, Ok(()), world.now);
    let answers = core::iter::from_fn(|| world.cache.poll_event());
    assert_eq!(answers.filter(|event| is_answer(&event.kind)).count(), 2);
    assert!(matches!(world.cache.lookup(&name, world.now), Lookup::Answer(_)));

    let mut cache = Cache::new(Config::new(2));
    assert_eq!(cache.restore(snapshot, world.now).restored, 1);
    assert!(cache.get(&name, world.now).is_some());
}

#[test]
fn a_domain_without_mta_sts_costs_one_query_in_five_minutes() {
    let mut world = World::new();
    for _ in 0..3600 {
        world.lookup();
        world.pass(Duration::from_secs(1));
    }
    assert_eq!(world.took().len(), 12);
}

#[test]
fn a_removed_domain_is_not_refreshed_for_ever() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    (world.txt, world.https) = (no_record(), fetch_failed());
    world.pass(8 * DAY);
    world.took();
    world.pass(365 * DAY);
    assert_eq!(world.took(), [""; 0]);
    assert_eq!(world.cache.poll_timeout(), None);
}

#[test]
fn absence_learnt_while_a_policy_was_live_does_not_outlast_it() {
    let mut world = World::with_policy("a", Mode::Enforce, 20 * MINUTE);
    world.txt = TxtAnswer::NoRecord { ttl: Some(HOUR) };
    world.https = fetch_failed();
    world.pass(15 * MINUTE);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.publish("b", Mode::Enforce, WEEK);
    world.pass(6 * MINUTE);
    world.took();
    // Half an hour before DNS would be asked again for the sake of the absence.
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert_eq!(world.took(), ["txt", "fetch"]);
}

#[test]
fn s8_3_the_end_of_mode_none_is_not_regretted() {
    let mut world = World::with_policy("a", Mode::None, DAY);
    world.txt = dns_failed();
    world.https = fetch_failed();
    world.pass(2 * DAY);
    let why = world.why();
    assert!(matches!(why, NoPolicy::DnsFailed(_)), "{why:?}");

    let mut world = World::with_policy("a", Mode::Testing, DAY);
    world.txt = dns_failed();
    world.https = fetch_failed();
    world.pass(2 * DAY);
    assert!(matches!(world.why(), NoPolicy::Expired { mode: Mode::Testing, .. }));
}
