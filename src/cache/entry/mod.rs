//! One domain's machine.

mod alert;
mod backoff;
mod discovery;
mod late;
mod lent;
mod recheck;
mod refresh;
mod state;
mod usage;

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use time::UtcDateTime;

pub use self::lent::Lent;
use self::recheck::Recheck;
pub(super) use self::{
    backoff::{Attempts, Budget},
    late::Overdue,
    state::{Held, Record, State, Trouble},
};
use super::{
    answer::{Answer, Source},
    clock::{Deadline, Timestamp, micros},
    config::Config,
    event::{EventKind, Rechecked},
    request::{PolicyAnswer, TxtAnswer},
    snapshot::{Damage, Snapshot},
};
use crate::{domain::Domain, policy::Policy, record::PolicyId};

/// One domain's machine: what is known about its policy, and the request that is out, if any.
///
/// It is a pure function of what it is given: state and [`Input`] make a new state and
/// [`Outputs`]. A [`Cache`](super::Cache) is many of these with their deadlines, bounds and waiters;
/// use an `Entry` alone if you keep a row for each domain in a database of your own.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::{
///     Domain,
///     cache::{Ask, At, Config, Entry, Input, PolicyAnswer, TxtAnswer},
/// };
/// use time::macros::utc_datetime;
///
/// let (domain, config) = (Domain::parse("example.com")?, Config::new(1));
/// let at = At { domain: &domain, now: utc_datetime!(2026-01-01 0:00), ticket: 1, config: &config };
/// let mut entry = Entry::default();
///
/// // Nothing is known: the record must be looked up, then the policy fetched.
/// let outputs = entry.step(Input::Lookup, &at);
/// assert_eq!((outputs.answer, outputs.ask), (None, Some(Ask::Txt)));
/// let txt = TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300));
/// let outputs = entry.step(Input::Txt(1, txt), &At { ticket: 2, ..at });
/// assert_eq!(outputs.ask, Some(Ask::Fetch));
///
/// let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
/// let input = Input::Policy(2, PolicyAnswer::from_body(&domain, body));
/// let outputs = entry.step(input, &At { ticket: 3, ..at });
/// assert!(outputs.answer.unwrap().policy().unwrap().matches("mx.example.com"));
/// # Ok::<(), mta_sts::DomainError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) state: State,
    flight: Option<Box<Flight>>,
}

/// What every step needs beside the state and the input.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The domain; the same one in every step.
    pub domain: &'a Domain,
    /// The present.
    pub now: UtcDateTime,
    /// A number that was never given before: a request that this step makes is known by it.
    pub ticket: u64,
    /// The settings. Bounds and persistence are for a [`Cache`](super::Cache) and do nothing here.
    pub config: &'a Config,
}

/// What happens to an [`Entry`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// Someone wants to send mail to the domain.
    Lookup,
    /// Someone is about to give up a message, and must know first whether there is a newer policy
    /// (§5.1).
    Recheck,
    /// The operator wants the policy fetched now, back-off or not.
    Refresh,
    /// The answer to the [`Ask::Txt`] of this ticket.
    Txt(u64, TxtAnswer),
    /// The answer to the [`Ask::Fetch`] of this ticket.
    Policy(u64, PolicyAnswer),
    /// Nothing but that time has passed. May be given at any time; see [`Entry::timeout`].
    Time,
}

/// What an [`Entry`] wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ask {
    /// Look up the TXT records at [`Domain::txt_name`].
    Txt,
    /// Fetch [`Domain::policy_url`].
    Fetch,
}

/// What comes of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "requests must be sent, answers given out, and changes stored"]
pub struct Outputs {
    /// A request to send, under the ticket of this step. There is never more than one out.
    pub ask: Option<Ask>,
    /// The answer to this lookup, or to all that wait. If a lookup gets none, it waits.
    pub answer: Option<Answer>,
    /// The answer to all rechecks, and forced refreshes, that wait.
    pub rechecked: Option<Rechecked>,
    /// What has happened, but for answers.
    pub events: Vec<EventKind>,
    /// What to store before anything of this is given out.
    pub change: Change,
}

