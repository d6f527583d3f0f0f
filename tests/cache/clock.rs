//! Clocks jump.

use std::time::Duration;

use mta_sts::{
    Domain, Mode, NoPolicy, PolicyId,
    cache::{
        AlertKind, Config, Context, Entry, EntryRequest, EventKind, Input, Lookup, PolicyAnswer,
        Request, TxtAnswer,
    },
};
use time::{Duration as Step, UtcDateTime, macros::utc_datetime};

use crate::world::{DAY, HOUR, MINUTE, TTL, World, domain, fetch_failed, found, no_record, policy};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[test]
fn a_policy_from_the_future_applies_and_is_refreshed() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.now -= 10 * DAY;
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert_eq!(world.took(), ["txt", "fetch"]);
    world.https = fetch_failed();
    world.pass(WEEK);
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.mode(), None, "its life began anew with the refresh");
}

#[test]
fn a_step_back_prolongs_a_life_by_no_more_than_the_step() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.https = fetch_failed();
    let end = world.now + WEEK;
    world.pass(DAY);
    world.now -= 3 * DAY;
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass((8 * DAY).saturating_sub(Duration::from_secs(1)));
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(2 * DAY);
    assert_eq!(world.now, end + DAY.saturating_sub(Duration::from_secs(1)));
    assert_eq!(world.mode(), None);
}

#[test]
fn a_policy_that_has_ended_applies_again_if_the_clock_comes_back() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    (world.txt, world.https) = (no_record(), fetch_failed());
    let start = world.now;
    world.now += 30 * DAY;
    assert_eq!(world.mode(), None);
    world.now = start + DAY;
    assert_eq!(world.mode(), Some(Mode::Enforce));
}

#[test]
fn a_policy_that_applies_again_is_refreshed_by_timer() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    let start = world.now;
    world.now += 30 * DAY;
    (world.txt, world.https) = (no_record(), fetch_failed());
    world.cache.handle_timeout(world.now);
    world.drain();
    assert_eq!(world.alerts(), [AlertKind::Expired]);
    world.took();
    world.now = start + HOUR;
    world.cache.handle_timeout(world.now);
    world.drain();
    world.pass(DAY);
    assert!(world.took().contains(&"fetch"));
    world.pass(WEEK);
    assert_eq!(
        world.alerts(),
        [AlertKind::HalfLifeOver, AlertKind::QuarterLifeLeft, AlertKind::Expired],
        "it is known that it cannot be refreshed",
    );
}

#[test]
fn no_deadline_stalls_when_the_clock_is_set_back() {
    // The absence that was learnt in a wrong year does not last until then.
    let mut world = World::new();
    world.now += 365 * DAY;
    world.lookup();
    world.now -= 365 * DAY;
    world.publish("a", Mode::Enforce, WEEK);
    assert_eq!(world.why(), NoPolicy::NoRecord);
    world.pass(TTL);
    assert_eq!(world.mode(), Some(Mode::Enforce));

    // Nor does a back-off, nor the next refresh.
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.txt = found("b");
    world.https = fetch_failed();
    world.pass(TTL);
    world.lookup();
    world.now -= DAY;
    world.https = policy(Mode::Testing, WEEK);
    world.lookup();
    world.pass(7 * MINUTE);
    assert_eq!(world.mode(), Some(Mode::Testing));
    world.took();
    world.now -= 100 * DAY;
    world.lookup();
    world.pass(DAY);
    assert!(world.took().contains(&"fetch"));
}

#[test]
fn new_ids_are_fetched_after_the_clock_was_set_back_as_before() {
    for (spent, left) in [(1, 2), (2, 1), (3, 0)] {
        for by in [Duration::from_millis(3_599_300), 5 * MINUTE, DAY, 3650 * DAY] {
            let mut world = World::new();
            world.now += Duration::from_millis(200);
            for n in 0..spent {
                assert!(is_fetched(&mut world, &n.to_string()));
            }
            world.pass(Duration::from_secs(50));
            for _ in 0..2 {
                world.now -= by;
                world.cache.handle_timeout(world.now);
                world.handle_due();
            }
            // The limit is kept in whole seconds.
            world.pass(Duration::from_secs(3));
            let mut ids = ["a", "b", "c", "d"].into_iter();
            let fetched = ids.by_ref().take_while(|id| is_fetched(&mut world, id)).count();
            assert_eq!(fetched, left, "{spent} before the clock was set back by {by:?}");
            world.pass(Duration::from_secs(303));
            assert!(is_fetched(&mut world, "e"), "{spent} before it was set back by {by:?}");
        }
    }
}

