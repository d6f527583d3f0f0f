//! Many callers, many domains, slow hosts.

use std::{fs, thread, time::Duration};

use mta_sts::{NoPolicy, cache::Answer, dns, fetch};
use mta_sts_testkit::{Body, Site, Web, World};

use crate::world::{BOTH, Client, Kind, LONG, POLICY, domain, eventually, settings};

#[test]
fn callers_share_what_is_found_out() {
    BOTH.into_iter().for_each(callers_share_what_is_found_out_of);
}

fn callers_share_what_is_found_out_of(kind: Kind) {
    let world = World::new();
    let slow = Web::Slow(POLICY.into(), Duration::from_millis(300));
    world.set("good.example", Site { web: slow, ..Site::new("1", POLICY) });
    let missing = Web::Answers(Body::response("404 Not Found", "text/plain", ""));
    world.set("missing.example", Site { web: missing, ..Site::new("1", POLICY) });
    // A question that is asked again would count twice.
    let client = Client::new(kind, settings(&world).with_dns_config(dns::Config::default()));
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                assert!(client.policy(&domain("good.example"), LONG).unwrap().policy().is_some());
            });
        }
        for _ in 0..20 {
            scope.spawn(|| {
                let answer = client.policy(&domain("missing.example"), LONG).unwrap();
                assert!(matches!(answer, Answer::NoPolicy(NoPolicy::FetchFailed(_))), "{answer:?}");
            });
        }
    });
    let counts = world.counts("good.example");
    assert_eq!((counts.queries, counts.fetches), (1, 1));
    assert_eq!(world.counts("missing.example").fetches, 1);
}

#[test]
fn a_slow_host_delays_nobody_whose_policy_is_known() {
    BOTH.into_iter().for_each(a_slow_host_delays_nobody_whose_policy_is_known_of);
}

fn a_slow_host_delays_nobody_whose_policy_is_known_of(kind: Kind) {
    for web in [Web::Hangs, Web::Slow(POLICY.into(), Duration::from_secs(3))] {
        let world = World::new();
        world.set("known.example", Site::new("1", POLICY));
        world.set("slow.example", Site { web: web.clone(), ..Site::new("1", POLICY) });
        let patient = fetch::Config::default().with_timeout(LONG);
        let client = Client::new(kind, settings(&world).with_fetch_config(patient));
        let known = domain("known.example");
        client.policy(&known, LONG).unwrap();
        // Its own host is slow now, too, while it is looked at again.
        world.change("known.example", |site| site.web = web);
        thread::scope(|scope| {
            let waiting = [
                scope.spawn(|| drop(client.policy(&domain("slow.example"), LONG))),
                scope.spawn(|| drop(client.refresh(&known))),
            ];
            eventually(|| {
                world.counts("slow.example").fetches + world.counts("known.example").fetches == 3
            });
            for _ in 0..1000 {
                assert!(client.policy(&known, LONG).unwrap().policy().is_some());
            }
            assert!(waiting.iter().all(|task| !task.is_finished()), "it has waited for somebody");
            client.shutdown();
        });
    }
}

#[test]
fn hosts_that_hang_hold_up_no_question_to_dns() {
    BOTH.into_iter().for_each(hosts_that_hang_hold_up_no_question_to_dns_of);
}

fn hosts_that_hang_hold_up_no_question_to_dns_of(kind: Kind) {
    let world = World::new();
    world.set("slow.example", Site { web: Web::Hangs, ..Site::new("1", POLICY) });
    let patient = fetch::Config::default().with_timeout(LONG);
    let client = Client::new(
        kind,
        settings(&world).with_fetch_config(patient).with_max_concurrent_discoveries(1),
    );
    thread::scope(|scope| {
        let waiting = scope.spawn(|| drop(client.policy(&domain("slow.example"), LONG)));
        eventually(|| world.counts("slow.example").fetches == 1);
        let answer = client.policy(&domain("other.example"), LONG).unwrap();
        assert_eq!(answer, Answer::NoPolicy(NoPolicy::NoRecord));
        assert!(!waiting.is_finished(), "it has waited for the other one");
        client.shutdown();
    });
}

#[test]
fn a_caller_has_a_budget() {
    BOTH.into_iter().for_each(a_caller_has_a_budget_of);
}

fn a_caller_has_a_budget_of(kind: Kind) {
    let world = World::new();
    world.set("slow.example", Site { web: Web::Hangs, ..Site::new("1", POLICY) });
    let client = Client::new(kind, settings(&world));
    for _ in 0..3 {
        let late = client.policy(&domain("slow.example"), Duration::from_millis(50)).unwrap_err();
        assert_eq!(late.to_string(), "policy lookup timed out");
        assert!(!client.is_waited_for(), "{client:?}");
    }
    // What it has not waited for is found out all the same.
    let answer = client.policy(&domain("slow.example"), LONG).unwrap();
    assert!(matches!(answer, Answer::NoPolicy(NoPolicy::FetchFailed(_))), "{answer:?}");
    assert_eq!(world.counts("slow.example").fetches, 1);
}

#[test]
fn ten_thousand_domains_at_once() {
    BOTH.into_iter().for_each(ten_thousand_domains_at_once_of);
}

fn ten_thousand_domains_at_once_of(kind: Kind) {
    let world = World::new();
    for n in 0..200 {
        world.set(&format!("good{n}.example"), Site::new("1", POLICY));
    }
    // Patient: of so many questions at once, a machine that is busy loses some.
    let dns = dns::Config::default().with_attempts(6).with_timeout(Duration::from_secs(12));
    let client = Client::new(kind, settings(&world).with_dns_config(dns));
    thread::scope(|scope| {
        for part in 0..100 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..100 {
                    let n = part * 100 + n;
                    let name = if n % 50 == 0 {
                        format!("good{}.example", n / 50)
                    } else {
                        format!("none{n}.example")
                    };
                    let answer = client.policy(&domain(&name), LONG).unwrap();
                    match answer {
                        Answer::Policy(_) => assert_eq!(n % 50, 0),
                        Answer::NoPolicy(why) => {
                            assert_eq!((n % 50 == 0, why), (false, NoPolicy::NoRecord), "{name}");
                        }
                    }
                }
            });
        }
    });
    assert_eq!(client.len(), 10_000);
    client.shutdown();
    assert_eq!(sockets_to(world.nameserver().port()), 0);
    assert_eq!(sockets_to(world.port()), 0);
}

/// How many sockets of clients lead to this port of 127.0.0.1; 0 where that cannot be known.
fn sockets_to(port: u16) -> usize {
    let address = format!("0100007F:{port:04X}");
    let tables =
        ["/proc/net/udp", "/proc/net/tcp"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines());
    // What is closed has no inode any more, and is there for a while all the same.
    lines
        .filter(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[2] == address && fields[9] != "0"
        })
        .count()
}
