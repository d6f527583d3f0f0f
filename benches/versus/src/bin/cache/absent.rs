//! What a lookup of a domain without a record costs.

use std::hint::black_box;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use mta_sts::{
    Domain,
    cache::{Cache, Lookup},
};
use versus::{
    discovery::{START, World, cache, serve},
    domains::{Shuffled, absent},
    spread::{Goal, Spread},
};

use crate::{
    lookup::{Contestant, NOW, race},
    report::{Goals, median},
};

const DOMAINS: usize = 1_000_000;

const ROUNDS: usize = 40;

pub fn compare(_: &mut Goals) {
    let domains: Vec<Domain> = (0..DOMAINS).map(absent).collect();
    let times = race(&mut contestants(&domains), Shuffled::new(domains, 1), ROUNDS);
    println!("\n| {DOMAINS} absent domains | ns, median |\n| --- | --: |");
    for (name, taken) in &times {
        println!("| {name} | {:.1} |", median(taken));
    }
    println!();
    for ((name, taken), limit) in times[1..].iter().zip([1.2, 1.4]) {
        let line = format!("{DOMAINS} absent domains: {name} to a bare map's");
        Spread::of(taken, &times[0].1).print(&line, &Goal::AtMost(limit));
    }
}

/// The bare map, which knows until when each is absent, and two of ours.
fn contestants(domains: &[Domain]) -> Vec<Contestant<'static>> {
    let until = |domain: &Domain| (Box::<str>::from(domain.as_str()), 1);
    let map: HashMap<Box<str>, u32, RandomState> = domains.iter().map(until).collect();
    let [ours, mut also_ours] = [(); 2].map(|()| discovered(domains));
    let count = |keys: &[Domain], find: &mut dyn FnMut(&Domain) -> bool| {
        keys.iter().filter(|key| find(key)).count()
    };
    vec![
        Contestant {
            name: "bare map",
            find: Box::new(move |keys| {
                count(keys, &mut |key| black_box(map.get(key.as_str())).is_some_and(|&at| at > 0))
            }),
        },
        Contestant {
            name: "`Cache::get`",
            find: Box::new(move |keys| {
                count(keys, &mut |key| black_box(ours.get(key, black_box(NOW))).is_some())
            }),
        },
        Contestant {
            name: "`Cache::lookup`",
            find: Box::new(move |keys| {
                count(keys, &mut |key| {
                    matches!(also_ours.lookup(key, black_box(NOW)), Lookup::Answer(_))
                })
            }),
        },
    ]
}

fn discovered(domains: &[Domain]) -> Cache {
    let mut cache = cache(domains.len());
    for domain in domains {
        let _ = black_box(cache.lookup(domain, START));
        serve(&mut cache, World::Nothing, START);
    }
    assert_eq!(cache.len(), domains.len());
    cache
}
