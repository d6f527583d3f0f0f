//! How a client begins and ends, and what it survives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, Mode, NoPolicy,
    cache::{Answer, Event, EventKind, PolicyAnswer, RecheckOutcome, TxtAnswer},
    client::{LookupError, Settings, StartError},
    delivery::{Mx, Recheck, Route, Step},
    dns, fetch, tokio as async_,
};
use mta_sts_testkit::{Addresses, Dns, Site, Web, World};
use rustls::RootCertStore;

use crate::{
    nameserver::Nameserver,
    runtimes::block_on,
    world::{BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, eventually, settings},
};

#[test]
fn what_is_known_is_at_hand() {
    BOTH.into_iter().for_each(what_is_known_is_at_hand_of);
}

fn what_is_known_is_at_hand_of(kind: Kind) {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let client = Client::new(kind, settings(&world));
    let name = domain("a.example");
    assert_eq!((client.cached(&name), client.len()), (None, 0));
    let answer = client.policy(&name, LONG).unwrap();
    assert_eq!(client.cached(&name), Some(answer.into_policy()));
    assert_eq!(client.len(), 1);
}

#[test]
fn s5_1_what_a_client_finds_can_be_told_to_a_delivery() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let (client, name) = (Client::new(Kind::Blocking, settings(&world)), domain("a.example"));
    let policy = client.policy(&name, LONG).unwrap().into_policy();
    assert_eq!(Recheck::from(client.recheck(&name).unwrap()), Recheck::Current(policy));
    world.change("a.example", |site| site.dns = Dns::ServFail);
    let unknown = Recheck::from(client.recheck(&name).unwrap());
    assert!(matches!(unknown, Recheck::Unconfirmed { why, .. } if why.contains("Server Failure")));
    assert!(
        matches!(Recheck::from(LookupError::TimedOut), Recheck::Unknown(why) if why.contains("timed out"))
    );
}

#[test]
fn s5_1_a_recheck_finds_what_is_new() {
    BOTH.into_iter().for_each(s5_1_a_recheck_finds_what_is_new_of);
}

fn s5_1_a_recheck_finds_what_is_new_of(kind: Kind) {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let (client, events) = Client::listening(kind, settings(&world));
    let name = domain("a.example");
    client.policy(&name, LONG).unwrap();
    assert_eq!(client.recheck(&name).unwrap().outcome, RecheckOutcome::Unchanged);
    let none = "version: STSv1\nmode: none\nmax_age: 86400\n";
    world.set("a.example", Site::new("2", none));
    let found = client.recheck(&name).unwrap();
    assert_eq!(found.outcome, RecheckOutcome::Changed);
    assert_eq!(found.answer, Answer::NoPolicy(NoPolicy::ModeNone));
    assert_eq!(client.cached(&name), Some(Err(NoPolicy::ModeNone)));
    eventually(|| {
        events.lock().unwrap().iter().any(|event| {
            let EventKind::Updated { policy, previous: Some(_) } = &event.kind else {
                return false;
            };
            policy.mode() == Mode::None
        })
    });
}

#[test]
fn a_delivery_under_what_applies() {
    BOTH.into_iter().for_each(a_delivery_under_what_applies_of);
}

fn a_delivery_under_what_applies_of(kind: Kind) {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let client = Client::new(kind, settings(&world));
    let hosts = [Mx::new(10, "mx.example.com"), Mx::new(20, "mx.example.org")];
    let route = Route::for_recipient(domain("a.example"), hosts);
    let mut delivery = client.delivery(route);
    assert_eq!(delivery.policy().map(|policy| policy.mode()), Ok(Mode::Enforce));
    assert!(matches!(delivery.poll(), Step::Consider(_)));
    let literal = Route::for_address_literal("[192.0.2.1]");
    let delivery = client.delivery(literal);
    assert!(matches!(delivery.policy(), Err(NoPolicy::NotADomain(_))), "{delivery:?}");
}

#[test]
fn the_cache_keeps_its_own_time() {
    BOTH.into_iter().for_each(the_cache_keeps_its_own_time_of);
}

fn the_cache_keeps_its_own_time_of(kind: Kind) {
    let world = World::new();
    let dns = dns::Config::default().with_timeout(Duration::from_secs(1));
    let settings = settings(&world).with_dns_config(dns);
    // It answers when nobody listens any more.
    let txt = Part(Arc::new(|_: &Domain| {
        thread::sleep(Duration::from_secs(3));
        TxtAnswer::NoRecord { ttl: None }
    }));
    let parts = Parts { txt: Some(txt), ..Parts::default() };
    let client = Client::with(kind, settings, parts).unwrap();
    let answer = client.policy(&domain("a.example"), LONG).unwrap();
    let Answer::NoPolicy(NoPolicy::DnsFailed(how)) = answer else { panic!("{answer:?}") };
    assert_eq!(&*how, "no answer in time");
}