/// Whether a new id leads to a fetch.
fn is_fetched(world: &mut World, id: &str) -> bool {
    world.publish(id, Mode::Enforce, MINUTE);
    world.took();
    world.recheck();
    world.took().contains(&"fetch")
}

#[test]
fn new_ids_are_fetched_after_a_fetch_that_ended_while_the_clock_was_ahead() {
    for works in [true, false] {
        let mut world = World::new();
        let name = domain("example.com");
        let Lookup::Waiting(_) = world.cache.lookup(&name, world.now) else { panic!() };
        let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
        world.cache.handle_txt(id, found("a"), world.now);
        let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
        world.set_clock(Step::DAY);
        let answer = if works { policy(Mode::Enforce, MINUTE) } else { fetch_failed() };
        world.cache.handle_policy(id, answer, world.now);
        world.drain();
        world.set_clock(-Step::DAY);
        assert!(is_fetched(&mut world, "b") && is_fetched(&mut world, "c"), "works: {works}");
        assert!(!is_fetched(&mut world, "d"), "works: {works}");
    }
}

#[test]
fn the_back_off_of_an_evicted_domain_lasts_no_longer_when_the_clock_is_set_back() {
    for ahead in [HOUR, 10 * DAY] {
        let mut world = World::with(Config::new(1).with_max_entries(1));
        world.txt = found("a");
        world.lookup();
        world.lookup_of("other.example");
        world.now -= ahead;
        world.handle_due();
        world.pass(4 * MINUTE);
        world.publish("a", Mode::Enforce, WEEK);
        assert_eq!(world.lookup().into_policy().unwrap_err(), NoPolicy::Overloaded);
        assert!(is_fetched(&mut world, "b"), "another id");
        world.lookup_of("other.example");
        world.pass(3 * MINUTE);
        assert!(world.lookup().policy().is_some());
    }
}

#[test]
fn an_eviction_while_the_clock_is_ahead_ends_no_back_off() {
    let mut world = World::with(Config::new(1).with_max_entries(1));
    world.txt = found("a");
    world.lookup();
    world.now += 2 * DAY;
    world.lookup_of("other.example");
    world.now -= 2 * DAY;
    world.publish("a", Mode::Enforce, WEEK);
    assert_eq!(world.lookup().into_policy().unwrap_err(), NoPolicy::Overloaded);

    // Nor does it use up the limit on new ids.
    let mut world = World::with(Config::new(1).with_max_entries(1));
    world.lookup();
    world.now += 2 * DAY;
    world.txt = found("a");
    world.lookup();
    world.lookup_of("other.example");
    world.now -= 2 * DAY;
    assert!(is_fetched(&mut world, "b"));
}

#[test]
fn a_reading_of_the_clock_a_moment_late_leads_to_no_request() {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.fetch_policy(Mode::Enforce, WEEK);
    world.now -= Duration::from_micros(1);
    let _ = world.cache.lookup(&domain("example.com"), world.now);
    world.drain();
    assert_eq!(world.took(), [""; 0]);
}

#[test]
fn a_request_that_is_out_when_the_clock_is_set_back_times_out_all_the_same() {
    let mut world = World::new();
    let name = domain("example.com");
    let _ = world.cache.lookup(&name, world.now);
    while world.cache.poll_request().is_some() {}
    world.now -= 30 * DAY;
    world.cache.handle_timeout(world.now);
    let due = world.cache.poll_timeout().unwrap();
    assert_eq!(due, world.now + Duration::from_secs(10));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.why(), NoPolicy::DnsFailed("no answer in time".into()));
}

#[test]
fn small_steps_back_add_up_to_no_stall() {
    let mut world = World::with_policy("a", Mode::Enforce, 4 * WEEK);
    for _ in 0..3000 {
        world.now -= 59 * Duration::from_secs(1);
        world.cache.handle_timeout(world.now);
        world.drain();
    }
    world.took();
    world.pass(DAY);
    assert!(world.took().contains(&"fetch"));
}

