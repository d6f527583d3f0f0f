//! The gate on speed: instructions, which do not depend on how busy the machine is.
//!
//! Reading must take at the most [`LIMIT`] times the instructions of the hand-written floor. Counted
//! by valgrind, which runs this program once for each count; without valgrind nothing is counted,
//! and that is said.

#[allow(dead_code, reason = "matching is not counted here")]
mod floor;
#[allow(dead_code, reason = "matching is not counted here")]
mod inputs;

use std::{
    env,
    hint::black_box,
    process::{Command, ExitCode},
};

use mta_sts::{Policy, StsRecord};

/// How much more than hand-written code reading may take.
const LIMIT: f64 = 1.4;

/// How often each is done: the difference between a run with none and one with these is counted.
const TIMES: u32 = 200;

const SUBJECTS: [&str; 3] = ["record", "policy-3", "policy-20"];

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
    let over = SUBJECTS.into_iter().filter(|what| ratio(what) > LIMIT).count();
    if over == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does what valgrind counts.
fn repeat(who: &str, what: &str, times: u32) {
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

/// Prints the instructions of one reading, and gives their ratio to those of the floor.
fn ratio(what: &str) -> f64 {
    let [ours, floor] = ["ours", "floor"].map(|who| {
        let [none, all] = [0, TIMES].map(|times| instructions(who, what, times));
        (all - none) / f64::from(TIMES)
    });
    let ratio = ours / floor;
    println!("{what}: {ours:.0} instructions, floor {floor:.0}, ratio {ratio:.2} (limit {LIMIT})");
    ratio
}

fn instructions(who: &str, what: &str, times: u32) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("this program has a path"))
        .args([who, what, &times.to_string()])
        .output()
        .expect("valgrind runs");
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = collected.unwrap_or_else(|| panic!("valgrind counted nothing:\n{report}"));
    count.trim().parse().expect("a number")
}
