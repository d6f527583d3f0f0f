//! Prints the comparison as Markdown. Takes a minute or two; the machine may be busy.

use std::{env, process::Command};

use versus::{
    contest::{Contestant, Times, race},
    goals::GOALS,
    hostile::{self, Case},
    scenarios::{self, FLOOR, Scenario},
    spread::{Goal, Spread},
};

fn main() {
    assert!(scenarios::agree(), "the contestants do not do the same");
    let results = compare();
    judge(&results);
    grow();
}

/// A scenario, a contestant of it, and its times.
type Outcome = (&'static str, &'static str, Times);

fn compare() -> Vec<Outcome> {
    let allocations = allocations();
    let mut outcomes = Vec::new();
    for Scenario { name, contestants } in scenarios::all() {
        println!("\n| {name} | ns, median | ns, least | ratio to ours | allocations |");
        println!("| --- | --: | --: | --: | --: |");
        for (contestant, times) in contestants.iter().zip(race(&contestants)) {
            let Times { least, median, ratio, .. } = times;
            let key = format!("{name}\t{}\t", contestant.name);
            let count = allocations.lines().find_map(|line| line.strip_prefix(&key)).unwrap_or("?");
            println!("| {} | {median:.1} | {least:.1} | {ratio:.2} | {count} |", contestant.name);
            outcomes.push((name, contestant.name, times));
        }
    }
    outcomes
}

/// What the program `allocations` says.
fn allocations() -> String {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--ignore-rust-version"])
        .args(["--manifest-path", manifest, "--bin", "allocations"])
        .output()
        .expect("cargo runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn judge(outcomes: &[Outcome]) {
    println!("\n| goal | at least | measured | |\n| --- | --: | --: | --- |");
    for goal in GOALS {
        let of_goal = |&&(name, who, _): &&Outcome| (name, who) == (goal.scenario, goal.other);
        let (.., times) = outcomes.iter().find(of_goal).expect("a goal names a contestant");
        let verdict = if times.ratio >= goal.ratio { "PASS" } else { "FAIL" };
        println!(
            "| {}: {} to ours | {:.2} | {:.2} | {verdict} |",
            goal.scenario, goal.other, goal.ratio, times.ratio
        );
    }
    println!();
    for (name, limit) in [("policy, 3 mx", 1.1), ("policy, 60 KB", 1.1)] {
        let mut times = outcomes.iter().filter(|(scenario, ..)| *scenario == name);
        let (.., ours) = times.next().expect("ours is the first");
        let (.., floor) = times.find(|(_, who, _)| *who == FLOOR).expect("a floor");
        let line = format!("{name}: `Policy::parse` to {FLOOR}");
        Spread::of(&ours.rounds, &floor.rounds).print(&line, &Goal::AtMost(limit));
    }
}

const KIB: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// What a byte costs as inputs get larger.
fn grow() {
    println!("\nns for each byte, by KiB:\n");
    println!("| input | reader | 1 | 2 | 4 | 8 | 16 | 32 | 64 | |");
    println!("| --- | --- | --: | --: | --: | --: | --: | --: | --: | --- |");
    for case in hostile::cases() {
        let costs = costs(&case);
        // Twice the cost for 16 times the length: were any of it quadratic, it would be more.
        let verdict = if costs[6] <= 2.0 * costs[2].max(0.05) { "PASS" } else { "FAIL" };
        let costs = costs.map(|cost| format!("{cost:.2}")).join(" | ");
        println!("| {} | {} | {costs} | {verdict} |", case.shape, case.reader);
    }
}

fn costs(case: &Case) -> [f64; KIB.len()] {
    let inputs = KIB.map(|kib| (case.make)(kib * 1024));
    let lengths = inputs.each_ref().map(Vec::len);
    let read = case.read;
    let sizes = inputs.map(|input| Contestant::new("", move || read(&input)));
    let times = race(&sizes);
    std::array::from_fn(|n| times[n].least / lengths[n] as f64)
}
