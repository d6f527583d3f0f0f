//! What the crate allocates: nothing to read a record or to match, next to nothing beyond the text
//! to read a policy, nothing to look up what a cache knows, and little for a stranger's mistakes.

use std::{
    collections::hash_map::RandomState, hash::BuildHasher as _, hint::black_box, time::Duration,
};

use allocation_counter::{AllocationInfo, measure};
use mta_sts::{
    Domain, Instant, MxPattern, NoPolicy, Policy, StsRecord, Tolerances,
    cache::{Answer, Cache, Config, Lookup, PolicyAnswer, Request, TxtAnswer},
    lanes::{self, Action, Job, Lane, Lanes},
};
use time::{UtcDateTime, macros::utc_datetime};

const HOUR: Duration = Duration::from_secs(3600);

/// How often and how much this allocates.
fn cost<T>(operation: impl FnOnce() -> T) -> AllocationInfo {
    measure(|| drop(black_box(operation())))
}

/// How often this allocates.
fn count<T>(operation: impl FnOnce() -> T) -> u64 {
    cost(operation).count_total
}

fn policy(mx: usize) -> String {
    let mx = "mx: *.example.net\r\n".repeat(mx);
    format!("version: STSv1\r\nmode: enforce\r\n{mx}max_age: 604800\r\nx: y\r\n")
}

#[test]
fn records_allocate_nothing() {
    for record in ["v=STSv1; id=1;", "v=STSv1; id=1; a=b; c=d", "v=STSv1;a=b;id=1;id=2;v=STSv2"] {
        assert_eq!(count(|| StsRecord::parse(record.as_bytes()).unwrap()), 0, "{record}");
    }
    let records = ["v=spf1 -all", "v=STSv1; id=1; a=b", "v=TLSRPTv1; rua=mailto:a@example.com"];
    assert_eq!(count(|| StsRecord::select(records).unwrap()), 0);

    let record = StsRecord::parse(b"v=STSv1; id=1; a=b; c=d").unwrap();
    assert_eq!(count(|| record.as_text().len()), 0);
    assert_eq!(count(|| record.extensions().count()), 0);
    assert_eq!(count(|| record.extension("c").map(str::len)), 0);
}

#[test]
fn policies_allocate_their_text_and_the_list_of_patterns() {
    for mx in 1..=8 {
        let file = policy(mx);
        assert!(count(|| Policy::parse(file.as_bytes()).unwrap()) <= 2, "{mx} mx");
    }
    let none = b"version: STSv1\nmode: none\nmax_age: 0\n";
    assert_eq!(count(|| Policy::parse(none).unwrap()), 1);
}

#[test]
fn policies_are_asked_without_allocating() {
    let policy = Policy::parse(policy(3).as_bytes()).unwrap();
    for host in ["MX.Example.NET.", "mx.example.org", "", "a.b.c.d"] {
        assert_eq!(count(|| policy.matches(host)), 0, "{host}");
    }
    assert_eq!(count(|| policy.as_text().len()), 0);
    assert_eq!(count(|| policy.mx().map(|mx| mx.as_str().len()).sum::<usize>()), 0);
    assert_eq!(count(|| policy.extensions().count()), 0);
    assert_eq!(count(|| policy.extension("x").map(str::len)), 0);
}

#[test]
fn patterns_allocate_nothing() {
    assert_eq!(count(|| MxPattern::parse("*.example.net").unwrap().matches("mx.EXAMPLE.net")), 0);
}

#[test]
fn domains_are_compared_without_allocating() {
    let [a, b] = ["a.example", "B.example"].map(|name| Domain::parse(name).unwrap());
    let hasher = RandomState::new();
    assert_eq!(count(|| (a == b, a.cmp(&b), a.as_str() == "a.example")), 0);
    assert_eq!(count(|| hasher.hash_one(&a)), 0);
}

const NOON: UtcDateTime = utc_datetime!(2026-01-05 12:00);
const HALF_PAST: UtcDateTime = utc_datetime!(2026-01-05 12:30);

/// A cache that knows of many domains, of which those with an even number have a policy.
fn cache() -> (Cache, Vec<Domain>) {
    let names = (0..1000).map(|n| format!("{n}.example"));
    let domains: Vec<_> = names.map(|name| Domain::parse(&name).unwrap()).collect();
    let mut cache = Cache::new(Config::new(1));
    for (n, domain) in domains.iter().enumerate() {
        assert!(matches!(cache.lookup(domain, NOON), Lookup::Waiting(_)), "{domain}");
        discover(&mut cache, n.is_multiple_of(2));
    }
    (cache, domains)
}

