//! What is done without being asked, and behind an answer that is at hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, NoPolicy,
    cache::{Answer, Cache, Config, PolicyAnswer, Request, Snapshot, TxtAnswer},
    dns,
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::{Counts, Dns, Site, World};
use time::UtcDateTime;

use crate::world::{
    BOTH, Client, Kind, LONG, POLICY, Part, Parts, both_at_once, domain, eventually, settings,
};

const HOUR: Duration = Duration::from_secs(3600);

/// So long after its fetch, a policy has a minute left: a refresh that is late by a restart is spread
/// over some seconds only.
const LATE: Duration = Duration::from_secs(7 * 24 * 3600 - 60);

/// Has kept policies that were fetched so long ago.
struct Kept(Vec<Snapshot>);

impl Kept {
    fn new(domains: usize, age: Duration) -> Self {
        let then = UtcDateTime::now() - age;
        let mut cache = Cache::new(Config::new(1));
        for n in 0..domains {
            let _ = cache.lookup(&domain(&format!("d{n}.example")), then);
        }
        while let Some(request) = cache.poll_request() {
            match request {
                Request::Txt { id, .. } => cache.handle_txt(id, record(), then),
                Request::Fetch { id, domain } => cache.handle_policy(id, file(&domain), then),
                other => panic!("{other:?}"),
            }
        }
        Self(cache.snapshots().collect())
    }
}

impl Store for Kept {
    fn load(&self, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        self.0.iter().cloned().for_each(each);
        Ok(Loaded::default())
    }

    fn save(&self, _: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }
}

fn record() -> TxtAnswer {
    TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
}

fn file(domain: &Domain) -> PolicyAnswer {
    PolicyAnswer::from_body(domain, POLICY.as_bytes())
}

/// Holds up those that come to it until it is opened, but not for ever, and counts them.
#[derive(Debug, Default)]
struct Gate {
    is_open: AtomicBool,
    came: AtomicUsize,
    inside: AtomicUsize,
    most: AtomicUsize,
    left: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        self.came.fetch_add(1, Ordering::SeqCst);
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        let start = Instant::now();
        while !self.is_open.load(Ordering::SeqCst) && start.elapsed() < 2 * LONG {
            thread::sleep(Duration::from_millis(5));
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.left.fetch_add(1, Ordering::SeqCst);
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }
}

#[test]
fn s3_3_a_refresh_is_made_without_being_asked_for() {
    BOTH.into_iter().for_each(a_refresh_is_made_without_being_asked_for_of);
}

fn a_refresh_is_made_without_being_asked_for_of(kind: Kind) {
    let world = World::new();
    world.set("d0.example", Site::new("1", POLICY));
    let parts = Parts { store: Some(Box::new(Kept::new(1, LATE))), ..Parts::default() };
    // A question that is asked again would count twice.
    let settings = settings(&world).with_dns_config(dns::Config::default());
    let client = Client::with(kind, settings, parts).unwrap();
    eventually(|| world.counts("d0.example").fetches == 1);
    // What has been done is not due any more.
    let name = domain("d0.example");
    client.policy(&name, LONG).unwrap();
    eventually(|| client.cached(&name).is_some());
    assert_eq!(world.counts("d0.example"), Counts { queries: 1, fetches: 1 });
}

#[test]
fn s5_1_a_check_is_made_behind_the_answer() {
    BOTH.into_iter().for_each(a_check_is_made_behind_the_answer_of);
}

fn a_check_is_made_behind_the_answer_of(kind: Kind) {
    let (world, gate) = (World::new(), Arc::new(Gate::default()));
    let held_up = Arc::clone(&gate);
    let txt = Part(Arc::new(move |_: &Domain| {
        held_up.pass();
        record()
    }));
    let store: Box<dyn Store> = Box::new(Kept::new(1, HOUR));
    let parts = Parts { txt: Some(txt), store: Some(store), ..Parts::default() };
    let client = Client::with(kind, settings(&world), parts).unwrap();
    let name = domain("d0.example");
    assert_eq!(client.cached(&name), None, "a check is due");
    for _ in 0..100 {
        assert!(client.policy(&name, LONG).unwrap().policy().is_some());
    }
    eventually(|| gate.inside.load(Ordering::SeqCst) == 1);
    assert!(client.policy(&name, LONG).unwrap().policy().is_some());
    gate.open();
    eventually(|| client.cached(&name).is_some());
    assert_eq!(gate.came.load(Ordering::SeqCst), 1);
}

#[test]
fn s5_1_a_caller_whose_policy_is_known_does_not_wait_for_a_nameserver() {
    both_at_once(a_caller_whose_policy_is_known_does_not_wait_of);
}

