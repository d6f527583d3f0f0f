//! The state machine of one domain.

use alloc::{boxed::Box, sync::Arc};

use time::UtcDateTime;

use super::{
    applied_ref::AppliedPolicyRef,
    in_flight::{InFlight, Task, discovery_end},
    state::{Record, State},
    step::{Context, EntryRequest, Input, Outputs, Step},
};
use crate::{
    cache::{
        answer::{Answer, Source},
        clock::{Deadline, Timestamp, micros},
        config::Config,
    },
    domain::Domain,
    policy::Policy,
};

/// The state machine of one domain: what is known about its policy, and the request in flight, if
/// any.
///
/// A step is a pure function: a state and an [`Input`] give a new state and [`Outputs`]. A
/// [`Cache`](crate::cache::Cache) consists of many entries with their deadlines, bounds and pending
/// lookups. Use an `Entry` alone if you have a row for each domain in a database of your own.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::{
///     Domain,
///     cache::{Config, Context, Entry, EntryRequest, Input, PolicyAnswer, TxtAnswer},
///     time::UtcDateTime,
/// };
///
/// let (domain, config) = (Domain::parse("example.com")?, Config::new(1));
/// let now = UtcDateTime::now();
/// let at = Context { domain: &domain, now, request_id: 1, config: &config };
/// let mut entry = Entry::default();
///
/// // Nothing is known: the record must be looked up, then the policy fetched.
/// let outputs = entry.step(Input::Lookup, &at);
/// assert_eq!((outputs.answer, outputs.request), (None, Some(EntryRequest::Txt)));
/// let txt = TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300));
/// let outputs = entry.step(Input::Txt(1, txt), &Context { request_id: 2, ..at });
/// assert_eq!(outputs.request, Some(EntryRequest::Fetch));
///
/// let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
/// let input = Input::Policy(2, PolicyAnswer::from_body(&domain, body));
/// let outputs = entry.step(input, &Context { request_id: 3, ..at });
/// assert!(outputs.answer.unwrap().policy().unwrap().matches("mx.example.com"));
/// # Ok::<(), mta_sts::error::DomainError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Entry {
    pub(in crate::cache) state: State,
    pub(super) in_flight: Option<Box<InFlight>>,
}

impl Default for Entry {
    fn default() -> Self {
        Self::NEW
    }
}

impl Entry {
    pub(in crate::cache) const NEW: Self = Self::from_state(State::NEW);

    /// Creates an entry without a request in flight.
    pub(in crate::cache) const fn from_state(state: State) -> Self {
        Self { state, in_flight: None }
    }

    /// Applies one input, and returns the outputs to process.
    pub fn step(&mut self, input: Input, at: &Context<'_>) -> Outputs {
        let now = Timestamp::of(at.now);
        let is_due = self.timer(at.config).is_some_and(|due| due <= now);
        let mut step = self.begin(is_due || !matches!(input, Input::Timeout), at);
        match input {
            Input::Lookup => self.lookup(&mut step),
            Input::Recheck => self.recheck(false, &mut step),
            Input::Refresh => self.recheck(true, &mut step),
            Input::Txt(ticket, answer) => self.txt(ticket, answer, &mut step),
            Input::Policy(ticket, answer) => self.policy(ticket, answer, &mut step),
            Input::Timeout => self.time(&mut step),
        }
        self.end(step)
    }

    /// Processes the passing of time without starting a request.
    pub(in crate::cache) fn pass_time(&mut self, at: &Context<'_>) -> Outputs {
        let step = self.begin(true, at);
        self.end(step)
    }

