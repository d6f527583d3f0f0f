//! Ten thousand domains at once, by each client in a process of its own, with its settings as they are
//! (64 at a time). The minimal client has as many threads.

use std::{
    env, fs,
    process::Command,
    sync::{
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{Domain, blocking, tokio as async_};
use tokio::{runtime::Builder, task::JoinSet};
use versus::{
    domains::domains,
    spread::{Goal, Spread},
};

use crate::{
    clock::{self, Phases},
    minimal::Minimal,
    servers::{DOMAINS, Running, Servers},
};

const AT_A_TIME: usize = 64;

const PATIENCE: Duration = Duration::from_secs(120);

/// How many of the domains were found to have a policy.
type Discover = fn(&Servers, Vec<Domain>) -> usize;

/// How often the contestants take turns.
const ROUNDS: usize = 5;

/// What the clients must find of what the minimal client finds in the same time.
const LIMIT: f64 = 0.95;

const CONTESTANTS: [(&str, Discover); 4] = [
    ("minimal client", minimal),
    ("`blocking::Client`", blocking),
    ("`tokio::Client`, one thread", |servers, domains| {
        tokio(Builder::new_current_thread(), servers, domains)
    }),
    ("`tokio::Client`, many threads", |servers, domains| {
        tokio(Builder::new_multi_thread(), servers, domains)
    }),
];

pub fn compare(running: &Running) {
    println!(
        "\n| {DOMAINS} domains at once | a second | work of each, µs | processors | peak, MiB |"
    );
    println!("| --- | --: | --: | --: | --: |");
    let mut rates = vec![Vec::new(); CONTESTANTS.len()];
    for _ in 0..ROUNDS {
        for ((name, _), rates) in CONTESTANTS.iter().zip(&mut rates) {
            rates.push(child(name, running));
        }
    }
    println!();
    for ((name, _), ours) in CONTESTANTS.iter().zip(&rates).skip(1) {
        let line = format!("{DOMAINS} domains at once, a second: {name} to minimal client");
        Spread::of(ours, &rates[0]).print(&line, &Goal::AtLeast(LIMIT));
    }
}

/// Lets a contestant run in a process of its own, and gives what it finds in a second.
fn child(name: &str, running: &Running) -> f64 {
    let program = env::current_exe().expect("this program has a path");
    let mut child = Command::new(program);
    let output = child.args(["contestant", name, &running.line]).output().expect("it runs");
    assert!(output.status.success(), "{name} fails: {output:?}");
    let line = String::from_utf8(output.stdout).expect("UTF-8");
    print!("{line}");
    line.split('|').nth(2).and_then(|rate| rate.trim().parse().ok()).expect("a rate")
}

/// In a process of its own.
pub fn run(name: &str, servers: &Servers) {
    let contestant = CONTESTANTS.iter().find(|(known, _)| *known == name);
    let discover = contestant.expect("a contestant of this name").1;
    let domains = domains(DOMAINS);
    let (start, before) = (Instant::now(), clock::process());
    let found = discover(servers, domains);
    let (wall, work) = (start.elapsed().as_secs_f64(), (clock::process() - before).as_secs_f64());
    assert_eq!(found, DOMAINS, "{name}: some are not found");
    let (rate, each) = (DOMAINS as f64 / wall, work / DOMAINS as f64 * 1e6);
    let (share, peak) = (work / wall, peak());
    println!("| {name} | {rate:.0} | {each:.0} | {share:.2} | {peak:.1} |");
}

fn minimal(servers: &Servers, domains: Vec<Domain>) -> usize {
    let (client, next) = (Minimal::new(servers), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(domain) = domains.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut phases = Phases::default();
                    phases.begin();
                    client.policy(domain, &mut phases);
                }
            });
        }
    });
    domains.len()
}

fn blocking(servers: &Servers, domains: Vec<Domain>) -> usize {
    let client = blocking::Client::builder().with_settings(servers.settings()).build().expect("it starts");
    // Nobody waits, but all of them are begun.
    let begun = domains.iter().filter(|domain| client.policy_within(domain, Duration::ZERO).is_err()).count();
    assert!(begun > DOMAINS / 2, "they were not there at once");
    let answers = domains.iter().map(|domain| client.policy_within(domain, PATIENCE).expect("in time"));
    answers.filter(|answer| answer.policy().is_some()).count()
}

fn tokio(mut runtime: Builder, servers: &Servers, domains: Vec<Domain>) -> usize {
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = async_::Client::builder().with_settings(servers.settings()).build().await.expect("it starts");
        let mut tasks = JoinSet::new();
        for domain in domains {
            let client = client.clone();
            tasks.spawn(async move { client.policy_within(&domain, PATIENCE).await.expect("in time") });
        }
        let answers = tasks.join_all().await;
        answers.iter().filter(|answer| answer.policy().is_some()).count()
    })
}

/// The most memory that this process has had, in MiB.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a line of it");
    kib.parse::<f64>().expect("a number") / 1024.0
}
