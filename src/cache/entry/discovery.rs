//! Discovery: the record, then the policy file (RFC 8461 §3.3), and the effects of each answer.

use alloc::{boxed::Box, sync::Arc};

use super::{
    Entry,
    in_flight::{InFlight, Recheck, Task, discovery_end},
    state::Record,
    step::{Durability, EntryRequest, Step},
};
use crate::{
    cache::{
        answer::{Answer, Source},
        clock::{Deadline, Span, Timestamp},
        event::{EventKind, RecheckError},
        inputs::{PolicyAnswer, TxtAnswer, text_of},
        rule,
    },
    failure::{Failure, ResultType},
    no_policy::NoPolicy,
    policy::Policy,
    record::PolicyId,
};

impl Entry {
    pub(super) fn lookup(&mut self, step: &mut Step<'_>) {
        if self.state.note_use(step.now) && self.state.held().is_some() {
            step.changed(Durability::State);
        }
        let standing = self.state.standing(step.now).filter(|_| {
            // A fetch in flight may bring a policy where there is none now.
            self.state.live(step.now).is_some() || !self.is_fetching()
        });
        if let Some(answer) = standing {
            step.out.answer = Some(answer.cloned());
            // A policy that applies is returned at once; DNS is asked for the next one (RFC 8461
            // §5.1: the fetch may be made "asynchronously, so as not to block message delivery").
            if self.in_flight.is_none() && self.is_check_due(step.now) {
                self.start_request(Task::Query, false, None, None, step);
            }
        } else if let Some(flight) = &mut self.in_flight {
            flight.lookups = true;
        } else {
            self.start_request(Task::Query, true, None, None, step);
        }
    }

    /// Returns whether there is a policy that applies, and its record or the policy must be
    /// checked.
    fn is_check_due(&self, now: Timestamp) -> bool {
        let state = &self.state;
        state.live(now).is_some() && (state.record_check.is_due(now) || state.refresh_is_due(now))
    }

    /// Processes the passing of time: ends a request that was not answered in time, and starts a
    /// refresh that is due.
    pub(super) fn time(&mut self, step: &mut Step<'_>) {
        if let Some(flight) = self.in_flight.take_if(|flight| flight.deadline.is_due(step.now)) {
            return self.time_out(*flight, step);
        }
        let due = self.state.refresh_timer(step.config).is_some_and(|due| due <= step.now);
        if self.in_flight.is_none() && due && self.state.live(step.now).is_some() {
            self.start_request(Task::Query, false, None, None, step);
        }
    }

    fn time_out(&mut self, flight: InFlight, step: &mut Step<'_>) {
        match flight.task {
            Task::Query => {
                let answer = TxtAnswer::Failed("no answer in time".into());
                self.handle_txt(flight, answer, step);
            }
            Task::Fetch(id) => {
                let failure = Failure::new(
                    ResultType::StsPolicyFetchError,
                    "deadline",
                    step.domain.policy_host(),
                    "the policy was not fetched in time",
                );
                self.fetch_failed(flight, id, failure, step);
            }
        }
    }

    pub(super) fn txt(&mut self, ticket: u64, answer: TxtAnswer, step: &mut Step<'_>) {
        if let Some(flight) = self.finish_request(ticket, EntryRequest::Txt) {
            self.handle_txt(flight, answer, step);
        }
    }

    fn handle_txt(&mut self, mut flight: InFlight, answer: TxtAnswer, step: &mut Step<'_>) {
        match answer {
            TxtAnswer::Found { id, ttl } => {
                let (least, most) = rule::CHECK;
                self.state.record = Record::Found;
                self.state.record_check = Deadline::new(step.now, Span::of(ttl).clamp(least, most));
                self.state.note_record_found(id, step);
                self.fetch_if_wanted(flight, Some(id), step);
            }
            TxtAnswer::NoRecord { ttl } => {
                self.no_record(Record::Missing, ttl.map_or(rule::NEGATIVE_DEFAULT, Span::of), step);
                self.state.note_record_failure(step);
                self.fetch_if_wanted(flight, None, step);
            }
            TxtAnswer::Invalid { error, ttl } => {
                self.no_record(Record::Invalid, Span::of(ttl), step);
                self.state.failures_mut().record_error = Some(text_of(&error));
                self.state.note_record_failure(step);
                self.fetch_if_wanted(flight, None, step);
            }
            TxtAnswer::Failed(how) => {
                let text: Arc<str> = how.as_ref().into();
                self.dns_failed(Arc::clone(&text), step);
                self.state.note_record_failure(step);
                if let Some(recheck) = &mut flight.recheck {
                    recheck.doubt = Some(RecheckError::DnsFailed(text));
                }
                self.fetch_if_wanted(flight, None, step);
            }
            TxtAnswer::NotSent => self.unsent(flight, step),
        }
    }

