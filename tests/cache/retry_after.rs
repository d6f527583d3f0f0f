//! A Policy Host that says when to ask again (RFC 9110 §10.2.3).

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::PolicyAnswer,
    fetch::{AcceptedMediaType, policy_from_response},
};

use crate::world::{DAY, HOUR, MINUTE, World, domain, found};

const WEEK: Duration = Duration::from_secs(7 * 86_400);
const SECOND: Duration = Duration::from_secs(1);

/// What a host answers that is busy.
fn busy(status: u16, retry_after: &str) -> PolicyAnswer {
    let headers = [("retry-after", retry_after)];
    let error =
        policy_from_response(status, headers, b"", AcceptedMediaType::TextPlain).unwrap_err();
    Err(error.to_failure(&domain("example.com"))).into()
}

/// How long a host is left alone that answers this at the first contact, to a minute.
fn left_alone(answer: PolicyAnswer) -> Duration {
    let mut world = World::new();
    world.txt = found("a");
    world.https = answer;
    world.lookup();
    assert_eq!(world.took(), ["txt", "fetch"]);
    for minutes in 1..=200 {
        world.now += MINUTE;
        world.lookup();
        if world.took().contains(&"fetch") {
            return minutes * MINUTE;
        }
    }
    panic!("for ever");
}

#[test]
fn retry_after_lengthens_the_back_off() {
    // Whatever it says, it is five minutes, and up to a quarter more.
    let ordinary = 5 * MINUTE..=7 * MINUTE;
    for (status, value) in [
        (503, ""),
        (503, "0"),
        (503, "60"),
        (503, "-3600"),
        (503, "3600.0"),
        (503, "+3600"),
        (503, "1h"),
        (503, "soon"),
        (429, "Thu, 01 Jan 2026 00:01:00 GMT"),
        // Long gone.
        (503, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (503, "Thu, 32 Jan 2026 00:40:00 GMT"),
        (503, "Thu, 01 Jan 2026 00:40:00 UTC"),
        (503, "thu, 01 jan 2026 00:40:00 gmt"),
        // No other status has it.
        (500, "1800"),
        (404, "1800"),
        (301, "1800"),
        (502, "1800"),
    ] {
        let found = left_alone(busy(status, value));
        assert!(ordinary.contains(&found), "{status} {value:?}: {found:?}");
    }
    let lengthened = 40 * MINUTE..=51 * MINUTE;
    for (status, value) in [
        (503, "2400"),
        (429, "2400"),
        (429, "0000002400"),
        (503, "Thu, 01 Jan 2026 00:40:00 GMT"),
        (503, "Thursday, 01-Jan-26 00:40:00 GMT"),
        (503, "Thu Jan  1 00:40:00 2026"),
    ] {
        let found = left_alone(busy(status, value));
        assert!(lengthened.contains(&found), "{status} {value:?}: {found:?}");
    }
    // An hour at the most, and no more than an hour.
    for value in [
        "3600",
        "86400",
        "4294967295",
        "4294967296",
        "99999999999999999999999999",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "Tue, 01 Jan 2030 00:00:00 GMT",
    ] {
        assert_eq!(left_alone(busy(503, value)), HOUR, "{value:?}");
    }
}

/// The first of several that is one.
#[test]
fn several_values() {
    let headers = [("Retry-After", "soon"), ("RETRY-AFTER", " 2400 "), ("Retry-After", "60")];
    let error = policy_from_response(503, headers, b"", AcceptedMediaType::TextPlain).unwrap_err();
    assert_eq!(
        (error.reason_code(), &*error.to_string()),
        ("http-status", "HTTP status 503, not 200")
    );
    let found = left_alone(Err(error.to_failure(&domain("example.com"))).into());
    assert!((40 * MINUTE..=51 * MINUTE).contains(&found), "{found:?}");
}

#[test]
fn half_of_what_is_left_of_a_life_at_the_most() {
    for (left, most) in [(30 * MINUTE, 15 * MINUTE), (3 * HOUR, HOUR), (12 * MINUTE, 7 * MINUTE)] {
        let mut world = World::with_policy("a", Mode::Enforce, 3 * HOUR);
        let end = world.now + 3 * HOUR;
        world.https = busy(503, "86400");
        world.txt = found("b");
        world.now = end - left;
        world.cache.handle_timeout(world.now);
        let _ = world.refresh();
        let failed_at = world.now;
        world.took();
        let mut asked = None;
        while asked.is_none() && world.now < end {
            world.pass(10 * SECOND);
            asked = world.took().contains(&"fetch").then(|| world.now - failed_at);
        }
        let asked = asked.expect("it is asked before the policy ends");
        assert!(asked <= most + 10 * SECOND, "{left:?}: {asked}");
        assert!(asked >= most.min(10 * MINUTE) / 2, "{left:?}: {asked}");
        assert_eq!(world.mode(), Some(Mode::Enforce));
    }
}

/// A host that is always busy costs a policy nothing but its refresh.
#[test]
fn a_policy_lives_on_while_its_host_is_busy() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.https = busy(503, "99999999");
    world.pass(6 * DAY);
    let fetches = world.took().iter().filter(|request| **request == "fetch").count();
    assert!(fetches >= 5 * 18, "{fetches}");
    world.publish("a", Mode::Testing, WEEK);
    world.pass(2 * HOUR);
    assert_eq!(world.mode(), Some(Mode::Testing));
}

#[test]
fn it_survives_a_restart() {
    let mut world = World::new();
    world.txt = found("a");
    world.https = busy(503, "3000");
    world.lookup();
    world.restart();
    world.took();
    world.now += 45 * MINUTE;
    world.lookup();
    assert_eq!(world.took(), ["txt"]);
}
