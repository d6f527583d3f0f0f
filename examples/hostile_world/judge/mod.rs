//! Verdicts on what a client did.

mod answers;
mod messages;
mod requests;

use std::fmt;

use mta_sts_testkit::{Action, Event};

pub(crate) use self::messages::{is_message, must_arrive};
use super::{
    answer::Answer,
    catalogue::{Applies, Lag, Phase, Scenario},
};

/// A verdict, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// The client did nothing that could be judged.
    Untested,
    Right,
    /// A message that may be delivered is not, a policy is not found, or requests were made that must
    /// not be.
    Wrong,
    /// A message was sent, or a policy believed, that must not be.
    Unsafe,
}

/// What was observed of a scenario in one phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observation {
    /// The answer of a policy daemon, if one was asked.
    pub(crate) answer: Option<Answer>,
    pub(crate) events: Vec<Event>,
    /// Whether a message was sent to the MTA, so that it has to arrive if it may.
    pub(crate) is_message_expected: bool,
    /// Whether the run was interrupted before the client had done what is judged.
    pub(crate) is_cut_short: bool,
}

/// Something to be said about a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) text: String,
}

/// The verdict on a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Judgement {
    pub(crate) scenario: &'static Scenario,
    pub(crate) verdict: Verdict,
    /// For each phase, what was observed and found.
    pub(crate) phases: Vec<(Observation, Vec<Finding>)>,
}

/// A phase that is judged.
struct Case<'a> {
    scenario: &'a Scenario,
    phase: &'a Phase,
    /// What may apply.
    expected: &'a [Applies],
    /// Whether the client has not met the domain before.
    is_first: bool,
    observed: &'a Observation,
}

/// Judges all phases of a scenario.
pub(crate) fn judge(scenario: &'static Scenario, observed: Vec<Observation>) -> Judgement {
    let mut expected: Vec<Applies> = Vec::new();
    let mut phases = Vec::new();
    for (phase, observed) in scenario.phases().zip(observed) {
        let may_lag = match phase.lag {
            Lag::None => false,
            Lag::WhileFetching => true,
            Lag::UnlessAsked => !requests::has_record_query(&observed),
        };
        if !may_lag {
            expected.clear();
        }
        expected.extend(phase.expected);
        let is_first = phases.is_empty();
        let case = Case { scenario, phase, expected: &expected, is_first, observed: &observed };
        let mut findings = Vec::new();
        answers::check(&case, &mut findings);
        requests::check(&case, &mut findings);
        messages::check(&case, &mut findings);
        phases.push((observed, findings));
    }
    let found = phases.iter().flat_map(|(_, findings)| findings).map(|finding| finding.verdict);
    let least = if is_tested(scenario, &phases) { Verdict::Right } else { Verdict::Untested };
    let verdict = found.max().unwrap_or(least);
    Judgement { scenario, verdict, phases }
}

/// Returns whether a client has met the fault: all phases took place, and it has asked for the domain. One
/// that gives the same answer for each domain sends no query.
fn is_tested(scenario: &Scenario, phases: &[(Observation, Vec<Finding>)]) -> bool {
    let is_query = |event: &Event| matches!(event.action, Action::Query { .. });
    phases.len() == scenario.phases().count()
        && phases.iter().all(|(seen, _)| !seen.is_cut_short)
        && phases.iter().any(|(seen, _)| seen.events.iter().any(is_query))
}

impl Verdict {
    /// Returns the word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Untested => "untested",
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Unsafe => "unsafe",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

fn wrong(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Wrong, text: text.into() }
}

fn unsafe_(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Unsafe, text: text.into() }
}
