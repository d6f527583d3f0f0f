//! The world around a cache: DNS and Policy Hosts that answer at once.

use std::{hint::black_box, time::Duration};

use mta_sts::{
    Domain, PolicyId,
    cache::{Cache, Config, PolicyAnswer, Request, TxtAnswer},
};
use time::{UtcDateTime, macros::utc_datetime};

use crate::domains::file;

/// When everything is discovered: half an hour later nothing is due.
pub const START: UtcDateTime = utc_datetime!(2026-01-05 12:00);

const TTL: Duration = Duration::from_secs(86_400);

/// A cache that takes so many domains.
pub fn cache(domains: usize) -> Cache {
    Cache::new(Config::new(0x5EED).with_max_entries(domains).with_max_bytes(usize::MAX))
}

/// What the world says of the domain that is asked about.
#[derive(Clone, Copy)]
pub enum World {
    /// It has the policy of this number.
    Policy(usize),
    /// It has no record.
    Nothing,
}

/// Looks up domains, each of which has the policy of its number.
pub fn discover<'a>(
    cache: &mut Cache,
    domains: impl IntoIterator<Item = (usize, &'a Domain)>,
    now: UtcDateTime,
) {
    for (n, domain) in domains {
        let _ = black_box(cache.lookup(domain, now));
        serve(cache, World::Policy(n), now);
    }
}

/// Answers all requests, and throws all events away.
pub fn serve(cache: &mut Cache, world: World, now: UtcDateTime) {
    while let Some(request) = cache.poll_request() {
        answer(cache, request, world, now);
    }
    while let Some(event) = cache.poll_event() {
        drop(black_box(event));
    }
}

fn answer(cache: &mut Cache, request: Request, world: World, now: UtcDateTime) {
    match (request, world) {
        (Request::Txt { id, .. }, World::Policy(n)) => cache.handle_txt(id, found(n), now),
        (Request::Txt { id, .. }, World::Nothing) => {
            cache.handle_txt(id, TxtAnswer::NoRecord { ttl: Some(TTL) }, now);
        }
        (Request::Fetch { id, domain }, World::Policy(n)) => {
            cache.handle_policy(id, PolicyAnswer::from_body(&domain, file(n).as_bytes()), now);
        }
        (request, _) => unreachable!("{request:?}"),
    }
}

/// The record of the domain of this number.
pub fn found(n: usize) -> TxtAnswer {
    let id = PolicyId::parse(&format!("2026010100{}", n % 10)).expect("valid");
    TxtAnswer::Found { id, ttl: TTL }
}
