//! Explanations: the text for each kind of state.

use std::time::Duration;

use mta_sts::{
    Domain, Mode,
    cache::{Config, Request},
};

use crate::world::{
    DAY, HOUR, MINUTE, TTL, World, dns_failed, domain, fetch_failed, found, invalid_record,
    no_record, parsed,
};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn name() -> Domain {
    domain("example.com")
}

fn explained(world: &World) -> String {
    world.cache.explain(&name(), world.now).to_string()
}

fn first_lookup() -> World {
    let mut world = World::new();
    let _ = world.cache.lookup(&name(), world.now);
    world
}

fn first_fetch() -> World {
    let mut world = first_lookup();
    let Some(Request::Txt { id, .. }) = world.cache.poll_request() else { panic!() };
    world.cache.handle_txt(id, found("a"), world.now);
    world
}

fn fetched() -> World {
    World::with_policy("a", Mode::Enforce, WEEK)
}

/// A policy that is being stored.
fn saving() -> World {
    let mut world = World::with(Config::new(1).with_persistence(true));
    world.fetch_policy(Mode::Enforce, WEEK);
    world
}

fn check_due() -> World {
    let mut world = fetched();
    world.now += TTL;
    world
}

fn refresh_due() -> World {
    let mut world = fetched();
    world.now += DAY;
    world
}

fn refresh_failed() -> World {
    let mut world = fetched();
    world.https = fetch_failed();
    world.pass(DAY);
    world
}

fn new_id_failed() -> World {
    let mut world = fetched();
    (world.txt, world.https) = (found("b"), fetch_failed());
    world.now += TTL;
    world.lookup();
    world
}

fn record_failed() -> World {
    let mut world = World::new();
    world.txt = dns_failed();
    world.lookup();
    world.now += MINUTE;
    world.lookup();
    world
}

fn record_failed_with_a_policy() -> World {
    let mut world = fetched();
    world.txt = dns_failed();
    world.now += HOUR;
    world.lookup();
    world
}

fn fetch_fails() -> World {
    let mut world = World::new();
    world.txt = found("a");
    world.lookup();
    world
}

fn mode_none() -> World {
    World::with_policy("a", Mode::None, DAY)
}

fn absent() -> World {
    let mut world = World::new();
    world.txt = no_record();
    world.lookup();
    world
}

fn invalid() -> World {
    let mut world = World::new();
    world.txt = invalid_record();
    world.lookup();
    world
}

fn restored() -> World {
    let mut world = fetched();
    world.restart();
    world.now += HOUR;
    world
}

fn fetched_after_a_restart() -> World {
    let mut world = restored();
    world.refresh();
    world
}

fn listed() -> World {
    let mut world = World::new();
    world.cache.set_static_policy(&name(), parsed(Mode::Testing, DAY), world.now).unwrap();
    world
}

fn pinned() -> World {
    let mut world = fetched();
    world.cache.pin_policy(&name(), parsed(Mode::Testing, DAY), world.now).unwrap();
    world
}

fn disabled() -> World {
    let mut world = World::new();
    world.cache.disable(&name(), world.now).unwrap();
    world
}

fn expired() -> World {
    let mut world = World::with_policy("a", Mode::Enforce, HOUR);
    world.https = fetch_failed();
    world.pass(2 * HOUR);
    world
}

fn expired_and_failed() -> World {
    let mut world = expired();
    world.lookup();
    world
}

/// No entry is left, but its back-off.
fn evicted() -> World {
    let mut world = World::with(Config::new(1).with_max_entries(1));
    world.txt = found("a");
    world.lookup();
    world.lookup_of("a.example");
    world
}

fn looked_up_after_eviction() -> World {
    let mut world = evicted();
    let _ = world.cache.lookup(&name(), world.now);
    world
}

/// A kind of state, and a world in it.
type State = (&'static str, fn() -> World);

const STATES: &[State] = &[
    ("unknown", World::new),
    ("first lookup in flight", first_lookup),
    ("first fetch in flight", first_fetch),
    ("fetched", fetched),
    ("being saved", saving),
    ("record due", check_due),
    ("refresh due", refresh_due),
    ("refresh failed 5 times", refresh_failed),
    ("fetch of a new id failed", new_id_failed),
    ("record failed", record_failed),
    ("record failed, with a policy", record_failed_with_a_policy),
    ("first fetch failed", fetch_fails),
    ("mode none", mode_none),
    ("no record", absent),
    ("invalid record", invalid),
    ("restored", restored),
    ("fetched after a restart", fetched_after_a_restart),
    ("static", listed),
    ("pinned", pinned),
    ("disabled", disabled),
    ("expired", expired),
    ("expired, and the fetch failed", expired_and_failed),
    ("evicted", evicted),
    ("looked up after eviction", looked_up_after_eviction),
];

/// The text for each, under its name.
const TEXTS: &str = include_str!("explanations.txt");

#[test]
fn each_kind_of_state_has_its_text() {
    let texts: Vec<_> = TEXTS.split("\n\n").collect();
    assert_eq!(texts.len(), STATES.len());
    for ((name, world), text) in STATES.iter().zip(texts) {
        let expected = text.trim_end().strip_prefix(&*format!("[{name}]\n"));
        assert_eq!(Some(&*explained(&world())), expected, "{name}");
    }
}