#[test]
fn the_ends_of_the_calendar_are_no_trouble() {
    for now in [UtcDateTime::MIN, UtcDateTime::MAX, utc_datetime!(1970-01-01 0:00)] {
        let mut world = World::new();
        world.now = now;
        world.publish("a", Mode::Enforce, WEEK);
        assert_eq!(world.mode(), Some(Mode::Enforce), "{now}");
        world.recheck();
        world.cache.handle_timeout(now);
        world.restart();
        assert_eq!(world.mode(), Some(Mode::Enforce), "{now}");
        // The end of time is no deadline.
        assert_eq!(world.cache.poll_timeout().is_some(), now != UtcDateTime::MAX);
        for jump in [UtcDateTime::MAX, UtcDateTime::MIN, now] {
            world.now = jump;
            world.cache.handle_timeout(jump);
            world.lookup();
            world.drain();
        }
    }
}

#[test]
fn a_leap_forward_is_one_step() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.https = fetch_failed();
    world.now += 3650 * DAY;
    world.cache.handle_timeout(world.now);
    world.drain();
    assert_eq!(world.mode(), None);
    world.pass(HOUR);
    assert!(world.took().len() < 5);
}

#[test]
fn nothing_is_due_for_the_rest_of_the_hour_at_the_end_of_any_year() {
    for (before, after) in [
        (utc_datetime!(2027-12-31 23:30), utc_datetime!(2028-01-01 0:00)),
        (utc_datetime!(2028-12-31 23:30), utc_datetime!(2029-01-01 0:00)), // a leap year
        (utc_datetime!(2028-02-29 23:30), utc_datetime!(2028-03-01 0:00)),
    ] {
        let mut world = World::new();
        world.now = before - HOUR;
        world.publish("a", Mode::Enforce, WEEK);
        world.txt = TxtAnswer::Found { id: PolicyId::parse("a").unwrap(), ttl: DAY };
        world.lookup();
        world.now = before;
        world.lookup();
        let known = |now| world.cache.get(&domain("example.com"), now).is_some();
        assert!(known(before) && known(after - Duration::from_secs(1)), "{before}");
        assert!(!known(after), "the use in the next hour is to be noted");
    }
}

/// Steps of a clock, as it is told to the cache: small, by hours and by years, both ways.
const STEPS: [Step; 8] = [
    Step::seconds(2),
    Step::seconds(-2),
    Step::seconds(-59),
    Step::hours(1),
    Step::hours(-1),
    Step::days(-30),
    Step::days(30),
    Step::days(-3650),
];

impl World {
    fn set_clock(&mut self, by: Step) {
        self.now += by;
        self.cache.clock_set(by, self.now);
    }
}

#[test]
fn what_is_out_keeps_the_time_that_it_had_left_when_the_clock_is_set() {
    const QUERY: Duration = Duration::from_secs(10);
    for by in STEPS {
        let mut world = World::new();
        let name = domain("example.com");
        let Lookup::Waiting(waiter) = world.cache.lookup(&name, world.now) else { panic!() };
        let Some(Request::Txt { .. }) = world.cache.poll_request() else { panic!() };
        world.now += Duration::from_secs(3);
        world.set_clock(by);
        let left = QUERY.saturating_sub(Duration::from_secs(3));
        assert_eq!(world.cache.poll_timeout(), Some(world.now + left), "{by}");
        // Nothing else is done by it.
        world.cache.handle_timeout(world.now);
        assert!(world.cache.poll_event().is_none() && world.cache.poll_request().is_none(), "{by}");
        world.now += left;
        world.cache.handle_timeout(world.now);
        let event = world.cache.poll_event().unwrap();
        let EventKind::Answered { id: who, answer } = event.kind else { panic!("{event:?}") };
        assert_eq!(who, waiter);
        assert_eq!(
            answer.into_policy().unwrap_err(),
            NoPolicy::DnsFailed("no answer in time".into())
        );
    }
}

#[test]
fn a_discovery_is_over_when_it_would_have_been_whenever_the_clock_is_set() {
    for by in STEPS {
        let mut world = World::new();
        let _ = world.cache.lookup(&domain("example.com"), world.now);
        let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
        world.now += Duration::from_secs(5);
        world.cache.handle_txt(id, found("a"), world.now);
        let Some(Request::Fetch { id, .. }) = world.cache.poll_request() else { panic!() };
        world.set_clock(by);
        // It stood in a queue: of the 70 s of both time-outs, 40 are left.
        world.now += Duration::from_secs(25);
        assert!(world.cache.fetch_started(&id, world.now));
        assert_eq!(world.cache.poll_timeout(), Some(world.now + Duration::from_secs(40)), "{by}");
    }
}

