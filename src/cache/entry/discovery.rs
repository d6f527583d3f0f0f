//! From a lookup to a policy: the record, then the file (§3.3), and what each answer changes.

use alloc::{boxed::Box, string::String, sync::Arc};

use super::{Ask, Change, Entry, Flight, Record, Step, Task, recheck::Recheck};
use crate::{
    cache::{
        answer::{Answer, Source},
        clock::{Deadline, Span, Timestamp},
        config::rule,
        event::{Doubt, EventKind},
        request::{PolicyAnswer, TxtAnswer, text_of},
    },
    failure::{Failure, ResultType},
    no_policy::NoPolicy,
    policy::Policy,
    record::PolicyId,
};

impl Entry {
    pub(super) fn lookup(&mut self, step: &mut Step<'_>) {
        if self.state.note_use(step.now) && self.state.held().is_some() {
            step.changed(Change::State);
        }
        let standing = self.state.standing(step.now).filter(|_| {
            // A fetch that is out may bring a policy where none is known now.
            self.state.live(step.now).is_some() || !self.is_fetching()
        });
        if let Some(answer) = standing {
            step.out.answer = Some(answer.cloned());
            // A policy that applies is given out at once; DNS is asked for the next one (§5.1: the
            // fetch may be made "asynchronously, so as not to block message delivery").
            if self.flight.is_none() && self.is_check_due(step.now) {
                self.launch(Task::Query, false, None, None, step);
            }
        } else if let Some(flight) = &mut self.flight {
            flight.lookups = true;
        } else {
            self.launch(Task::Query, true, None, None, step);
        }
    }

    /// Whether the policy that applies should be checked on.
    fn is_check_due(&self, now: Timestamp) -> bool {
        let state = &self.state;
        state.live(now).is_some() && (state.check.is_due(now) || state.refresh_is_due(now))
    }

    /// Lets time pass: what was not answered in time has failed, what is due begins.
    pub(super) fn time(&mut self, step: &mut Step<'_>) {
        if let Some(flight) = self.flight.take_if(|flight| flight.deadline.is_due(step.now)) {
            return self.time_out(*flight, step);
        }
        let due = self.state.refresh_timer(step.config).is_some_and(|due| due <= step.now);
        if self.flight.is_none() && due && self.state.live(step.now).is_some() {
            self.launch(Task::Query, false, None, None, step);
        }
    }

    fn time_out(&mut self, flight: Flight, step: &mut Step<'_>) {
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
        if let Some(flight) = self.land(ticket, Ask::Txt) {
            self.handle_txt(flight, answer, step);
        }
    }

    fn handle_txt(&mut self, mut flight: Flight, answer: TxtAnswer, step: &mut Step<'_>) {
        match answer {
            TxtAnswer::Found { id, ttl } => {
                let (least, most) = rule::CHECK;
                self.state.record = Record::Found;
                self.state.check = Deadline::new(step.now, Span::of(ttl).clamp(least, most));
                self.state.note_record_found(id, step);
                self.fetch_if_wanted(flight, Some(id), step);
            }
            TxtAnswer::NoRecord { ttl } => {
                self.no_record(Record::Missing, ttl.map_or(rule::NEGATIVE_DEFAULT, Span::of), step);
                let message = "the MTA-STS record is missing";
                self.state.note_record_failure("txt-no-record", message, true, step);
                self.fetch_if_wanted(flight, None, step);
            }
            TxtAnswer::Invalid { error, ttl } => {
                let text = text_of(&error);
                self.no_record(Record::Invalid, Span::of(ttl), step);
                self.state.trouble().text = Some(Arc::clone(&text));
                let message = String::from(&*text);
                self.state.note_record_failure("txt-invalid", message, true, step);
                self.fetch_if_wanted(flight, None, step);
            }
            TxtAnswer::Failed(how) => {
                let text: Arc<str> = how.as_ref().into();
                self.dns_failed(Arc::clone(&text), step);
                self.state.note_record_failure("txt-failed", how, false, step);
                if let Some(recheck) = &mut flight.recheck {
                    recheck.doubt = Some(Doubt::DnsFailed(text));
                }
                self.fetch_if_wanted(flight, None, step);
            }
            TxtAnswer::NotSent => self.unsent(flight, step),
        }
    }

