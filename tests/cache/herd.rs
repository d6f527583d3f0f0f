//! A herd of refreshes that are due at once, as after a restart.

use std::{collections::BTreeMap, time::Duration};

use mta_sts::{
    Mode,
    cache::{Cache, Config, PolicyAnswer, Request},
};

use crate::world::{DAY, HOUR, MINUTE, World, domain, found, parsed};

const DOMAINS: usize = 100_000;

/// The policies of so many domains, all of which were met within an hour, a week ago but a day.
fn kept() -> World {
    let mut world = World::with(Config::new(1).with_max_entries(DOMAINS));
    (world.txt, world.https) = (found("a"), served());
    for n in 0..DOMAINS {
        let _ = world.cache.lookup(&domain(&format!("d{n}.example")), world.now);
        world.drain();
    }
    world.now += 6 * DAY;
    world
}

fn served() -> PolicyAnswer {
    PolicyAnswer::Valid(parsed(Mode::Enforce, 7 * DAY).into())
}

#[test]
fn a_hundred_thousand_refreshes_after_a_restart_are_spread() {
    let old = kept();
    let (start, config) = (old.now, *old.cache.config());
    let mut cache = Cache::new(config);
    let report = cache.restore(old.cache.snapshots(), start);
    assert_eq!(report.restored, DOMAINS);
    drop(old);
    let (mut now, mut seconds, mut fetched) = (start, BTreeMap::<i64, usize>::new(), 0);
    while fetched < DOMAINS {
        assert!(now < start + HOUR, "{fetched} after an hour");
        cache.handle_timeout(now);
        while let Some(request) = cache.poll_request() {
            match request {
                Request::Txt { id, .. } => {
                    *seconds.entry((now - start).whole_seconds()).or_default() += 1;
                    cache.handle_txt(id, found("a"), now);
                }
                Request::Fetch { id, .. } => {
                    fetched += 1;
                    cache.handle_policy(id, served(), now);
                }
                other => panic!("{other:?}"),
            }
        }
        while cache.poll_event().is_some() {}
        now = cache.poll_timeout().unwrap().max(now);
    }
    // Over ten minutes, 167 a second.
    let (last, most) = (*seconds.keys().last().unwrap(), *seconds.values().max().unwrap());
    assert!((590..=600).contains(&last), "the last one after {last} s");
    assert!(most < 2 * DOMAINS / 600, "{most} in one second");
}

/// As on a machine that has no clock of its own, and learns the time from the network.
#[test]
fn refreshes_after_a_start_with_the_clock_behind_are_spread() {
    for behind in [8 * MINUTE, 40 * DAY] {
        refreshes_after_a_start_with_the_clock_behind(behind);
    }
}

fn refreshes_after_a_start_with_the_clock_behind(by: Duration) {
    let old = kept();
    let (start, config) = (old.now, *old.cache.config());
    let mut cache = Cache::new(config);
    let behind = start - by;
    assert_eq!(cache.restore(old.cache.snapshots().take(10_000), behind).restored, 10_000);
    cache.handle_timeout(behind);
    while cache.poll_timeout().is_some_and(|due| due <= behind) {
        cache.handle_timeout(behind);
    }
    let mut at_once = 0;
    while cache.poll_request().is_some() {
        at_once += 1;
    }
    assert!(at_once < 100, "{at_once} at the start");
    let (mut now, mut seconds) = (start, BTreeMap::<i64, usize>::new());
    while now < start + HOUR {
        cache.handle_timeout(now);
        while let Some(request) = cache.poll_request() {
            match request {
                Request::Txt { id, .. } => {
                    *seconds.entry((now - start).whole_seconds()).or_default() += 1;
                    cache.handle_txt(id, found("a"), now);
                }
                Request::Fetch { id, .. } => cache.handle_policy(id, served(), now),
                other => panic!("{other:?}"),
            }
        }
        while cache.poll_event().is_some() {}
        now = cache.poll_timeout().unwrap().max(now);
    }
    let (total, most) = (seconds.values().sum::<usize>(), *seconds.values().max().unwrap());
    assert!((9900..=10_000).contains(&total), "{total}");
    // One minute of ten is not late.
    assert!(most < 1_500, "{most} in one second, behind by {by:?}");
}
