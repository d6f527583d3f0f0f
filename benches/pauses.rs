//! The longest pauses: how long one call over a cache of many domains holds it at the most.
//!
//! Takes the numbers of domains as arguments, or else 10,000 and 100,000; `--test` runs it with few. Any other
//! argument is a part of the name of a table row, of which only such ones are measured.
//! Each table row is a kind of call, each column a size; the number is that of the slowest call in
//! milliseconds of processor time. Interrupts and the kernel make single calls slower, so that each
//! is run three times, of which the best counts.

use std::{env, hint::black_box, sync::Arc, time::Duration};

use mta_sts::{
    Domain, Policy,
    cache::{Cache, Config, Lookup, LookupId, PolicyAnswer, Request, TxtAnswer},
};
use rustix::time::{ClockId, clock_gettime};
use time::{UtcDateTime, macros::utc_datetime};

const NOON: UtcDateTime = utc_datetime!(2026-01-05 12:00);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const TTL: Duration = Duration::from_secs(86_400);

/// The longest time that a call took, of those that a closure makes.
struct Longest(Duration);

impl Longest {
    fn call<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let start = processor_time();
        let done = black_box(call());
        self.0 = self.0.max(processor_time().saturating_sub(start));
        done
    }
}

/// The processor time of this thread so far.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("not negative")
}

type Measure = fn(usize, &mut Longest);

const CALLS: &[(&str, Measure)] = &[
    ("first lookups, without a record", |count, longest| {
        drop(filled(count, &no_record(), longest));
    }),
    ("first lookups, with a policy", |count, longest| drop(filled(count, &found(), longest))),
    ("first lookups, each with a policy of its own", |count, longest| {
        let mut cache = Cache::new(config(count));
        for (n, domain) in (0..count).map(|n| (n, domain(n))) {
            let policy = policy(n);
            longest.call(|| discover(&mut cache, &domain, &found(), &policy, NOON));
        }
    }),
    ("first lookups that are not answered, and their end", |count, longest| {
        let mut cache = Cache::new(config(count));
        for domain in (0..count).map(domain) {
            longest.call(|| drop(cache.lookup(&domain, NOON)));
            while longest.call(|| cache.poll_request()).is_some() {}
        }
        time_out(&mut cache, NOON + TTL, longest);
    }),
    ("fetches that are not answered", |count, longest| {
        let mut cache = Cache::new(config(count));
        for domain in (0..count).map(domain) {
            longest.call(|| drop(cache.lookup(&domain, NOON)));
            while let Some(request) = longest.call(|| cache.poll_request()) {
                if let Request::Txt { id, .. } = request {
                    longest.call(|| cache.handle_txt(id, found(), NOON));
                }
            }
        }
        time_out(&mut cache, NOON + TTL, longest);
    }),
    ("a lookup that evicts another domain", |count, longest| {
        let mut cache = filled(count, &no_record(), &mut Longest(Duration::ZERO));
        for domain in (count..count + 10_000).map(domain) {
            longest.call(|| discover(&mut cache, &domain, &no_record(), &policy(0), NOON));
        }
    }),
    ("`handle_timeout` when all policies end in one second", |count, longest| {
        let mut cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        time_out(&mut cache, NOON + WEEK * 2, longest);
    }),
    ("`handle_timeout` after the clock was set back", |count, longest| {
        let mut cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        longest.call(|| drop(cache.lookup(&domain(0), NOON - WEEK)));
        time_out(&mut cache, NOON - WEEK, longest);
    }),
    ("a first lookup after all policies seemed to have expired", |count, longest| {
        let cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        let mut other = Cache::new(config(count));
        drop(other.restore(cache.snapshots(), NOON + WEEK * 2));
        drop(cache);
        longest.call(|| drop(other.lookup(&domain(count), NOON)));
    }),
    ("`save_all`, and each save after it", |count, longest| {
        let persistent = config(count).with_persistence(true);
        let cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        let mut other = Cache::new(persistent);
        drop(other.restore(cache.snapshots(), NOON));
        drop(cache);
        longest.call(|| other.save_all(NOON));
        longest.call(|| other.handle_timeout(NOON));
        while let Some(request) = longest.call(|| other.poll_request()) {
            let Request::Persist { id, .. } = request else { unreachable!("{request:?}") };
            longest.call(|| other.handle_persisted(id, Ok(()), NOON));
        }
        assert_eq!(other.unsaved_count(), 0);
    }),
    ("`clock_set` while a thousand lookups wait", |count, longest| {
        let mut cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        for domain in (count..count + 1000).map(domain) {
            drop(cache.lookup(&domain, NOON));
        }
        longest.call(|| cache.clock_set(time::Duration::WEEK, NOON + WEEK));
    }),
    ("`cancel`, of one of many lookups", |count, longest| {
        let mut cache = Cache::new(config(count));
        let ids: Vec<_> = (0..count).filter_map(|_| waiting(&mut cache)).collect();
        for id in ids {
            longest.call(|| cache.cancel(id));
        }
    }),
    ("`entries`, the next of all", |count, longest| {
        let cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        let mut entries = cache.entries();
        while longest.call(|| entries.next().is_some()) {}
    }),
    ("`snapshots`, the next of all", |count, longest| {
        let cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        let mut snapshots = cache.snapshots();
        while longest.call(|| snapshots.next().is_some()) {}
    }),
    ("`restore`, of a thousand at a time", |count, longest| {
        let cache = filled(count, &found(), &mut Longest(Duration::ZERO));
        let snapshots: Vec<_> = cache.snapshots().collect();
        let mut other = Cache::new(config(count));
        for part in snapshots.chunks(1000) {
            let part = part.to_vec();
            longest.call(|| drop(other.restore(part, NOON)));
        }
    }),
];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    if arguments.iter().any(|argument| argument == "--test") {
        sizes = vec![10];
    } else if sizes.is_empty() {
        sizes = vec![10_000, 100_000];
    }
    let is_name =
        |argument: &&String| !argument.starts_with("--") && argument.parse::<usize>().is_err();
    let names: Vec<&String> = arguments.iter().filter(is_name).collect();
    let columns: Vec<_> = sizes.iter().map(|size| format!(" {size} |")).collect();
    let columns = columns.concat();
    println!("| ms, the slowest call |{columns}\n| --- |{}", " --: |".repeat(sizes.len()));
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(*part));
    for (name, measure) in CALLS.iter().filter(|(name, _)| is_wanted(name)) {
        let cells = sizes.iter().map(|&size| format!(" {:.2} |", best(size, *measure)));
        println!("| {name} |{}", cells.collect::<Vec<_>>().concat());
    }
}

