//! Over a restart.

use std::time::Duration;

use mta_sts::{
    Mode, Policy,
    cache::{Cache, Config, PolicyAnswer, Request},
};

use crate::world::{DAY, HOUR, MINUTE, TTL, World, domain, fetch_failed, found, parsed};

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
fn back_off_of_an_evicted_domain_survives_a_restore() {
    let mut world = World::with(Config::new(1).with_max_entries(1));
    world.publish("a", Mode::Testing, WEEK);
    world.lookup();
    let early: Vec<_> = world.cache.snapshots().collect();
    (world.txt, world.https) = (found("b"), fetch_failed());
    world.recheck();
    let mut other = World::new();
    other.publish("a", Mode::Enforce, WEEK);
    other.lookup_of("other.example");
    assert_eq!(world.cache.restore(other.cache.snapshots(), world.now).restored, 1);
    assert!(world.cache.entry(&domain("example.com")).is_none());
    world.cache.remove(&domain("other.example"), world.now);
    world.now += MINUTE;
    // Also if it is removed again for one of a higher rank.
    let both: Vec<_> = early.iter().cloned().chain(other.cache.snapshots()).collect();
    assert_eq!(world.cache.restore(both, world.now).refused, 1);
    world.cache.remove(&domain("other.example"), world.now);
    assert_eq!(world.cache.restore(early, world.now).restored, 1);
    world.took();
    world.recheck();
    assert_eq!(world.took(), ["txt"]);
}

