//! Every history of a few steps.

use std::collections::HashMap;

use mta_sts_reference::machine::{Busy, Fetched, File, Id, Jump, Op, Trace, Ttl, Txt, World};

/// How many steps a history has, unless `MACHINE_DEPTH` says otherwise.
const DEPTH: u32 = 7;

const ALPHABET: [Op; 21] = [
    Op::Lookup,
    Op::Recheck,
    Op::Refresh,
    Op::Txt(Txt::Found(Id::A, Ttl::Minutes)),
    Op::Txt(Txt::Found(Id::B, Ttl::Minutes)),
    Op::Txt(Txt::NoRecord(None)),
    Op::Txt(Txt::Invalid(Ttl::Minutes)),
    Op::Txt(Txt::Failed),
    Op::Txt(Txt::NotSent),
    Op::Fetch(Fetched::Policy(File::Week)),
    Op::Fetch(Fetched::Policy(File::TwoHours)),
    Op::Fetch(Fetched::Policy(File::ModeNone)),
    Op::Fetch(Fetched::Failed),
    Op::Fetch(Fetched::Busy(Busy::Days)),
    Op::Fetch(Fetched::NotSent),
    Op::Restart,
    Op::Go(Jump::ToTimeout),
    Op::Go(Jump::BeforeTimeout),
    Op::Go(Jump::PastTtl),
    Op::Go(Jump::PastEnd),
    Op::Go(Jump::BackHours(1)),
];

/// The histories, with those left out that lead where another one led.
///
/// Leaving them out loses nothing: machine, model and clock are all that what follows depends on,
/// and a place is left out only if it was looked into at least as deep.
#[derive(Default)]
struct Search {
    /// How many steps were tried from a place.
    seen: HashMap<u64, u32>,
    history: Vec<Op>,
    steps: u64,
}

impl Search {
    fn explore(&mut self, world: &World, depth: u32) {
        if depth == 0 {
            return;
        }
        for op in ALPHABET {
            let mut next = world.clone();
            self.history.push(op);
            let trace = Trace(&self.history);
            let done = next.apply(op);
            drop(trace);
            if done {
                self.steps += 1;
                let seen = self.seen.entry(next.key()).or_insert(u32::MAX);
                if *seen == u32::MAX || *seen < depth - 1 {
                    *seen = depth - 1;
                    self.explore(&next, depth - 1);
                }
            }
            self.history.pop();
        }
    }
}

#[test]
fn every_short_history() {
    let depth = std::env::var("MACHINE_DEPTH").map_or(DEPTH, |depth| depth.parse().unwrap());
    let mut search = Search::default();
    search.explore(&World::new(1), depth);
    println!("depth {depth}: {} states, {} steps", search.seen.len(), search.steps);
    assert!(search.seen.len() > 1000);
}
