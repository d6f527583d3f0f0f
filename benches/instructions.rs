//! The gate on speed: instructions, which do not depend on how busy the machine is.
//!
//! Reading must take at the most [`LIMIT`] times the instructions of the hand-written floor, and a
//! lookup of a policy that is there at the most [`GET_LIMIT`] or [`LOOKUP_LIMIT`] times those of a bare hash map.
//! What is said to take linear, logarithmic or constant time is counted at two sizes (`growth.rs`).
//! Counted by valgrind, which runs this program once for each count; without valgrind nothing is
//! counted, and that is said.

mod fetching;
mod growth;
mod known;

use std::{
    env,
    hint::black_box,
    process::{Command, ExitCode},
};

use mta_sts::{Policy, StsRecord};
use mta_sts_benches::{floor, inputs};

/// How much more than hand-written code reading may take.
const LIMIT: f64 = 1.2;

/// How often each is done: the difference between a run with none and one with these is counted.
const TIMES: u32 = 200;

/// How much more than a bare map looking up may take, whose answer says more than which policy it is
/// and is only given after a look at the clock. `Cache::lookup` counts, too.
const GET_LIMIT: f64 = 1.8;
const LOOKUP_LIMIT: f64 = 1.9;

/// How much more than a bare map the answer of a client may take, which is read under a lock, and with
/// it the reading of a clock that is a user's (half a floor). Without the clock it was 2.4: the same
/// instructions. To leave the clock out of the count, it had to be a function at which counting ends,
/// and it began there in other threads.
const CACHED_LIMIT: f64 = 2.9;

/// How much more than the bare TLS handshake fetching a policy may take, on the client's side.
const FETCH_LIMIT: f64 = 1.1;

/// What is counted, and its limit.
const SUBJECTS: &[(&str, f64)] = &[
    ("record", LIMIT),
    ("policy-3", LIMIT),
    ("policy-20", LIMIT),
    ("lookup", LOOKUP_LIMIT),
    ("get", GET_LIMIT),
    ("lookup-absent", LOOKUP_LIMIT),
    ("get-absent", GET_LIMIT),
    ("cached", CACHED_LIMIT),
    ("fetch", FETCH_LIMIT),
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    if let [_, who, what, times] = args.as_slice()
        && let Ok(times) = times.parse()
    {
        repeat(who, what, times);
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED: valgrind is not installed, so no instructions were counted");
        return ExitCode::SUCCESS;
    }
    let over = SUBJECTS.iter().filter(|&&(what, limit)| ratio(what, limit) > limit).count();
    let over_growth = growth::SUBJECTS.iter().filter(|subject| !grows_within(subject)).count();
    if over + over_growth == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does what valgrind counts.
fn repeat(who: &str, what: &str, times: u32) {
    match what {
        _ if who.parse::<usize>().is_ok() => {
            growth::repeat(what, who.parse().expect("a size"), times);
        }
        "lookup" | "get" | "lookup-absent" | "get-absent" | "cached" => {
            known::repeat(who, what, times);
        }
        "fetch" => fetching::repeat(who, times),
        _ => repeat_reading(who, what, times),
    }
}

fn repeat_reading(who: &str, what: &str, times: u32) {
    let policy = inputs::policy(if what == "policy-3" { 3 } else { 20 });
    let (record, policy) = (inputs::RECORD.as_bytes(), policy.as_bytes());
    for _ in 0..times {
        match (who, what) {
            ("ours", "record") => drop(black_box(StsRecord::parse(black_box(record)))),
            ("ours", _) => drop(black_box(Policy::parse(black_box(policy)))),
            (_, "record") => drop(black_box(floor::record(black_box(record)))),
            _ => drop(black_box(floor::policy(black_box(policy)))),
        }
    }
}

/// Prints the instructions of doing it once, and gives their ratio to those of the floor.
fn ratio(what: &str, limit: f64) -> f64 {
    let [ours, floor] = ["ours", "floor"].map(|who| once(who, what, TIMES));
    let ratio = ours / floor;
    println!("{what}: {ours:.0} instructions, floor {floor:.0}, ratio {ratio:.2} (limit {limit})");
    ratio
}

/// Prints the instructions at both sizes, and gives whether their ratio is within its limit.
fn grows_within(&(what, sizes, times, limit): &(&str, [usize; 2], u32, f64)) -> bool {
    let [small, large] = sizes.map(|size| once(&size.to_string(), what, times));
    let (ratio, [from, to]) = (large / small, sizes);
    println!(
        "{what}: {small:.0} instructions at {from}, {large:.0} at {to}, ratio {ratio:.2} (limit {limit})"
    );
    ratio <= limit
}

/// The instructions of doing it once.
fn once(who: &str, what: &str, times: u32) -> f64 {
    let [none, all] = [0, times].map(|times| instructions(who, what, times));
    (all - none) / f64::from(times)
}

/// The functions that count, if not all that is done.
fn counted(what: &str) -> Option<String> {
    let functions = match what {
        "fetch" => fetching::COUNTED,
        "cached" => known::COUNTED,
        _ => return None,
    };
    Some(format!("--toggle-collect={functions}"))
}

fn instructions(who: &str, what: &str, times: u32) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(counted(what))
        .arg(env::current_exe().expect("this program has a path"))
        .args([who, what, &times.to_string()])
        .output()
        .expect("valgrind runs");
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = collected.unwrap_or_else(|| panic!("valgrind counted nothing:\n{report}"));
    count.trim().parse().expect("a number")
}
