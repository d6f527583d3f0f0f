//! §§3.1, 3.2, 3.3 and 8: the record, the file, and how long each counts.

use std::time::Duration;

use mta_sts::{
    Mode, NoPolicy,
    cache::{EventKind, PolicyAnswer, Source, TxtAnswer},
};

use crate::world::{
    DAY, HOUR, MINUTE, TTL, World, dns_failed, failure, fetch_failed, found, invalid_record,
    no_record, parsed, policy, several_records,
};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[test]
fn s3_1_06_ids_have_no_order() {
    for (first, second) in [("b", "a"), ("a", "b"), ("2", "10"), ("10", "2"), ("a", "A")] {
        let mut world = World::with_policy(first, Mode::Testing, WEEK);
        world.publish(second, Mode::Enforce, WEEK);
        world.pass(TTL);
        world.lookup();
        assert_eq!(world.took(), ["txt", "fetch"], "{first} then {second}");
        assert_eq!(world.mode(), Some(Mode::Enforce));
    }
}

#[test]
fn s3_1_06_the_same_id_is_not_fetched_again() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.pass(TTL);
    world.lookup();
    assert_eq!(world.took(), ["txt"]);
}

#[test]
fn s3_1_06_an_id_is_stored_only_with_its_policy() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.txt = found("b");
    world.https = fetch_failed();
    world.pass(TTL);
    world.lookup();
    let view = world.cache.entry(&crate::world::domain("example.com")).unwrap();
    assert_eq!(view.id().unwrap().as_str(), "a");
    assert_eq!(view.failure().unwrap(), &failure());
    // So when the host is back, the policy of "b" is still to be had.
    world.https = policy(Mode::Testing, WEEK);
    world.pass(10 * MINUTE);
    assert_eq!(world.mode(), Some(Mode::Testing));
}

#[test]
fn s3_1_11_a_missing_or_broken_record_removes_no_policy() {
    for txt in [no_record(), invalid_record(), several_records()] {
        let mut world = World::with_policy("a", Mode::Enforce, WEEK);
        world.txt = txt;
        world.https = fetch_failed();
        for _ in 0..7 {
            world.pass(DAY.saturating_sub(Duration::from_millis(1)));
            assert_eq!(world.mode(), Some(Mode::Enforce), "{:?}", world.txt);
        }
        world.pass(Duration::from_secs(1));
        assert_eq!(world.mode(), None);
    }
}

#[test]
fn s3_2_10_a_policy_applies_for_max_age_after_the_last_fetch() {
    let mut world = World::with_policy("a", Mode::Enforce, HOUR);
    world.https = fetch_failed();
    world.pass(HOUR);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(Duration::from_micros(1));
    assert_eq!(world.mode(), None);
}

#[test]
fn s3_2_10_an_unchanged_id_prolongs_nothing() {
    let mut world = World::with_policy("a", Mode::Enforce, HOUR);
    world.https = fetch_failed();
    for _ in 0..12 {
        world.pass(TTL);
        assert_eq!(world.mode(), Some(Mode::Enforce));
    }
    world.pass(TTL);
    assert_eq!(world.mode(), None);
    assert!(world.took().len() > 12, "DNS was asked all the time");
}

#[test]
fn s3_2_10_a_restart_loses_no_policy() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.https = fetch_failed();
    world.txt = dns_failed();
    world.restart();
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(6 * DAY);
    world.restart();
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn s3_3_08_an_id_that_failed_waits_five_minutes() {
    let mut world = World::new();
    world.txt = found("a");
    world.lookup();
    assert_eq!(world.took(), ["txt", "fetch"]);
    world.pass(Duration::from_secs(299));
    for _ in 0..10 {
        assert_eq!(world.why(), NoPolicy::FetchFailed(failure().into()));
    }
    assert_eq!(world.took(), [""; 0]);
    // Noise lengthens the wait, by up to a quarter.
    world.pass(Duration::from_secs(76));
    world.lookup();
    assert_eq!(world.took(), ["txt", "fetch"]);
}

