//! Discovery by the clients, over real sockets and TLS, from servers in another process.
//!
//! - `cold`: one domain after the other, each for the first time: how long it takes, how much work it
//!   is, and which part of it takes how much. Beside the clients a minimal one, written by hand.
//! - `throughput`: ten thousand domains at once.
//!
//! Give the name of a part to see only that. Work is what all threads of the process have used, as the
//! kernel counts it (`CLOCK_PROCESS_CPUTIME_ID`). The parts of a discovery are timed where they follow
//! each other in one thread: in the minimal client, and in the exchanges driven by hand. What a client
//! needs more than those is the rest: threads or tasks, and the cache.

mod by_hand;
mod clock;
mod cold;
mod minimal;
mod minimal_tokio;
mod servers;
mod throughput;

use std::env;

use servers::{Running, Servers};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["servers"] => servers::run(),
        ["contestant", name, line] => throughput::run(name, &Servers::parse(line)),
        ["cold"] => cold::compare(&Running::start()),
        ["alone", name, count, line] => {
            cold::alone(name, count.parse().expect("a number"), &Servers::parse(line));
        }
        ["throughput"] => throughput::compare(&Running::start()),
        [] => {
            let running = Running::start();
            cold::compare(&running);
            throughput::compare(&running);
        }
        _ => eprintln!("usage: discovery [cold | throughput]"),
    }
}