fn discover(cache: &mut Cache, has_policy: bool) {
    let ttl = Duration::from_secs(3600);
    while let Some(request) = cache.poll_request() {
        match request {
            Request::Txt { id, .. } if has_policy => {
                cache.handle_txt(id, TxtAnswer::from_records(["v=STSv1; id=1"], ttl), NOON);
            }
            Request::Txt { id, .. } => {
                cache.handle_txt(id, TxtAnswer::NoRecord { ttl: Some(ttl) }, NOON);
            }
            Request::Fetch { id, domain } => {
                let body = policy(3);
                let answer = PolicyAnswer::from_body(&domain, body.as_bytes());
                cache.handle_policy(id, answer, NOON);
            }
            request => panic!("{request:?}"),
        }
    }
    while cache.poll_event().is_some() {}
}

/// Whether it says what the domain of this number has.
fn is_right<P>(answer: &Answer<P>, n: usize) -> bool {
    match answer {
        Answer::Policy(_) => n.is_multiple_of(2),
        Answer::NoPolicy(why) => !n.is_multiple_of(2) && *why == NoPolicy::NoRecord,
    }
}

#[test]
fn what_a_cache_knows_is_looked_up_without_allocating() {
    let (mut cache, domains) = cache();
    for (n, domain) in domains.iter().enumerate() {
        let (mut got, mut looked_up) = (false, false);
        let cost = measure(|| {
            got = cache.get(domain, HALF_PAST).is_some_and(|answer| is_right(&answer, n));
            looked_up = match black_box(cache.lookup(domain, HALF_PAST)) {
                Lookup::Answer(answer) => is_right(&answer, n),
                Lookup::Waiting(_) => false,
            };
        });
        assert!(got && looked_up, "{domain}");
        assert_eq!(cost.count_total, 0, "{domain}");
    }
}

#[test]
fn a_cache_is_asked_for_its_deadline_without_allocating() {
    let (mut cache, _) = cache();
    assert_eq!(count(|| cache.poll_timeout().unwrap()), 0);
    assert_eq!(count(|| cache.handle_timeout(HALF_PAST)), 0);
    assert_eq!(count(|| cache.poll_request().is_none()), 0);
    assert_eq!(count(|| cache.poll_event().is_none()), 0);
}

/// What a cache takes from the allocator for so many domains with these answers, and what it says
/// that it takes. Each name has this length.
fn taken(count: usize, name: usize, txt: &TxtAnswer, file: &PolicyAnswer) -> (i64, i64) {
    let names = (0..count).map(|n| format!("{n:0>width$}.example", width = name - 8));
    let domains: Vec<_> = names.map(|name| Domain::parse(&name).unwrap()).collect();
    let mut cache = None;
    let real = measure(|| {
        let mut filled = Cache::new(Config::new(1));
        for domain in &domains {
            let _ = filled.lookup(domain, NOON);
            while let Some(request) = filled.poll_request() {
                match request {
                    Request::Txt { id, .. } => filled.handle_txt(id, txt.clone(), NOON),
                    Request::Fetch { id, .. } => filled.handle_policy(id, file.clone(), NOON),
                    request => panic!("{request:?}"),
                }
            }
            while filled.poll_event().is_some() {}
        }
        cache = Some(filled);
    });
    let said = cache.map_or(0, |cache| cache.memory_usage());
    (real.bytes_current, i64::try_from(said).unwrap())
}

/// The bound on memory is one on what the allocator gives, not on a figure of our own.
#[test]
fn what_a_cache_says_that_it_takes_is_what_it_takes() {
    let ttl = Duration::from_secs(3600);
    let absent = TxtAnswer::NoRecord { ttl: Some(ttl) };
    let found = TxtAnswer::from_records(["v=STSv1; id=1"], ttl);
    let failing = |len: usize| TxtAnswer::Failed("x".repeat(len).into());
    let down = |len: usize| {
        let (code, host) = ("http-500", "mta-sts.example");
        let result_type = mta_sts::ResultType::StsPolicyFetchError;
        PolicyAnswer::Failed(mta_sts::Failure::new(result_type, code, host, "x".repeat(len)))
    };
    let served = |mx| {
        let domain = Domain::parse("example.com").unwrap();
        PolicyAnswer::from_body(&domain, policy(mx).as_bytes())
    };
    // Just before tables double, and half way.
    for count in [7_100, 10_000] {
        for (txt, file) in [(&absent, served(1)), (&found, served(3)), (&found, down(40))] {
            let (real, said) = taken(count, 25, txt, &file);
            assert!((80..125).contains(&(100 * said / real)), "{count}: {said} said, {real} taken");
        }
    }
    // What one thing more costs: the name in steps of 32 bytes, the rest nearly as it is.
    let little = || taken(2000, 20, &absent, &served(1));
    for (less, more, bounds) in [
        (little(), taken(2000, 70, &absent, &served(1)), 95..135),
        (little(), taken(2000, 20, &failing(20), &served(1)), 90..110),
        (little(), taken(2000, 20, &found, &down(20)), 95..115),
        (
            taken(2000, 20, &failing(20), &served(1)),
            taken(2000, 20, &failing(1500), &served(1)),
            97..103,
        ),
        (taken(2000, 20, &found, &down(20)), taken(2000, 20, &found, &down(450)), 93..105),
    ] {
        let (real, said) = (more.0 - less.0, more.1 - less.1);
        assert!(bounds.contains(&(100 * said / real)), "{said} said, {real} taken");
    }
}