    /// Notes that there is no valid record: "senders MUST assume the recipient domain does not have
    /// an available MTA-STS Policy" (RFC 8461 §3.1). A policy in the cache still applies (RFC 8461
    /// §3.3).
    fn no_record(&mut self, record: Record, ttl: Span, step: &Step<'_>) {
        let (least, most) = rule::NEGATIVE;
        self.state.record = record;
        self.state.record_check = Deadline::new(step.now, ttl.clamp(least, most));
        if let Some(trouble) = &mut self.state.failures {
            trouble.dns_failures = 0;
            trouble.record_error = None;
            trouble.pending_id = None;
        }
    }

    fn dns_failed(&mut self, how: Arc<str>, step: &Step<'_>) {
        let (first, longest) = rule::DNS_RETRY;
        let trouble = self.state.failures_mut();
        let wait = first.doubled(trouble.dns_failures).min(longest);
        trouble.dns_failures = trouble.dns_failures.saturating_add(1);
        trouble.record_error = Some(how);
        self.state.record = Record::Failed;
        self.state.record_check = Deadline::new(step.now, wait);
    }

    /// Fetches the policy after the record was looked up, if it is needed and allowed. Without a
    /// valid record (`None`), only a policy that applies is fetched: the refresh is made
    /// "regardless of the state of the "_mta-sts" TXT record" (RFC 8461 §10.2).
    fn fetch_if_wanted(&mut self, flight: InFlight, id: Option<PolicyId>, step: &mut Step<'_>) {
        let state = &self.state;
        let live = state.live(step.now);
        let refresh = state.refresh_is_due(step.now) || self.recheck_wants_fetch(&flight, step.now);
        let wanted = match id {
            Some(_) => live.is_none() || state.is_new_id(id) || refresh,
            None => live.is_some_and(|held| held.source == Source::Fetched) && refresh,
        };
        if !wanted {
            return self.conclude(flight, None, None, step);
        }
        match state.held_back(id, step.now).filter(|_| !flight.is_forced()) {
            None => {
                let InFlight { lookups, recheck, over, .. } = flight;
                self.start_request(Task::Fetch(id), lookups, recheck, Some(over), step);
            }
            Some(until) => self.hold_back(flight, id, until, step),
        }
    }

    /// Postpones a fetch until it is allowed. It is then made by timer for a policy that applies,
    /// else at a lookup.
    fn hold_back(
        &mut self,
        flight: InFlight,
        id: Option<PolicyId>,
        until: Timestamp,
        step: &mut Step<'_>,
    ) {
        self.retry_at(Deadline::at(step.now, until), step.now);
        let is_new = self.state.is_new_id(id);
        let doubt = is_new.then(|| RecheckError::HeldBack { until: until.to_utc() });
        self.conclude(flight, None, doubt, step);
    }

    /// Schedules the next fetch at this time. An earlier refresh is kept, unless it is due now.
    fn retry_at(&mut self, retry: Deadline, now: Timestamp) {
        let refresh = self.state.refresh;
        self.state.refresh = if refresh.is_due(now) { retry } else { refresh.or(retry) };
    }

    pub(super) fn policy(&mut self, ticket: u64, answer: PolicyAnswer, step: &mut Step<'_>) {
        let Some(flight) = self.finish_request(ticket, EntryRequest::Fetch) else { return };
        let Task::Fetch(id) = flight.task else { return };
        match answer {
            PolicyAnswer::Valid(policy) => {
                if self.state.is_new_id(id) {
                    self.state.new_id_budget.spend(step.now);
                }
                self.fetched(id, &policy, step);
                self.conclude(flight, Some(&policy), None, step);
            }
            PolicyAnswer::Failed(failure) => self.fetch_failed(flight, id, failure, step),
            PolicyAnswer::NotSent => self.unsent(flight, step),
        }
    }

