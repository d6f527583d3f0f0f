//! How fast a cache is written down and taken up again, without what a format costs.

use std::hint::black_box;

use mta_sts::{
    Domain,
    cache::{Cache, Snapshot},
};
use versus::{
    discovery::{START, cache, discover},
    domains::domains,
};

use crate::report::{Goals, least, nanos_each, time};

const SIZES: [usize; 3] = [250_000, 500_000, 1_000_000];

const ROUNDS: usize = 5;

/// The nanoseconds of one entry: to make a snapshot of it; to restore it in the same process; to
/// restore it when its policy has been stored as text.
type Costs = [f64; 3];

const NAMES: [&str; 3] = ["snapshot", "restore", "restore, policy as text"];

pub fn compare(goals: &mut Goals) {
    println!("\n| ns an entry, least | snapshot | restore | restore, policy as text |");
    println!("| --- | --: | --: | --: |");
    let costs = SIZES.map(|size| {
        let costs @ [snapshot, restore, text] = costs(size);
        println!("| {size} domains | {snapshot:.0} | {restore:.0} | {text:.0} |");
        costs
    });
    let [_, half, all] = costs;
    for ((name, half), all) in NAMES.iter().zip(half).zip(all) {
        goals.at_most(format!("{name} at a million: ns an entry"), 1000.0, all);
        // Were it quadratic, it would be 2. With fewer entries the processor's caches help.
        goals.at_most(format!("{name}: a million to half of it"), 1.5, all / half);
    }
}

fn costs(size: usize) -> Costs {
    let domains: Vec<Domain> = domains(size);
    let mut full = cache(size);
    discover(&mut full, domains.iter().enumerate(), START);
    let text: Vec<u8> = full.snapshots().flat_map(|snapshot| line(&snapshot)).collect();
    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let (snapshots, taken) = time(|| {
            let mut snapshots = Vec::with_capacity(size);
            snapshots.extend(full.snapshots());
            snapshots
        });
        rounds[0].push(nanos_each(taken, size));
        rounds[1].push(restore(snapshots));
        rounds[2].push(restore(read(&text)));
    }
    rounds.map(|taken| least(&taken))
}

fn restore(snapshots: Vec<Snapshot>) -> f64 {
    let size = snapshots.len();
    let mut empty: Cache = cache(size);
    let (report, taken) = time(|| empty.restore(black_box(snapshots), START));
    assert_eq!(report.restored, size);
    nanos_each(taken, size)
}

fn line(snapshot: &Snapshot) -> Vec<u8> {
    serde_json::to_vec(snapshot).expect("can be written")
}

fn read(lines: &[u8]) -> Vec<Snapshot> {
    let snapshots = serde_json::Deserializer::from_slice(lines).into_iter();
    snapshots.map(|snapshot| snapshot.expect("can be read")).collect()
}
