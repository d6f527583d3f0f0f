//! A Policy Host that says when to ask again, and a machine whose clocks both go on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mta_sts::{NoPolicy, cache::Answer, client::Clock};
use mta_sts_testkit::{Site, Web, World};
use time::UtcDateTime;

use crate::world::{BOTH, Client, Kind, LONG, POLICY, Parts, domain, settings};

/// Clocks of a system for which time flies.
#[derive(Debug)]
struct Flying {
    start: Instant,
    seconds: AtomicU64,
}

impl Flying {
    fn ahead(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }
}

impl Clock for Flying {
    fn now(&self) -> UtcDateTime {
        UtcDateTime::now() + self.ahead()
    }

    fn monotonic(&self) -> mta_sts::Instant {
        (self.start.elapsed() + self.ahead()).into()
    }
}

#[test]
fn a_host_that_is_busy_is_left_alone() {
    BOTH.into_iter().for_each(a_host_that_is_busy_is_left_alone_of);
}

fn a_host_that_is_busy_is_left_alone_of(kind: Kind) {
    let world = World::new();
    let at = UtcDateTime::now() + time::Duration::minutes(40);
    let (day, month) = (at.day(), &at.month().to_string()[..3]);
    let date =
        format!("Xxx, {day:02} {month} {} {:02}:{:02}:00 GMT", at.year(), at.hour(), at.minute());
    for (name, status, value) in
        [("a.example", 503, "2400"), ("b.example", 429, "2400"), ("c.example", 503, &date)]
    {
        let head = format!("HTTP/1.1 {status} Busy\r\nRetry-After: {value}\r\n\r\n");
        world.set(name, Site { web: Web::Answers(head.into()), ..Site::new("1", POLICY) });
    }
    let clock = Arc::new(Flying { start: Instant::now(), seconds: AtomicU64::new(0) });
    let parts = Parts { clock: Some(clock.clone()), ..Parts::default() };
    let client = Client::with(kind, settings(&world), parts).unwrap();
    let fetches = |minutes: u64, name: &str| {
        clock.seconds.store(minutes * 60, Ordering::SeqCst);
        let answer = client.policy(&domain(name), LONG).unwrap();
        let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = answer else { panic!("{answer:?}") };
        assert_eq!(failure.reason_code(), "http-status");
        world.counts(name).fetches
    };
    for (minutes, expected) in [(0, 1), (15, 1), (35, 1), (55, 2)] {
        for name in ["a.example", "b.example", "c.example"] {
            assert_eq!(fetches(minutes, name), expected, "{name} after {minutes} minutes");
        }
    }
}
