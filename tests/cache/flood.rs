//! An attacker sends to made-up domains, as many as there is time for.

use mta_sts::{
    Domain, Mode,
    cache::{Cache, Config, Lookup, Request, TxtAnswer},
};

use time::UtcDateTime;

use crate::world::{DAY, World, domain, no_record};

/// The number of made-up domains: `FLOOD=10000000` is for a search by hand.
fn flood() -> usize {
    std::env::var("FLOOD").map_or(20_000, |count| count.parse().expect("a number"))
}

#[test]
fn made_up_domains_cost_little_and_evict_nothing_that_protects() {
    let (count, most) = (flood(), flood() / 2);
    let mut world = World::with(Config::new(1).with_max_entries(most).with_max_bytes(100 * most));
    world.publish("a", Mode::Enforce, 300 * DAY);
    for _ in 0..2 {
        for n in 0..100 {
            world.lookup_of(&format!("good{n}.example"));
        }
        world.pass(DAY);
    }
    let (before, now) = (world.cache.counters(), world.now);
    for n in 0..count {
        let name = domain(&format!("madeup-{n:08}.example.org"));
        let txt = if n % 100 == 0 { TxtAnswer::Failed("SERVFAIL".into()) } else { no_record() };
        answer(&mut world.cache, &txt, &name, now);
    }
    let after = world.cache.counters();
    assert_eq!(world.cache.len(), most, "the cache is full");
    assert!(world.cache.memory_usage() <= 100 * most, "{}", world.cache.memory_usage());
    assert_eq!(after.txt_queries - before.txt_queries, count as u64);
    assert_eq!(after.evicted - before.evicted, (count + 100 - most) as u64);
    assert_eq!(after.evicted_live, 0);
    world.txt = no_record();
    for n in 0..100 {
        let answer = world.lookup_of(&format!("good{n}.example"));
        assert_eq!(answer.policy().unwrap().mode(), Mode::Enforce, "{n}");
    }
    // Of the made-up ones, those that were met last are known, and cost no query.
    let last = domain(&format!("madeup-{:08}.example.org", count - 1));
    assert!(world.cache.get(&last, now).is_some());
}

fn answer(cache: &mut Cache, txt: &TxtAnswer, name: &Domain, now: UtcDateTime) {
    assert!(matches!(cache.lookup(name, now), Lookup::Waiting(_)));
    while let Some(request) = cache.poll_request() {
        if let Request::Txt { id, .. } = request {
            cache.handle_txt(id, txt.clone(), now);
        }
    }
    while cache.poll_event().is_some() {}
}
