//! Floods of hosts that hang, in virtual time, against the queue of both clients.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use mta_sts::{
    Domain, Instant,
    lanes::{Action, Config, Job, Lane, Lanes, RunId},
};
use time::{UtcDateTime, macros::utc_datetime};

const STEP: Duration = Duration::from_millis(10);
const FETCH: Duration = Duration::from_secs(60);
const FIRST: Lane = Lane { is_known: false, is_fetch: true };
const KNOWN: Lane = Lane { is_known: true, is_fetch: true };

/// A request, and how its host behaves.
#[derive(Clone, Debug)]
struct Fetch {
    domain: Domain,
    lane: Lane,
    address: IpAddr,
    answers_in: Option<Duration>,
    ends_at: Option<UtcDateTime>,
    failures: u32,
    asked: Duration,
    located: bool,
}

#[derive(Default)]
struct Outcome {
    served: Vec<Fetch>,
    refused: usize,
    failed: Vec<Fetch>,
}

struct Sim {
    lanes: Lanes<Fetch>,
    running: BTreeMap<RunId, (Fetch, Duration)>,
    now: Duration,
    out: Outcome,
    waits: Vec<Duration>,
}

impl Sim {
    fn new(config: Config) -> Self {
        let (lanes, running) = (Lanes::new(config), BTreeMap::new());
        Self { lanes, running, now: STEP, out: Outcome::default(), waits: Vec::new() }
    }

    fn submit(&mut self, mut fetch: Fetch) {
        fetch.asked = self.now;
        let Fetch { lane, ends_at, failures, .. } = fetch;
        let domain = fetch.domain.clone();
        self.lanes.submit(Job { domain: &domain, lane, ends_at, failures }, fetch, self.now.into());
    }

    /// Lets a step of time pass.
    fn step(&mut self) {
        self.now += STEP;
        let done = |(fetch, begun): &(Fetch, Duration)| {
            let age = self.now.saturating_sub(*begun);
            age >= FETCH || fetch.answers_in.is_some_and(|span| age >= span)
        };
        let ended: Vec<_> = self
            .running
            .iter()
            .filter(|running| done(running.1))
            .map(|running| *running.0)
            .collect();
        for id in ended {
            self.end(id);
        }
        while let Some(action) = self.lanes.poll(self.now.into()) {
            match action {
                Action::Begin(id, mut fetch) => {
                    if !fetch.located {
                        fetch.located = true;
                        if !self.lanes.locate(id, fetch.address, self.now.into()) {
                            self.lanes.put_back(id, fetch);
                            continue;
                        }
                    }
                    self.waits.push(self.now.saturating_sub(fetch.asked));
                    self.running.insert(id, (fetch, self.now));
                }
                Action::Refuse(_) => self.out.refused += 1,
                Action::EndEarly(id) => self.end(id),
                Action::Overdue(id) => panic!("{id:?}"),
            }
        }
    }

    fn end(&mut self, id: RunId) {
        let (fetch, begun) = self.running.remove(&id).unwrap();
        let age = self.now.saturating_sub(begun);
        let good = fetch.answers_in.is_some_and(|span| age >= span);
        self.lanes.finish(id, good, self.now.into());
        if good { self.out.served.push(fetch) } else { self.out.failed.push(fetch) }
    }
}

fn fetch(name: &str, address: [u8; 4], answers_in: Option<u64>) -> Fetch {
    Fetch {
        domain: Domain::parse(name).unwrap(),
        lane: FIRST,
        address: Ipv4Addr::from(address).into(),
        answers_in: answers_in.map(Duration::from_millis),
        ends_at: None,
        failures: 0,
        asked: Duration::ZERO,
        located: false,
    }
}

/// Fifty new domains a second stall; every two seconds an honest host is met. Returns how long the
/// honest ones took, from the fastest.
fn flood(config: Config, count: u32, stalling: impl Fn(u32) -> Fetch) -> Vec<Duration> {
    let mut sim = Sim::new(config);
    let mut honest = 0;
    for n in 0..count {
        sim.submit(stalling(n));
        sim.step();
        sim.step();
        if n % 100 == 50 {
            honest += 1;
            sim.submit(fetch(&format!("honest{n}.example"), [198, 51, 100, 1], Some(200)));
        }
    }
    for _ in 0..500 {
        sim.step();
    }
    let served =
        sim.out.served.iter().filter(|served| served.domain.as_str().starts_with("honest"));
    assert_eq!(served.count(), honest, "all of them are served");
    sim.waits.sort();
    sim.waits
}

#[test]
fn i21_ten_thousand_domains_at_one_stalling_address() {
    let at_one = |n: u32| fetch(&format!("mx.evil{n}.example"), [192, 0, 2, 1], None);
    let waits = flood(Config::default(), 10_000, at_one);
    let worst = waits[waits.len() * 99 / 100];
    assert!(worst < Duration::from_secs(2), "p99 {worst:?}");
}

#[test]
fn i21_stalling_names_of_one_domain_at_many_addresses() {
    let of_one = |n: u32| {
        let [_, a, b, c] = n.to_be_bytes();
        fetch(&format!("n{n}.evil.example"), [10, a, b, c], None)
    };
    flood(Config::default().with_first_contacts(8), 5_000, of_one);
}