/// Policies of a length between 100 and 500 bytes, each of which ten domains have.
fn discovered(count: usize) -> (i64, i64) {
    let (mut cache, found) = (None, TxtAnswer::from_records(["v=STSv1; id=1"], HOUR));
    let real = measure(|| {
        let mut filled = Cache::new(Config::new(1).with_max_entries(count).with_max_bytes(1 << 31));
        for n in 0..count {
            let of = n / 10;
            let mx: Vec<_> = (0..of % 8).map(|mx| format!("mx: mx{mx}.p{of}.example\n")).collect();
            let mx = mx.concat();
            let file =
                format!("version: STSv1\nmode: enforce\nmx: p{of}.example\n{mx}max_age: 604800\n");
            let domain = Domain::parse(&format!("mail{n:0>8}.customer.example")).unwrap();
            fill(&mut filled, &domain, &found, file.as_bytes());
        }
        assert_eq!(filled.len(), count);
        cache = Some(filled);
    });
    let said = cache.map_or(0, |cache| cache.memory_usage());
    (real.bytes_current, i64::try_from(said).unwrap())
}

fn fill(cache: &mut Cache, domain: &Domain, txt: &TxtAnswer, file: &[u8]) {
    let _ = cache.lookup(domain, NOON);
    while let Some(request) = cache.poll_request() {
        match request {
            Request::Txt { id, .. } => cache.handle_txt(id, txt.clone(), NOON),
            Request::Fetch { id, domain } => {
                cache.handle_policy(id, PolicyAnswer::from_body(&domain, file), NOON);
            }
            request => panic!("{request:?}"),
        }
    }
    while cache.poll_event().is_some() {}
}

fn is_within_ten_percent(count: usize) {
    let (real, said) = discovered(count);
    assert!((90..=110).contains(&(100 * said / real)), "{count}: {said} said, {real} taken");
}

#[test]
fn what_ten_thousand_policies_take_is_said_within_ten_percent() {
    is_within_ten_percent(10_000);
}

#[test]
#[ignore = "takes half a minute; by hand: `cargo test --all-features --test allocations -- --ignored`"]
fn what_a_million_policies_take_is_said_within_ten_percent() {
    is_within_ten_percent(1_000_000);
}

/// The largest legal policies, each of which differs, from thousands of domains.
#[test]
fn no_flood_of_the_largest_policies_takes_more_than_the_bound() {
    const MOST: usize = 16 << 20;
    let found = TxtAnswer::from_records(["v=STSv1; id=1"], HOUR);
    let padding = format!("x: {}\n", "y".repeat(64_000));
    for body in [
        padding,
        "mx: a.b\n".repeat(8_000),
        "mx: *.a\n".repeat(8_000),
        "mx:a.b\n".repeat(8_300),
        "mx:a\n".repeat(8_300),
    ] {
        let mut cache = None;
        let real = measure(|| {
            let mut filled = Cache::new(Config::new(1).with_max_bytes(MOST));
            for n in 0..500 {
                let file = format!(
                    "version: STSv1\nmode: enforce\nmx: m{n}.example\nmax_age: 604800\n{body}"
                );
                fill(
                    &mut filled,
                    &Domain::parse(&format!("d{n}.example")).unwrap(),
                    &found,
                    file.as_bytes(),
                );
                assert!(filled.memory_usage() <= MOST);
            }
            cache = Some(filled);
        });
        let held = cache.map_or(0, |cache| cache.policy_count());
        assert!(held > 100, "{held}");
        let most = u64::try_from(MOST).unwrap();
        assert!(real.bytes_max <= most + most / 10, "{} bytes", real.bytes_max);
    }
}

