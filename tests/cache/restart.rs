//! Over a restart.

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{Cache, Config},
};

use crate::world::{DAY, TTL, World, domain, found};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[test]
fn a_restart_in_the_midst_of_a_request_counts_it_as_lost() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    let _ = world.cache.lookup(&domain("example.com"), world.now);
    world.restart();
    assert_eq!(world.mode(), Some(Mode::Enforce));
    assert_eq!(world.took(), ["txt", "fetch"]);
}

#[test]
fn back_off_survives_a_restart() {
    let mut world = World::new();
    world.txt = found("a");
    world.lookup();
    world.took();
    world.pass(TTL.saturating_sub(Duration::from_secs(1)));
    world.restart();
    assert_eq!(world.mode(), None);
    assert!(!world.took().contains(&"fetch"));
}

#[test]
fn of_two_snapshots_the_one_fetched_later_counts() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    let early: Vec<_> = world.cache.snapshot().collect();
    world.publish("b", Mode::Enforce, WEEK);
    world.pass(DAY);
    let late: Vec<_> = world.cache.snapshot().collect();
    for snapshots in [[early.clone(), late.clone()], [late, early]] {
        let mut cache = Cache::new(Config::new(1));
        let report = cache.restore(snapshots.into_iter().flatten(), world.now);
        assert_eq!(report.restored + report.outdated, 2);
        let view = cache.view(&domain("example.com")).unwrap();
        assert_eq!(view.policy().unwrap().mode(), Mode::Enforce);
        assert_eq!(cache.policies(), 1);
    }
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    for _ in 0..2 {
        for n in 0..10 {
            world.lookup_of(&format!("{n}.example"));
        }
        world.pass(DAY);
    }
    let mut cache = Cache::new(Config::new(1).with_max_entries(4));
    let report = cache.restore(world.cache.snapshot(), world.now);
    assert_eq!((report.restored, report.refused, cache.len()), (4, 6, 4));
}

#[test]
fn what_comes_from_the_future_is_armed_anew() {
    let mut world = World::with_policy("a", Mode::Enforce, WEEK);
    world.now -= 10 * DAY;
    world.restart();
    let due = world.cache.poll_timeout().unwrap();
    assert!(due <= world.now, "its refresh waits until {due}");
}
