//! What the operator is told (§§3.3, 10.2), and what a domain is told through reports (§6).

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{AlertKind, EventKind},
};

use crate::world::{
    DAY, HOUR, MINUTE, TTL, World, dns_failed, fetch_failed, found, no_record, policy,
};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[test]
fn s3_3_15_alerts_come_at_the_first_failure_at_half_at_a_quarter_and_at_the_end() {
    let mut world = World::with_policy("a", Mode::Enforce, 8 * DAY);
    world.https = fetch_failed();
    let start = world.now;
    let mut seen = Vec::new();
    for _ in 0..20 * 24 {
        world.pass(HOUR);
        let days = (world.now - start).whole_hours() / 24;
        seen.extend(world.alerts().into_iter().map(|kind| (days, kind)));
    }
    let first = seen.remove(0);
    assert!(first.0 <= 1 && first.1 == AlertKind::RefreshFailed, "{first:?}");
    assert_eq!(
        seen,
        [(4, AlertKind::HalfLifeOver), (6, AlertKind::QuarterLifeLeft), (8, AlertKind::Expired),]
    );
}

#[test]
fn s3_3_15_success_clears_an_alert_and_the_next_failure_raises_it_anew() {
    let mut world = World::with_policy("a", Mode::Enforce, 8 * DAY);
    world.https = fetch_failed();
    world.pass(2 * DAY);
    assert_eq!(world.alerts(), [AlertKind::RefreshFailed]);
    world.https = policy(Mode::Enforce, 8 * DAY);
    world.pass(2 * HOUR);
    let recovered = |world: &World| {
        world.events.iter().filter(|event| event.kind == EventKind::Recovered).count()
    };
    assert_eq!(recovered(&world), 1);
    world.events.clear();
    world.pass(3 * DAY);
    assert_eq!((recovered(&world), world.alerts().len()), (0, 0));
    world.https = fetch_failed();
    world.pass(DAY);
    assert_eq!(world.alerts(), [AlertKind::RefreshFailed]);
}

#[test]
fn s3_3_15_no_alert_for_mode_none() {
    let mut world = World::with_policy("a", Mode::None, 8 * DAY);
    (world.txt, world.https) = (no_record(), fetch_failed());
    for _ in 0..200 {
        world.pass(HOUR);
        world.lookup();
    }
    assert_eq!(world.alerts(), []);
}

#[test]
fn s3_3_15_an_alert_tells_how_it_failed_and_until_when_the_policy_applies() {
    let mut world = World::with_policy("a", Mode::Enforce, 8 * DAY);
    world.https = fetch_failed();
    world.pass(DAY);
    let alert = world.events.iter().find_map(|event| match &event.kind {
        EventKind::Alert(alert) => Some(alert.to_string()),
        _ => None,
    });
    assert_eq!(
        alert.unwrap(),
        "the policy could not be refreshed; it applies until 2026-01-09T00:00:00Z: \
         mta-sts.example.com: status 404 (sts-policy-fetch-error, http-404)",
    );
}

#[test]
fn a_record_absent_for_seven_days_is_told_once() {
    let mut world = World::with_policy("a", Mode::Enforce, 30 * DAY);
    world.txt = no_record();
    let start = world.now;
    let mut seen = Vec::new();
    for _ in 0..20 * 24 {
        world.pass(HOUR);
        world.lookup();
        let days = (world.now - start).whole_hours() / 24;
        seen.extend(world.alerts().into_iter().map(|kind| (days, kind)));
    }
    assert_eq!(seen, [(7, AlertKind::RecordAbsent)]);
    world.txt = found("a");
    world.pass(HOUR);
    world.lookup();
    assert!(world.events.iter().any(|event| event.kind == EventKind::Recovered));
}

#[test]
fn a_record_of_which_dns_says_nothing_is_not_absent() {
    let mut world = World::with_policy("a", Mode::Enforce, 30 * DAY);
    world.txt = mta_sts::cache::TxtAnswer::Failed("no answer".into());
    for _ in 0..20 {
        world.pass(DAY);
        world.lookup();
    }
    assert!(world.failures() > 0);
    assert_eq!(world.alerts(), []);
}

#[test]
fn a_policy_that_nobody_uses_ends_in_silence() {
    let mut world = World::with_policy("a", Mode::Enforce, 365 * DAY);
    world.pass(180 * DAY);
    world.https = fetch_failed();
    world.events.clear();
    world.pass(400 * DAY);
    assert_eq!(world.alerts(), []);
    // As does one too short to be refreshed by timer.
    let mut world = World::with_policy("a", Mode::Enforce, HOUR);
    world.pass(DAY);
    assert_eq!(world.alerts(), []);
}

#[test]
fn a_policy_that_ends_because_nothing_was_sent_is_told_of() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.txt = mta_sts::cache::TxtAnswer::NotSent;
    world.pass(8 * DAY);
    assert_eq!(world.alerts(), [AlertKind::Expired]);
}

#[test]
fn s6_01_a_fetch_that_fails_while_there_is_a_record_is_reported() {
    let mut world = World::new();
    world.txt = found("a");
    world.lookup();
    assert_eq!(world.failures(), 1);
}

#[test]
fn s6_02_what_fails_while_a_policy_is_cached_is_reported_unless_it_is_of_mode_none() {
    for (mode, reported) in [(Mode::Enforce, 1), (Mode::Testing, 1), (Mode::None, 0)] {
        for txt in [no_record(), dns_failed(), found("b")] {
            let mut world = World::with_policy("a", mode, WEEK);
            (world.txt, world.https) = (txt, fetch_failed());
            world.pass(TTL);
            world.lookup();
            assert_eq!(world.failures(), reported, "{mode} {:?}", world.txt);
        }
    }
}

#[test]
fn a_new_policy_is_told_of_with_the_one_before() {
    let mut world = World::new();
    world.publish("a", Mode::Testing, WEEK);
    world.lookup();
    world.publish("b", Mode::Enforce, WEEK);
    world.pass(10 * MINUTE);
    world.lookup();
    world.pass(3 * DAY);
    let updates = world.events.iter().filter_map(|event| match &event.kind {
        EventKind::Updated { policy, previous } => {
            Some((policy.mode(), previous.as_ref().map(|policy| policy.mode())))
        }
        _ => None,
    });
    let updates: Vec<_> = updates.collect();
    assert_eq!(updates, [(Mode::Testing, None), (Mode::Enforce, Some(Mode::Testing))]);
}