    /// "Senders MUST assume the recipient domain does not have an available MTA-STS Policy" (§3.1),
    /// which takes nothing from a policy in the cache (§3.3).
    fn no_record(&mut self, record: Record, ttl: Span, step: &Step<'_>) {
        let (least, most) = rule::NEGATIVE;
        self.state.record = record;
        self.state.check = Deadline::new(step.now, ttl.clamp(least, most));
        if let Some(trouble) = &mut self.state.trouble {
            trouble.dns_failures = 0;
            trouble.known = None;
        }
    }

    fn dns_failed(&mut self, how: Arc<str>, step: &Step<'_>) {
        let (first, longest) = rule::DNS_RETRY;
        let trouble = self.state.trouble();
        let wait = first.doubled(trouble.dns_failures).min(longest);
        trouble.dns_failures = trouble.dns_failures.saturating_add(1);
        trouble.text = Some(how);
        self.state.record = Record::Failed;
        self.state.check = Deadline::new(step.now, wait);
    }

    /// With the record looked up, fetches the policy if there is need to and leave to. Without a
    /// valid record (`None`) that is so only for a policy that applies already: the refresh is made
    /// "regardless of the state of the "_mta-sts" TXT record" (§10.2).
    fn fetch_if_wanted(&mut self, flight: Flight, id: Option<PolicyId>, step: &mut Step<'_>) {
        let state = &self.state;
        let live = state.live(step.now);
        let refresh = state.refresh_is_due(step.now) || self.recheck_wants_fetch(&flight, step.now);
        let wanted = match id {
            Some(_) => live.is_none() || state.is_new_id(id) || refresh,
            None => live.is_some_and(|held| held.source == Source::Fetched) && refresh,
        };
        if !wanted {
            return self.settle(flight, None, None, step);
        }
        match state.held_back(id, step.now).filter(|_| !flight.is_forced()) {
            None => {
                let Flight { lookups, recheck, over, .. } = flight;
                self.launch(Task::Fetch(id), lookups, recheck, Some(over), step);
            }
            Some(until) => self.hold_back(flight, id, until, step),
        }
    }

    /// The fetch is made when it may be: by timer for a policy that applies, else at a lookup.
    fn hold_back(
        &mut self,
        flight: Flight,
        id: Option<PolicyId>,
        until: Timestamp,
        step: &mut Step<'_>,
    ) {
        self.retry_at(Deadline::at(step.now, until), step.now);
        let is_new = self.state.is_new_id(id);
        let doubt = is_new.then(|| Doubt::HeldBack { until: until.to_utc() });
        self.settle(flight, None, doubt, step);
    }

    /// Makes sure that the next fetch comes at this time, or before it; never before it if one is
    /// due now.
    fn retry_at(&mut self, retry: Deadline, now: Timestamp) {
        let refresh = self.state.refresh;
        self.state.refresh = if refresh.is_due(now) { retry } else { refresh.or(retry) };
    }

    pub(super) fn policy(&mut self, ticket: u64, answer: PolicyAnswer, step: &mut Step<'_>) {
        let Some(flight) = self.land(ticket, Ask::Fetch) else { return };
        let Task::Fetch(id) = flight.task else { return };
        match answer {
            PolicyAnswer::Valid(policy) => {
                if self.state.is_new_id(id) {
                    self.state.budget.take(step.now);
                }
                self.fetched(id, &policy, step);
                self.settle(flight, Some(&policy), None, step);
            }
            PolicyAnswer::Failed(failure) => self.fetch_failed(flight, id, failure, step),
            PolicyAnswer::NotSent => self.unsent(flight, step),
        }
    }

