//! Rows of policies that ended long ago.

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{Cache, Config, Restored, TxtAnswer},
};

use crate::world::{DAY, HOUR, MINUTE, World, domain, fetch_failed};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn kept(count: usize) -> World {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.publish("a", Mode::Enforce, WEEK);
    (0..count).for_each(|n| drop(world.lookup_of(&format!("old{n}.example"))));
    world
}

/// The process ends, and begins again with what is in the store.
fn restart(world: &mut World) -> Restored {
    world.cache = Cache::new(*world.cache.config());
    let report = world.cache.restore(world.store.values().cloned(), world.now);
    world.handle_due();
    report
}

/// Looks up the domain, after so long a stop.
fn stop(world: &mut World, span: Duration, name: &str) {
    world.now += span;
    world.lookup_of(name);
}

#[test]
fn rows_of_policies_that_ended_long_ago_leave_the_store() {
    let mut world = kept(500);
    stop(&mut world, 25 * DAY, "ended.example");
    stop(&mut world, 15 * DAY, "live.example");
    let report = restart(&mut world);
    assert_eq!((report.restored, report.ended), (502, 500));
    world.pass(22 * HOUR);
    assert_eq!(world.store.len(), 502, "the clock may be wrong");
    let mut calls = 0;
    while world.store.len() > 2 {
        world.now = world.cache.poll_timeout().unwrap();
        world.cache.handle_timeout(world.now);
        let before = world.store.len();
        world.drain();
        assert!(before - world.store.len() <= 64, "{} at once", before - world.store.len());
        calls += 1;
        assert!(calls < 100, "{} are left", world.store.len());
    }
    let left: Vec<_> = world.store.keys().map(ToString::to_string).collect();
    assert_eq!(left, ["ended.example", "live.example"]);
    assert_eq!(world.cache.len(), 2);
    assert_eq!(world.cache.counters().evicted, 0);
    world.pass(DAY);
    assert_eq!(restart(&mut world).ended, 0);
}

/// The removal is the next work of the cache, and comes late as timers do.
#[test]
fn the_rows_leave_a_cache_that_is_not_called_meanwhile() {
    let mut world = kept(3);
    stop(&mut world, 39 * DAY, "other.example");
    stop(&mut world, 12 * HOUR, "other.example");
    assert_eq!(restart(&mut world).ended, 3);
    world.cache.remove(&domain("other.example"), world.now);
    world.drain();
    world.now = world.cache.poll_timeout().unwrap() + Duration::from_millis(1);
    world.cache.handle_timeout(world.now);
    world.drain();
    assert!(world.store.is_empty());
}

#[test]
fn a_clock_that_is_wrong_at_a_start_removes_no_live_policy() {
    for wrong in [60 * DAY, 400 * DAY, 7300 * DAY] {
        let mut world = kept(50);
        let right = world.now;
        world.now += wrong;
        (world.txt, world.https) = (TxtAnswer::Failed("no route".into()), fetch_failed());
        assert_eq!(restart(&mut world).ended, 50);
        world.pass(12 * HOUR);
        world.now = right + 12 * HOUR;
        world.handle_due();
        world.pass(4 * DAY);
        assert_eq!(world.store.len(), 50, "{wrong:?}");
        assert!(world.lookup_of("old7.example").policy().is_some(), "{wrong:?}");
    }
}

#[test]
fn a_clock_that_is_set_ahead_as_rows_are_removed_removes_no_live_policy() {
    let mut world = kept(3);
    world.now += 60 * DAY;
    assert_eq!(restart(&mut world).ended, 3);
    // Its place is taken by another.
    world.cache.remove(&domain("old1.example"), world.now);
    world.drain();
    assert!(world.lookup_of("new.example").policy().is_some());
    world.pass(22 * HOUR);
    world.now += 730 * DAY;
    world.txt = TxtAnswer::Failed("no route".into());
    world.https = fetch_failed();
    world.handle_due();
    world.pass(MINUTE);
    world.now -= 730 * DAY;
    world.cache.handle_timeout(world.now);
    world.handle_due();
    assert!(world.cache.entry(&domain("new.example")).is_some());
    assert!(world.store.contains_key(&domain("new.example")));
    world.pass(2 * DAY);
    assert_eq!(world.store.len(), 1);
}

#[test]
fn i3_back_off_outlives_the_row() {
    let mut world = kept(1);
    world.now += 60 * DAY;
    assert_eq!(restart(&mut world).ended, 1);
    world.https = fetch_failed();
    // The clock is doubted for a day after such a stop.
    world.pass(45 * HOUR + 59 * MINUTE);
    world.lookup_of("old0.example");
    world.took();
    world.pass(2 * MINUTE);
    assert!(world.store.is_empty() && world.cache.is_empty());
    world.lookup_of("old0.example");
    assert_eq!(world.took(), ["txt"]);
}

#[test]
fn a_cache_without_a_store_removes_nothing() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.now += 60 * DAY;
    world.restart();
    world.handle_due();
    world.pass(3 * DAY);
    assert_eq!((world.cache.len(), world.cache.poll_timeout()), (1, None));
}
