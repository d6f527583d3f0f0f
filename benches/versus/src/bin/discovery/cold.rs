//! One domain after the other. The contestants take turns, and turns are compared, so that the
//! machine may be busy.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mta_sts::{Domain, blocking, tokio as async_};
use tokio::runtime::{Builder, Runtime};
use versus::{
    domains::domain,
    spread::{Goal, Spread},
};

use crate::{
    by_hand::ByHand,
    clock::{self, Phases},
    minimal::Minimal,
    servers::{Running, Servers},
};

const ROUNDS: usize = 60;

/// Discoveries of a contestant in a round.
const TURN: usize = 25;

/// As long as the clients wait by default, and more.
const PATIENCE: Duration = Duration::from_secs(120);

/// What our clients may take of the work of a minimal one: first of the one that is compared to in any
/// case, then of the one that does what ours has to do, too.
const LINES: [(usize, usize, f64); 8] = [
    (OURS, MINIMAL, 1.05),
    (OURS, CLOSES, 1.05),
    (OURS + 1, MINIMAL, 1.15),
    (OURS + 1, CLOSES, 1.15),
    (OURS + 2, MINIMAL, 1.15),
    (OURS + 2, BY_TASK, 1.15),
    (OURS + 3, MINIMAL, 1.2),
    (OURS + 3, BY_TASK + 1, 1.2),
];

/// The places of the contestants.
const MINIMAL: usize = 0;
const CLOSES: usize = 1;
const BY_TASK: usize = 2;
const OURS: usize = 4;

/// Discovers domains, and says how long each took.
type Discover<'a> = Box<dyn FnMut(Vec<Domain>) -> Vec<Duration> + 'a>;

struct Contestant<'a> {
    name: &'static str,
    discover: Discover<'a>,
    wall: Vec<Duration>,
    /// Microseconds of a discovery, by round.
    work: Vec<f64>,
}

pub fn compare(running: &Running) {
    let servers = &running.servers;
    let (minimal, by_hand) = (Minimal::new(servers), ByHand::new(servers));
    let closes = Minimal { closes: true, ..Minimal::new(servers) };
    let [mut minimal_phases, mut our_phases] = [Phases::default(), Phases::default()];
    let mut contestants = vec![
        Contestant::new("minimal client", |domain| {
            minimal_phases.begin();
            minimal.policy(domain, &mut minimal_phases);
        }),
        Contestant::new("minimal client, with close_notify", |domain| {
            let mut phases = Phases::default();
            phases.begin();
            closes.policy(domain, &mut phases);
        }),
        by_task("minimal client of tokio, one thread", Builder::new_current_thread(), servers),
        by_task("minimal client of tokio, many threads", Builder::new_multi_thread(), servers),
        Contestant::new("our exchanges, by hand", |domain| {
            our_phases.begin();
            by_hand.policy(domain, &mut our_phases);
        }),
        blocking(servers),
        tokio("`tokio::Client`, one thread", Builder::new_current_thread(), servers),
        tokio("`tokio::Client`, many threads", Builder::new_multi_thread(), servers),
    ];
    for round in 0..ROUNDS {
        for contestant in &mut contestants {
            contestant.turn(round);
        }
    }
    println!("\n| cold discovery, µs | median | p99 | work |\n| --- | --: | --: | --: |");
    for Contestant { name, wall, work, .. } in &contestants {
        let [half, most] = [0.5, 0.99].map(|part| quantile(wall.iter().map(micros), part));
        println!("| {name} | {half:.0} | {most:.0} | {:.0} |", median(work));
    }
    println!();
    for (ours, other, limit) in LINES {
        let [ours, other] = [ours, other].map(|place| &contestants[place]);
        let line = format!("cold discovery, work: {} to {}", ours.name, other.name);
        Spread::of(&ours.work, &other.work).print(&line, &Goal::AtMost(limit));
    }
    let works: Vec<_> =
        contestants.iter().map(|contestant| (contestant.name, median(&contestant.work))).collect();
    drop(contestants);
    split(&minimal_phases, &our_phases, &works);
}

/// The parts, as timed in one thread; what the clients take more is the rest: threads, tasks, cache.
fn split(minimal: &Phases, ours: &Phases, works: &[(&str, f64)]) {
    println!("\n| medians, µs | minimal | its work | our exchanges | their work |");
    println!("| --- | --: | --: | --: | --: |");
    let names = ["DNS, TXT", "DNS, A and AAAA", "TCP and TLS", "HTTP and policy"];
    for (part, name) in names.iter().enumerate() {
        let columns = [&minimal.wall, &minimal.work, &ours.wall, &ours.work];
        let [a, b, c, d] = columns.map(|parts| quantile(parts[part].iter().map(micros), 0.5));
        println!("| {name} | {a:.0} | {b:.0} | {c:.0} | {d:.0} |");
    }
    let by_hand = works[OURS].1;
    for (name, work) in &works[OURS + 1..] {
        println!("| rest, {name} | | | | {:.0} |", work - by_hand);
    }
}

