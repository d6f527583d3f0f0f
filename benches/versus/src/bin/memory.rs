//! What a domain costs in memory: the cache, and bare maps for comparison. Each is built in a process
//! of its own, and measured twice: by an allocator that counts what is requested, and by what the
//! kernel says of the process (`VmRSS`, and `VmHWM` for the highest), less what it was before.

use std::{env, fs, hint::black_box, process::Command, sync::Arc};

use allocation_counter::measure;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use mta_sts::{
    Domain, Policy,
    cache::{Cache, Config, Snapshot},
};
use serde_json::Value;
use versus::{
    discovery::{START, World, discover, serve},
    domains::{absent, domain, file, policies, policy},
    spread::{Goal, Spread},
};

const DOMAINS: usize = 1_000_000;

/// What a domain may take, in bytes.
const LIMIT: f64 = 250.0;

const ABSENT: &str = "cache, absent domains";
const BARE_ABSENT: &str = "bare map, absent domains";

/// What an absent domain may take of what the bare map takes for it: 80 bytes at 25 characters.
const ABSENT_LIMIT: f64 = 1.1;

/// What can be built, and whether the limit holds for it.
const BUILDS: [(&str, bool, fn()); 7] = [
    ("cache, after discovery", true, || keep(discovered())),
    ("cache, restored", true, || keep(restored())),
    ("bare map, shared policies", false, || keep(bare_shared())),
    ("bare map, owned policies", false, || keep(bare_owned())),
    (ABSENT, false, || keep(discovered_absent())),
    (BARE_ABSENT, false, || keep(bare_absent())),
    ("nothing", false, || {}),
];

fn main() {
    let wanted = env::args().nth(1);
    if let Some(wanted) = wanted {
        let build = BUILDS.iter().find(|(name, ..)| *name == wanted);
        return run(build.expect("a build of this name").2);
    }
    println!("| bytes a domain, of {DOMAINS} | requested | process | process, highest | |");
    println!("| --- | --: | --: | --: | --- |");
    for (name, is_limited, _) in BUILDS {
        let [requested, now, highest] = child(name);
        let verdict = match (is_limited, now.max(requested) <= LIMIT) {
            (false, _) => "",
            (true, true) => "PASS",
            (true, false) => "FAIL",
        };
        println!("| {name} | {requested:.1} | {now:.1} | {highest:.1} | {verdict} |");
    }
    let [ours, bare] = [ABSENT, BARE_ABSENT].map(|name| [0; 5].map(|_| child(name)[0]));
    println!();
    let line = format!("bytes of {DOMAINS} absent domains: cache to a bare map");
    Spread::of(&ours, &bare).print(&line, &Goal::AtMost(ABSENT_LIMIT));
}

/// What a process of its own measures.
fn child(name: &str) -> [f64; 3] {
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new(program).arg(name).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
    std::array::from_fn(|_| numbers.next().expect("three numbers"))
}

fn run(build: fn()) {
    let before = kernel("VmRSS");
    let counted = measure(build);
    let [now, highest] = ["VmRSS", "VmHWM"].map(|field| kernel(field).saturating_sub(before));
    let requested = u64::try_from(counted.bytes_current).unwrap_or(0);
    for bytes in [requested, now, highest] {
        println!("{}", bytes as f64 / DOMAINS as f64);
    }
}

/// A line of `/proc/self/status`, in bytes.
fn kernel(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a line of it");
    kib.parse::<u64>().expect("a number") * 1024
}

/// Built to stay until the process ends.
fn keep<T>(built: T) {
    std::mem::forget(black_box(built));
}

/// As a mail server comes to it: domain by domain, each body parsed anew.
fn discovered() -> Cache {
    let mut cache = Cache::new(config());
    for n in 0..DOMAINS {
        discover(&mut cache, [(n, &domain(n))], START);
    }
    assert_eq!((cache.len(), cache.policy_count()), (DOMAINS, policies().len()));
    cache
}

/// As a mail server starts: row by row, each read from text.
fn restored() -> Cache {
    let mut cache = Cache::new(config());
    let sample = sample();
    let report = cache.restore((0..DOMAINS).map(|n| row(n, &sample)), START);
    assert_eq!(report.restored, DOMAINS, "{:?}", report.damaged.first());
    assert_eq!(cache.policy_count(), policies().len());
    cache
}

/// The row of one domain.
fn sample() -> Value {
    let mut cache = Cache::new(config());
    discover(&mut cache, [(0, &domain(0))], START);
    let snapshot = cache.snapshots().next().expect("one domain");
    serde_json::to_value(snapshot).expect("can be written")
}

/// The row of the domain of this number, made from another.
fn row(n: usize, sample: &Value) -> Snapshot {
    let mut row = sample.clone();
    row["domain"] = domain(n).as_str().into();
    row["policy"] = file(n).into();
    serde_json::from_str(&row.to_string()).expect("can be read")
}

/// The cache may use more than it must, so that it is measured and not bounded.
fn config() -> Config {
    Config::new(0x5EED).with_max_entries(DOMAINS).with_max_bytes(1 << 30)
}

type Bare<P> = HashMap<Box<str>, P, RandomState>;

fn bare_shared() -> Bare<Arc<Policy>> {
    let policies = policies();
    let policy = |n: usize| Arc::clone(&policies[n % policies.len()]);
    let mut map = Bare::default();
    for n in 0..DOMAINS {
        map.insert(key(&domain(n)), policy(n));
    }
    map
}

fn bare_owned() -> Bare<Arc<Policy>> {
    let mut map = Bare::default();
    for n in 0..DOMAINS {
        map.insert(key(&domain(n)), Arc::new(policy(n)));
    }
    map
}

fn discovered_absent() -> Cache {
    let mut cache = Cache::new(config());
    for domain in (0..DOMAINS).map(absent) {
        let _ = black_box(cache.lookup(&domain, START));
        serve(&mut cache, World::Nothing, START);
    }
    assert_eq!(cache.len(), DOMAINS);
    cache
}

/// The name, and until when it is absent.
fn bare_absent() -> Bare<u32> {
    (0..DOMAINS).map(|n| (key(&absent(n)), 1)).collect()
}

fn key(domain: &Domain) -> Box<str> {
    domain.as_str().into()
}