/// How much of an [`Entry`] is other than what was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing that a restart should not lose.
    #[default]
    Nothing,
    /// Something that is worth storing, but changes no answer.
    State,
    /// Answers depend on it: if it is lost, a policy is.
    Policy,
}

/// The request that is out. There is one at most: nothing else about a domain may be asked
/// meanwhile.
#[derive(Clone, Debug)]
struct Flight {
    ticket: u64,
    deadline: Deadline,
    /// When the discovery that it belongs to is over, however far it has come.
    over: Deadline,
    task: Task,
    /// Whether lookups wait for it.
    lookups: bool,
    recheck: Option<Recheck>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Query,
    /// For the policy with this id; `None` if there is no valid record.
    Fetch(Option<PolicyId>),
}

/// A step under way.
struct Step<'a> {
    now: Timestamp,
    domain: &'a Domain,
    ticket: u64,
    config: &'a Config,
    out: Outputs,
}

impl Step<'_> {
    fn event(&mut self, event: EventKind) {
        self.out.events.push(event);
    }

    fn changed(&mut self, change: Change) {
        self.out.change = self.out.change.max(change);
    }

    fn noise(&self) -> u32 {
        self.config.noise(self.domain, self.now)
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self::NEW
    }
}

impl Entry {
    pub(super) const NEW: Self = Self { state: State::NEW, flight: None };

    /// What was stored of a domain. The request that was out then is not: it counts as lost.
    ///
    /// # Errors
    ///
    /// If the snapshot is not valid.
    pub fn restore(snapshot: Snapshot, config: &Config) -> Result<(Domain, Self), Damage> {
        let (domain, mut state) = snapshot.into_state()?;
        state.limit(config);
        Ok((domain, Self { state, flight: None }))
    }

    /// What to store of the domain.
    #[must_use]
    pub fn snapshot(&self, domain: &Domain) -> Snapshot {
        Snapshot::of(domain, &self.state)
    }

    /// The transition.
    pub fn step(&mut self, input: Input, at: &At<'_>) -> Outputs {
        let now = Timestamp::of(at.now);
        let is_due = self.timer(at.config).is_some_and(|due| due <= now);
        let mut step = self.begin(is_due || !matches!(input, Input::Time), at);
        match input {
            Input::Lookup => self.lookup(&mut step),
            Input::Recheck => self.recheck(false, &mut step),
            Input::Refresh => self.recheck(true, &mut step),
            Input::Txt(ticket, answer) => self.txt(ticket, answer, &mut step),
            Input::Policy(ticket, answer) => self.policy(ticket, answer, &mut step),
            Input::Time => self.time(&mut step),
        }
        self.end(step)
    }

    /// Notes what has come about by the passing of time, and begins nothing.
    pub(super) fn pass_time(&mut self, at: &At<'_>) -> Outputs {
        let step = self.begin(true, at);
        self.end(step)
    }