#[test]
fn i21_stalling_hosts_everywhere_leave_a_host_that_answers_its_turn() {
    let everywhere = |n: u32| {
        let [_, a, b, c] = n.to_be_bytes();
        fetch(&format!("evil{n}.example"), [a.max(11), b, c, 1], None)
    };
    flood(Config::default().with_first_contacts(128), 5_000, everywhere);
}

/// Hanging names whose policy was served once, and honest policies that end in so long.
fn refreshes(hanging: u32) {
    let mut sim = Sim::new(Config::default());
    let start = utc_datetime!(2026-01-01 0:00);
    let known = |mut fetch: Fetch, days: i64| {
        fetch.lane = KNOWN;
        fetch.ends_at = Some(start + time::Duration::days(days));
        fetch
    };
    let mut todo: Vec<Fetch> = (0..100)
        .map(|n| known(fetch(&format!("honest{n}.example"), [198, 51, 100, 1], Some(100)), 6))
        .collect();
    let mut failures = BTreeMap::new();
    // An hour, in which every hanging name is tried again every five minutes.
    for second in 0..3600_u32 {
        for n in (0..hanging).filter(|n| n % 300 == second % 300) {
            let [_, a, b, c] = n.to_be_bytes();
            let mut one = known(fetch(&format!("evil{n}.example"), [11, a, b, c], None), 1);
            one.failures = *failures.get(&one.domain).unwrap_or(&0);
            sim.submit(one);
        }
        // What was refused comes again after a minute.
        if second % 60 == 59 {
            let served: Vec<_> =
                sim.out.served.iter().map(|request| request.domain.clone()).collect();
            todo.retain(|request| !served.contains(&request.domain));
            todo.iter().cloned().for_each(|request| sim.submit(request));
        }
        for _ in 0..100 {
            sim.step();
        }
        for failed in sim.out.failed.drain(..) {
            *failures.entry(failed.domain).or_insert(0) += 1;
        }
    }
    let served: Vec<_> = sim.out.served.iter().map(|request| request.domain.clone()).collect();
    todo.retain(|request| !served.contains(&request.domain));
    assert!(todo.is_empty(), "{} of 100 were not refreshed in an hour", todo.len());
}

#[test]
fn i21_two_thousand_hanging_refreshes_hold_up_no_other() {
    refreshes(2_000);
}

#[test]
fn i21_twenty_thousand_hanging_refreshes_hold_up_no_other() {
    refreshes(20_000);
}

/// More refreshes are due than a lane can make, as after a restart. One domain whose last fetch has
/// failed is among them, and is tried again a minute after it was refused.
#[test]
fn a_domain_that_has_failed_is_begun_however_many_others_are_due() {
    let start = utc_datetime!(2026-01-01 0:00);
    let known = |name: &str, last: u8, failures| Fetch {
        lane: KNOWN,
        ends_at: Some(start + time::Duration::HOUR),
        failures,
        ..fetch(name, [192, 0, 2, last], Some(150))
    };
    let (mut sim, mut next) = (Sim::new(Config::default()), 0);
    let failed = known("failed.example", 1, 3);
    for second in 0..300 {
        for _ in 0..1_000 {
            sim.submit(known(&format!("other{next}.example"), 2, 0));
            next += 1;
        }
        if second % 60 == 0 {
            sim.submit(failed.clone());
        }
        for _ in 0..100 {
            sim.step();
        }
    }
    let count = |prefix| {
        let served = sim.out.served.iter();
        served.filter(|served| served.domain.as_str().starts_with(prefix)).count()
    };
    assert_eq!(count("failed"), 5);
    assert!(count("other") > 25_000, "{}", count("other"));
}

/// A provider serves the policies of thousands of domains from one address.
#[test]
fn a_shared_provider_gets_few_connections_at_a_time() {
    let config = Config::default().with_known(12).with_first_contacts(24);
    for (lane, slots) in [(KNOWN, 12), (FIRST, 24)] {
        let (mut sim, mut most) = (Sim::new(config), 0);
        let mut todo: Vec<Fetch> = (0..5000)
            .map(|n| {
                let one = fetch(&format!("customer{n}.example"), [192, 0, 2, 1], Some(100));
                Fetch { lane, ..one }
            })
            .collect();
        // More than it can serve, and all of them again and again until they are served.
        while !todo.is_empty() {
            assert!(sim.now < Duration::from_secs(3600), "{} are left", todo.len());
            todo.iter().cloned().for_each(|one| sim.submit(one));
            for _ in 0..3000 {
                sim.step();
                most = most.max(sim.running.len());
            }
            let served: BTreeSet<_> = sim.out.served.drain(..).map(|one| one.domain).collect();
            todo.retain(|one| !served.contains(&one.domain));
        }
        assert!((1..=slots).contains(&most), "{most} of {slots}");
        assert!(sim.out.failed.is_empty());
    }
}

