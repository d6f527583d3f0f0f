//! Lookups of policies that are known, and the floor: a bare hash map with the same keys.

use std::{hint::black_box, sync::Arc, time::Duration};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use mta_sts::{
    Domain, Instant, Policy,
    blocking::{Client, Fetcher, Resolver},
    cache::{Cache, Config, PolicyAnswer, Request, TxtAnswer},
    client::{AddressAnswer, Clock, Settings},
};
use mta_sts_benches::inputs::{RECORD, policy};
use time::{UtcDateTime, macros::utc_datetime};

const DOMAINS: u32 = 10_000;

const DAY: Duration = Duration::from_secs(86_400);

const NOON: UtcDateTime = utc_datetime!(2026-01-05 12:00);
const HALF_PAST: UtcDateTime = utc_datetime!(2026-01-05 12:30);

/// The functions whose instructions count of `cached`, which has threads beside it.
pub(crate) const COUNTED: &str = "*known*once*";

/// Looks up so many of the domains: 7919 has no factor in common with their number, so that they come
/// in another order than they were put in.
pub(crate) fn repeat(who: &str, what: &str, times: u32) {
    let domains: Vec<Domain> = (0..DOMAINS).map(domain).collect();
    let txt = match what {
        "get" | "lookup" | "cached" => TxtAnswer::from_records([RECORD], DAY),
        _ => TxtAnswer::NoRecord { ttl: Some(DAY) },
    };
    let order = (0..times).map(|n| &domains[(n * 7919 % DOMAINS) as usize]);
    match (who, what) {
        ("ours", "lookup" | "lookup-absent") => {
            let mut cache = cache(&domains, &txt);
            order.for_each(|domain| drop(black_box(cache.lookup(domain, black_box(HALF_PAST)))));
        }
        ("ours", "cached") => {
            let client = client(&domains);
            order.for_each(|domain| assert!(once_cached(&client, domain)));
        }
        (_, "cached") => {
            let map = map(&domains);
            order.for_each(|domain| assert!(once_found(&map, domain)));
        }
        ("ours", _) => {
            let cache = cache(&domains, &txt);
            order.for_each(|domain| {
                assert!(black_box(cache.get(domain, black_box(HALF_PAST))).is_some());
            });
        }
        _ => {
            let map = map(&domains);
            order.for_each(|domain| assert!(black_box(map.get(domain.as_str())).is_some()));
        }
    }
}

#[inline(never)]
fn once_cached(client: &Client, domain: &Domain) -> bool {
    black_box(client.cached(domain)).is_some()
}

#[inline(never)]
fn once_found(map: &HashMap<Box<str>, Arc<Policy>, FixedState>, domain: &Domain) -> bool {
    black_box(map.get(domain.as_str()).cloned()).is_some()
}

fn domain(n: u32) -> Domain {
    Domain::parse(&format!("mail.example{n}.co.uk")).expect("valid")
}

fn map(domains: &[Domain]) -> HashMap<Box<str>, Arc<Policy>, FixedState> {
    let policy = Arc::new(Policy::parse(policy(3).as_bytes()).expect("valid"));
    domains.iter().map(|domain| (domain.as_str().into(), Arc::clone(&policy))).collect()
}

fn cache(domains: &[Domain], txt: &TxtAnswer) -> Cache {
    let mut cache = Cache::new(Config::new(1));
    let body = policy(3);
    for domain in domains {
        let _ = black_box(cache.lookup(domain, NOON));
        while let Some(request) = cache.poll_request() {
            answer(&mut cache, request, txt, body.as_bytes());
        }
        while cache.poll_event().is_some() {}
    }
    cache
}

fn answer(cache: &mut Cache, request: Request, txt: &TxtAnswer, body: &[u8]) {
    match request {
        Request::Txt { id, .. } => cache.handle_txt(id, txt.clone(), NOON),
        Request::Fetch { id, domain } => {
            cache.handle_policy(id, PolicyAnswer::from_body(&domain, body), NOON);
        }
        request => unreachable!("{request:?}"),
    }
}

/// A client that knows the policies of these domains. The clock is stopped: valgrind does not know how
/// the kernel's is read. The seed is fixed: another one makes another count.
fn client(domains: &[Domain]) -> Client {
    let policy = Arc::new(Policy::parse(policy(3).as_bytes()).expect("valid"));
    let settings = Settings::default().with_cache_config(Config::new(1));
    let builder = Client::builder().with_settings(settings);
    let builder = builder.with_resolver(Records).with_fetcher(Files(policy));
    let client = builder.with_clock(Stopped).build().expect("settings that do");
    for domain in domains {
        assert!(client.policy(domain).is_ok_and(|answer| answer.policy().is_some()));
    }
    client
}

struct Records;

impl Resolver for Records {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        TxtAnswer::from_records([RECORD], DAY)
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        AddressAnswer::NoAddress
    }
}

struct Files(Arc<Policy>);

impl Fetcher for Files {
    fn fetch(&self, _: &Domain) -> PolicyAnswer {
        PolicyAnswer::Valid(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> UtcDateTime {
        NOON
    }

    fn monotonic(&self) -> Instant {
        Instant::default()
    }
}