#[test]
fn s3_3_08_a_new_id_is_tried_at_once() {
    let mut world = World::new();
    world.txt = TxtAnswer::Found { id: "a".parse().unwrap(), ttl: MINUTE };
    world.lookup();
    world.publish("b", Mode::Enforce, WEEK);
    world.pass(MINUTE);
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn s3_3_08_the_wait_doubles_to_an_hour_while_a_policy_applies() {
    let mut world = World::with_policy("a", Mode::Enforce, 4 * WEEK);
    world.https = fetch_failed();
    let mut times = Vec::new();
    while times.len() < 10 {
        world.pass(MINUTE);
        if world.took().contains(&"fetch") {
            times.push(world.now);
        }
    }
    let waits = times.windows(2).map(|pair| (pair[1] - pair[0]).whole_minutes());
    for (wait, least) in waits.zip([5, 10, 20, 40, 60, 60, 60, 60, 60]) {
        assert!((least..=least * 5 / 4 + 1).contains(&wait), "{wait} min instead of {least}");
    }
}

#[test]
fn s3_3_08_new_ids_cannot_beat_the_limit_of_the_domain() {
    for works in [true, false] {
        let mut world = World::with_policy("0", Mode::Enforce, WEEK);
        if !works {
            world.https = fetch_failed();
        }
        let mut fetches = Vec::new();
        for n in 1..=60 {
            world.pass(MINUTE);
            world.txt = TxtAnswer::Found { id: n.to_string().parse().unwrap(), ttl: MINUTE };
            world.lookup();
            fetches.push(world.took().iter().filter(|&&name| name == "fetch").count());
        }
        for window in fetches.windows(5) {
            assert!(window.iter().sum::<usize>() <= 3, "{fetches:?}");
        }
        assert!(fetches.iter().sum::<usize>() >= 12, "{fetches:?}");
    }
}

#[test]
fn s3_3_08_three_new_ids_are_tried_at_once() {
    // At no round time, as times are.
    let mut world = World::new();
    world.pass(Duration::from_millis(70_500));
    world.txt = found("0");
    world.lookup();
    for id in ["1", "2"] {
        world.txt = found(id);
        world.recheck();
    }
    assert_eq!(world.took().iter().filter(|&&name| name == "fetch").count(), 3);
    world.txt = found("3");
    world.recheck();
    assert_eq!(world.took(), ["txt"]);
    world.pass(Duration::from_secs(301));
    world.recheck();
    assert_eq!(world.took(), ["txt", "fetch"]);
}

#[test]
fn s3_3_09_many_lookups_share_one_query_and_one_fetch() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    let domain = crate::world::domain("example.com");
    for _ in 0..50 {
        let _ = world.cache.lookup(&domain, world.now);
    }
    world.drain();
    assert_eq!(world.took(), ["txt", "fetch"]);
    let answered = world.events.iter().filter(|event| {
        matches!(&event.kind, EventKind::Answered { answer, .. } if answer.policy().is_some())
    });
    assert_eq!(answered.count(), 50);
}

#[test]
fn s3_3_12_without_a_policy_or_a_cached_one_there_is_none() {
    let mut world = World::new();
    world.txt = found("a");
    assert_eq!(world.why(), NoPolicy::FetchFailed(failure().into()));
    assert!(world.why().is_temporary());
}

#[test]
fn s3_3_13_a_cached_policy_applies_whatever_cannot_be_had() {
    for (txt, https) in [
        (no_record(), fetch_failed()),
        (dns_failed(), fetch_failed()),
        (found("b"), fetch_failed()),
        (found("a"), fetch_failed()),
        (TxtAnswer::NotSent, PolicyAnswer::NotSent),
    ] {
        let mut world = World::with_policy("a", Mode::Enforce, WEEK);
        (world.txt, world.https) = (txt, https);
        for _ in 0..160 {
            world.pass(HOUR);
            assert_eq!(world.mode(), Some(Mode::Enforce), "{:?} {:?}", world.txt, world.https);
        }
    }
}

