//! Settings at their ends: each is an error at the start, or does what its documentation says.

use std::{sync::Arc, thread, time::Duration};

use mta_sts::{
    Domain,
    cache::{self, Answer, PolicyAnswer, TxtAnswer},
    client::{LookupError, Settings},
    dns, fetch,
};
use mta_sts_testkit::{Site, World};

use crate::world::{BOTH, Client, Kind, POLICY, Part, Parts, domain, settings};

type Set = fn(Settings, Duration, usize) -> Settings;

fn cache() -> cache::Config {
    cache::Config::new(1)
}

/// Each setting that takes a span of time or a number.
const TABLE: &[(&str, Set)] = &[
    ("persist_timeout", |settings, span, _| {
        settings.with_cache_config(cache().with_persist_timeout(span))
    }),
    ("refresh_interval", |settings, span, _| {
        settings.with_cache_config(cache().with_refresh_interval(span))
    }),
    ("idle_time", |settings, span, _| settings.with_cache_config(cache().with_idle_time(span))),
    ("max_entries", |settings, _, n| settings.with_cache_config(cache().with_max_entries(n))),
    ("max_bytes", |settings, _, n| settings.with_cache_config(cache().with_max_bytes(n))),
    ("dns attempt", |settings, span, _| {
        settings.with_dns_config(dns::Config::default().with_attempt_timeout(span))
    }),
    ("dns deadline", |settings, span, _| {
        settings.with_dns_config(dns::Config::default().with_timeout(span))
    }),
    ("dns rounds", |settings, _, n| {
        settings.with_dns_config(
            dns::Config::default().with_attempts(u8::try_from(n).unwrap_or(u8::MAX)),
        )
    }),
    ("fetch deadline", |settings, span, _| {
        settings.with_fetch_config(fetch::Config::default().with_timeout(span))
    }),
    ("discoveries", |settings, _, n| settings.with_max_concurrent_discoveries(n)),
    ("refreshes", |settings, _, n| settings.with_max_concurrent_refreshes(n)),
    ("all", |settings, span, n| {
        let cache = cache().with_persist_timeout(span).with_refresh_interval(span);
        let cache = cache.with_idle_time(span).with_max_entries(n).with_max_bytes(n);
        let dns = dns::Config::default().with_attempt_timeout(span).with_timeout(span);
        let settings = settings
            .with_cache_config(cache)
            .with_dns_config(dns)
            .with_max_concurrent_discoveries(n)
            .with_max_concurrent_refreshes(n);
        settings.with_fetch_config(fetch::Config::default().with_timeout(span))
    }),
];

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let settings = Settings::default();
    assert_eq!(settings.max_concurrent_discoveries(), 64);
    assert_eq!(settings.max_concurrent_refreshes(), 16);
    assert_eq!(settings.https_port(), 443);
    let settings = settings.with_max_concurrent_discoveries(3).with_max_concurrent_refreshes(2);
    assert_eq!(settings.max_concurrent_discoveries(), 3);
    assert_eq!(settings.max_concurrent_refreshes(), 2);
    assert_eq!(settings.with_https_port(8443).https_port(), 8443);
}

const ENDS: [(Duration, usize); 4] = [
    (Duration::ZERO, 0),
    (Duration::from_nanos(1), 1),
    (Duration::from_secs(u64::MAX), usize::MAX - 1),
    (Duration::MAX, usize::MAX),
];

#[test]
fn every_setting_at_its_ends_makes_a_client_that_answers() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    thread::scope(|scope| {
        for kind in BOTH {
            for row in TABLE {
                let world = &world;
                scope.spawn(move || {
                    for (span, number) in ENDS {
                        at_an_end(kind, world, row, span, number);
                    }
                });
            }
        }
    });
}

fn at_an_end(kind: Kind, world: &World, (name, set): &(&str, Set), span: Duration, number: usize) {
    let told = format!("{kind:?}: {name} of {span:?} or {number}");
    let is_least = span < Duration::from_millis(1);
    // Over sockets, and over parts that answer at once.
    let fetch = |domain: &Domain| PolicyAnswer::from_body(domain, POLICY.as_bytes());
    let txt = |_: &Domain| TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60));
    let given = Parts {
        txt: Some(Part(Arc::new(txt))),
        fetch: Some(Part(Arc::new(fetch))),
        ..Parts::default()
    };
    for parts in [Parts::default(), given] {
        let is_given = parts.txt.is_some();
        let patient = settings(world)
            .with_dns_config(dns::Config::default())
            .with_fetch_config(fetch::Config::default());
        let client = Client::with(kind, set(patient, span, number), parts).unwrap();
        for budget in [Duration::MAX, Duration::ZERO] {
            let answer = client.policy(&domain("a.example"), budget);
            match (answer, budget) {
                (Ok(Answer::Policy(_)), _) | (Err(LookupError::TimedOut), Duration::ZERO) => {}
                // Nothing is kept where there is room for nothing, or nobody answers in no time.
                (Ok(Answer::NoPolicy(_)), _) if is_least => {
                    let for_room = ["max_entries", "max_bytes", "all"].contains(name);
                    assert!(for_room || !is_given, "{told}");
                }
                (answer, _) => panic!("{told}: {answer:?}"),
            }
        }
        assert!(client.recheck(&domain("a.example")).is_ok(), "{told}");
        client.shutdown();
    }
}

#[cfg(feature = "serde")]
#[test]
fn the_network_from_a_file() {
    let read = |text: &str| serde_json::from_str::<Settings>(text);
    let settings = read(
        r#"{
            "source_ipv4": "192.0.2.7", "source_ipv6": "2001:db8::7",
            "fetch": {
                "https_proxy": "http://mail:secret@192.0.2.9:3128",
                "nat64_prefixes": ["64:ff9b:1::/96"], "nat64_discovery": true
            }
        }"#,
    );
    let network = fetch::Nat64Prefix::try_from("64:ff9b:1::/96".parse::<fetch::Network>().unwrap());
    let filter = fetch::AddressFilter::default().with_nat64_prefix(network.unwrap());
    let proxy: fetch::HttpsProxy = "http://mail:secret@192.0.2.9:3128".parse().unwrap();
    let expected = Settings::default()
        .with_source_ipv4("192.0.2.7".parse().unwrap())
        .with_source_ipv6("2001:db8::7".parse().unwrap())
        .with_https_proxy(proxy)
        .with_address_filter(filter)
        .with_nat64_discovery(true);
    let read_back = format!("{:?}", settings.unwrap());
    assert_eq!(read_back, format!("{expected:?}"));
    assert!(
        read_back.contains("192.0.2.9:3128, with credentials") && !read_back.contains("secret")
    );

    for (text, said) in [
        (r#"{ "source_ipv4": "2001:db8::7" }"#, "\"2001:db8::7\": invalid IPv4 address syntax"),
        (r#"{ "source_ipv6": "x" }"#, "\"x\": invalid IPv6 address syntax"),
        (r#"{ "source": "x" }"#, "unknown field `source`"),
        (
            r#"{ "fetch": { "https_proxy": "http://mail:secret@proxy.example" } }"#,
            "not an HTTPS proxy: write its name or IP address and its port",
        ),
        (
            r#"{ "fetch": { "nat64_prefixes": ["64:ff9b:1::/95"] } }"#,
            "\"64:ff9b:1::/95\": not a NAT64 prefix: write an IPv6 prefix of 32, 40, 48, 56, 64",
        ),
        (r#"{ "fetch": { "nat64_discovery": "on" } }"#, "invalid type: string \"on\""),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(said) && !error.contains("secret"), "{text}: {error}");
    }
}
