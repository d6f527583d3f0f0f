//! How a client begins and ends, and what it survives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::{
    Domain, Mode, NoPolicy,
    blocking::{Client, Fetcher, NotInTime, Resolver, StartError},
    cache::{Answer, Config, EventKind, Outcome, PolicyAnswer, TxtAnswer},
    client::{Settings, SettingsError},
    delivery::{Floor, Mx, Route, Step},
    fetch,
};
use mta_sts_testkit::{Site, Web, World};
use rustls::RootCertStore;

use crate::world::{LONG, POLICY, client, domain, eventually, listening, settings};

#[test]
fn what_is_known_is_at_hand() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let client = client(&world);
    let name = domain("a.example");
    assert_eq!((client.cached(&name), client.is_empty()), (None, true));
    let answer = client.policy(&name, LONG).unwrap();
    assert_eq!(client.cached(&name), Some(answer));
    assert_eq!(client.len(), 1);
}

#[test]
fn s5_1_a_recheck_finds_what_is_new() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let (client, events) = listening(Client::builder(settings(&world)));
    let name = domain("a.example");
    client.policy(&name, LONG).unwrap();
    assert_eq!(client.recheck(&name, LONG).unwrap().outcome, Outcome::Unchanged);
    let none = "version: STSv1\nmode: none\nmax_age: 86400\n";
    world.set("a.example", Site::new("2", none));
    let found = client.recheck(&name, LONG).unwrap();
    assert_eq!(found.outcome, Outcome::Changed);
    assert_eq!(found.answer, Answer::NoPolicy(NoPolicy::ModeNone));
    assert_eq!(client.cached(&name), Some(Answer::NoPolicy(NoPolicy::ModeNone)));
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
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let client = client(&world);
    let hosts = [Mx::new(10, "mx.example.com"), Mx::new(20, "mx.example.org")];
    let route = Route::to_recipient(domain("a.example"), hosts);
    let mut delivery = client.delivery(route, Floor::default(), LONG).unwrap();
    assert_eq!(delivery.policy().map(|policy| policy.mode()), Ok(Mode::Enforce));
    assert!(matches!(delivery.poll(), Step::Consider(_)));
    let literal = Route::to_address_literal("[192.0.2.1]");
    let delivery = client.delivery(literal, Floor::default(), LONG).unwrap();
    assert!(matches!(delivery.policy(), Err(NoPolicy::NotADomain(_))), "{delivery:?}");
}

/// Answers when nobody listens any more.
struct Sluggish;

impl Resolver for Sluggish {
    fn txt(&self, _domain: &Domain) -> TxtAnswer {
        thread::sleep(Duration::from_secs(3));
        TxtAnswer::NoRecord { ttl: None }
    }
}

#[test]
fn the_cache_keeps_its_own_time() {
    let world = World::new();
    let cache = Config::new(1).with_txt_timeout(Duration::from_secs(1));
    let settings = settings(&world).with_cache(cache);
    let client = Client::builder(settings).resolver(Sluggish).start().unwrap();
    let answer = client.policy(&domain("a.example"), LONG).unwrap();
    let Answer::NoPolicy(NoPolicy::DnsFailed(how)) = answer else { panic!("{answer:?}") };
    assert_eq!(&*how, "no answer in time");
}

struct Panicking;

impl Resolver for Panicking {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        assert!(domain.as_str() != "resolver.example", "the resolver panics");
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }
}

impl Fetcher for Panicking {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        assert!(domain.as_str() != "fetcher.example", "the fetcher panics");
        PolicyAnswer::from_body(domain, POLICY.as_bytes())
    }
}

#[test]
fn a_panic_of_the_callers_is_survived() {
    let world = World::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let client = Client::builder(settings(&world))
        .resolver(Panicking)
        .fetcher(Panicking)
        .on_event(move |event| {
            seen.fetch_add(1, Ordering::SeqCst);
            panic!("the callback panics at {event:?}");
        })
        .start()
        .unwrap();
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
    let world = World::new();
    world.set("a.example", Site { web: Web::Hangs, ..Site::new("1", POLICY) });
    let patient = fetch::Config::default().with_deadline(3 * LONG);
    let client = Client::new(settings(&world).with_fetch(patient)).unwrap();
    let name = domain("a.example");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.policy(&name, 3 * LONG));
        eventually(|| world.counts("a.example").fetches == 1);
        let ending = scope.spawn(|| client.shutdown());
        eventually(|| ending.is_finished() && waiting.is_finished());
        assert_eq!(waiting.join().unwrap(), Err(NotInTime));
    });
    for name in ["a.example", "b.example"] {
        let before = world.counts(name);
        assert_eq!(client.policy(&domain(name), LONG), Err(NotInTime));
        assert_eq!(client.recheck(&domain(name), LONG), Err(NotInTime));
        assert_eq!(world.counts(name), before);
    }
    client.shutdown();
}

/// Told by whoever still has it.
struct Counted(#[expect(dead_code, reason = "it is only counted")] Arc<()>);

impl Resolver for Counted {
    fn txt(&self, _domain: &Domain) -> TxtAnswer {
        TxtAnswer::NoRecord { ttl: None }
    }
}

#[test]
fn nothing_is_left_of_a_client() {
    let world = World::new();
    let count = Arc::new(());
    let resolver = Counted(Arc::clone(&count));
    let client = Client::builder(settings(&world)).resolver(resolver).start().unwrap();
    for n in 0..100 {
        client.policy(&domain(&format!("d{n}.example")), LONG).unwrap();
    }
    assert_eq!(Arc::strong_count(&count), 2);
    drop(client);
    assert_eq!(Arc::strong_count(&count), 1, "a thread or a task still has it");
}

#[test]
fn settings_that_do_not_do() {
    let world = World::new();
    let error = |settings| match Client::new(settings) {
        Err(StartError::Settings(error)) => error,
        other => panic!("{other:?}"),
    };
    let nobody = error(settings(&world).with_nameservers([]));
    assert_eq!(nobody.to_string(), "no nameservers: the list is empty");
    let untrusting = error(settings(&world).with_roots(RootCertStore::empty()));
    assert_eq!(untrusting.to_string(), "no root certificates to trust");
    // No provider is installed in this process, and none is guessed though two may be built in.
    let guessing = error(Settings::default());
    assert_eq!(guessing, SettingsError::NoProvider);
    let told = guessing.to_string();
    assert!(told.contains("`Settings::with_provider`"), "{told}");
}

#[test]
fn hosts_behind_a_firewall_are_not_connected_to() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let settings = settings(&world).with_filter(fetch::AddressFilter::default());
    let client = Client::new(settings).unwrap();
    let answer = client.policy(&domain("a.example"), LONG).unwrap();
    let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = answer else { panic!("{answer:?}") };
    assert_eq!(failure.reason_code(), "address-refused");
    assert_eq!(failure.message(), "the policy host has a loopback address");
    assert_eq!(world.counts("a.example").fetches, 0);
}