#[test]
fn a_save_keeps_the_time_that_it_had_left_when_the_clock_is_set() {
    for by in STEPS {
        let config = Config::new(1).with_persistence(true);
        let mut world = World::with(config);
        let waiter = world.fetch_policy(Mode::Enforce, WEEK);
        let Some(Request::Persist { id, .. }) = world.cache.poll_request() else { panic!() };
        while world.cache.poll_event().is_some() {}
        world.now += Duration::from_secs(9);
        world.set_clock(by);
        world.cache.handle_timeout(world.now);
        let late = |event: &mta_sts::cache::Event| {
            matches!(event.kind, EventKind::NotPersisted { .. } | EventKind::Answered { .. })
        };
        let mut told = std::iter::from_fn(|| world.cache.poll_event());
        assert!(!told.any(|event| late(&event)), "{by}: it has a second left");
        if by.is_negative() {
            world.now += Duration::from_secs(1);
            world.cache.handle_timeout(world.now);
        } else {
            world.cache.handle_persisted(id, Ok(()), world.now);
        }
        let mut told = std::iter::from_fn(|| world.cache.poll_event());
        assert!(
            told.any(
                |event| matches!(event.kind, EventKind::Answered { id: who, .. } if who == waiter)
            ),
            "{by}"
        );
    }
}

#[test]
fn what_could_not_be_saved_is_tried_again_in_time_when_the_clock_is_set() {
    for by in STEPS {
        let mut world = World::with(Config::new(1).with_persistence(true));
        world.fetch_policy(Mode::Enforce, 8 * 52 * WEEK);
        let Some(Request::Persist { id, .. }) = world.cache.poll_request() else { panic!() };
        world.cache.handle_persisted(id, Err("the disk is full"), world.now);
        world.set_clock(by);
        world.cache.handle_timeout(world.now);
        let saves = |world: &mut World| {
            std::iter::from_fn(|| world.cache.poll_request())
                .filter(|request| matches!(request, Request::Persist { .. }))
                .count()
        };
        assert_eq!(saves(&mut world), 0, "{by}");
        world.now += Duration::from_secs(1);
        world.cache.handle_timeout(world.now);
        assert_eq!(saves(&mut world), 1, "{by}");
    }
}

#[test]
fn lives_follow_the_clock_that_was_set() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.https = fetch_failed();
    world.set_clock(Step::days(8));
    world.cache.handle_timeout(world.now);
    world.drain();
    assert_eq!(world.alerts(), [AlertKind::Expired]);
    assert_eq!(world.mode(), None);
    world.set_clock(Step::days(-7));
    assert_eq!(world.mode(), Some(Mode::Enforce));
    world.pass(WEEK);
    assert_eq!(world.mode(), None);
}

#[test]
fn an_entry_alone_keeps_the_time_that_its_request_had_left() {
    let (name, config): (Domain, _) = (domain("example.com"), Config::new(1));
    let mut at = Context {
        domain: &name,
        now: utc_datetime!(2026-01-01 0:00),
        request_id: 1,
        config: &config,
    };
    let mut entry = Entry::default();
    assert_eq!(entry.step(Input::Lookup, &at).request, Some(EntryRequest::Txt));
    at.now += Step::hours(1);
    entry.clock_set(Step::hours(1));
    assert_eq!(entry.poll_timeout(&config), Some(at.now + Duration::from_secs(10)));
    let outputs = entry.step(Input::Timeout, &Context { request_id: 2, ..at });
    assert_eq!(outputs.answer, None);
    let outputs = entry.step(Input::Txt(1, found("a")), &Context { request_id: 3, ..at });
    assert_eq!(outputs.request, Some(EntryRequest::Fetch));
    entry.clock_set(Step::MAX);
    entry.clock_set(Step::MIN);
    let answer: PolicyAnswer = policy(Mode::Enforce, WEEK);
    assert!(
        entry.step(Input::Policy(3, answer), &Context { request_id: 4, ..at }).answer.is_some()
    );
}
