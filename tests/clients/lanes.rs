//! Hosts that hang, and everybody else: over real sockets, in both clients.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use hickory_proto::rr::{RData, Record, RecordType, rdata};
use mta_sts::{
    Domain, NoPolicy,
    cache::{Answer, Event, PolicyAnswer, TxtAnswer},
    client::{self, LookupError},
    dns,
    fetch::{self, HttpsProxy},
};
use mta_sts_testkit::{Addresses, Dns, Proxying, Site, Web, World};

use crate::{
    nameserver::Nameserver,
    world::{
        BOTH, Client, Events, Kind, LONG, POLICY, Part, Parts, both_at_once, domain, eventually,
        settings,
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// A world in which these names stall, and one does not.
fn world_of(names: impl IntoIterator<Item = String>, stalling: &Site) -> World {
    let world = World::new();
    for name in names {
        world.set(&name, stalling.clone());
    }
    world.set("honest.example", Site::new("1", POLICY));
    world
}

fn patient() -> fetch::Config {
    fetch::Config::default().with_timeout(3 * LONG)
}

/// Looks a domain up, and returns how long that took. It has a policy.
fn time_of(client: &Client, name: &str) -> Duration {
    let start = Instant::now();
    let answer = client.policy(&domain(name), LONG).unwrap();
    assert!(answer.policy().is_some(), "{name}: {answer:?}");
    start.elapsed()
}

#[test]
fn i21_hosts_that_hang_do_not_keep_a_first_contact_waiting() {
    let hangs = Site { web: Web::Hangs, ..Site::new("1", POLICY) };
    let slow = Web::Slow(POLICY.into(), 6 * SECOND);
    let black_hole = Site { addresses: Addresses::BlackHole, ..hangs.clone() };
    let silent = Site { dns: Dns::Silent, ..hangs.clone() };
    for site in [hangs.clone(), Site { web: slow, ..hangs }, black_hole, silent] {
        for kind in BOTH {
            first_contact_beside(kind, &site);
        }
    }
}

/// 4 slots, and 40 domains that hold one as long as they can.
fn first_contact_beside(kind: Kind, site: &Site) {
    let names = || (0..40).map(|n| format!("www.slow{n}.example"));
    let world = world_of(names(), site);
    let settings = settings(&world).with_fetch_config(patient()).with_max_concurrent_discoveries(4);
    let client = Client::new(kind, settings);
    thread::scope(|scope| {
        for name in names() {
            let client = &client;
            scope.spawn(move || drop(client.policy(&domain(&name), LONG)));
        }
        thread::sleep(SECOND / 2);
        let took = time_of(&client, "honest.example");
        assert!(took < 12 * SECOND, "{kind:?}, {site:?}: {took:?}");
        client.shutdown();
    });
}

#[test]
fn i21_what_never_began_is_no_failure() {
    BOTH.into_iter().for_each(what_never_began_is_no_failure_of);
}

fn what_never_began_is_no_failure_of(kind: Kind) {
    let (world, open, begun) =
        (World::new(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (gate, is_begun) = (Arc::clone(&open), Arc::clone(&begun));
    let txt = Part(Arc::new(|_: &Domain| {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }));
    let fetch = Part(Arc::new(move |domain: &Domain| {
        is_begun.store(true, Ordering::SeqCst);
        while !gate.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        PolicyAnswer::from_body(domain, POLICY.as_bytes())
    }));
    let events = Events::default();
    let kept = Arc::clone(&events);
    let on_event = Arc::new(move |event: &Event| kept.lock().unwrap().push(event.clone()));
    let parts =
        Parts { txt: Some(txt), fetch: Some(fetch), on_event: Some(on_event), ..Parts::default() };
    let fetch = fetch::Config::default().with_timeout(4 * SECOND);
    let settings = settings(&world).with_max_concurrent_discoveries(1).with_fetch_config(fetch);
    let client = Client::with(kind, settings, parts).unwrap();
    thread::scope(|scope| {
        // In tokio it is cut off after its time, and the slot is not free until it returns.
        scope.spawn(|| drop(client.policy(&domain("hangs.example"), LONG)));
        eventually(|| begun.load(Ordering::SeqCst));
        let answer = client.policy(&domain("waits.example"), LONG).unwrap();
        assert_eq!(answer, Answer::NoPolicy(NoPolicy::Overloaded), "{kind:?}");
        open.store(true, Ordering::SeqCst);
    });
    let events = events.lock().unwrap();
    let of_waits = events.iter().filter(|event| event.domain == domain("waits.example"));
    assert_eq!(of_waits.count(), 0, "{events:?}");
}

/// Tokio's client breaks off what is late.
#[test]
fn a_policy_that_comes_late_is_kept() {
    let world = World::new();
    let txt = Part(Arc::new(|_: &Domain| {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }));
    let fetch = Part(Arc::new(|domain: &Domain| {
        thread::sleep(3 * SECOND);
        PolicyAnswer::from_body(domain, POLICY.as_bytes())
    }));
    let parts = Parts { txt: Some(txt), fetch: Some(fetch), ..Parts::default() };
    let fetch = fetch::Config::default().with_timeout(SECOND);
    let client =
        Client::with(Kind::Blocking, settings(&world).with_fetch_config(fetch), parts).unwrap();
    let name = domain("late.example");
    let answer = client.policy(&name, LONG).unwrap();
    assert!(matches!(answer, Answer::NoPolicy(NoPolicy::FetchFailed(_))), "{answer:?}");
    eventually(|| client.cached(&name).is_some_and(|answer| answer.is_ok()));
}

#[test]
fn i21_refreshes_that_hang_cost_no_policy() {
    both_at_once(refreshes_that_hang_cost_no_policy_of);
}

/// With default settings, policies that live for 70 s, and from before the first one is fetched again
/// 100 names of which each has a policy and holds its next fetch for as long as it can.
fn refreshes_that_hang_cost_no_policy_of(kind: Kind) {
    let of = |who: &'static str, count: usize| (0..count).map(move |n| format!("{who}{n}.example"));
    let short = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 70\n";
    let world = World::new();
    for name in of("hangs", 100) {
        world.set(&name, Site::new("1", POLICY));
    }
    for name in of("honest", 20) {
        world.set(&name, Site::new("1", short));
    }
    let settings =
        settings(&world).with_dns_config(dns::Config::default()).with_fetch_config(patient());
    // Another client, in which nothing hangs, finds out how quick the world is.
    let (beside, start) = (Client::new(kind, settings.clone()), Instant::now());
    let client = Client::new(kind, settings);
    for name in of("honest", 20).chain(of("hangs", 100)) {
        time_of(&client, &name);
    }
    for name in of("hangs", 100) {
        world.set(&name, Site { web: Web::Hangs, ..Site::new("2", POLICY) });
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let end = End(&is_over);
        for name in of("hangs", 100) {
            let (client, is_over) = (&client, &is_over);
            scope.spawn(move || {
                thread::sleep((50 * SECOND).saturating_sub(start.elapsed()));
                while !is_over.load(Ordering::SeqCst) {
                    let _ = client.refresh(&domain(&name));
                }
            });
        }
        let mut slowest = Duration::ZERO;
        'run: for probe in of("probe", 1000) {
            world.set(&probe, Site::new("1", POLICY));
            slowest = slowest.max(time_of(&beside, &probe));
            for name in of("honest", 20) {
                let answer = client.policy(&domain(&name), LONG).unwrap();
                if answer.policy().is_none() && slowest > SECOND / 2 {
                    // Who takes longer than a second may be ended early. It is printed even if the test
                    // passes.
                    let skipped =
                        format!("SKIPPED: {kind:?}: this machine took {slowest:?} to answer\n");
                    io::stderr().write_all(skipped.as_bytes()).unwrap();
                    break 'run;
                }
                assert!(answer.policy().is_some(), "{name}: {answer:?}");
            }
            if start.elapsed() > 90 * SECOND {
                break;
            }
            thread::sleep(SECOND / 2);
        }
        drop(end);
        client.shutdown();
    });
}

/// Ends what goes on until then, whether or not the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_thread_held_for_too_long_is_told() {
    // Which cannot be broken off. In tokio a time-out frees the slot.
    let (world, open) = (World::new(), Arc::new(AtomicBool::new(false)));
    world.set("hangs.example", Site::new("1", POLICY));
    let gate = Arc::clone(&open);
    let fetch = Part(Arc::new(move |domain: &Domain| {
        while !gate.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        PolicyAnswer::from_body(domain, POLICY.as_bytes())
    }));
    let (is_overdue, overdue) = noting_overdue();
    let parts = Parts { fetch: Some(fetch), ..Parts::default() };
    let fetch = fetch::Config::default().with_timeout(SECOND);
    let settings = settings(&world).with_fetch_config(fetch);
    let client = Client::hearing(Kind::Blocking, settings, parts, is_overdue).unwrap();
    let answer = client.policy(&domain("hangs.example"), LONG).unwrap();
    let is_told = || overdue.load(Ordering::SeqCst);
    let start = Instant::now();
    while !is_told() && start.elapsed() < 5 * SECOND {
        thread::sleep(Duration::from_millis(5));
    }
    // Before anything is asserted: a runtime waits for what blocks in it.
    open.store(true, Ordering::SeqCst);
    assert!(answer.policy().is_none() && is_told(), "{answer:?}");
    client.shutdown();
}

/// Whatever it was doing: a query, a connection or a handshake.
#[test]
fn a_fetch_that_is_ended_early_has_failed_by_its_deadline() {
    both_at_once(|kind| {
        for slow in ["silent.example", "hole.example", "hangs.example"] {
            ended_early(kind, slow);
        }
    });
}

/// One slot, which another domain waits for.
fn ended_early(kind: Kind, slow: &str) {
    let world = world_of([], &Site::new("1", POLICY));
    let site = Site { web: Web::Hangs, ..Site::new("1", POLICY) };
    world.set("hangs.example", site);
    let nameserver = Nameserver::new(|mut asked| {
        let (name, kind) = (asked.name().to_string(), asked.kind());
        let is_about_hole = name == "mta-sts.hole.example." && kind == RecordType::A;
        if is_about_hole {
            let data = RData::A(rdata::A(Addresses::BLACK_HOLE));
            let message = asked.reply([Record::from_rdata(asked.name(), 60, data)]);
            asked.send(&message);
        } else if name != "mta-sts.silent.example." {
            asked.answer();
        }
    });
    let patient_dns = dns::Config::default().with_attempt_timeout(LONG).with_timeout(3 * LONG);
    let settings = settings(&world)
        .with_nameservers([nameserver.address()])
        .with_dns_config(patient_dns)
        .with_fetch_config(patient())
        .with_max_concurrent_discoveries(1);
    let client = Client::new(kind, settings);
    thread::scope(|scope| {
        let slow = scope.spawn(|| client.policy(&domain(slow), LONG).unwrap());
        thread::sleep(SECOND / 2);
        time_of(&client, "honest.example");
        let answer = slow.join().unwrap();
        let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = &answer else {
            panic!("{kind:?}: {answer:?}")
        };
        assert_eq!(failure.reason_code(), "deadline", "{kind:?}: {failure}");
    });
}

/// The sender's proxy is silent or cannot be reached, or the Policy Host behind it is silent.
#[test]
fn what_is_ended_early_at_the_proxy_is_no_failure_of_the_domain() {
    both_at_once(|kind| {
        let connects = Proxying::Connects(b"HTTP/1.1 200 OK\r\n\r\n".into());
        let hole = Some(Addresses::BLACK_HOLE);
        for (manner, hole, code) in [
            (Proxying::Hangs, None, "https-proxy"),
            (Proxying::Hangs, hole, "https-proxy"),
            (connects, None, "deadline"),
        ] {
            let hangs = Site { web: Web::Hangs, ..Site::new("1", POLICY) };
            let world = world_of(["slow.example".to_owned()], &hangs);
            let proxy = world.proxy(manner);
            let hole = hole.map(|address| (address, world.port()).into());
            let settings = settings(&world)
                .with_https_proxy(HttpsProxy::new(hole.unwrap_or(proxy.address())))
                .with_fetch_config(patient())
                .with_max_concurrent_discoveries(1);
            let client = Client::new(kind, settings);
            thread::scope(|scope| {
                let slow = scope.spawn(|| client.policy(&domain("slow.example"), LONG).unwrap());
                thread::sleep(SECOND / 2);
                scope.spawn(|| drop(client.policy(&domain("honest.example"), LONG)));
                let answer = slow.join().unwrap();
                client.shutdown();
                let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = &answer else {
                    panic!("{kind:?}: {answer:?}")
                };
                assert_eq!(failure.reason_code(), code, "{kind:?}: {failure}");
                assert_eq!(failure.is_of_sender(), code == "https-proxy", "{kind:?}");
            });
        }
    });
}

#[test]
fn i21_a_flood_of_one_address_delays_nobody() {
    BOTH.into_iter().for_each(a_flood_of_one_address_delays_nobody_of);
}

/// With default settings, 50 new domains a second at one address where connections hang.
fn a_flood_of_one_address_delays_nobody_of(kind: Kind) {
    const FLOOD: usize = 400;
    let hangs = Site { addresses: Addresses::BlackHole, ..Site::new("1", POLICY) };
    let world = world_of((0..FLOOD).map(|n| format!("mx.flood{n}.example")), &hangs);
    for n in 0..50 {
        world.set(&format!("honest{n}.example"), Site::new("1", POLICY));
    }
    let settings =
        settings(&world).with_dns_config(dns::Config::default()).with_fetch_config(patient());
    let client = Client::new(kind, settings);
    thread::scope(|scope| {
        let (mut times, client) = (Vec::new(), &client);
        for n in 0..FLOOD {
            scope.spawn(move || {
                drop(client.policy(&domain(&format!("mx.flood{n}.example")), LONG));
            });
            thread::sleep(SECOND / 50);
            if n >= 100 && n % 6 == 0 {
                let name = format!("honest{}.example", (n - 100) / 6);
                times.push(scope.spawn(move || time_of(client, &name)));
            }
        }
        let mut times: Vec<_> = times.into_iter().map(|thread| thread.join().unwrap()).collect();
        times.sort();
        println!("{kind:?}: {:?} .. {:?}", times[times.len() / 2], times.last().unwrap());
        assert!(*times.last().unwrap() < 3 * SECOND, "{kind:?}: {times:?}");
        client.shutdown();
    });
}

#[test]
fn a_hanging_resolver_is_told_and_does_not_hold_up_the_end() {
    BOTH.into_iter().for_each(a_hanging_resolver_does_not_hold_up_the_end_of);
}

fn a_hanging_resolver_does_not_hold_up_the_end_of(kind: Kind) {
    let (world, open) = (World::new(), Arc::new(AtomicBool::new(false)));
    let (gate, asked) = (Arc::clone(&open), Arc::new(AtomicBool::new(false)));
    let is_asked = Arc::clone(&asked);
    let txt = Part(Arc::new(move |_: &Domain| {
        asked.store(true, Ordering::SeqCst);
        while !gate.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        TxtAnswer::NoRecord { ttl: None }
    }));
    let (is_overdue, overdue) = noting_overdue();
    let parts = Parts { txt: Some(txt), ..Parts::default() };
    let patient = settings(&world).with_dns_config(dns::Config::default());
    let client = Client::hearing(kind, patient, parts, is_overdue).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.policy(&domain("a.example"), 3 * LONG));
        eventually(|| is_asked.load(Ordering::SeqCst));
        let start = Instant::now();
        client.shutdown();
        let took = start.elapsed();
        open.store(true, Ordering::SeqCst);
        assert!(took < 8 * SECOND, "{kind:?}: {took:?}");
        assert_eq!(waiting.join().unwrap(), Err(LookupError::ShutDown));
    });
    eventually(|| overdue.load(Ordering::SeqCst));
}