fn best(size: usize, measure: Measure) -> f64 {
    let runs = (0..3).map(|_| {
        let mut longest = Longest(Duration::ZERO);
        measure(size, &mut longest);
        longest.0.as_secs_f64() * 1000.0
    });
    runs.fold(f64::INFINITY, f64::min)
}

fn config(count: usize) -> Config {
    Config::new(1).with_max_entries(count.max(1)).with_max_bytes(usize::MAX)
}

fn domain(n: usize) -> Domain {
    Domain::parse(&format!("mail.example{n}.co.uk")).expect("valid")
}

fn no_record() -> TxtAnswer {
    TxtAnswer::NoRecord { ttl: Some(TTL) }
}

fn found() -> TxtAnswer {
    TxtAnswer::from_records(["v=STSv1; id=1"], TTL)
}

/// Creates a cache of so many domains.
fn filled(count: usize, txt: &TxtAnswer, longest: &mut Longest) -> Cache {
    let mut cache = Cache::new(config(count));
    let policy = policy(0);
    for domain in (0..count).map(domain) {
        longest.call(|| discover(&mut cache, &domain, txt, &policy, NOON));
    }
    assert_eq!(cache.len(), count);
    cache
}

fn waiting(cache: &mut Cache) -> Option<LookupId> {
    match cache.lookup(&domain(0), NOON) {
        Lookup::Waiting(id) => Some(id),
        Lookup::Answer(_) => None,
    }
}

fn policy(n: usize) -> Arc<Policy> {
    let file = format!("version: STSv1\nmode: enforce\nmx: mx{n}.example.com\nmax_age: 604800\n");
    Arc::new(Policy::parse(file.as_bytes()).expect("valid"))
}

fn discover(
    cache: &mut Cache,
    domain: &Domain,
    txt: &TxtAnswer,
    policy: &Arc<Policy>,
    now: UtcDateTime,
) {
    drop(cache.lookup(domain, now));
    while let Some(request) = cache.poll_request() {
        match request {
            Request::Txt { id, .. } => cache.handle_txt(id, txt.clone(), now),
            Request::Fetch { id, .. } => {
                cache.handle_policy(id, PolicyAnswer::Valid(Arc::clone(policy)), now);
            }
            Request::Persist { .. } => unreachable!("nothing is to be stored"),
            _ => {}
        }
    }
    while cache.poll_event().is_some() {}
}

/// Processes all that is due.
fn time_out(cache: &mut Cache, now: UtcDateTime, longest: &mut Longest) {
    while cache.poll_timeout().is_some_and(|due| due <= now) {
        longest.call(|| cache.handle_timeout(now));
        while cache.poll_request().is_some() {}
        while cache.poll_event().is_some() {}
    }
}