#[test]
fn s3_3_14_an_idle_domain_is_refreshed_daily_and_not_all_at_once() {
    let mut world = World::with_policy("a", Mode::Enforce, 30 * DAY);
    let mut first = Vec::new();
    for name in ["a.example", "b.example", "c.example", "d.example"] {
        world.lookup_of(name);
        first.push(world.cache.entry(&crate::world::domain(name)).unwrap().ends_at().unwrap());
    }
    world.took();
    world.pass(DAY);
    assert_eq!(world.took().iter().filter(|&&name| name == "fetch").count(), 5);
    let mut times: Vec<_> = world.cache.entries().map(|view| view.fetched_at().unwrap()).collect();
    times.sort();
    times.dedup();
    assert_eq!(times.len(), 5, "all were fetched at one time");
    world.pass(100 * DAY);
    let fetches = world.took().iter().filter(|&&name| name == "fetch").count();
    assert!((500..=700).contains(&fetches), "{fetches} fetches in 100 days for five domains");
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn s3_3_14_a_short_life_is_refreshed_by_its_half() {
    let mut world = World::with_policy("a", Mode::Enforce, 3 * HOUR);
    world.pass(90 * MINUTE);
    assert_eq!(world.took(), ["txt", "fetch"]);
    // One under two hours is not, unless it is looked up past its half.
    let mut world = World::with_policy("a", Mode::Enforce, HOUR);
    world.pass(29 * MINUTE);
    world.lookup();
    assert_eq!(world.took(), ["txt"]);
    world.pass(MINUTE);
    assert_eq!(world.took(), [""; 0]);
    world.lookup();
    assert_eq!(world.took(), ["txt", "fetch"]);
}

#[test]
fn s3_3_14_what_nobody_looks_up_is_refreshed_no_more() {
    let mut world = World::with_policy("a", Mode::Enforce, 365 * DAY);
    world.pass(180 * DAY);
    assert!(!world.took().is_empty());
    world.pass(30 * DAY);
    assert_eq!(world.took(), [""; 0]);
    // It applies all the same, and a lookup makes it refreshed again.
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert_eq!(world.took(), ["txt", "fetch"]);
}

#[test]
fn s10_2_01_a_refresh_does_not_need_the_record() {
    for txt in [no_record(), invalid_record(), dns_failed()] {
        let mut world = World::with_policy("a", Mode::Enforce, 2 * DAY);
        world.txt = txt;
        world.pass(60 * DAY);
        assert_eq!(world.mode(), Some(Mode::Enforce), "{:?}", world.txt);
        let view = world.cache.entry(&crate::world::domain("example.com")).unwrap();
        assert_eq!(view.id().unwrap().as_str(), "a", "the id stays that of the last record");
    }
}

#[test]
fn s8_1_01_a_new_policy_is_seen_when_the_ttl_has_passed_and_no_later() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    world.publish("b", Mode::Enforce, WEEK);
    world.pass(TTL.saturating_sub(Duration::from_secs(1)));
    world.lookup();
    assert_eq!(world.took(), [""; 0], "the TTL has not passed");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.mode(), Some(Mode::Testing), "the answer does not wait");
    assert_eq!(world.took(), ["txt", "fetch"]);
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn s8_1_01_the_ttl_is_taken_between_a_minute_and_a_day() {
    for (ttl, least, most) in
        [(0, 59, 60), (60, 59, 60), (7200, 7199, 7200), (604_800, 86_399, 86_400)]
    {
        let mut world = World::new();
        world.publish("a", Mode::Enforce, 60 * DAY);
        world.txt = TxtAnswer::Found { id: "a".parse().unwrap(), ttl: Duration::from_secs(ttl) };
        world.lookup();
        world.took();
        let start = world.now;
        // By lookups alone: no timer of the cache runs.
        world.now = start + Duration::from_secs(least);
        world.lookup();
        let early = world.took();
        world.now = start + Duration::from_secs(most);
        world.lookup();
        let due = world.took();
        // A day is beyond the first refresh, which is due at a lookup, too.
        assert_eq!(early.contains(&"txt"), ttl > 86_400, "a TTL of {ttl}");
        assert!(due.contains(&"txt") || ttl > 86_400, "a TTL of {ttl}");
    }
}

#[test]
fn s8_1_a_record_updated_before_the_file_is_confirmed() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    world.txt = found("b");
    world.pass(TTL);
    world.lookup();
    assert_eq!(world.took(), ["txt", "fetch"], "the old body behind a new id");
    world.pass(5 * MINUTE);
    assert_eq!(world.took(), ["txt", "fetch"], "looked for again after five minutes");
    world.https = policy(Mode::Enforce, WEEK);
    world.pass(55 * MINUTE);
    assert_eq!(world.took(), ["txt", "fetch"], "and after an hour");
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(12 * HOUR);
    assert_eq!(world.took(), [""; 0], "and no more");
}

