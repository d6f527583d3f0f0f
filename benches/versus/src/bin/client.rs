//! The hot path of a client, with one thread and with two: `cached` for a live policy.
//!
//! Beside it a plain map that nobody may change, and two caches that know no time, one of them also with
//! what a user would add: a look at the clock. All have the same domains and policies; every thread looks up keys of its own, in random order.

use std::{
    hint::black_box,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use mta_sts::{Domain, Policy, blocking::{Client, Fetcher, Resolver}, cache::{PolicyAnswer, TxtAnswer}, client::{AddressAnswer, Settings}, pki_types::{Der, TrustAnchor}, rustls::{RootCertStore, crypto::ring}};
use versus::domains::{Shuffled, domains, policies};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const ROUNDS: usize = 25;
const LOOKUPS: usize = 200_000;

type Find<'a> = Box<dyn Fn(&Domain) -> bool + Sync + 'a>;

fn main() {
    for size in SIZES {
        let domains = domains(size);
        let client = client(&domains);
        let contestants = contestants(&domains, &client);
        let keys = [1, 2].map(|seed| Shuffled::new(domains.clone(), seed).take_all(LOOKUPS));
        let mut taken = vec![[Vec::new(), Vec::new()]; contestants.len()];
        for _ in 0..ROUNDS {
            for ((_, find), taken) in contestants.iter().zip(&mut taken) {
                taken[0].push(race(find, &keys[..1]));
                taken[1].push(race(find, &keys));
            }
        }
        println!(
            "\n| {size} domains | ns, one thread | million/s | million/s, two threads | gain |"
        );
        println!("| --- | --: | --: | --: | --: |");
        for ((name, _), [one, two]) in contestants.iter().zip(&mut taken) {
            let (one, two) = (median(one), median(two));
            let (ns, gain) = (1e9 / one, two / one);
            println!("| {name} | {ns:.0} | {:.1} | {:.1} | {gain:.2} |", one / 1e6, two / 1e6);
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

/// Lookups a second, of all threads together.
fn race(find: &Find<'_>, keys: &[Vec<Domain>]) -> f64 {
    let start = Instant::now();
    thread::scope(|scope| {
        for keys in keys {
            scope.spawn(|| assert!(keys.iter().all(find), "something is lost"));
        }
    });
    (keys.len() * LOOKUPS) as f64 / start.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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