    /// A policy was fetched: it replaces the one before, be it stricter or weaker (§8.3), and its
    /// life begins now.
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
        state.hold(Arc::clone(policy), step.now, known_id, Source::Fetched);
        if let Some(trouble) = &mut state.trouble {
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
        step.changed(Change::State);
        let same = previous.as_ref().is_some_and(|before| before.as_text() == policy.as_text());
        if same || (previous.is_none() && self.state.live(step.now).is_none()) {
            return;
        }
        step.changed(Change::Policy);
        step.event(EventKind::Updated { policy: Arc::clone(policy), previous });
    }

    /// A policy could not be fetched. The one in the cache stays (§3.3).
    fn fetch_failed(
        &mut self,
        flight: Flight,
        id: Option<PolicyId>,
        mut failure: Failure,
        step: &mut Step<'_>,
    ) {
        let noise = step.noise();
        let retry_after = failure.take_retry_after();
        let asked = retry_after.map_or(Span::ZERO, |it| self.state.grant(it, step.now, noise));
        let failure = Arc::new(failure);
        let live = self.state.live(step.now).is_some();
        let is_new = self.state.is_new_id(id);
        if is_new {
            self.state.budget.take(step.now);
        }
        let trouble = self.state.trouble();
        trouble.failure = Some(Arc::clone(&failure));
        trouble.attempts.fail(id, step.now, live, noise, asked);
        if let Some(until) = self.state.held_back(id, step.now) {
            self.retry_at(Deadline::at(step.now, until), step.now);
        }
        self.state.note_fetch_failure(id.is_some(), step);
        step.changed(Change::State);
        let doubt = (is_new || !live).then_some(Doubt::FetchFailed(failure));
        self.settle(flight, None, doubt, step);
    }

    /// Nothing was sent: nothing has failed, and nothing is known that was not known before.
    fn unsent(&mut self, flight: Flight, step: &mut Step<'_>) {
        if flight.task != Task::Query || self.state.refresh_is_due(step.now) {
            self.retry_at(Deadline::new(step.now, rule::UNSENT), step.now);
        }
        if self.state.live(step.now).is_none() && flight.lookups {
            let why = self.state.since_expiry(NoPolicy::Overloaded);
            step.out.answer = Some(Answer::NoPolicy(why));
        }
        self.settle(flight, None, Some(Doubt::Overloaded), step);
    }

    /// Discovery has come to an end, for now: those who wait are told.
    fn settle(
        &mut self,
        flight: Flight,
        fresh: Option<&Arc<Policy>>,
        doubt: Option<Doubt>,
        step: &mut Step<'_>,
    ) {
        if flight.lookups && step.out.answer.is_none() {
            step.out.answer = Some(self.settled_answer(fresh, step));
        }
        if let Some(recheck) = flight.recheck {
            self.settle_recheck(recheck, fresh, doubt, step);
        }
    }

    /// What applies, counting a policy just fetched even if its `max_age` is 0.
    pub(super) fn settled_answer(&self, fresh: Option<&Arc<Policy>>, step: &Step<'_>) -> Answer {
        let state = &self.state;
        match (fresh, state.held()) {
            (Some(_), Some(held)) => state.applied(held).cloned(),
            _ => state.answer(step.now).cloned(),
        }
    }

    pub(super) fn launch(
        &mut self,
        task: Task,
        lookups: bool,
        recheck: Option<Recheck>,
        over: Option<Deadline>,
        step: &mut Step<'_>,
    ) {
        let (ask, span) = match task {
            Task::Query => (Ask::Txt, step.config.txt_span()),
            Task::Fetch(_) => (Ask::Fetch, step.config.fetch_span()),
        };
        step.out.ask = Some(ask);
        let deadline = Deadline::new(step.now, span);
        let both = step.config.txt_span().plus(step.config.fetch_span());
        let over = over.unwrap_or(Deadline::new(step.now, both));
        let ticket = step.ticket;
        self.flight = Some(Box::new(Flight { ticket, deadline, over, task, lookups, recheck }));
    }
}