/// Lets one contestant discover so many domains, for a profiler.
pub fn alone(name: &str, count: usize, servers: &Servers) {
    let mut phases = Phases::default();
    let mut contestant = match name {
        "minimal" => {
            let minimal = Minimal::new(servers);
            Contestant::new("", move |domain| {
                phases.begin();
                minimal.policy(domain, &mut phases);
            })
        }
        "exchanges" => {
            let by_hand = ByHand::new(servers);
            Contestant::new("", move |domain| {
                phases.begin();
                by_hand.policy(domain, &mut phases);
            })
        }
        "minimal-tokio1" => by_task("", Builder::new_current_thread(), servers),
        "blocking" => blocking(servers),
        "tokio1" => tokio("", Builder::new_current_thread(), servers),
        "tokio" => tokio("", Builder::new_multi_thread(), servers),
        _ => panic!("minimal | minimal-tokio1 | exchanges | blocking | tokio1 | tokio"),
    };
    let before = clock::process();
    (contestant.discover)((0..count).map(domain).collect());
    println!("{:.1} µs each", micros(&(clock::process() - before)) / count as f64);
}

fn blocking<'a>(servers: &Servers) -> Contestant<'a> {
    let client = blocking::Client::builder().with_settings(servers.settings()).build().expect("it starts");
    Contestant::new("`blocking::Client`", move |domain| {
        let answer = client.policy_within(domain, PATIENCE).expect("in time");
        assert!(answer.policy().is_some(), "{answer:?}");
    })
}

fn by_task<'a>(name: &'static str, mut runtime: Builder, servers: &Servers) -> Contestant<'a> {
    let runtime: Runtime = runtime.enable_all().build().expect("a runtime");
    let client = Arc::new(Minimal::new(servers));
    let discover = move |domains| {
        let client = Arc::clone(&client);
        let task = runtime.spawn(async move {
            let mut taken = Vec::new();
            for domain in domains {
                let start = Instant::now();
                client.policy_by_task(&domain).await;
                taken.push(start.elapsed());
            }
            taken
        });
        runtime.block_on(task).expect("it does not panic")
    };
    Contestant { name, discover: Box::new(discover), wall: Vec::new(), work: Vec::new() }
}

fn tokio<'a>(name: &'static str, mut runtime: Builder, servers: &Servers) -> Contestant<'a> {
    let runtime: Runtime = runtime.enable_all().build().expect("a runtime");
    let builder = async_::Client::builder().with_settings(servers.settings());
    let client = runtime.block_on(builder.build()).expect("it starts");
    // By a task of the runtime, as a mail server is made of.
    let discover = move |domains| {
        let client = client.clone();
        let task = runtime.spawn(async move {
            let mut taken = Vec::new();
            for domain in domains {
                let start = Instant::now();
                let answer = client.policy_within(&domain, PATIENCE).await.expect("in time");
                taken.push(start.elapsed());
                assert!(answer.policy().is_some(), "{answer:?}");
            }
            taken
        });
        runtime.block_on(task).expect("it does not panic")
    };
    Contestant { name, discover: Box::new(discover), wall: Vec::new(), work: Vec::new() }
}

impl<'a> Contestant<'a> {
    fn new(name: &'static str, mut discover: impl FnMut(&Domain) + 'a) -> Self {
        let mut time = move |domain| {
            let start = Instant::now();
            discover(&domain);
            start.elapsed()
        };
        let discover = move |domains: Vec<Domain>| domains.into_iter().map(&mut time).collect();
        Self { name, discover: Box::new(discover), wall: Vec::new(), work: Vec::new() }
    }

    /// Domains that this one has not met yet.
    fn turn(&mut self, round: usize) {
        let domains = (round * TURN..(round + 1) * TURN).map(domain).collect();
        let before = clock::process();
        self.wall.extend((self.discover)(domains));
        self.work.push(micros(&(clock::process() - before)) / TURN as f64);
    }
}

fn micros(duration: &Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn median(values: &[f64]) -> f64 {
    quantile(values.iter().copied(), 0.5)
}

fn quantile(values: impl Iterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part).round() as usize]
}