#[test]
fn of_two_snapshots_the_one_fetched_later_counts() {
    let mut world = World::with_policy("a", Mode::Testing, WEEK);
    let early: Vec<_> = world.cache.snapshots().collect();
    world.publish("b", Mode::Enforce, WEEK);
    world.pass(DAY);
    let late: Vec<_> = world.cache.snapshots().collect();
    for snapshots in [[early.clone(), late.clone()], [late, early]] {
        let mut cache = Cache::new(Config::new(1));
        let report = cache.restore(snapshots.into_iter().flatten(), world.now);
        assert_eq!(report.restored + report.outdated, 2);
        let view = cache.entry(&domain("example.com")).unwrap();
        assert_eq!(view.policy().unwrap().mode(), Mode::Enforce);
        assert_eq!(cache.policy_count(), 1);
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
    let report = cache.restore(world.cache.snapshots(), world.now);
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

#[test]
fn what_the_operator_lists_or_pins_and_what_is_restored_merge_in_any_order() {
    let name = domain("example.com");
    let mut old = World::with_policy("a", Mode::Enforce, WEEK);
    // A row with a policy, live or not, and one with a fetch that has failed.
    for (age, has_failed) in [(DAY, false), (DAY, true), (8 * DAY, false), (8 * DAY, true)] {
        let mut world = World::with_policy("a", Mode::Enforce, WEEK);
        world.now += age;
        if has_failed {
            (world.txt, world.https) = (found("b"), fetch_failed());
            world.lookup();
        }
        old.now = world.now;
        let rows: Vec<_> = world.cache.snapshots().collect();
        let listed = || parsed(Mode::Testing, DAY);
        for is_pinned in [false, true] {
            let mut told = Vec::new();
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let mut world = World::new();
                (world.now, world.txt, world.https) = (old.now, found("b"), fetch_failed());
                for step in order {
                    match step {
                        0 => {
                            let _ =
                                world.cache.set_static_policy(&name, listed(), world.now).unwrap();
                        }
                        1 if is_pinned => {
                            let pinned = parsed(Mode::Enforce, HOUR);
                            world.cache.pin_policy(&name, pinned, world.now).unwrap();
                        }
                        1 => {}
                        _ => {
                            let report = world.cache.restore(rows.clone(), world.now);
                            assert!(report.damaged.is_empty() && report.refused == 0);
                        }
                    }
                }
                let known = world.cache.entry(&name).unwrap();
                let (policy, id, end) = (known.policy().cloned(), known.id(), known.ends_at());
                let applies = known.answer(world.now).cloned().into_policy();
                // What is stored is forgotten in the store, too.
                let mut removed = World::with(Config::new(1).with_persistence(true));
                let _ = removed.cache.set_static_policy(&name, listed(), old.now).unwrap();
                let _ = removed.cache.restore(rows.clone(), old.now);
                removed.cache.remove(&name, old.now);
                let request = removed.cache.poll_request();
                assert!(matches!(request, Some(Request::Persist { snapshot: None, .. })));
                // Back-off is kept.
                world.cache.clear_override(&name, world.now);
                world.recheck();
                told.push((policy, id, end, applies, world.took()));
            }
            for other in &told {
                assert_eq!(*other, told[0], "{age:?}, {has_failed}, {is_pinned}");
            }
            let (policy, ..) = &told[0];
            let mode = policy.as_ref().map(|policy| policy.mode());
            assert_eq!(mode, Some(if age < WEEK { Mode::Enforce } else { Mode::Testing }));
            assert_eq!(told[0].4, if has_failed { &["txt"][..] } else { &["txt", "fetch"] });
        }
    }
}

#[test]
fn i24_the_most_valuable_rows_are_kept_where_bytes_are_short() {
    // Each has a body of its own; the flood comes last, and by name first.
    let body = |n: usize, mode| {
        let text =
            format!("version: STSv1\nmode: {mode}\nmx: mx{n}.example.net\nmax_age: 604800\n");
        PolicyAnswer::Valid(Policy::parse(text.as_bytes()).unwrap().into())
    };
    let mut world = World::new();
    world.txt = found("a");
    for day in 0..2 {
        for n in 0..20 {
            world.https = body(n, Mode::Enforce);
            world.lookup_of(&format!("good{n}.example"));
        }
        world.pass(DAY * (1 - day));
    }
    for n in 100..300 {
        world.https = body(n, Mode::Testing);
        world.lookup_of(&format!("a{n}.example"));
    }
    let mut rows: Vec<_> = world.cache.snapshots().collect();
    for _ in 0..2 {
        let config = Config::new(1).with_max_bytes(world.cache.memory_usage() / 4);
        let mut cache = Cache::new(config);
        let report = cache.restore(rows.clone(), world.now);
        assert_eq!(report.restored + report.refused, 220);
        assert!((40..80).contains(&report.restored), "{report:?}");
        assert_eq!(
            (report.refused_by_class.enforce, cache.memory_usage() <= config.max_bytes()),
            (0, true)
        );
        for n in 0..20 {
            assert!(cache.entry(&domain(&format!("good{n}.example"))).is_some(), "{n}");
        }
        rows.reverse();
    }
}

#[test]
fn i24_the_order_of_one_hour_is_kept() {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    world.publish("a", Mode::Enforce, WEEK);
    for n in 0..10 {
        world.lookup_of(&format!("d{n}.example"));
    }
    for _ in 0..3 {
        world.restart();
    }
    for n in 0..5 {
        world.lookup_of(&format!("new{n}.example"));
        let gone = world.cache.entry(&domain(&format!("d{n}.example")));
        assert!(gone.is_none(), "{n}: used least recently");
        assert_eq!(world.cache.len(), 10);
    }
}

#[test]
fn what_is_known_already_makes_no_room_beyond_the_bound() {
    let config = Config::new(1).with_max_bytes(60_000);
    let mut world = World::with(config);
    for n in 0..100 {
        world.lookup_of(&format!("d{n}.example"));
    }
    let mut stored = World::with(Config::new(1));
    stored.txt = found("a");
    for n in 0..100 {
        let rest = "x".repeat(6000);
        let text = format!(
            "version: STSv1\nmode: enforce\nmx: mx{n}.example\nmax_age: 604800\nnote: {rest}\n"
        );
        stored.https = PolicyAnswer::from_body(&domain("a.example"), text.as_bytes());
        stored.lookup_of(&format!("d{n}.example"));
    }
    let once = stored.cache.snapshots();
    let thrice = once.flat_map(|snapshot| [snapshot.clone(), snapshot.clone(), snapshot]);
    let _ = world.cache.restore(thrice, world.now);
    assert!(world.cache.memory_usage() <= 60_000, "{}", world.cache.memory_usage());
    assert!(world.cache.policy_count() >= 5, "{}", world.cache.policy_count());
}
