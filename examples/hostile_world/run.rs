//! The run: phase by phase, the client is asked or waited for, then judged.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts_testkit::Event;

use super::{
    answer::Answer,
    ask::Daemon,
    catalogue::{Group, Scenario},
    judge::{Judgement, Observation, is_message, judge, must_arrive},
    log,
    options::Mode,
    signals::{LOOK, Signals},
    world::HostileWorld,
};

/// How many questions a daemon has to answer at the same time.
const AT_ONCE: usize = 8;
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
    pub(crate) signals: &'a Signals,
}

/// Runs all phases and judges what was seen.
pub(crate) fn run(world: &HostileWorld, course: &Course<'_>) -> Vec<Judgement> {
    let mut seen: HashMap<&str, Vec<Observation>> = HashMap::new();
    let mut known = 0;
    for phase in 0..world.phase_count() {
        if phase > 0 {
            (course.pause)();
            if course.signals.is_interrupted() {
                break;
            }
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
            let answer = answers.remove(scenario.name);
            let events = log::of_scenario(scenario, &events);
            let is_cut_short = match course.mode {
                Mode::Ask(_) => answer.is_none(),
                Mode::Mta => is_over && !has_arrived(scenario, phase, &events),
                Mode::Serve => false,
            };
            let is_message_expected = *course.mode == Mode::Mta && !is_cut_short;
            let observed = Observation { answer, events, is_message_expected, is_cut_short };
            seen.entry(scenario.name).or_default().push(observed);
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
            let mut answers = ask_all(daemon, dns, 1, course.signals);
            answers.extend(ask_all(daemon, others, AT_ONCE, course.signals));
            course.signals.sleep(SETTLE);
            (answers, course.signals.is_interrupted())
        }
        Mode::Mta => {
            let start = Instant::now();
            let is_late = || course.limit.is_some_and(|limit| start.elapsed() >= limit);
            while !is_late() && !all_arrived(world, scenarios, phase, known) {
                if course.signals.is_interrupted() {
                    return (Answers::new(), true);
                }
                thread::sleep(LOOK);
            }
            course.signals.sleep(SETTLE);
            (Answers::new(), course.signals.is_interrupted())
        }
        Mode::Serve => (Answers::new(), !course.signals.next_phase(course.limit)),
    }
}

/// Asks for these domains, so many at the same time. Returns the answers up to a SIGINT.
fn ask_all(
    daemon: &Daemon,
    mut scenarios: Vec<&'static Scenario>,
    at_once: usize,
    signals: &Signals,
) -> Answers {
    scenarios.reverse();
    let queue = Arc::new(Mutex::new(scenarios));
    let (sender, answers) = mpsc::channel();
    for _ in 0..at_once {
        let (daemon, queue, sender) = (daemon.clone(), Arc::clone(&queue), sender.clone());
        // After a SIGINT, a thread that still waits for its answer is left behind.
        thread::spawn(move || {
            while let Some(scenario) = next(&queue) {
                if sender.send((scenario.name, daemon.ask(&scenario.domain()))).is_err() {
                    break;
                }
            }
        });
    }
    drop(sender);
    let mut answered = Answers::new();
    while !signals.is_interrupted() {
        match answers.recv_timeout(LOOK) {
            Ok((name, answer)) => {
                answered.insert(name, answer);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    answered
}

fn next(queue: &Mutex<Vec<&'static Scenario>>) -> Option<&'static Scenario> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// Returns whether each message that has to arrive in a phase has arrived.
fn all_arrived(
    world: &HostileWorld,
    scenarios: &[&'static Scenario],
    phase: usize,
    known: usize,
) -> bool {
    let events = world.events().split_off(known);
    scenarios
        .iter()
        .all(|scenario| has_arrived(scenario, phase, &log::of_scenario(scenario, &events)))
}

/// Returns whether the message of a phase has arrived, or need not.
fn has_arrived(scenario: &Scenario, phase: usize, events: &[Event]) -> bool {
    let expected = scenario.phases().nth(phase).map_or(&[][..], |phase| phase.expected);
    !must_arrive(scenario, expected) || events.iter().any(is_message)
}