/// How many run at a time, now and at the most.
#[derive(Default)]
struct Running([AtomicUsize; 2]);

impl Running {
    fn run<T>(&self, result: T) -> T {
        let Self([now, most]) = self;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(100));
        now.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

#[test]
fn as_many_run_at_a_time_as_the_settings_say() {
    for kind in BOTH {
        let world = World::new();
        let [queries, fetches] = [(); 2].map(|()| Arc::new(Running::default()));
        let [asked, served] = [Arc::clone(&queries), Arc::clone(&fetches)];
        let txt = move |_: &Domain| {
            asked.run(TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300)))
        };
        let policy =
            move |domain: &Domain| served.run(PolicyAnswer::from_body(domain, POLICY.as_bytes()));
        let (txt, fetch) = (Some(Part(Arc::new(txt))), Some(Part(Arc::new(policy))));
        let settings = settings(&world).with_max_concurrent_discoveries(3);
        let client =
            Client::with(kind, settings, Parts { txt, fetch, ..Parts::default() }).unwrap();
        thread::scope(|scope| {
            for n in 0..12 {
                let name = domain(&format!("a.example{n}"));
                let client = &client;
                scope
                    .spawn(move || assert!(client.policy(&name, LONG).unwrap().policy().is_some()));
            }
        });
        for Running([_, most]) in [&*queries, &*fetches] {
            assert_eq!(most.load(Ordering::SeqCst), 3, "{kind:?}");
        }
    }
}

/// A callback, and whether it was told of a request that is overdue.
fn noting_overdue() -> (impl Fn(&client::Event) + Send + Sync, Arc<AtomicBool>) {
    let overdue = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&overdue);
    let note = move |event: &client::Event| {
        if let client::EventKind::Overdue { .. } = event.kind {
            noted.store(true, Ordering::SeqCst);
        }
    };
    (note, overdue)
}
