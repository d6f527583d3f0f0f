//! What an input costs that brings work with it, as the cache grows.

use std::{collections::HashMap, hint::black_box, time::Duration};

use mta_sts::{
    Domain,
    cache::{Cache, PolicyAnswer, Request},
};
use time::{Duration as Span, UtcDateTime};
use versus::{
    discovery::{START, cache, discover, found},
    domains::{Shuffled, domains, policies},
};

use crate::report::{Goals, nanos_each, time};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

/// So many are looked at of each.
const SAMPLE: usize = 10_000;

/// `poll_timeout` is asked so often.
const POLLS: usize = 10_000_000;

pub fn compare(goals: &mut Goals) {
    println!("\n| ns | discovery | lookup with work | refresh by timer | `poll_timeout` |");
    println!("| --- | --: | --: | --: | --: |");
    let costs = SIZES.map(|size| {
        let costs = costs(size);
        let [discovery, lookup, refresh, poll] = costs;
        println!("| {size} domains | {discovery:.0} | {lookup:.0} | {refresh:.0} | {poll:.2} |");
        costs
    });
    let [small, _, large] = costs;
    // The logarithm grows by half, and memory is slower than the processor's caches; anything linear
    // would make it a hundred times as much.
    for (what, n) in [("discovery", 0), ("lookup with work", 1), ("refresh by timer", 2)] {
        goals.at_most(format!("{what}: a million domains to 10,000"), 8.0, large[n] / small[n]);
    }
    goals.at_most("`poll_timeout`: a million domains to 10,000", 1.2, large[3] / small[3]);
}

fn costs(size: usize) -> [f64; 4] {
    let domains = domains(size);
    let mut cache = cache(size);
    let ((), discovery) = time(|| discover(&mut cache, domains.iter().enumerate(), START));
    let lookup = lookups_with_work(&mut cache, &domains);
    let refresh = refreshes(&mut cache, &domains);
    [nanos_each(discovery, size), lookup, refresh, polls(&cache)]
}

/// The first lookup of the hour notes the use of a domain.
fn lookups_with_work(cache: &mut Cache, domains: &[Domain]) -> f64 {
    let mut keys = Shuffled::new(domains.to_vec(), 3);
    let mut total = Duration::ZERO;
    for hour in 1..=5 {
        let (keys, now) = (keys.take(SAMPLE), START + Span::hours(hour));
        let ((), taken) =
            time(|| keys.iter().for_each(|key| drop(black_box(cache.lookup(key, now)))));
        total += taken;
    }
    nanos_each(total, 5 * SAMPLE)
}

/// All domains are refreshed in the course of a day: each has a time-out, an answer of DNS and one of
/// its Policy Host.
fn refreshes(cache: &mut Cache, domains: &[Domain]) -> f64 {
    let numbers: HashMap<&Domain, usize> =
        domains.iter().enumerate().map(|(n, domain)| (domain, n)).collect();
    let policies = policies();
    let before = cache.counters().fetches;
    let mut total = Duration::ZERO;
    for minute in 6 * 60..25 * 60 {
        let now = START + Span::minutes(minute);
        total += time(|| cache.handle_timeout(now)).1;
        loop {
            let (requests, taken) = time(|| drain(cache));
            total += taken;
            if requests.is_empty() {
                break;
            }
            let answers: Vec<Answer> = requests
                .into_iter()
                .map(|request| match request {
                    Request::Txt { id, domain } => Answer::Txt(id, found(numbers[&domain])),
                    Request::Fetch { id, domain } => {
                        let policy = policies[numbers[&domain] % policies.len()].clone();
                        Answer::Policy(id, PolicyAnswer::Valid(policy))
                    }
                    request => unreachable!("{request:?}"),
                })
                .collect();
            total += time(|| answers.into_iter().for_each(|answer| give(cache, answer, now))).1;
        }
    }
    let refreshed = usize::try_from(cache.counters().fetches - before).expect("few");
    assert!(refreshed >= domains.len(), "{refreshed} were refreshed");
    nanos_each(total, refreshed)
}

enum Answer {
    Txt(mta_sts::cache::TxtRequestId, mta_sts::cache::TxtAnswer),
    Policy(mta_sts::cache::FetchRequestId, PolicyAnswer),
}

fn drain(cache: &mut Cache) -> Vec<Request> {
    while let Some(event) = cache.poll_event() {
        drop(black_box(event));
    }
    std::iter::from_fn(|| cache.poll_request()).collect()
}

fn give(cache: &mut Cache, answer: Answer, now: UtcDateTime) {
    match answer {
        Answer::Txt(id, answer) => cache.handle_txt(id, answer, now),
        Answer::Policy(id, answer) => cache.handle_policy(id, answer, now),
    }
}

fn polls(cache: &Cache) -> f64 {
    let poll = || {
        for _ in 0..POLLS {
            let _ = black_box(black_box(cache).poll_timeout());
        }
    };
    nanos_each(time(poll).1, POLLS)
}