    /// Processes a fetched policy: it replaces the one before, whether it is stricter or weaker
    /// (RFC 8461 §8.3), and its lifetime begins now.
    pub(super) fn fetched(
        &mut self,
        id: Option<PolicyId>,
        policy: &Arc<Policy>,
        step: &mut Step<'_>,
    ) {
        let state = &mut self.state;
        let by_new_id = state.is_new_id(id);
        let known_id = id.or(state.id());
        let previous = state.live(step.now).map(|held| Arc::clone(held.policy));
        let same = state.fetched().is_some_and(|held| held.has_same_text(policy));
        state.set_policy(Arc::clone(policy), step.now, known_id, Source::Fetched);
        if let Some(trouble) = &mut state.failures {
            trouble.attempts.succeed(id, step.now);
        }
        state.note_fetched(step);
        state.schedule_refresh(by_new_id, same, step);
        self.note_update(policy, previous, step);
    }

    fn note_update(
        &mut self,
        policy: &Arc<Policy>,
        previous: Option<Arc<Policy>>,
        step: &mut Step<'_>,
    ) {
        step.changed(Durability::State);
        let same = previous.as_ref().is_some_and(|before| before.as_text() == policy.as_text());
        if same || (previous.is_none() && self.state.live(step.now).is_none()) {
            return;
        }
        step.changed(Durability::Policy);
        step.event(EventKind::Updated { policy: Arc::clone(policy), previous });
    }

    /// Processes a failed fetch. A policy in the cache still applies (RFC 8461 §3.3).
    fn fetch_failed(
        &mut self,
        flight: InFlight,
        id: Option<PolicyId>,
        mut failure: Failure,
        step: &mut Step<'_>,
    ) {
        let noise = step.noise();
        let retry_after = failure.take_retry_after();
        let asked =
            retry_after.map_or(Span::ZERO, |after| self.state.grant(after, step.now, noise));
        let failure = Arc::new(failure);
        let live = self.state.live(step.now).is_some();
        let is_new = self.state.is_new_id(id);
        if is_new {
            self.state.new_id_budget.spend(step.now);
        }
        let trouble = self.state.failures_mut();
        trouble.last_failure = Some(Arc::clone(&failure));
        trouble.attempts.fail(id, step.now, live, noise, asked);
        if let Some(until) = self.state.held_back(id, step.now) {
            self.retry_at(Deadline::at(step.now, until), step.now);
        }
        self.state.note_fetch_failure(id.is_some(), step);
        step.changed(Durability::State);
        let doubt = (is_new || !live).then_some(RecheckError::FetchFailed(failure));
        self.conclude(flight, None, doubt, step);
    }

    /// Processes a request that was not sent. It does not count as a failure and changes nothing
    /// that is known.
    fn unsent(&mut self, flight: InFlight, step: &mut Step<'_>) {
        if flight.task != Task::Query || self.state.refresh_is_due(step.now) {
            self.retry_at(Deadline::new(step.now, rule::UNSENT), step.now);
        }
        if self.state.live(step.now).is_none() && flight.lookups {
            let why = self.state.since_expiry(NoPolicy::Overloaded);
            step.out.answer = Some(Answer::NoPolicy(why));
        }
        self.conclude(flight, None, Some(RecheckError::Overloaded), step);
    }

    /// Ends discovery and answers the lookups and rechecks that wait for it.
    fn conclude(
        &mut self,
        flight: InFlight,
        fresh: Option<&Arc<Policy>>,
        doubt: Option<RecheckError>,
        step: &mut Step<'_>,
    ) {
        if flight.lookups && step.out.answer.is_none() {
            step.out.answer = Some(self.settled_answer(fresh, step));
        }
        if let Some(recheck) = flight.recheck {
            self.settle_recheck(recheck, fresh, doubt, step);
        }
    }

    /// Returns the answer after discovery. A policy that was just fetched counts even if its
    /// `max_age` is 0.
    pub(super) fn settled_answer(&self, fresh: Option<&Arc<Policy>>, step: &Step<'_>) -> Answer {
        let state = &self.state;
        match (fresh, state.held()) {
            (Some(_), Some(held)) => state.applied(held).cloned(),
            _ => state.answer(step.now).cloned(),
        }
    }

    pub(super) fn start_request(
        &mut self,
        task: Task,
        lookups: bool,
        recheck: Option<Recheck>,
        over: Option<Deadline>,
        step: &mut Step<'_>,
    ) {
        let (ask, span) = match task {
            Task::Query => (EntryRequest::Txt, step.config.txt_span()),
            Task::Fetch(_) => (EntryRequest::Fetch, step.config.fetch_span()),
        };
        step.out.request = Some(ask);
        let over = discovery_end(over, step.now, step.config);
        let deadline = Deadline::new(step.now, span).or(over);
        let ticket = step.request_id;
        self.in_flight =
            Some(Box::new(InFlight { request_id: ticket, deadline, over, task, lookups, recheck }));
    }
}
