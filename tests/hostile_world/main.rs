//! The example `hostile_world`: our own client is right in all of its scenarios, and clients that are wrong
//! are found out.

#![cfg(feature = "blocking")]
#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

mod catalogue;
mod daemon;
mod interrupt;
mod judge;
mod naive;
mod options;
mod ours;
mod process;
mod resolver;
mod wrong_daemons;
mod wrong_senders;

#[allow(dead_code, reason = "the tests call the parts")]
#[path = "../../examples/hostile_world/main.rs"]
mod example;
#[path = "../../examples/smtp/mod.rs"]
mod smtp;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::AtomicBool, mpsc},
    time::Duration,
};

use self::{
    daemon::{Daemon, Said},
    example::{
        ask::{self, Protocol},
        catalogue::{self as table, Scenario},
        judge::{Judgement, Verdict},
        options::Mode,
        run::{Course, run},
        signals::Signals,
        world::{HostileWorld, Places},
    },
};

/// Starts a world of these scenarios, with ports of the system's choice.
fn world(
    scenarios: impl IntoIterator<Item = &'static Scenario>,
    smtp: Option<[u8; 4]>,
) -> HostileWorld {
    let any = |address: [u8; 4]| SocketAddr::from((Ipv4Addr::from(address), 0));
    let (nameserver, https) = (any([127, 0, 0, 1]), any([127, 0, 0, 1]));
    let places = Places { nameserver, https, smtp: smtp.map(any) };
    HostileWorld::start(scenarios.into_iter().collect(), places, 1).unwrap()
}

/// Returns the scenarios whose names begin with one of these.
fn named(prefixes: &[&str]) -> Vec<&'static Scenario> {
    let found: Vec<_> = table::all()
        .filter(|scenario| prefixes.iter().any(|prefix| scenario.name.starts_with(prefix)))
        .collect();
    assert!(found.len() >= prefixes.len(), "{prefixes:?}");
    found
}

/// Asks a daemon that answers in this way, and judges it.
fn ask(
    world: &HostileWorld,
    protocol: Protocol,
    pause: &dyn Fn(),
    answer: impl Fn(&str) -> Said + Send + Sync + 'static,
) -> Vec<Judgement> {
    ask_until(world, protocol, pause, &Arc::default(), answer)
}

/// Asks a daemon, until the run is interrupted.
fn ask_until(
    world: &HostileWorld,
    protocol: Protocol,
    pause: &dyn Fn(),
    is_interrupted: &Arc<AtomicBool>,
    answer: impl Fn(&str) -> Said + Send + Sync + 'static,
) -> Vec<Judgement> {
    let address = Daemon::start(answer).to_string();
    let timeout = Duration::from_secs(30);
    let mode = Mode::Ask(ask::Daemon { protocol, address, timeout });
    let signals = signals(is_interrupted);
    let course = Course { mode: &mode, limit: None, pause, announce: &|_| {}, signals: &signals };
    run(world, &course)
}

fn signals(is_interrupted: &Arc<AtomicBool>) -> Signals {
    let (_, inputs) = mpsc::channel();
    Signals { inputs, is_interrupted: Arc::clone(is_interrupted) }
}

/// Sends a message for each scenario in each phase, and judges how.
fn send(world: &HostileWorld, pause: &dyn Fn(), send: impl Fn(&Scenario) + Sync) -> Vec<Judgement> {
    let signals = signals(&Arc::default());
    let announce = |phase| {
        std::thread::scope(|scope| {
            let scenarios = world.scenarios.iter();
            for scenario in scenarios.filter(|scenario| scenario.phases().count() > phase) {
                scope.spawn(|| send(scenario));
            }
        });
    };
    let limit = Some(Duration::from_secs(1));
    run(world, &Course { mode: &Mode::Mta, limit, pause, announce: &announce, signals: &signals })
}

/// Asserts the verdict on the scenarios whose names begin so, and that there are such.
#[track_caller]
fn assert_verdict(judgements: &[Judgement], prefix: &str, verdict: Verdict) {
    let found: Vec<_> =
        judgements.iter().filter(|judged| judged.scenario.name.starts_with(prefix)).collect();
    assert!(!found.is_empty(), "no scenario {prefix}");
    for judged in found {
        assert_eq!(judged.verdict, verdict, "{}: {:#?}", judged.scenario.name, judged.phases);
    }
}

/// Asserts that everything is right.
#[track_caller]
fn assert_right(judgements: &[Judgement]) {
    let wrong: Vec<_> =
        judgements.iter().filter(|judged| judged.verdict > Verdict::Right).cloned().collect();
    assert!(wrong.is_empty(), "{}", example::description::report(&wrong));
}
