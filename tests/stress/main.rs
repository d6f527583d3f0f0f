//! Both clients under all that goes wrong at once: lookups that are given up, events whose callback
//! sleeps, panics and calls the client, resolvers, fetchers and stores that are slow, fail, hang and
//! panic, wakers that panic, wall clocks that are set, and runtimes that end. No sockets are used.
//!
//! What must hold is checked all the time: a lookup ends within its bound, events come in order and
//! each once, an honest domain has its policy, the client is well again when the trouble is over, and
//! after its end nothing is left of it. What hangs for ever aborts the process, with a message.
//!
//! The trouble is settled by the seed; the order of threads is not, so that a seed that fails may need
//! several runs.
//!
//! - `MTA_STS_STRESS_SECONDS` is how long to run: 20 unless set. Both clients run side by side.
//! - `MTA_STS_STRESS_SEED` is the seed of the first round; the next ones follow it. 1 unless set.
//!
//! ```text
//! MTA_STS_STRESS_SECONDS=600 cargo test --all-features --test stress -- --nocapture
//! ```

#![cfg(all(feature = "blocking", feature = "tokio"))]
#![allow(clippy::disallowed_methods, reason = "here real time passes")]

mod callers;
mod client;
mod clock;
mod events;
mod executor;
mod parts;
mod round;
mod store;
mod trouble;
mod watch;

use std::{
    env, panic, thread,
    time::{Duration, Instant},
};

use mta_sts_testkit::rng;

use self::{client::Kind, round::Round, watch::Tally};

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn a_client_keeps_its_word_whatever_happens() {
    let seed = setting("MTA_STS_STRESS_SEED", 1);
    let length = Duration::from_secs(setting("MTA_STS_STRESS_SECONDS", 20));
    trouble::hide_planned_panics();
    let end = Instant::now() + length;
    let tallies = thread::scope(|scope| {
        [Kind::Blocking, Kind::Tokio]
            .map(|kind| scope.spawn(move || rounds(kind, seed, end)))
            .map(|rounds| rounds.join().unwrap())
    });
    drop(panic::take_hook());
    for tally in tallies {
        let tally = tally.unwrap_or_else(|finding| panic!("{finding}"));
        println!("{tally:#?}");
        tally.check_that_checks_were_made();
    }
}

/// Runs rounds until the end, at least one.
fn rounds(kind: Kind, seed: u64, end: Instant) -> Result<Tally, String> {
    let mut sum = Tally::default();
    for seed in seed.. {
        sum.add(&Round::new(kind, seed).run()?);
        if Instant::now() >= end {
            break;
        }
    }
    Ok(sum)
}
