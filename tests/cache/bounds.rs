//! How much is kept, and what goes first.

use std::time::Duration;

use mta_sts::{
    Mode, NoPolicy,
    cache::{Config, EventKind, PolicyAnswer, TxtAnswer},
};

use crate::world::{DAY, HOUR, World, domain, fetch_failed, found, no_record, parsed, policy};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// One domain of each class, in the order in which they must go.
const CLASSES: [&str; 6] = [
    "expired.example",
    "negative.example",
    "none.example",
    "testing.example",
    "once.example",
    "regular.example",
];

fn one_of_each() -> World {
    let mut world = World::with(Config::new(1).with_max_entries(CLASSES.len()));
    world.publish("a", Mode::Enforce, 90 * DAY);
    world.lookup_of("regular.example");
    world.publish("a", Mode::Enforce, HOUR);
    world.lookup_of("expired.example");
    world.publish("a", Mode::Enforce, 90 * DAY);
    world.pass(DAY);
    world.lookup_of("regular.example");
    world.lookup_of("once.example");
    world.publish("a", Mode::Testing, 90 * DAY);
    world.lookup_of("testing.example");
    world.publish("a", Mode::None, 90 * DAY);
    world.lookup_of("none.example");
    world.txt = no_record();
    world.lookup_of("negative.example");
    world.events.clear();
    world
}

fn gone(world: &World) -> Vec<&'static str> {
    let is_gone = |name: &&str| world.cache.entry(&domain(name)).is_none();
    CLASSES.into_iter().filter(is_gone).collect()
}

#[test]
fn what_is_least_missed_goes_first() {
    let mut world = one_of_each();
    assert_eq!(gone(&world), [""; 0]);
    for n in 0..5 {
        // Pinned, so that the newcomers themselves stay.
        let name = domain(&format!("{n}.example"));
        world.cache.pin_policy(&name, parsed(Mode::Enforce, HOUR), world.now).unwrap();
        assert_eq!(gone(&world), CLASSES[..=n]);
    }
    // The last one is in regular use: there is no room for a domain that nobody knows.
    assert_eq!(world.lookup_of("new.example").into_policy(), Err(NoPolicy::Overloaded));
    assert_eq!(gone(&world), CLASSES[..5]);
    assert!(
        world
            .cache
            .pin_policy(&domain("6.example"), parsed(Mode::Enforce, HOUR), world.now)
            .is_err()
    );
    // Until it has not been used for a month.
    world.pass(30 * DAY);
    world.lookup_of("new.example");
    assert_eq!(gone(&world), CLASSES);
}

