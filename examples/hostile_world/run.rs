//! The run: phase by phase, the client is asked or waited for, then judged.

use std::{
    collections::HashMap,
    io,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{
    answer::Answer,
    ask::Daemon,
    catalogue::{Group, Scenario},
    judge::{Judgement, Observation, is_message, judge, must_arrive},
    log,
    options::Mode,
    world::HostileWorld,
};

/// How often it is looked whether messages have arrived.
const LOOK: Duration = Duration::from_millis(100);
/// How long a client may take for what it does after the last message or answer.
const SETTLE: Duration = Duration::from_millis(500);

/// The phases of a run.
pub(crate) struct Course<'a> {
    pub(crate) mode: &'a Mode,
    pub(crate) limit: Option<Duration>,
    /// Called between two phases, before the second one begins.
    pub(crate) pause: &'a dyn Fn(),
    /// Called when a phase has begun.
    pub(crate) announce: &'a dyn Fn(usize),
    pub(crate) signals: &'a Receiver<Signal>,
}

/// What a person wants.
pub(crate) enum Signal {
    NextPhase,
    End,
}

/// Runs all phases and judges what was seen.
pub(crate) fn run(world: &HostileWorld, course: &Course<'_>) -> Vec<Judgement> {
    let mut seen: HashMap<&str, Vec<Observation>> = HashMap::new();
    let mut known = 0;
    for phase in 0..world.phase_count() {
        if phase > 0 {
            (course.pause)();
            known = world.events().len();
            world.begin(phase);
        }
        (course.announce)(phase);
        let scenarios: Vec<_> = world
            .scenarios
            .iter()
            .copied()
            .filter(|scenario| {
                scenario.phases().count() > phase && is_tested(scenario, course.mode)
            })
            .collect();
        let (mut answers, is_over) = drive(world, course, &scenarios, phase, known);
        let events = world.events().split_off(known);
        for scenario in scenarios {
            seen.entry(scenario.name).or_default().push(Observation {
                answer: answers.remove(scenario.name),
                events: log::of_scenario(scenario, &events),
                is_message_expected: *course.mode == Mode::Mta,
            });
        }
        if is_over {
            break;
        }
    }
    let scenarios = world.scenarios.iter();
    scenarios
        .map(|scenario| judge(scenario, seen.remove(scenario.name).unwrap_or_default()))
        .collect()
}

/// Returns whether a scenario shows anything of such a client. A policy daemon does not see MX hosts.
fn is_tested(scenario: &Scenario, mode: &Mode) -> bool {
    !matches!(mode, Mode::Ask(_)) || scenario.group() != Group::Smtp
}

type Answers = HashMap<&'static str, Answer>;

/// Lets a phase take place. Returns the answers, and whether the run is over.
fn drive(
    world: &HostileWorld,
    course: &Course<'_>,
    scenarios: &[&'static Scenario],
    phase: usize,
    known: usize,
) -> (Answers, bool) {
    match course.mode {
        Mode::Ask(daemon) => {
            // What goes wrong with DNS may go wrong with all queries that a resolver has under way: these
            // domains come one after the other.
            let is_of_dns = |scenario: &&&'static Scenario| scenario.group() == Group::Dns;
            let (dns, others): (Vec<_>, Vec<_>) = scenarios.iter().partition(is_of_dns);
            let ask = |scenario: &'static Scenario| (scenario.name, daemon.ask(&scenario.domain()));
            let mut answers: Answers = dns.into_iter().map(ask).collect();
            answers.extend(ask_all(daemon, &others));
            thread::sleep(SETTLE);
            (answers, false)
        }
        Mode::Mta => {
            let start = Instant::now();
            let is_late = || course.limit.is_some_and(|limit| start.elapsed() >= limit);
            while !is_late() && !all_arrived(world, scenarios, phase, known) {
                if matches!(course.signals.recv_timeout(LOOK), Ok(Signal::End)) {
                    return (Answers::new(), true);
                }
            }
            thread::sleep(SETTLE);
            (Answers::new(), false)
        }
        Mode::Serve => {
            let signal = match course.limit {
                Some(limit) => course.signals.recv_timeout(limit),
                None => course.signals.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            (Answers::new(), !matches!(signal, Ok(Signal::NextPhase)))
        }
    }
}

fn ask_all(daemon: &Daemon, scenarios: &[&'static Scenario]) -> Answers {
    thread::scope(|scope| {
        let ask = |scenario: &'static Scenario| {
            (scenario.name, scope.spawn(move || daemon.ask(&scenario.domain())))
        };
        let asked: Vec<_> = scenarios.iter().map(|scenario| ask(scenario)).collect();
        let joined = asked.into_iter().map(|(name, asked)| (name, asked.join()));
        joined.map(|(name, answer)| (name, answer.expect("no question panics"))).collect()
    })
}

/// Returns whether each message that has to arrive in a phase has arrived.
fn all_arrived(
    world: &HostileWorld,
    scenarios: &[&'static Scenario],
    phase: usize,
    known: usize,
) -> bool {
    let events = world.events().split_off(known);
    scenarios.iter().all(|scenario| {
        let expected = scenario.phases().nth(phase).map_or(&[][..], |phase| phase.expected);
        !must_arrive(scenario, expected)
            || log::of_scenario(scenario, &events).iter().any(is_message)
    })
}

/// Reads lines of standard input, each of which begins a phase, until its end or SIGINT.
pub(crate) fn signals() -> io::Result<Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel();
    let interrupted = sender.clone();
    ctrlc::set_handler(move || {
        let _ = interrupted.send(Signal::End);
    })
    .map_err(io::Error::other)?;
    thread::spawn(move || {
        for line in io::stdin().lines() {
            if line.is_err() || sender.send(Signal::NextPhase).is_err() {
                break;
            }
        }
        let _ = sender.send(Signal::End);
    });
    Ok(receiver)
}
