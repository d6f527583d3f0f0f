//! The hot path of a client, by 1, 2, 4 and 8 threads: `cached` for a live policy.
//!
//! Beside it a plain map that never changes, a map in shards with locks, and two caches that know no
//! time, one of them also with what a user would add: a look at the clock. All have the same domains and policies; every thread looks up keys of its own, in random order.

use std::{
    hash::BuildHasher as _,
    hint::black_box,
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use mta_sts::{Domain, Policy, blocking::{Client, Fetcher, Resolver}, cache::{PolicyAnswer, TxtAnswer}, client::{AddressAnswer, Settings}, pki_types::{Der, TrustAnchor}, rustls::{RootCertStore, crypto::ring}};
use versus::{
    domains::{Shuffled, domains, policies},
    spread::{Goal, Spread},
};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const ROUNDS: usize = 25;
const THREADS: [usize; 4] = [1, 2, 4, 8];

/// Lookups of a turn, of all threads together.
const LOOKUPS: usize = 200_000;

/// What `Client::cached` is compared to, by its place.
const OURS: usize = 1;
const QUICK: usize = 2;
const SHARDED: usize = 5;

type Find<'a> = Box<dyn Fn(&Domain) -> bool + Sync + 'a>;

fn main() {
    for size in SIZES {
        let domains = domains(size);
        let client = client(&domains);
        let contestants = contestants(&domains, &client);
        let mut taken = vec![THREADS.map(|_| Vec::new()); contestants.len()];
        for (place, threads) in THREADS.into_iter().enumerate() {
            let keys = Shuffled::new(domains.clone(), 1).take_all(LOOKUPS);
            for _ in 0..ROUNDS {
                for ((_, find), taken) in contestants.iter().zip(&mut taken) {
                    taken[place].push(race(find, keys.chunks(LOOKUPS / threads)));
                }
            }
        }
        report(size, &contestants, &taken);
    }
}

/// Prints the nanoseconds of a lookup, by threads.
fn report(size: usize, contestants: &[(&str, Find<'_>)], taken: &[[Vec<f64>; THREADS.len()]]) {
    println!("\n| {size} domains, ns by threads | 1 | 2 | 4 | 8 |\n| --- | --: | --: | --: | --: |");
    for ((name, _), taken) in contestants.iter().zip(taken) {
        let [one, two, four, eight] = taken.each_ref().map(|taken| median(taken));
        println!("| {name} | {one:.0} | {two:.0} | {four:.0} | {eight:.0} |");
    }
    println!();
    for (other, limit) in [(QUICK, 1.0), (SHARDED, 1.0)] {
        for (place, threads) in THREADS.into_iter().enumerate() {
            let name = contestants[other].0;
            let line = format!("`Client::cached`, {size} domains, {threads} threads: to {name}");
            Spread::of(&taken[OURS][place], &taken[other][place]).print(&line, &Goal::AtMost(limit));
        }
    }
}

fn contestants<'a>(domains: &[Domain], client: &'a Client) -> Vec<(&'static str, Find<'a>)> {
    let policies = policies();
    let entries = || {
        let policy = |n: usize| Arc::clone(&policies[n % policies.len()]);
        domains.iter().enumerate().map(move |(n, domain)| (Box::<str>::from(domain.as_str()), policy(n)))
    };
    let map: HashMap<Box<str>, Arc<Policy>, RandomState> = entries().collect();
    let quick = quick_cache(entries());
    let ends = Instant::now() + Duration::from_secs(86_400);
    let quick_with_ends = quick_cache(entries().map(|(key, policy)| (key, (policy, ends))));
    let sharded = Sharded::new(entries());
    let moka = moka::sync::Cache::new(2 * domains.len() as u64);
    entries().for_each(|(key, policy)| moka.insert(key, policy));
    moka.run_pending_tasks();
    vec![
        (
            "shared map",
            Box::new(move |key: &Domain| is_found(map.get(key.as_str()).cloned())) as Find,
        ),
        ("`Client::cached`", Box::new(|key| is_found(client.cached(key)))),
        ("quick_cache", Box::new(move |key: &Domain| is_found(quick.get(key.as_str())))),
        (
            "quick_cache, and the clock",
            Box::new(move |key: &Domain| {
                let found = quick_with_ends.get(key.as_str());
                is_found(found.filter(|(_, ends)| Instant::now() < *ends))
            }),
        ),
        ("moka", Box::new(move |key: &Domain| is_found(moka.get(key.as_str())))),
        ("sharded map", Box::new(move |key: &Domain| is_found(sharded.get(key.as_str())))),
    ]
}

fn quick_cache<T: Clone>(
    entries: impl Iterator<Item = (Box<str>, T)> + Clone,
) -> quick_cache::sync::Cache<Box<str>, T> {
    let cache = quick_cache::sync::Cache::new(entries.clone().count() * 5 / 4 + 1000);
    entries.for_each(|(key, value)| cache.insert(key, value));
    cache
}

fn is_found<T>(found: Option<T>) -> bool {
    black_box(found).is_some()
}

/// Nanoseconds of a lookup, each thread with keys of its own.
fn race<'a>(find: &Find<'_>, keys: impl Iterator<Item = &'a [Domain]>) -> f64 {
    let start = Instant::now();
    thread::scope(|scope| {
        for keys in keys {
            scope.spawn(|| assert!(keys.iter().all(find), "something is lost"));
        }
    });
    start.elapsed().as_secs_f64() * 1e9 / LOOKUPS as f64
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A map in shards, each with a lock. A key is hashed once.
struct Sharded {
    hasher: RandomState,
    shards: Vec<RwLock<HashTable<(Box<str>, Arc<Policy>)>>>,
}

impl Sharded {
    const SHARDS: usize = 64;

    fn new(entries: impl Iterator<Item = (Box<str>, Arc<Policy>)>) -> Self {
        let shards = (0..Self::SHARDS).map(|_| RwLock::default()).collect();
        let this = Self { hasher: RandomState::default(), shards };
        for (key, policy) in entries {
            let hash = this.hasher.hash_one(&*key);
            let mut shard = this.shard(hash).write().unwrap_or_else(PoisonError::into_inner);
            shard.insert_unique(hash, (key, policy), |(key, _)| this.hasher.hash_one(&**key));
        }
        this
    }

    fn shard(&self, hash: u64) -> &RwLock<HashTable<(Box<str>, Arc<Policy>)>> {
        // The table takes the lowest and the highest seven bits.
        &self.shards[(hash >> 40) as usize % Self::SHARDS]
    }

    fn get(&self, key: &str) -> Option<Arc<Policy>> {
        let hash = self.hasher.hash_one(key);
        let shard = self.shard(hash).read().unwrap_or_else(PoisonError::into_inner);
        shard.find(hash, |(known, _)| **known == *key).map(|(_, policy)| Arc::clone(policy))
    }
}

/// A client that knows the policies of all of these.
fn client(domains: &[Domain]) -> Client {
    let root = TrustAnchor {
        subject: Der::from_slice(b"nobody"),
        subject_public_key_info: Der::from_slice(b"a key"),
        name_constraints: None,
    };
    let settings = Settings::default()
        .with_nameservers([([127, 0, 0, 1], 53).into()])
        .with_crypto_provider(ring::default_provider())
        .with_root_certificates(RootCertStore { roots: vec![root] });
    let builder = Client::builder().with_settings(settings).with_resolver(Records).with_fetcher(Files::of(domains));
    let client = builder.build().expect("settings that do");
    thread::scope(|scope| {
        for part in domains.chunks(domains.len().div_ceil(8)) {
            let client = &client;
            scope.spawn(move || {
                for domain in part {
                    let answer = client.policy_within(domain, Duration::from_secs(60));
                    assert!(answer.is_ok_and(|answer| answer.policy().is_some()));
                }
            });
        }
    });
    client
}

struct Records;

impl Resolver for Records {
    fn txt(&self, _domain: &Domain) -> TxtAnswer {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(86_400))
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        AddressAnswer::NoAddress
    }
}

struct Files(HashMap<Domain, Arc<Policy>, RandomState>);

impl Files {
    fn of(domains: &[Domain]) -> Self {
        let policies = policies();
        let policy = |n: usize| Arc::clone(&policies[n % policies.len()]);
        Self(domains.iter().enumerate().map(|(n, domain)| (domain.clone(), policy(n))).collect())
    }
}

impl Fetcher for Files {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        PolicyAnswer::Valid(Arc::clone(&self.0[domain]))
    }
}
