//! Years of mail in minutes: thousands of domains, their owners, a network, an attacker, and a sender
//! that crashes and whose clock jumps. What must never happen is looked for after every event.
//!
//! Every run is settled by its seed. A failure prints the seed of its world and the shortest run found
//! that still fails.
//!
//! - `MTA_STS_DOMAIN_YEARS` is how much to simulate: 10,000 unless set. A domain counts from when it
//!   first publishes something.
//! - `MTA_STS_SEED` is the seed of the first world; the next ones follow it. 1 unless set.
//!
//! ```text
//! MTA_STS_DOMAIN_YEARS=1000000 cargo test --all-features --test simulation -- --nocapture
//! ```

#![allow(
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    reason = "here a panic is a finding"
)]

mod attacker;
mod invariants;
mod network;
mod sender;
mod shrink;
mod system;
mod world;

use std::{
    env, panic,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use mta_sts_testkit::rng;

use self::{sender::Tally, shrink::Spec};

/// After how many domain-days there is a word of how far a long run has come.
const TOLD: u64 = 20_000 * 365;

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn nothing_that_must_not_happen_happens() {
    let (seed, years) = (setting("MTA_STS_SEED", 1), setting("MTA_STS_DOMAIN_YEARS", 10_000));
    shrink::catch_panics();
    let (next, sum) = (AtomicU64::new(seed), Mutex::new(Ok(Tally::default())));
    let work = || {
        loop {
            match &*sum.lock().unwrap() {
                Ok(sum) if sum.domain_days < years * 365 => {}
                _ => break,
            }
            let spec = Spec::new(next.fetch_add(1, Ordering::Relaxed));
            match spec.run() {
                Ok(tally) => {
                    if let Ok(sum) = &mut *sum.lock().unwrap() {
                        let before = sum.domain_days / TOLD;
                        sum.add(&tally);
                        if sum.domain_days / TOLD > before {
                            println!("{} domain-years, seed {}", sum.domain_days / 365, spec.seed);
                        }
                    }
                }
                Err(message) => {
                    println!("seed {}: {message}\nshrinking…", spec.seed);
                    let report = shrink::shrink(&spec, &message);
                    *sum.lock().unwrap() = Err(report);
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    drop(panic::take_hook());
    let sum = sum.into_inner().unwrap();
    let sum = sum.unwrap_or_else(|report| panic!("{report}"));
    println!("{} domain-years: {sum:#?}", sum.domain_days / 365);
    sum.check_that_checks_were_made(seed, years);
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.lookups += other.lookups;
        self.queries += other.queries;
        self.fetches += other.fetches;
        self.restarts += other.restarts;
        self.jumps += other.jumps;
        self.evicted += other.evicted;
        self.alerts += other.alerts;
        self.fresh += other.fresh;
        self.found += other.found;
        self.rechecked += other.rechecked;
        self.refreshed += other.refreshed;
        self.backed_off += other.backed_off;
        self.late += other.late;
        self.kept += other.kept;
        self.domain_days += other.domain_days;
    }

    /// A check that never had anything to say is none. Of few worlds, not all kinds need be there.
    fn check_that_checks_were_made(&self, seed: u64, years: u64) {
        if seed != 1 || years < 10_000 {
            return;
        }
        for (what, count, least) in [
            ("evictions of live policies", self.evicted, 100),
            ("restarts", self.restarts, 100),
            ("jumps", self.jumps, 20),
            ("alerts", self.alerts, 5_000),
            ("changes known", self.fresh, 50_000),
            ("discoveries", self.found, 5_000),
            ("rechecks", self.rechecked, 5_000),
            ("refreshes in time", self.refreshed, 1_000_000),
            ("fetches after a failure", self.backed_off, 5_000),
            ("policies that came late", self.late, 100),
            ("policies kept over a restart", self.kept, 20_000),
        ] {
            assert!(count >= least, "{what}: {count} and not {least}");
        }
    }
}