#[test]
fn s8_1_a_body_that_does_not_change_is_confirmed_twice_and_no_more() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    world.txt = found("b");
    world.pass(TTL);
    world.lookup();
    world.took();
    world.pass(13 * HOUR);
    assert_eq!(world.took(), ["txt", "fetch", "txt", "fetch"]);
}

#[test]
fn s8_3_01_mode_none_replaces_a_policy_at_once() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.publish("b", Mode::None, DAY);
    world.pass(TTL);
    world.lookup();
    assert_eq!(world.why(), NoPolicy::ModeNone);
    assert!(!world.why().is_temporary());
}

#[test]
fn s8_3_02_mode_none_ends_in_silence() {
    let mut world = World::with_policy("a", Mode::None, DAY);
    world.txt = no_record();
    world.https = fetch_failed();
    world.pass(12 * HOUR);
    world.lookup();
    world.pass(20 * DAY);
    assert_eq!(world.why(), NoPolicy::NoRecord);
    assert_eq!(world.events.len(), 1, "nothing but the answer: {:?}", world.events);
}

#[test]
fn s10_3_01_a_rogue_policy_is_undone_by_a_new_one() {
    // Also while fetching fails now and then: the new id is not forgotten.
    let mut world = World::with_policy("rogue", Mode::Enforce, 365 * DAY);
    world.txt = found("good");
    world.https = fetch_failed();
    world.pass(TTL);
    world.lookup();
    world.https = policy(Mode::Testing, WEEK);
    world.pass(7 * MINUTE);
    assert_eq!(world.mode(), Some(Mode::Testing), "fetched by timer, when back-off allowed");
}

#[test]
fn a_05b_max_age_zero_serves_those_who_wait_and_nobody_else() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, Duration::ZERO);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert_eq!(world.took(), ["txt", "fetch"]);
    assert_eq!(world.mode(), None, "not before a minute has passed");
    assert_eq!(world.took(), [""; 0]);
    world.pass(MINUTE);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert_eq!(world.took(), ["txt", "fetch"]);
    world.pass(WEEK);
    assert_eq!(world.took(), [""; 0]);
    assert_eq!(world.alerts(), []);
}

#[test]
fn a_06_dns_that_fails_is_told_apart_and_asked_again() {
    let mut world = World::new();
    world.txt = dns_failed();
    assert_eq!(world.why(), NoPolicy::DnsFailed("SERVFAIL".into()));
    let mut waits = Vec::new();
    for _ in 0..6 {
        world.took();
        let mut seconds = 0;
        while world.took().is_empty() {
            world.pass(Duration::from_secs(1));
            world.lookup();
            seconds += 1;
        }
        waits.push(seconds);
    }
    assert_eq!(waits, [30, 60, 120, 240, 300, 300]);
    world.publish("a", Mode::Enforce, WEEK);
    world.pass(TTL);
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn answers_tell_from_when_and_until_when() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let start = world.now;
    world.pass(TTL);
    world.lookup();
    world.pass(MINUTE);
    let answer = world.lookup();
    let mta_sts::cache::Answer::Policy(applied) = answer else { panic!("{answer:?}") };
    assert_eq!(**applied.policy(), parsed(Mode::Enforce, WEEK));
    assert_eq!(applied.source(), Source::Fetched);
    assert_eq!(applied.fetched_at(), start);
    assert_eq!(applied.checked_at(), Some(start + TTL));
    assert_eq!(applied.ends_at(), Some(start + WEEK));
}

#[test]
fn an_ended_policy_is_told_of_when_it_cannot_be_known_what_comes_next() {
    for (txt, cause) in [
        (dns_failed(), NoPolicy::DnsFailed("SERVFAIL".into())),
        (found("a"), NoPolicy::FetchFailed(failure().into())),
        (TxtAnswer::NotSent, NoPolicy::Overloaded),
    ] {
        let mut world = World::with_policy("a", Mode::Enforce, HOUR);
        let ended_at = world.now + HOUR;
        (world.txt, world.https) = (txt, fetch_failed());
        world.pass(2 * HOUR);
        let expected = NoPolicy::Expired { mode: Mode::Enforce, ended_at, cause: cause.into() };
        assert_eq!(world.why(), expected);
        assert!(world.why().is_temporary());
    }
    let mut world = World::with_policy("a", Mode::Enforce, HOUR);
    world.txt = no_record();
    world.pass(2 * HOUR);
    assert_eq!(world.why(), NoPolicy::NoRecord, "the domain has said that there is none");
}