#[test]
fn a_panic_of_the_callers_is_survived() {
    BOTH.into_iter().for_each(a_panic_of_the_callers_is_survived_of);
}

fn a_panic_of_the_callers_is_survived_of(kind: Kind) {
    let world = World::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let txt = Part(Arc::new(|domain: &Domain| {
        assert!(domain.as_str() != "resolver.example", "the resolver panics");
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }));
    let fetch = Part(Arc::new(|domain: &Domain| {
        assert!(domain.as_str() != "fetcher.example", "the fetcher panics");
        PolicyAnswer::from_body(domain, POLICY.as_bytes())
    }));
    let on_event = Arc::new(move |event: &Event| {
        seen.fetch_add(1, Ordering::SeqCst);
        panic!("the callback panics at {event:?}");
    });
    let parts =
        Parts { txt: Some(txt), fetch: Some(fetch), on_event: Some(on_event), ..Parts::default() };
    let client = Client::with(kind, settings(&world), parts).unwrap();
    let policy = |name| client.policy(&domain(name), LONG).unwrap();
    assert!(matches!(policy("resolver.example"), Answer::NoPolicy(NoPolicy::DnsFailed(_))));
    assert_eq!(policy("fetcher.example"), Answer::NoPolicy(NoPolicy::Overloaded));
    for name in ["a.example", "b.example", "c.example"] {
        assert!(policy(name).policy().is_some());
    }
    eventually(|| calls.load(Ordering::SeqCst) >= 3);
}

#[test]
fn nothing_runs_after_the_end() {
    BOTH.into_iter().for_each(nothing_runs_after_the_end_of);
}

fn nothing_runs_after_the_end_of(kind: Kind) {
    let world = World::new();
    world.set("a.example", Site { web: Web::Hangs, ..Site::new("1", POLICY) });
    let patient = fetch::Config::default().with_timeout(3 * LONG);
    let client = Client::new(kind, settings(&world).with_fetch_config(patient));
    let name = domain("a.example");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.policy(&name, 3 * LONG));
        eventually(|| world.counts("a.example").fetches == 1);
        let ending = scope.spawn(|| client.shutdown());
        eventually(|| ending.is_finished() && waiting.is_finished());
        assert_eq!(waiting.join().unwrap(), Err(LookupError::ShutDown));
    });
    for name in ["a.example", "b.example"] {
        let before = world.counts(name);
        assert_eq!(client.policy(&domain(name), LONG), Err(LookupError::ShutDown));
        assert_eq!(client.recheck(&domain(name)), Err(LookupError::ShutDown));
        assert_eq!(world.counts(name), before);
    }
    client.shutdown();
}

#[test]
fn connecting_ends_with_the_client() {
    BOTH.into_iter().for_each(connecting_ends_with_the_client_of);
}

fn connecting_ends_with_the_client_of(kind: Kind) {
    let world = World::new();
    let site = Site { addresses: Addresses::BlackHoles, ..Site::new("1", POLICY) };
    world.set("a.example", site);
    let patient = fetch::Config::default().with_timeout(3 * LONG);
    let client = Client::new(kind, settings(&world).with_fetch_config(patient));
    ends_at_once(&client, || world.counts("a.example").queries == 1);
}

#[test]
fn dns_over_tcp_ends_with_the_client() {
    BOTH.into_iter().for_each(dns_over_tcp_ends_with_the_client_of);
}

fn dns_over_tcp_ends_with_the_client_of(kind: Kind) {
    let world = World::new();
    let nameserver = Nameserver::unreachable_over_tcp(|_| true);
    let dns = dns::Config::default().with_attempt_timeout(LONG).with_timeout(3 * LONG);
    let settings = settings(&world).with_dns_config(dns).with_nameservers([nameserver.address()]);
    let client = Client::new(kind, settings);
    ends_at_once(&client, || !nameserver.queries().is_empty());
}

/// Shuts a client down that looks something up, once it is so.
fn ends_at_once(client: &Client, is_so: impl Fn() -> bool + Sync) {
    let name = domain("a.example");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.policy(&name, 3 * LONG));
        eventually(&is_so);
        // What is under way after that takes no event that could be waited for.
        thread::sleep(Duration::from_millis(100));
        let start = Instant::now();
        client.shutdown();
        let took = start.elapsed();
        assert_eq!(waiting.join().unwrap(), Err(LookupError::ShutDown));
        // What hangs is waited for five seconds.
        assert!(took < Duration::from_secs(4), "{took:?}");
    });
}

