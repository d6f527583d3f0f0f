//! The explanation of an entry, from its state.

use super::{
    Entry,
    state::{Record, State},
    step::{Context, EntryRequest, Input, Outputs},
};
use crate::{
    cache::{
        answer::Source,
        clock::Timestamp,
        explanation::{
            AnswerChange, CachedPolicy, CachedRecord, Explanation, Origin, RequestInFlight,
        },
    },
    domain::Domain,
};

impl Entry {
    /// Explains the answer of a lookup. A copy of the entry makes the step of that lookup, so that
    /// both agree.
    pub(in crate::cache) fn explain(&self, at: &Context<'_>) -> Explanation {
        let mut entry = self.clone();
        let _ = entry.pass_time(at);
        let lookup = entry.clone().step(Input::Lookup, at);
        let (state, now) = (&entry.state, Timestamp::of(at.now));
        let failures = state.failures.as_ref();
        let in_flight = entry.request_in_flight();
        Explanation {
            domain: at.domain.clone(),
            at: now.to_utc(),
            change: entry.next_change(&lookup, now),
            answer: lookup.answer,
            is_saving: false,
            origin: state.origin(),
            policy: state.cached_policy(),
            record: state.cached_record(at.domain),
            fetch_failure: failures.and_then(|failures| failures.last_failure.as_deref().cloned()),
            fetch_failures_in_a_row: failures.map_or(0, |known| known.attempts.most_failures()),
            backoff_until: state.backoff_until(now).map(Timestamp::to_utc),
            in_flight,
            query_at: in_flight.is_none().then(|| state.query_at(now).max(now).to_utc()),
            refresh_at: state
                .refresh_timer(at.config)
                .filter(|_| in_flight.is_none() && state.live(now).is_some())
                .map(Timestamp::to_utc),
            last_used: state.last_lookup.map(|hour| hour.start().to_utc()),
        }
    }

    fn request_in_flight(&self) -> Option<RequestInFlight> {
        let flight = self.in_flight.as_ref()?;
        let request = if self.is_fetching() { EntryRequest::Fetch } else { EntryRequest::Txt };
        Some(RequestInFlight { request, until: flight.deadline.due().to_utc() })
    }

    /// Returns the event that changes the answer of this lookup.
    fn next_change(&self, lookup: &Outputs, now: Timestamp) -> AnswerChange {
        match self.state.live(now) {
            Some(held) if held.source == Source::Static => AnswerChange::OwnPolicy,
            Some(_) => AnswerChange::NewPolicy,
            None if self.in_flight.is_some() => AnswerChange::Response,
            None if lookup.answer.is_none() => AnswerChange::Lookup,
            None if self.state.record == Record::Found => AnswerChange::Fetch,
            None => AnswerChange::Record,
        }
    }
}

impl State {
    fn origin(&self) -> Option<Origin> {
        self.held().map(|held| match held.source {
            Source::Fetched => Origin::Fetched,
            Source::Static => Origin::Static,
            Source::Pinned => Origin::Pinned,
        })
    }

    fn cached_policy(&self) -> Option<CachedPolicy> {
        let held = self.held()?;
        let is_fetched = held.source == Source::Fetched;
        Some(CachedPolicy {
            policy: held.policy.clone(),
            id: held.id,
            fetched_at: held.fetched_at.to_utc(),
            ends_at: is_fetched.then(|| held.ends_at().to_utc()),
        })
    }

    fn cached_record(&self, domain: &Domain) -> Option<CachedRecord> {
        if self.record == Record::Unknown {
            return None;
        }
        let is_failed = self.record == Record::Failed;
        let failures = self.failures.as_ref().filter(|_| is_failed);
        Some(CachedRecord {
            id: self.record_id(),
            looked_up_at: self.record_check.armed_at().to_utc(),
            ttl: self.record_check.span().into(),
            failure: self.record_failure(domain),
            failures_in_a_row: failures.map_or(0, |failures| failures.dns_failures),
        })
    }

    /// Returns the time before which no policy is fetched. While the record is unknown, it is that of
    /// the id which is held back longest.
    fn backoff_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.record != Record::Unknown {
            return self.held_back(self.record_id(), now);
        }
        let failures = self.failures.as_ref();
        let backoff = failures.and_then(|failures| failures.attempts.hold_back_until(now));
        backoff.max(self.new_id_budget.empty_until(now))
    }

    /// Returns the time from which a lookup queries the record, if no request is in flight.
    fn query_at(&self, now: Timestamp) -> Timestamp {
        let check = self.record_check.due();
        match self.live(now) {
            Some(held) if held.source == Source::Fetched => {
                check.min(self.refresh.due()).min(held.ends_at().next())
            }
            None if !self.knows_absence(now) => now,
            None if self.record == Record::Found => {
                self.held_back(self.known_id(), now).map_or(check, |until| check.min(until))
            }
            Some(_) | None => check,
        }
    }
}