#[test]
fn a_lane_with_few_slots_has_no_share_for_requests_behind() {
    for (slots, refused) in [(7, 1), (8, 0)] {
        let mut sim = Sim::new(Config::default().with_known(slots));
        let known = |name: String| Fetch {
            lane: KNOWN,
            ends_at: Some(utc_datetime!(2026-01-01 0:00)),
            ..fetch(&name, [192, 0, 2, 1], None)
        };
        for n in 0..3_000 {
            sim.submit(known(format!("d{n}.example")));
            while sim.lanes.poll(sim.now.into()).is_some() {}
        }
        sim.submit(Fetch { failures: 1, ..known("failed.example".to_owned()) });
        let action = sim.lanes.poll(sim.now.into());
        let Some(Action::Refuse(fetch)) = action else { panic!("{action:?}") };
        assert_eq!(fetch.failures, refused, "{slots} slots");
    }
}

#[test]
fn a_full_queue_refuses_at_once_and_the_one_with_the_most() {
    let mut sim = Sim::new(Config::default().with_first_contacts(1));
    for n in 0..2_000 {
        sim.submit(fetch(&format!("n{n}.evil.example"), [192, 0, 2, 1], None));
    }
    sim.submit(fetch("honest.example", [198, 51, 100, 1], Some(100)));
    sim.step();
    assert_eq!(sim.out.refused, 2_000 + 1 - 1_024);
    for _ in 0..500 {
        sim.step();
    }
    assert!(sim.out.served.iter().any(|request| request.domain.as_str() == "honest.example"));
}

/// Names of one domain overflow a queue twenty times. Another domain still starts in its turn.
#[test]
fn i21_a_domain_that_overflows_the_queue_keeps_its_last_turn() {
    let mut lanes = Lanes::new(Config::default().with_first_contacts(1));
    let now = Instant::from(STEP);
    let names = (0..20_000).map(|n| format!("n{n}.evil.example"));
    for name in names.chain(["honest.example".to_owned()]) {
        let domain = Domain::parse(&name).unwrap();
        lanes.submit(Job { domain: &domain, lane: FIRST, ends_at: None, failures: 0 }, name, now);
    }
    assert_eq!(lanes.waiting(), 1_024);
    let mut started = Vec::new();
    while let Some(action) = lanes.poll(now) {
        if let Action::Begin(id, name) = action {
            started.push(name);
            lanes.finish(id, true, now);
        }
    }
    assert_eq!(started.len(), 1_024);
    assert_eq!(started[..2], ["n0.evil.example", "honest.example"]);
}

#[test]
fn no_setting_and_no_moment_is_too_much() {
    let name = Domain::parse("example.com").unwrap();
    for (span, count) in [(Duration::ZERO, 0), (Duration::MAX, usize::MAX)] {
        let config = Config::default().with_query_wait(span).with_fetch_wait(span);
        let config = config.with_limits(span, span);
        let mut lanes = Lanes::new(config.with_first_contacts(count).with_known(count));
        for now in [Instant::START, Instant::from_start(Duration::MAX), Instant::START] {
            let job = Job { domain: &name, lane: FIRST, ends_at: None, failures: 0 };
            lanes.submit(job, (), now);
            lanes.submit(Job { lane: KNOWN, ..job }, (), now);
            // At the end of time what waits has waited for long enough.
            let mut begun = Vec::new();
            while let Some(action) = lanes.poll(now) {
                if let Action::Begin(id, ()) = action {
                    let _ = lanes.locate(id, Ipv4Addr::LOCALHOST.into(), now);
                    begun.push(id);
                }
            }
            assert_eq!(begun.len(), if now == Instant::START { 2 } else { 0 }, "{span:?}");
            let _ = lanes.poll_timeout(now);
            for id in begun {
                lanes.finish(id, false, now);
            }
        }
    }
}

/// What is out for twice its limit is told once, and the next thing to do is that of either lane.
#[test]
fn what_is_out_for_too_long_is_told_once_and_in_time() {
    let limit = Duration::from_secs(60);
    let name = Domain::parse("example.com").unwrap();
    let mut lanes = Lanes::new(Config::default().with_limits(Duration::from_secs(10), limit));
    let at = |seconds| Instant::from_start(Duration::from_secs(seconds));
    let mut begin = |lane, seconds| {
        let job = Job { domain: &name, lane, ends_at: None, failures: 0 };
        lanes.submit(job, (), at(seconds));
        let Some(Action::Begin(id, ())) = lanes.poll(at(seconds)) else { panic!() };
        assert!(lanes.poll(at(seconds)).is_none());
        id
    };
    let (first, second) = (begin(FIRST, 5), begin(KNOWN, 1));
    for (id, seconds) in [(second, 121), (first, 125)] {
        assert_eq!(lanes.poll_timeout(at(seconds - 1)), Some(at(seconds)));
        assert!(lanes.poll(at(seconds - 1)).is_none());
        let told = lanes.poll(at(seconds));
        assert!(matches!(told, Some(Action::Overdue(overdue)) if overdue == id), "{told:?}");
        assert!(lanes.poll(at(seconds)).is_none(), "it is told once");
    }
}