#[test]
fn nothing_is_left_of_a_client() {
    BOTH.into_iter().for_each(nothing_is_left_of_a_client_of);
}

fn nothing_is_left_of_a_client_of(kind: Kind) {
    let world = World::new();
    let count = Arc::new(());
    let held = Arc::clone(&count);
    let txt = Part(Arc::new(move |_: &Domain| {
        assert!(Arc::strong_count(&held) > 1);
        TxtAnswer::NoRecord { ttl: None }
    }));
    let parts = Parts { txt: Some(txt), ..Parts::default() };
    let client = Client::with(kind, settings(&world), parts).unwrap();
    for n in 0..100 {
        client.policy(&domain(&format!("d{n}.example")), LONG).unwrap();
    }
    assert_eq!(Arc::strong_count(&count), 2);
    drop(client);
    assert_eq!(Arc::strong_count(&count), 1, "a thread or a task still has it");
}

#[test]
fn settings_that_do_not_do() {
    BOTH.into_iter().for_each(settings_that_do_not_do_of);
}

fn settings_that_do_not_do_of(kind: Kind) {
    let world = World::new();
    let error = |settings| match Client::with(kind, settings, Parts::default()).unwrap_err() {
        StartError::Settings(error) => error,
        error => panic!("{error}"),
    };
    let nobody = error(settings(&world).with_nameservers([]));
    assert_eq!(nobody.to_string(), "no nameservers: the list is empty");
    let untrusting = error(settings(&world).with_root_certificates(RootCertStore::empty()));
    assert_eq!(untrusting.to_string(), "no root certificates to trust");
    // Without a provider, the one of the crate's features is used.
    let none = Settings::default()
        .with_nameservers([world.nameserver()])
        .with_root_certificates(world.roots());
    assert!(Client::with(kind, none, Parts::default()).is_ok());
}

#[test]
fn what_answers_in_the_place_of_tls_is_named() {
    for kind in BOTH {
        for (said, protocol) in [("HTTP/1.1 400 X\r\n\r\n", "HTTP"), ("220 mx ESMTP\r\n", "SMTP")] {
            let world = World::new();
            let web = Web::Plain(said.into());
            world.set("a.example", Site { web, ..Site::new("1", POLICY) });
            let client = Client::new(kind, settings(&world));
            let answer = client.policy(&domain("a.example"), LONG).unwrap();
            let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = answer else {
                panic!("{answer:?}")
            };
            let expected =
                format!("TLS failed: what answered does not speak TLS: it speaks {protocol}");
            assert_eq!((failure.reason_code(), failure.message()), ("tls", &*expected));
        }
    }
}

#[test]
fn hosts_behind_a_firewall_are_not_connected_to() {
    BOTH.into_iter().for_each(hosts_behind_a_firewall_are_not_connected_to_of);
}

fn hosts_behind_a_firewall_are_not_connected_to_of(kind: Kind) {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let settings = settings(&world).with_address_filter(fetch::AddressFilter::default());
    let client = Client::new(kind, settings);
    let answer = client.policy(&domain("a.example"), LONG).unwrap();
    let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = answer else { panic!("{answer:?}") };
    assert_eq!(failure.reason_code(), "address-refused");
    assert_eq!(failure.message(), "the policy host has a loopback address");
    assert_eq!(world.counts("a.example").fetches, 0);
}

#[test]
fn tokio_is_there_or_it_is_said() {
    let world = World::new();
    let started = async_::Client::builder().with_settings(settings(&world)).build();
    let error = block_on(started).map(drop).unwrap_err();
    let told = "a client has to be started within a runtime of tokio: ";
    assert!(error.to_string().starts_with(told), "{error}");
}

#[test]
fn a_future_that_is_dropped_waits_for_nothing() {
    let world = World::new();
    world.set("a.example", Site { web: Web::Hangs, ..Site::new("1", POLICY) });
    // It is out for longer than all that follows takes.
    let patient = fetch::Config::default().with_timeout(Duration::from_secs(10));
    let both = Client::new(Kind::Tokio, settings(&world).with_fetch_config(patient));
    let Client::Tokio(runtime, client) = &both else { unreachable!() };
    let name = domain("a.example");
    runtime.block_on(async {
        for _ in 0..100 {
            let waiting = client.policy_within(&name, LONG);
            assert!(tokio::time::timeout(Duration::from_millis(1), waiting).await.is_err());
        }
    });
    assert!(!both.is_waited_for(), "{both:?}");
    // The request that was made for them goes on.
    let answer = both.policy(&name, LONG).unwrap();
    assert!(matches!(answer, Answer::NoPolicy(NoPolicy::FetchFailed(_))), "{answer:?}");
    assert_eq!(world.counts("a.example").fetches, 1);
}