#[cfg(feature = "blocking")]
#[test]
fn what_a_client_knows_is_at_hand_without_allocating() {
    use mta_sts::{blocking::Client, client::Settings, fetch::AddressFilter};
    use mta_sts_testkit::{Site, World};

    let (world, known) = (World::new(), Domain::parse("known.example").unwrap());
    world.set(known.as_str(), Site::new("1", &policy(3)));
    let settings = Settings::default()
        .with_nameservers([world.nameserver()])
        .with_crypto_provider(rustls::crypto::ring::default_provider())
        .with_root_certificates(world.roots())
        .with_https_port(world.port())
        .with_address_filter(
            AddressFilter::default().exempt_network("127.0.0.0/8".parse().unwrap()),
        );
    let client = Client::builder().with_settings(settings).build().unwrap();
    let absent = Domain::parse("absent.example").unwrap();
    for domain in [&known, &absent] {
        client.policy_within(domain, Duration::from_secs(20)).unwrap();
    }
    let answers = [&known, &absent].map(|domain| {
        assert_eq!(count(|| client.cached(domain)), 0, "{domain}");
        client.cached(domain)
    });
    let [Some(Ok(found)), Some(Err(NoPolicy::NoRecord))] = answers else { panic!("{answers:?}") };
    assert_eq!(found.as_text(), policy(3));
}

/// Files of the largest size, made to be expensive.
fn hostile() -> impl Iterator<Item = Vec<u8>> {
    let head = "version: STSv1\nmode: enforce\nmax_age: 1\n";
    let units = ["mx:a\n", "\n", " \t\r\n", "x", "\u{1}", ":", "x: y\n", "mode: none\n", "ü"];
    let tails = ["", "mx: *\n", "x", "mx: a."];
    units.into_iter().flat_map(move |unit| {
        tails.into_iter().map(move |tail| {
            let times = (Policy::MAX_LEN - head.len() - tail.len()) / unit.len();
            [head, &unit.repeat(times), tail].concat().into_bytes()
        })
    })
}

/// What an error and room for eight patterns take.
const LITTLE: u64 = 1024;

/// The worst is a file of nothing but the shortest `mx`: 4 bytes in the list for each 5 of the file,
/// and the list doubles as it grows, up to the size of the file. A valid file is copied besides.
#[test]
fn hostile_policies_allocate_in_proportion_to_the_file() {
    for file in hostile() {
        for tolerances in [Tolerances::NONE, Tolerances::IN_THE_WILD] {
            let cost = cost(|| Policy::parse_with(&file, tolerances));
            let len = file.len() as u64;
            assert!(cost.bytes_max <= 2 * len + LITTLE, "{cost:?}");
            assert!(cost.bytes_total <= 3 * len + LITTLE, "{cost:?}");
        }
    }
}

#[test]
fn faulty_policies_without_patterns_allocate_little() {
    for file in
        hostile().filter(|file| !file.windows(5).any(|line| line == b"mx:a\n" || line == b"mx: a"))
    {
        for tolerances in [Tolerances::NONE, Tolerances::IN_THE_WILD] {
            let cost = cost(|| assert!(Policy::parse_with(&file, tolerances).is_err()));
            assert!(cost.bytes_total <= LITTLE, "{cost:?}");
        }
    }
}

#[test]
fn files_that_are_too_large_are_not_looked_at() {
    let file = vec![b'x'; Policy::MAX_LEN + 1];
    assert!(cost(|| Policy::parse(&file).unwrap_err()).bytes_total <= LITTLE);
}

/// A map of all running requests would allocate more for more of them.
#[test]
fn a_poll_of_lanes_copies_no_running_requests() {
    const LANE: Lane = Lane { is_known: false, is_fetch: true };
    let at = |seconds| Instant::from_start(Duration::from_secs(seconds));
    for slots in [100, 1_000, 10_000] {
        let mut lanes = Lanes::new(lanes::Config::default().with_first_contacts(slots));
        for n in 0..slots + 10 {
            let domain = Domain::parse(&format!("hangs{n}.example")).unwrap();
            lanes.submit(
                Job { domain: &domain, lane: LANE, ends_at: None, failures: 0 },
                (),
                at(1),
            );
        }
        while lanes.poll(at(1)).is_some() {}
        assert_eq!(lanes.load(LANE).running, slots);
        for _ in 0..10 {
            let poll = || assert!(matches!(lanes.poll(at(3)), Some(Action::EndEarly(_))));
            assert!(count(poll) <= 10, "{slots} slots");
        }
        let finds_none = || assert_eq!(lanes.poll(at(3)), None);
        assert_eq!(count(finds_none), 0, "{slots} slots");
        assert_eq!(count(|| lanes.poll_timeout(at(3))), 0, "{slots} slots");
    }
}
