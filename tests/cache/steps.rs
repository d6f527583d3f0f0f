//! What a step of the clock does to what was noted before it, and to many domains at once.

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{Config, TxtAnswer},
};
use time::macros::utc_datetime;

use crate::world::{DAY, HOUR, MINUTE, World, domain, fetch_failed, found, policy};

/// What happens to the sender.
#[derive(Clone, Copy, Debug)]
enum Do {
    /// The clock is set wrong.
    Wrong,
    Lookup,
    Restart,
    /// The clock is set right.
    Right,
}

use Do::{Lookup, Restart, Right, Wrong};

const ORDERS: [&[Do]; 7] = [
    &[Wrong, Lookup, Right],
    &[Wrong, Lookup, Restart, Right],
    &[Wrong, Restart, Lookup, Right],
    &[Wrong, Lookup, Right, Restart],
    &[Wrong, Lookup, Right, Lookup, Restart],
    &[Wrong, Restart, Lookup, Restart, Right, Restart],
    &[Wrong, Lookup, Right, Wrong, Right],
];

const SPANS: [Duration; 9] = [
    HOUR,
    Duration::from_secs(86_400),
    Duration::from_secs(10 * 86_400),
    Duration::from_secs(100 * 86_400),
    Duration::from_secs(170 * 86_400),
    Duration::from_secs(179 * 86_400),
    Duration::from_secs(200 * 86_400),
    Duration::from_secs(400 * 86_400),
    Duration::from_secs(7300 * 86_400),
];

#[test]
fn a_use_noted_at_a_clock_ahead_has_nothing_refreshed_for_longer_than_one_noted_now() {
    for span in SPANS {
        for order in ORDERS {
            let mut world = World::with_policy("a", Mode::Enforce, 30 * DAY);
            for step in order {
                match step {
                    Wrong => world.now += span,
                    Right => world.now -= span,
                    Restart => world.restart(),
                    Lookup => drop(world.lookup()),
                }
                world.cache.handle_timeout(world.now);
                world.drain();
                world.pass(MINUTE);
            }
            world.took();
            world.pass(170 * DAY);
            let fetches = world.took().into_iter().filter(|it| *it == "fetch").count();
            assert!(fetches >= 160, "{span:?} {order:?}: {fetches} refreshes");
            world.pass(12 * DAY);
            world.took();
            for month in 0..36 {
                world.pass(30 * DAY);
                assert_eq!(world.took(), [""; 0], "{span:?} {order:?}, month {month}");
                if month % 5 == 4 {
                    world.restart();
                }
            }
        }
    }
}

#[test]
fn a_failing_policy_is_not_tried_for_longer_because_of_a_use_in_the_future() {
    for span in [100 * DAY, 200 * DAY, 7300 * DAY] {
        let mut world = World::with_policy("a", Mode::Enforce, 360 * DAY);
        world.https = fetch_failed();
        world.now += span;
        world.lookup();
        world.now -= span;
        world.cache.handle_timeout(world.now);
        world.drain();
        world.pass(182 * DAY);
        world.took();
        for month in 0..12 {
            world.pass(30 * DAY);
            assert_eq!(world.took(), [""; 0], "{span:?}, month {month}");
        }
    }
}

#[test]
fn a_clock_that_was_behind_for_a_moment_ends_no_refresh() {
    let right = utc_datetime!(2026-01-01 0:00);
    let since_1970 = (right - utc_datetime!(1970-01-01 0:00)).unsigned_abs();
    for span in SPANS.into_iter().chain([since_1970]) {
        for order in ORDERS {
            let mut world = World::with_policy("a", Mode::Enforce, 30 * DAY);
            // At the wrong time no certificate is valid.
            (world.txt, world.https) = (TxtAnswer::Failed("no route".into()), fetch_failed());
            for step in order {
                match step {
                    Wrong => world.now -= span,
                    Right => world.now += span,
                    Restart => world.restart(),
                    Lookup => drop(world.lookup()),
                }
                world.cache.handle_timeout(world.now);
                world.drain();
                world.pass(MINUTE);
            }
            (world.txt, world.https) = (found("a"), policy(Mode::Enforce, 30 * DAY));
            world.pass(100 * DAY);
            assert_eq!(world.mode(), Some(Mode::Enforce), "{span:?} {order:?}");
            assert!(world.took().len() >= 180, "{span:?} {order:?}");
        }
    }
}

#[test]
fn the_order_of_eviction_outlives_a_restart_at_a_wrong_clock() {
    let mut world = World::with(Config::new(1).with_max_entries(5));
    world.publish("a", Mode::Enforce, 365 * DAY);
    let names = ["d.example", "b.example", "e.example", "a.example", "c.example"];
    for name in names {
        world.lookup_of(name);
        world.now += HOUR;
    }
    world.now = utc_datetime!(1970-01-01 0:00);
    world.restart();
    for (n, name) in names.into_iter().enumerate() {
        assert!(world.cache.view(&domain(name)).is_some(), "{name} has gone before others");
        world.lookup_of(&format!("new{n}.example"));
        assert!(world.cache.view(&domain(name)).is_none(), "{name} stays, and another has gone");
    }
}