    pub(super) fn begin<'a>(&mut self, is_due: bool, at: &Context<'a>) -> Step<'a> {
        let &Context { domain, now, request_id: ticket, config } = at;
        let now = Timestamp::of(now);
        let mut step = Step { now, domain, request_id: ticket, config, out: Outputs::default() };
        self.rearm(now);
        if is_due {
            self.state.reach_use(now);
        }
        self.state.note_time(&mut step);
        step
    }

    pub(super) fn end(&mut self, step: Step<'_>) -> Outputs {
        self.state.settle_use(step.config);
        self.state.tidy(step.now);
        step.out
    }

    /// Returns the answer without starting a request, or `None` if a lookup would have to wait for
    /// one.
    #[must_use]
    pub fn peek<'a>(
        &'a self,
        _domain: &Domain,
        now: UtcDateTime,
    ) -> Option<Answer<AppliedPolicyRef<'a>>> {
        self.state.standing(Timestamp::of(now))
    }

    /// Returns the time of the next [`Input::Timeout`]. Every step may change it.
    #[must_use]
    pub fn poll_timeout(&self, config: &Config) -> Option<UtcDateTime> {
        self.timer(config).map(Timestamp::to_utc)
    }

    pub(in crate::cache) fn timer(&self, config: &Config) -> Option<Timestamp> {
        let next = match &self.in_flight {
            Some(flight) => Some(flight.deadline.due()),
            None => self.state.refresh_timer(config),
        };
        [self.alarm(), next].into_iter().flatten().min()
    }

    /// Returns the time of the next event that needs no request: an alert, or the end of the
    /// policy.
    pub(in crate::cache) fn alarm(&self) -> Option<Timestamp> {
        let state = &self.state;
        let end = state.fetched().filter(|_| !state.expired).map(|held| held.ends_at().next());
        [end, state.alert_timer()].into_iter().flatten().min()
    }

    /// Returns the time until which a lookup changes nothing: it has an answer, makes no request,
    /// and the use of the domain is already noted.
    pub(in crate::cache) fn quiescent_until(&self, now: Timestamp) -> Timestamp {
        let state = &self.state;
        let Some(used) = state.last_lookup.filter(|&used| used == now.hour()) else {
            return Timestamp::MIN;
        };
        match state.live(now) {
            Some(held) if self.in_flight.is_some() => held.ends_at().min(used.end()),
            Some(held) => {
                let check = state.record_check.due().previous().min(held.ends_at()).min(used.end());
                match held.source {
                    Source::Fetched => check.min(state.refresh.due().previous()),
                    Source::Static | Source::Pinned => check,
                }
            }
            // With a record whose policy cannot be fetched, other deadlines than that of the record
            // count.
            None if state.record != Record::Found
                && !self.is_fetching()
                && state.knows_absence(now)
                && (state.expired || state.held().is_none()) =>
            {
                state.record_check.due().previous().min(used.end())
            }
            None => Timestamp::MIN,
        }
    }

    /// Returns whether this is the number of the TXT query, or of the fetch, in flight.
    pub(in crate::cache) fn expects(&self, ticket: u64, ask: EntryRequest) -> bool {
        self.in_flight.as_ref().is_some_and(|flight| {
            let is_query = flight.task == Task::Query;
            flight.request_id == ticket && is_query == (ask == EntryRequest::Txt)
        })
    }

    pub(super) fn is_fetching(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|flight| flight.task != Task::Query)
    }

    /// Returns the number of the request in flight.
    pub(in crate::cache) fn request_id(&self) -> Option<u64> {
        self.in_flight.as_ref().map(|flight| flight.request_id)
    }

    /// Returns the time by which lookups that wait for the request in flight are answered.
    pub(in crate::cache) fn over(&self) -> Option<Deadline> {
        self.in_flight.as_ref().map(|flight| flight.over)
    }

    /// Notes that the request with this number, which waited in a queue, starts now: its time-out
    /// counts from here, within the deadline of the discovery. Returns whether the request is still
    /// wanted.
    pub(in crate::cache) fn start(
        &mut self,
        ticket: u64,
        ask: EntryRequest,
        now: Timestamp,
        config: &Config,
    ) -> bool {
        if !self.expects(ticket, ask) {
            return false;
        }
        let Some(flight) = &mut self.in_flight else { return false };
        let span = match ask {
            EntryRequest::Txt => config.txt_span(),
            EntryRequest::Fetch => config.fetch_span(),
        };
        flight.over = discovery_end(Some(flight.over), now, config);
        flight.deadline = Deadline::new(now, span).or(flight.over);
        true
    }

    /// Clears the state, except for a policy of the operator's list and the request in flight,
    /// whose answer counts as the first one. Returns the policy that was removed.
    pub(in crate::cache) fn forget(&mut self) -> Option<Arc<Policy>> {
        let old = core::mem::replace(&mut self.state, State::NEW);
        (self.state.last_lookup, self.state.days_ahead) = (old.last_lookup, old.days_ahead);
        let held = old.held()?;
        let policy = Arc::clone(held.policy);
        if held.source == Source::Static {
            self.state.set_policy(policy, held.fetched_at, None, Source::Static);
            return None;
        }
        Some(policy)
    }

    pub(in crate::cache) fn rearm(&mut self, now: Timestamp) {
        self.state.rearm(now);
        if let Some(flight) = &mut self.in_flight {
            flight.rearm(now);
        }
    }

    /// Notes that the clock was set ahead by this much, or set back if `by` is negative. The
    /// request in flight keeps the time that it had left, and the end of the policy follows the new
    /// clock. The other deadlines are adjusted by the next [`step`](Self::step): after a step back,
    /// make one with [`Input::Timeout`]. See
    /// [`Cache::clock_set`](crate::cache::Cache::clock_set).
    pub fn clock_set(&mut self, by: time::Duration) {
        if let Some(flight) = &mut self.in_flight {
            flight.shift(micros(by));
        }
    }

    /// Removes and returns the request in flight, if it has this number and kind.
    pub(super) fn finish_request(&mut self, ticket: u64, ask: EntryRequest) -> Option<InFlight> {
        if self.expects(ticket, ask) { self.in_flight.take().map(|flight| *flight) } else { None }
    }
}
