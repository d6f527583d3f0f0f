//! What an input of twice the length costs, and a cache of a hundred times the domains.

use std::{hint::black_box, sync::Arc, time::Duration};

use mta_sts::{
    Domain, Policy,
    cache::{Cache, Config, PolicyAnswer, Request, TxtAnswer},
    lint,
};
use mta_sts_benches::inputs::{RECORD, policy};
use time::{UtcDateTime, macros::utc_datetime};

/// What is counted, at two sizes, with how often, and the limit of the ratio.
pub(crate) const SUBJECTS: &[(&str, [usize; 2], u32, f64)] = &[
    ("parse", [1200, 2400], 5, 2.1),
    // Times the logarithm of the number of fields.
    ("lint", [600, 1200], 2, 2.3),
    ("head", [40, 80], 20, 2.1),
    // Eight times as many bytes, each of which is looked at a bounded number of times.
    ("head-by-bytes", [1800, 14_400], 1, 10.0),
    // The logarithm of a hundred thousand is 1.7 times that of a thousand.
    ("due", [1000, 100_000], 500, 1.7),
];

const NOON: UtcDateTime = utc_datetime!(2026-01-05 12:00);
/// By then, the record of each domain is to be looked up again.
const HALF_PAST: UtcDateTime = utc_datetime!(2026-01-05 12:30);
const TTL: Duration = Duration::from_secs(300);

pub(crate) fn repeat(what: &str, size: usize, times: u32) {
    match what {
        "parse" => {
            let file = policy(size);
            (0..times).for_each(|_| drop(black_box(Policy::parse(black_box(file.as_bytes())))));
        }
        "lint" => {
            let file = policy(size);
            (0..times).for_each(|_| drop(black_box(lint::policy(black_box(file.as_bytes())))));
        }
        "head" => (0..times).for_each(|_| head(size)),
        "head-by-bytes" => (0..times).for_each(|_| heads_by_bytes(size)),
        _ => due(size, times),
    }
}

/// Reads a head with so many headers, line by line.
fn head(headers: usize) {
    use mta_sts::fetch::{Config, HttpExchange};

    let domain = Domain::parse("example.com").expect("valid");
    let mut exchange = HttpExchange::new(&domain, &Config::default());
    exchange.handle_received(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n");
    for _ in 0..headers {
        exchange.handle_received(b"X-Header: a value of some length, as they are\r\n");
    }
    exchange.handle_received(b"\r\n");
    assert!(black_box(exchange.outcome()).is_none());
}

/// Reads heads of this length that never end, byte by byte.
fn heads_by_bytes(len: usize) {
    use mta_sts::fetch::{Config, HttpExchange};

    let domain = Domain::parse("example.com").expect("valid");
    let status = "HTTP/1.1 200 OK\r\n";
    let units = ["A:\n", " \n", "a", "A:\n \n"].map(|unit| (status, unit));
    for (line, unit) in units.into_iter().chain([("", "\n")]) {
        let mut exchange = HttpExchange::new(&domain, &Config::default());
        exchange.handle_received(line.as_bytes());
        let bytes = unit.as_bytes().iter().cycle().take(len);
        bytes.for_each(|&byte| exchange.handle_received(black_box(&[byte])));
        assert!(black_box(exchange.outcome()).is_none_or(Result::is_err));
    }
}

/// Lookups that find the time of a query come, each with the answer to it.
fn due(domains: usize, times: u32) {
    let name = |n: usize| Domain::parse(&format!("mail.example{n}.co.uk")).expect("valid");
    let domains: Vec<Domain> = (0..domains).map(name).collect();
    let policy = Arc::new(Policy::parse(policy(3).as_bytes()).expect("valid"));
    let mut cache = Cache::new(Config::new(1));
    for domain in &domains {
        look_up(&mut cache, domain, &policy, NOON);
    }
    for n in 0..times as usize {
        look_up(&mut cache, &domains[n * 7919 % domains.len()], &policy, HALF_PAST);
    }
}

fn look_up(cache: &mut Cache, domain: &Domain, policy: &Arc<Policy>, now: UtcDateTime) {
    let _ = black_box(cache.lookup(domain, now));
    while let Some(request) = cache.poll_request() {
        match request {
            Request::Txt { id, .. } => {
                cache.handle_txt(id, TxtAnswer::from_records([RECORD], TTL), now);
            }
            Request::Fetch { id, .. } => {
                cache.handle_policy(id, PolicyAnswer::Valid(Arc::clone(policy)), now);
            }
            request => unreachable!("{request:?}"),
        }
    }
    while cache.poll_event().is_some() {}
    black_box(cache.poll_timeout());
}