    fn begin<'a>(&mut self, is_due: bool, at: &At<'a>) -> Step<'a> {
        let &At { domain, now, ticket, config } = at;
        let now = Timestamp::of(now);
        let mut step = Step { now, domain, ticket, config, out: Outputs::default() };
        self.rearm(now);
        if is_due {
            self.state.reach_use(now);
        }
        self.state.note_time(&mut step);
        step
    }

    fn end(&mut self, step: Step<'_>) -> Outputs {
        self.state.settle_use(step.config);
        self.state.tidy();
        step.out
    }

    /// What a lookup would be told if nobody could be asked; `None` if that would not be known.
    #[must_use]
    pub fn peek<'a>(&'a self, _domain: &Domain, now: UtcDateTime) -> Option<Answer<Lent<'a>>> {
        self.state.standing(Timestamp::of(now))
    }

    /// When to give [`Input::Time`] next. Every step may change it.
    #[must_use]
    pub fn timeout(&self, config: &Config) -> Option<UtcDateTime> {
        self.timer(config).map(Timestamp::to_utc)
    }

    pub(super) fn timer(&self, config: &Config) -> Option<Timestamp> {
        let next = match &self.flight {
            Some(flight) => Some(flight.deadline.due()),
            None => self.state.refresh_timer(config),
        };
        [self.alarm(), next].into_iter().flatten().min()
    }

    /// Returns the time of the next event that needs no request: an alert, or the end of the policy.
    pub(super) fn alarm(&self) -> Option<Timestamp> {
        let state = &self.state;
        let end = state.fetched().filter(|_| !state.lapsed).map(|held| held.ends_at().next());
        [end, state.alert_timer()].into_iter().flatten().min()
    }

    /// Until when a lookup changes nothing: it is answered with what is known, makes no request, and
    /// tells of no use that was not known.
    pub(super) fn calm_until(&self, now: Timestamp) -> Timestamp {
        let state = &self.state;
        let Some(used) = state.used.filter(|&used| used == now.hour()) else {
            return Timestamp::MIN;
        };
        match state.live(now) {
            Some(held) if self.flight.is_some() => held.ends_at().min(used.end()),
            Some(held) => {
                let check = state.check.due().previous().min(held.ends_at()).min(used.end());
                match held.source {
                    Source::Fetched => check.min(state.refresh.due().previous()),
                    Source::Static | Source::Pinned => check,
                }
            }
            // With a record whose policy cannot be had, waits other than this one count.
            None if state.record != Record::Found
                && !self.is_fetching()
                && state.knows_absence(now)
                && (state.lapsed || state.held().is_none()) =>
            {
                state.check.due().previous().min(used.end())
            }
            None => Timestamp::MIN,
        }
    }

    /// Whether this ticket is that of the TXT query, or the fetch, that is out.
    pub(super) fn expects(&self, ticket: u64, ask: Ask) -> bool {
        self.flight.as_ref().is_some_and(|flight| {
            let is_query = flight.task == Task::Query;
            flight.ticket == ticket && is_query == (ask == Ask::Txt)
        })
    }

    fn is_fetching(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.task != Task::Query)
    }

    /// The ticket of the request that is out.
    pub(super) fn ticket(&self) -> Option<u64> {
        self.flight.as_ref().map(|flight| flight.ticket)
    }

    /// When those who wait for the request that is out are told, whatever comes of it.
    pub(super) fn over(&self) -> Option<Deadline> {
        self.flight.as_ref().map(|flight| flight.over)
    }

    /// Notes that the request of this ticket, which stood in a queue, is begun now: its time-out
    /// counts from here, within what is left of the discovery. Returns whether it is still wanted.
    pub(super) fn start(&mut self, ticket: u64, ask: Ask, now: Timestamp, config: &Config) -> bool {
        if !self.expects(ticket, ask) {
            return false;
        }
        let Some(flight) = &mut self.flight else { return false };
        let span = match ask {
            Ask::Txt => config.txt_span(),
            Ask::Fetch => config.fetch_span(),
        };
        flight.deadline = Deadline::new(now, span).or(flight.over);
        true
    }

    /// Forgets everything but the request that is out, whose answer counts as a first one, and a
    /// policy of the operator's list. Gives back the policy that is held no more.
    pub(super) fn forget(&mut self) -> Option<Arc<Policy>> {
        let old = core::mem::replace(&mut self.state, State::NEW);
        (self.state.used, self.state.ahead) = (old.used, old.ahead);
        let held = old.held()?;
        let policy = Arc::clone(held.policy);
        if held.source == Source::Static {
            self.state.hold(policy, held.fetched_at, None, Source::Static);
            return None;
        }
        Some(policy)
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        self.state.rearm(now);
        if let Some(flight) = &mut self.flight {
            flight.deadline.rearm(now);
            flight.over.rearm(now);
            if let Some(recheck) = &mut flight.recheck {
                recheck.rearm(now);
            }
        }
    }

    /// Notes that the clock was set ahead `by` so much, or back, if that is negative: the request that
    /// is out keeps the time that it had left. Lives follow the new clock. See
    /// [`Cache::clock_set`](super::Cache::clock_set).
    pub fn clock_set(&mut self, by: time::Duration) {
        if let Some(flight) = &mut self.flight {
            let by = micros(by);
            flight.deadline.shift(by);
            flight.over.shift(by);
        }
    }

    /// Takes the request out of flight, if it is the one answered.
    fn land(&mut self, ticket: u64, ask: Ask) -> Option<Flight> {
        if self.expects(ticket, ask) { self.flight.take().map(|flight| *flight) } else { None }
    }
}