fn a_caller_whose_policy_is_known_does_not_wait_of(kind: Kind) {
    let world = World::new();
    world.set("d0.example", Site { dns: Dns::Silent, ..Site::new("1", POLICY) });
    let parts = Parts { store: Some(Box::new(Kept::new(1, HOUR))), ..Parts::default() };
    let client = Client::with(kind, settings(&world).with_dns_config(patient()), parts).unwrap();
    let (name, start) = (domain("d0.example"), Instant::now());
    assert_eq!(client.cached(&name), None, "a check is due");
    // Enough for all that the check may take, which a caller could therefore do itself.
    assert!(client.policy(&name, 10 * LONG).unwrap().policy().is_some());
    assert!(start.elapsed() < LONG, "{kind:?}");
    eventually(|| world.counts("d0.example").queries > 0);
}

/// The check takes longer than a test waits.
fn patient() -> dns::Config {
    dns::Config::default().with_attempt_timeout(2 * LONG).with_timeout(2 * LONG)
}

/// With 100 refreshes due, of which two may be made at a time, and are.
fn busy(kind: Kind, world: &World, gate: &Arc<Gate>) -> Client {
    let (held_up, asked) = (Arc::clone(gate), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&asked);
    let txt = Part(Arc::new(move |domain: &Domain| {
        counter.fetch_add(1, Ordering::SeqCst);
        if domain.as_str().starts_with('d') { record() } else { TxtAnswer::NoRecord { ttl: None } }
    }));
    let fetch = Part(Arc::new(move |domain: &Domain| {
        held_up.pass();
        file(domain)
    }));
    let store: Box<dyn Store> = Box::new(Kept::new(100, LATE));
    let parts =
        Parts { txt: Some(txt), fetch: Some(fetch), store: Some(store), ..Parts::default() };
    let settings = settings(world)
        .with_max_concurrent_refreshes(2)
        .with_fetch_config(mta_sts::fetch::Config::default());
    let client = Client::with(kind, settings, parts).unwrap();
    eventually(|| asked.load(Ordering::SeqCst) == 100 && gate.inside.load(Ordering::SeqCst) == 2);
    client
}

#[test]
fn so_many_refreshes_are_made_at_a_time() {
    BOTH.into_iter().for_each(so_many_refreshes_are_made_at_a_time_of);
}

fn so_many_refreshes_are_made_at_a_time_of(kind: Kind) {
    let (world, gate) = (World::new(), Arc::<Gate>::default());
    let client = busy(kind, &world, &gate);
    // First contacts do not wait for them.
    let answer = client.policy(&domain("new.example"), LONG).unwrap();
    assert_eq!(answer, Answer::NoPolicy(NoPolicy::NoRecord));
    gate.open();
    eventually(|| gate.left.load(Ordering::SeqCst) == 100);
    assert_eq!(gate.most.load(Ordering::SeqCst), 2);
}

#[test]
fn no_refresh_is_made_after_the_end() {
    BOTH.into_iter().for_each(no_refresh_is_made_after_the_end_of);
}

fn no_refresh_is_made_after_the_end_of(kind: Kind) {
    let (world, gate) = (World::new(), Arc::<Gate>::default());
    let client = busy(kind, &world, &gate);
    thread::scope(|scope| {
        scope.spawn(|| client.shutdown());
        eventually(|| client.recheck(&domain("new.example")).is_err());
        gate.open();
    });
    eventually(|| gate.inside.load(Ordering::SeqCst) == 0);
    let came = gate.came.load(Ordering::SeqCst);
    assert!(came < 100, "nothing was left to do");
    thread::sleep(Duration::from_millis(100));
    assert_eq!(gate.came.load(Ordering::SeqCst), came);
}

#[test]
fn i24_bytes_are_shared_over_all_caches_of_a_client() {
    // So many domains that there are sixteen caches; each policy in use has a body of its own.
    let then = UtcDateTime::now() - HOUR;
    let body = |n: usize, mode: &str| {
        let mx = format!("mx: mx{n}.example.net\n").repeat(if mode == "testing" { 9 } else { 1 });
        format!("version: STSv1\nmode: {mode}\n{mx}max_age: 604800\n")
    };
    let mut cache = Cache::new(Config::new(1));
    let mut bytes = [0; 2];
    for (at, mode, names) in [(0, "testing", 0..3000), (1, "enforce", 5000..6000)] {
        for n in names {
            let _ = cache.lookup(&domain(&format!("d{n}.example")), then);
            while let Some(request) = cache.poll_request() {
                match request {
                    Request::Txt { id, .. } => cache.handle_txt(id, record(), then),
                    Request::Fetch { id, domain } => {
                        let answer = PolicyAnswer::from_body(&domain, body(n, mode).as_bytes());
                        cache.handle_policy(id, answer, then);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        bytes[at] = cache.memory_usage();
    }
    let in_use = bytes[1] - bytes[0];
    for kind in BOTH {
        let (world, rows) = (World::new(), Kept(cache.snapshots().collect()));
        let bound = Config::new(1).with_max_entries(100_000).with_max_bytes(in_use * 11 / 10);
        let parts = Parts { store: Some(Box::new(rows)), ..Parts::default() };
        let client = Client::with(kind, settings(&world).with_cache_config(bound), parts).unwrap();
        let report = &client.kept().policies;
        assert_eq!((report.restored + report.refused, report.refused_by_class.enforce), (4000, 0));
        assert!(report.refused > 2000, "{report:?}");
    }
}
