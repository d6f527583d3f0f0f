//! What a lookup costs when the policy is there and nothing is due.

use std::{cell::RefCell, hint::black_box, rc::Rc, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use mta_sts::{
    Domain, Policy,
    cache::{Cache, Lookup},
};
use time::{Duration as Span, UtcDateTime};
use versus::{
    discovery::{START, cache, discover},
    domains::{Shuffled, domains, policies},
};

use crate::report::{Goals, least, median, nanos_each, ratio, time};

const SIZES: [usize; 3] = [10_000, 1_000_000, 5_000_000];

const ROUNDS: usize = 40;

/// One turn of a contestant is so many lookups, in chunks of copied keys.
const TURN: usize = 100_000;
const CHUNK: usize = 1000;

/// When lookups are made.
pub const NOW: UtcDateTime = START.saturating_add(Span::minutes(30));

/// What finds policies.
pub struct Contestant<'a> {
    pub name: &'static str,
    /// Looks up all of these, and says how many have a policy.
    pub find: Find<'a>,
}

type Find<'a> = Box<dyn FnMut(&[Domain]) -> usize + 'a>;

pub fn compare(goals: &mut Goals) {
    for size in SIZES {
        let domains = domains(size);
        let times = race(&mut contestants(&domains), Shuffled::new(domains, 1), ROUNDS);
        println!("\n| lookup, {size} domains | ns, median | ns, least | ratio to bare map |");
        println!("| --- | --: | --: | --: |");
        for (name, taken) in &times {
            let (median, least, ratio) = (median(taken), least(taken), ratio(taken, &times[0].1));
            println!("| {name} | {median:.1} | {least:.1} | {ratio:.2} |");
        }
        for ours in [1, 2, 3] {
            for (other, limit) in [(0, 1.5), (4, 1.0), (5, 1.0)] {
                let ((name, ours), (other, theirs)) = (&times[ours], &times[other]);
                let what = format!("lookup, {size} domains: {name} to {other}");
                goals.at_most(what, limit, ratio(ours, theirs));
            }
        }
    }
}

/// The bare map, three of ours, two others. All have the same keys and the same policies.
fn contestants(domains: &[Domain]) -> Vec<Contestant<'static>> {
    let policies = policies();
    let policy = |n: usize| Arc::clone(&policies[n % policies.len()]);
    let entries =
        || domains.iter().enumerate().map(|(n, domain)| (Box::from(domain.as_str()), policy(n)));
    let mut discovered = cache(domains.len());
    discover(&mut discovered, domains.iter().enumerate(), START);
    let mut restored = cache(domains.len());
    assert_eq!(restored.restore(discovered.snapshots(), START).restored, domains.len());
    let discovered = Rc::new(RefCell::new(discovered));
    let shared = Rc::clone(&discovered);
    vec![
        bare(entries().collect()),
        Contestant {
            name: "`Cache::lookup`",
            find: Box::new(move |keys| look_up(&mut discovered.borrow_mut(), keys)),
        },
        Contestant {
            name: "`Cache::get`",
            find: Box::new(move |keys| get(&shared.borrow(), keys)),
        },
        Contestant {
            name: "`Cache::lookup`, restored",
            find: Box::new(move |keys| look_up(&mut restored, keys)),
        },
        quick_cache(entries(), domains.len()),
        moka(entries(), domains.len()),
    ]
}

fn bare(map: HashMap<Box<str>, Arc<Policy>, RandomState>) -> Contestant<'static> {
    let find = move |keys: &[Domain]| count(keys, |key| is_found(map.get(key.as_str())));
    Contestant { name: "bare map", find: Box::new(find) }
}

fn quick_cache(
    entries: impl Iterator<Item = (Box<str>, Arc<Policy>)>,
    size: usize,
) -> Contestant<'static> {
    // Its shards are not filled evenly: with more room, it need not throw anything out.
    let cache = quick_cache::sync::Cache::new(size + size / 4 + 1000);
    entries.for_each(|(key, policy)| cache.insert(key, policy));
    let find = move |keys: &[Domain]| count(keys, |key| is_found(cache.get(key.as_str()).as_ref()));
    Contestant { name: "quick_cache", find: Box::new(find) }
}

fn moka(
    entries: impl Iterator<Item = (Box<str>, Arc<Policy>)>,
    size: usize,
) -> Contestant<'static> {
    let cache = moka::sync::Cache::new(2 * size as u64);
    entries.for_each(|(key, policy)| cache.insert(key, policy));
    cache.run_pending_tasks();
    let find = move |keys: &[Domain]| count(keys, |key| is_found(cache.get(key.as_str()).as_ref()));
    Contestant { name: "moka", find: Box::new(find) }
}

/// The clock is read anew for every lookup, as far as the compiler knows.
pub fn look_up(cache: &mut Cache, keys: &[Domain]) -> usize {
    count(keys, |key| match cache.lookup(key, black_box(NOW)) {
        Lookup::Answer(answer) => is_found(answer.policy()),
        Lookup::Waiting(_) => false,
    })
}

fn get(cache: &Cache, keys: &[Domain]) -> usize {
    count(keys, |key| {
        let answer = cache.get(key, black_box(NOW));
        is_found(answer.and_then(|answer| answer.policy()))
    })
}

/// Which policy it is, is of use to someone.
fn is_found(policy: Option<&Arc<Policy>>) -> bool {
    black_box(policy.map(Arc::as_ptr)).is_some()
}

fn count(keys: &[Domain], mut find: impl FnMut(&Domain) -> bool) -> usize {
    keys.iter().filter(|key| find(key)).count()
}

/// Lets the contestants take turns, each with keys of its own; gives the nanoseconds of a lookup, by
/// round.
pub fn race(
    contestants: &mut [Contestant<'_>],
    mut keys: Shuffled,
    rounds: usize,
) -> Vec<(&'static str, Vec<f64>)> {
    let mut times: Vec<_> =
        contestants.iter().map(|contestant| (contestant.name, Vec::new())).collect();
    for _ in 0..rounds {
        for (contestant, (_, taken)) in contestants.iter_mut().zip(&mut times) {
            taken.push(turn(contestant, &mut keys));
        }
    }
    times
}

/// The median of the chunks: one in which another process had the processor does not count.
fn turn(contestant: &mut Contestant<'_>, keys: &mut Shuffled) -> f64 {
    let chunks: Vec<f64> = (0..TURN / CHUNK)
        .map(|_| {
            let chunk = keys.take(CHUNK);
            let (found, taken) = time(|| (contestant.find)(&chunk));
            assert_eq!(found, CHUNK, "{} has lost something", contestant.name);
            nanos_each(taken, CHUNK)
        })
        .collect();
    median(&chunks)
}
