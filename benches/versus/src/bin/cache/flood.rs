//! What a lookup costs while strangers flood the cache with domains of theirs.

use std::{hint::black_box, time::Duration};

use mta_sts::{Domain, cache::Cache};
use time::Duration as Span;
use versus::{
    discovery::{START, World, cache, discover, serve},
    domains::{Shuffled, domains, strangers},
};

use crate::{
    lookup::{Contestant, NOW, look_up, race},
    report::{Goals, least, median, nanos_each, ratio, time},
};

/// Two thirds of the bound are established domains: the index is as large before the flood as after.
const LIVE: usize = 600_000;
const BOUND: usize = 900_000;

/// Many times the room that there is, so that entries are replaced again and again.
const FLOOD: usize = 4 * (BOUND - LIVE);

const ROUNDS: usize = 40;

pub fn compare(goals: &mut Goals) {
    let domains = domains(LIVE);
    let mut quiet = established(&domains);
    let mut flooded = established(&domains);
    let (each, longest) = flood(&mut flooded);
    assert_eq!(flooded.len(), BOUND, "the bound is not reached");
    assert_eq!(flooded.counters().evicted as usize, FLOOD + LIVE - BOUND);
    println!("\nA newcomer's discovery during the flood: {each:.0} ns, the longest {longest:?}.");
    let mut contestants = [
        Contestant { name: "before", find: Box::new(|keys| look_up(&mut quiet, keys)) },
        Contestant {
            name: "with the bound reached",
            find: Box::new(|keys| look_up(&mut flooded, keys)),
        },
    ];
    let times = race(&mut contestants, Shuffled::new(domains, 2), ROUNDS);
    println!("\n| lookup of {LIVE} live policies, flood | ns, median | ns, least | ratio |");
    println!("| --- | --: | --: | --: |");
    for (name, taken) in &times {
        let (median, least, ratio) = (median(taken), least(taken), ratio(taken, &times[0].1));
        println!("| {name} | {median:.1} | {least:.1} | {ratio:.2} |");
    }
    // What is not the same in every round is the machine.
    goals.at_most("lookup during a flood, to before", 1.05, ratio(&times[1].1, &times[0].1));
}

/// A cache of domains that were looked up on two days.
fn established(domains: &[Domain]) -> Cache {
    let mut cache = cache(BOUND);
    discover(&mut cache, domains.iter().enumerate(), START - Span::DAY);
    discover(&mut cache, domains.iter().enumerate(), START);
    cache
}

/// Every other stranger has a policy, which it says is to be enforced. Gives the nanoseconds that one
/// takes, and the longest.
fn flood(cache: &mut Cache) -> (f64, Duration) {
    let (mut total, mut longest) = (Duration::ZERO, Duration::ZERO);
    for (n, stranger) in strangers(FLOOD).enumerate() {
        let world = if n % 2 == 0 { World::Nothing } else { World::Policy(n) };
        let ((), taken) = time(|| {
            let _ = black_box(cache.lookup(&stranger, NOW));
            serve(cache, world, NOW);
        });
        total += taken;
        longest = longest.max(taken);
    }
    (nanos_each(total, FLOOD), longest)
}