#[test]
fn a_live_policy_that_goes_is_told_of() {
    let mut world = one_of_each();
    for n in 0..5 {
        let name = domain(&format!("{n}.example"));
        world.cache.pin_policy(&name, parsed(Mode::Enforce, HOUR), world.now).unwrap();
    }
    world.drain();
    let told = world.events.iter().filter_map(|event| match event.kind {
        EventKind::Evicted { .. } => Some(event.domain.as_str()),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["testing.example", "once.example"]);
}

#[test]
fn the_least_recently_used_goes_first() {
    let mut world = World::with(Config::new(1).with_max_entries(3));
    world.publish("a", Mode::Testing, WEEK);
    for name in ["a.example", "b.example", "c.example"] {
        world.lookup_of(name);
        world.pass(HOUR);
    }
    world.lookup_of("a.example");
    // Background work is no use.
    world.pass(2 * DAY);
    world.lookup_of("d.example");
    assert!(world.cache.entry(&domain("b.example")).is_none());
    world.restart();
    world.lookup_of("e.example");
    assert!(world.cache.entry(&domain("c.example")).is_none(), "the order survives a restart");
}

#[test]
fn no_flood_of_names_drives_out_what_is_in_regular_use() {
    let mut world = World::with(Config::new(1).with_max_entries(50));
    world.publish("a", Mode::Enforce, 30 * DAY);
    let regular: Vec<String> = (0..10).map(|n| format!("good{n}.example")).collect();
    for _ in 0..2 {
        for name in &regular {
            world.lookup_of(name);
        }
        world.pass(DAY);
    }
    for n in 0..2000 {
        (world.txt, world.https) = match n % 3 {
            0 => (no_record(), fetch_failed()),
            1 => (found("a"), fetch_failed()),
            _ => (found("a"), policy(Mode::Enforce, 300 * DAY)),
        };
        world.lookup_of(&format!("evil{n}.example"));
        assert!(world.cache.len() <= 50);
    }
    world.txt = no_record();
    for name in &regular {
        assert_eq!(world.lookup_of(name).policy().unwrap().mode(), Mode::Enforce);
    }
}

#[test]
fn requests_that_nobody_answers_take_no_more_than_there_is_room() {
    let mut world = World::with(Config::new(1).with_max_entries(10));
    for n in 0..100 {
        let _ = world.cache.lookup(&domain(&format!("{n}.example")), world.now);
    }
    assert_eq!(world.cache.len(), 10);
    let requests = core::iter::from_fn(|| world.cache.poll_request());
    assert_eq!(requests.count(), 10);
    world.pass(Duration::from_secs(10));
    let answered =
        world.events.iter().filter(|event| matches!(event.kind, EventKind::Answered { .. }));
    assert_eq!(answered.count(), 10);
}

#[test]
fn memory_is_bounded_too() {
    let mut world = World::with(Config::new(1).with_max_bytes(200_000));
    world.txt = found("a");
    for n in 0..100 {
        let rest = "x".repeat(5000);
        let text = format!(
            "version: STSv1\nmode: testing\nmx: mx{n}.example.com\nmax_age: 604800\nnote: {rest}\n"
        );
        world.https = PolicyAnswer::from_body(&domain("a.example"), text.as_bytes());
        world.lookup_of(&format!("{n}.example"));
        assert!(world.cache.memory_usage() <= 200_000, "{}", world.cache.memory_usage());
    }
    assert!((30..40).contains(&world.cache.len()), "{}", world.cache.len());
    assert_eq!(world.cache.len(), world.cache.policy_count());
}

#[test]
fn a_domain_without_a_record_takes_little_memory_until_there_is_more_to_know() {
    let mut world = World::new();
    for n in 0..1000 {
        world.lookup_of(&format!("a-name-of-25-bytes{n:03}.com"));
    }
    let absent = world.cache.memory_usage();
    assert!(absent <= 80_000, "{absent}");
    // It takes no more after lookups on several days.
    for _ in 0..2 {
        world.pass(DAY);
        for n in 0..1000 {
            world.lookup_of(&format!("a-name-of-25-bytes{n:03}.com"));
        }
        assert_eq!(world.cache.memory_usage(), absent);
    }

    let name = domain("a-name-of-25-bytes007.com");
    world.cache.disable(&name, world.now).unwrap();
    assert!(world.cache.memory_usage() > absent + 100);
    assert!(world.cache.entry(&name).unwrap().is_overridden());
    world.cache.clear_override(&name, world.now);
    assert_eq!(world.cache.memory_usage(), absent);

    // A name that is longer than a row.
    let long = format!("{}.example", "x".repeat(60));
    world.lookup_of(&long);
    assert!((absent + 120..absent + 250).contains(&world.cache.memory_usage()));
    assert_eq!(world.cache.entry(&domain(&long)).unwrap().domain().as_str(), long);
    world.cache.remove(&domain(&long), world.now);
    assert_eq!(world.cache.memory_usage(), absent);
    assert_eq!(world.cache.len(), 1000);
}

#[test]
fn a_domain_takes_little_memory_again_after_a_failure_of_dns() {
    let mut world = World::new();
    world.txt = TxtAnswer::Failed("SERVFAIL".into());
    world.lookup_of("a.example");
    let failing = world.cache.memory_usage();
    assert!(failing > 300, "{failing}");
    world.txt = no_record();
    world.pass(HOUR);
    world.lookup_of("a.example");
    assert!(world.cache.memory_usage() < 100, "{}", world.cache.memory_usage());
}

#[test]
fn memory_is_bounded_when_failures_pile_up() {
    let mut world = World::with(Config::new(1).with_max_bytes(100_000));
    for n in 0..200 {
        let _ = world.cache.lookup(&domain(&format!("{n}.example")), world.now);
    }
    world.txt = TxtAnswer::Failed("x".repeat(2000).into());
    world.drain();
    assert!(world.cache.memory_usage() <= 100_000, "{}", world.cache.memory_usage());
    assert!(world.cache.len() > 30, "{}", world.cache.len());
}

#[test]
fn large_policies_drive_out_no_small_ones_in_regular_use() {
    let mut world = World::with(Config::new(1).with_max_bytes(1_000_000));
    world.publish("a", Mode::Enforce, 30 * DAY);
    for _ in 0..2 {
        for n in 0..100 {
            world.lookup_of(&format!("good{n}.example"));
        }
        world.pass(DAY);
    }
    // Domains in regular use as well, whose policies grow.
    for (round, size) in [10, 10, 60_000].into_iter().enumerate() {
        world.txt = found(&format!("round{round}"));
        for n in 0..200 {
            let rest = "x".repeat(size);
            let text = format!(
                "version: STSv1\nmode: enforce\nmx: {n}.example.com\nmax_age: 8640000\nnote: {rest}\n"
            );
            world.https = PolicyAnswer::from_body(&domain("a.example"), text.as_bytes());
            world.lookup_of(&format!("evil{n}.example"));
            assert!(world.cache.memory_usage() <= 1_000_000);
        }
        world.pass(DAY);
    }
    for n in 0..100 {
        assert!(world.cache.entry(&domain(&format!("good{n}.example"))).is_some(), "{n}");
    }
}

#[test]
fn a_cache_without_room_says_so() {
    let mut world = World::with(Config::new(1).with_max_entries(0));
    world.publish("a", Mode::Enforce, WEEK);
    assert_eq!(world.why(), NoPolicy::Overloaded);
    assert!(matches!(
        world.outcome(),
        mta_sts::cache::RecheckOutcome::Unknown(mta_sts::cache::RecheckError::Overloaded)
    ));
    let full =
        world.cache.pin_policy(&domain("example.com"), parsed(Mode::Enforce, HOUR), world.now);
    assert_eq!(full.unwrap_err().to_string(), "the cache is full and no entry can be evicted");
}

#[test]
fn what_could_not_be_sent_counts_as_not_tried() {
    let mut world = World::new();
    world.publish("a", Mode::Enforce, WEEK);
    world.txt = TxtAnswer::NotSent;
    assert_eq!(world.why(), NoPolicy::Overloaded);
    world.txt = found("a");
    assert_eq!(world.mode(), Some(Mode::Enforce), "at once");
    assert_eq!(world.alerts(), []);
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let config = Config::new(1);
    assert_eq!((config.max_entries(), config.max_bytes()), (1_000_000, 256 << 20));
    assert!(!config.persistence());
    assert_eq!(config.txt_timeout(), Duration::from_secs(10));
    assert_eq!(config.fetch_timeout(), Duration::from_secs(60));
    assert_eq!(config.persist_timeout(), Duration::from_secs(10));
    assert_eq!(config.refresh_interval(), DAY);
    assert_eq!(config.idle_time(), 180 * DAY);
    let config = config.with_refresh_interval(Duration::ZERO).with_persist_timeout(Duration::ZERO);
    assert_eq!(config.refresh_interval(), HOUR);
    assert_eq!(config.persist_timeout(), Duration::from_secs(1));
    assert_eq!(config.with_idle_time(3 * DAY).idle_time(), 3 * DAY);
}
