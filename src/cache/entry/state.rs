//! The state of a domain, without the request in flight.

use alloc::{boxed::Box, sync::Arc};

use super::{
    attempts::{Attempts, Budget},
    failure_state::FailureState,
};
use crate::{
    cache::{
        answer::Source,
        clock::{Deadline, Hour, Span, Timestamp},
        config::Config,
        event::AlertKind,
        rule,
    },
    mode::Mode,
    no_policy::NoPolicy,
    policy::Policy,
    record::PolicyId,
};

/// The state of a domain. The policy is held beside the state of discovery, so that no outcome of
/// discovery can lose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cache) struct State {
    /// The last policy that was fetched, or that comes from the operator's list.
    policy: Option<Arc<Policy>>,
    /// The end of the last successful fetch (RFC 8461 §3.2: `max_age` counts from "the last policy
    /// fetch").
    fetched_at: Timestamp,
    /// The deadline for looking up the record again.
    pub(in crate::cache) record_check: Deadline,
    mode: Mode,
    source: Source,
    /// `true` if the policy was found to have expired.
    pub(in crate::cache) expired: bool,
    /// `true` if there were lookups on more than one day.
    pub(in crate::cache) used_on_two_days: bool,
    pub(in crate::cache) record: Record,
    /// The id that was known when the last successful fetch was requested.
    id: Option<PolicyId>,
    /// The deadline for fetching the policy again, whatever the record says.
    pub(in crate::cache) refresh: Deadline,
    pub(in crate::cache) new_id_budget: Budget,
    /// The hour of the last lookup.
    pub(in crate::cache) last_lookup: Option<Hour>,
    /// The number of days by which a lookup was noted later than `last_lookup`, because the clock
    /// was wrong then or is wrong now.
    pub(in crate::cache) days_ahead: u16,
    pub(in crate::cache) failures: Option<Box<FailureState>>,
}

/// The policy of a [`State`], with its dates, id, source and mode.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache) struct Held<'a> {
    pub(in crate::cache) policy: &'a Arc<Policy>,
    pub(in crate::cache) fetched_at: Timestamp,
    pub(in crate::cache) id: Option<PolicyId>,
    pub(in crate::cache) source: Source,
    pub(in crate::cache) mode: Mode,
    /// The end of the policy, if it is dated in the future.
    pub(in crate::cache) trusted_until: Option<Timestamp>,
}

/// The result of the last lookup of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub(in crate::cache) enum Record {
    Unknown,
    Found,
    Missing,
    Invalid,
    Failed,
}

impl Held<'_> {
    pub(in crate::cache) fn ends_at(self) -> Timestamp {
        match self.source {
            Source::Fetched => {
                let end = self.fetched_at.plus(self.max_age());
                self.trusted_until.map_or(end, |believed| believed.min(end))
            }
            Source::Static | Source::Pinned => Timestamp::MAX,
        }
    }

    pub(in crate::cache) fn max_age(self) -> Span {
        Span::of(self.policy.max_age())
    }

    pub(in crate::cache) fn has_same_text(self, other: &Policy) -> bool {
        self.policy.as_text() == other.as_text()
    }
}

impl State {
    pub(in crate::cache) const NEW: Self = Self {
        policy: None,
        fetched_at: Timestamp::MIN,
        id: None,
        source: Source::Fetched,
        mode: Mode::None,
        record_check: Deadline::PAST,
        refresh: Deadline::PAST,
        new_id_budget: Budget::FULL,
        last_lookup: None,
        days_ahead: 0,
        used_on_two_days: false,
        record: Record::Unknown,
        expired: false,
        failures: None,
    };

    /// Returns the last policy, whether it still applies or not.
    #[inline]
    pub(in crate::cache) fn held(&self) -> Option<Held<'_>> {
        let policy = self.policy.as_ref()?;
        let &Self { fetched_at, id, source, mode, .. } = self;
        let believed = self.failures.as_ref().and_then(|failures| failures.trusted_until);
        Some(Held { policy, fetched_at, id, source, mode, trusted_until: believed })
    }

    /// Returns whether there is no result of discovery yet.
    pub(in crate::cache) fn is_new(&self) -> bool {
        self.record == Record::Unknown && self.policy.is_none()
    }

    /// Returns the last policy, if it is the domain's own.
    pub(in crate::cache) fn fetched(&self) -> Option<Held<'_>> {
        self.held().filter(|held| held.source == Source::Fetched)
    }

    /// Sets the policy, and returns the previous one.
    pub(in crate::cache) fn set_policy(
        &mut self,
        policy: Arc<Policy>,
        fetched_at: Timestamp,
        id: Option<PolicyId>,
        source: Source,
    ) -> Option<Arc<Policy>> {
        self.fetched_at = fetched_at;
        self.id = id;
        self.source = source;
        self.mode = policy.mode();
        if let Some(trouble) = &mut self.failures {
            trouble.trusted_until = None;
        }
        self.expired = source == Source::Fetched && policy.max_age().is_zero();
        self.policy.replace(policy)
    }

    /// Replaces the policy with an equal one.
    pub(in crate::cache) fn replace_equal(&mut self, policy: Arc<Policy>) {
        self.policy = Some(policy);
    }

    /// Returns the policy that applies: "time-since-fetch has not exceeded its `max_age`" (RFC 8461
    /// §5.1). A policy of `max_age` 0 serves only the lookups that waited for it. A policy that is
    /// dated in the future, because the clock was set back, applies.
    pub(in crate::cache) fn live(&self, now: Timestamp) -> Option<Held<'_>> {
        self.held().filter(|held| {
            held.source != Source::Fetched || (now <= held.ends_at() && held.max_age() > Span::ZERO)
        })
    }

    /// Returns the live policy, if it was fetched and may cause alerts (RFC 8461 §10.2: not of mode
    /// `none`).
    pub(super) fn watched(&self, now: Timestamp) -> Option<Held<'_>> {
        let held = self.live(now)?;
        let fetched = held.source == Source::Fetched;
        (fetched && held.mode != Mode::None).then_some(held)
    }

    pub(super) fn id(&self) -> Option<PolicyId> {
        self.held().and_then(|held| held.id)
    }

    /// Returns whether the live policy must be fetched again now.
    pub(super) fn refresh_is_due(&self, now: Timestamp) -> bool {
        self.live(now).is_some_and(|held| held.source == Source::Fetched)
            && self.refresh.is_due(now)
    }

    /// Returns the time at which the live policy is refreshed by timer. Policies with a short
    /// lifetime, and those that have not been looked up for long, are not.
    pub(super) fn refresh_timer(&self, config: &Config) -> Option<Timestamp> {
        let held = self.fetched()?;
        if self.expired || held.max_age() < rule::SHORT_LIFE {
            return None;
        }
        let due = self.refresh.due();
        self.in_use(due, config).then_some(due)
    }

    /// Returns the time until which no fetch may be made for this id.
    pub(super) fn held_back(&self, id: Option<PolicyId>, now: Timestamp) -> Option<Timestamp> {
        let backoff =
            self.failures.as_ref().and_then(|failures| failures.attempts.held_until(id, now));
        let rate = if self.is_new_id(id) {
            self.new_id_budget.empty_until(now)
        } else {
            self.refetch_at(now)
        };
        backoff.max(rate)
    }

    /// Returns whether this is an id other than that of the present policy. Ids have no order: they
    /// are equal or different (RFC 8461 §3.1).
    pub(super) fn is_new_id(&self, id: Option<PolicyId>) -> bool {
        id.is_some() && id != self.id()
    }

    /// Returns the time at which an expired policy may be fetched again under the same id.
    fn refetch_at(&self, now: Timestamp) -> Option<Timestamp> {
        let held = self.held().filter(|_| self.live(now).is_none())?;
        let next = held.fetched_at.plus(rule::least_gap(held.max_age()));
        (held.fetched_at <= now && now < next).then_some(next)
    }

    /// Returns the end of the last fetch, whether it succeeded or failed.
    pub(super) fn last_fetch(&self) -> Option<Timestamp> {
        let failed = self.failures.as_ref().and_then(|failures| failures.attempts.last());
        self.fetched().map(|held| held.fetched_at).max(failed)
    }

    /// Returns whether no policy is known to be available, so that a lookup need not start
    /// discovery now.
    pub(super) fn knows_absence(&self, now: Timestamp) -> bool {
        if self.record_check.is_due(now) {
            return false;
        }
        match self.record {
            Record::Unknown => false,
            Record::Failed => true,
            Record::Missing | Record::Invalid => self.is_withdrawn(),
            Record::Found => self.held_back(self.known_id(), now).is_some(),
        }
    }

    /// Returns whether DNS has answered that there is no valid record. An answer from before the
    /// end of the last policy does not count.
    pub(super) fn is_withdrawn(&self) -> bool {
        let is_absent = matches!(self.record, Record::Missing | Record::Invalid);
        is_absent && self.held().is_none_or(|held| self.record_check.armed_at() > held.ends_at())
    }

    pub(super) fn known_id(&self) -> Option<PolicyId> {
        self.failures.as_ref().and_then(|failures| failures.pending_id).or_else(|| self.id())
    }

    /// Returns the source of the policy.
    pub(in crate::cache) const fn source(&self) -> Source {
        self.source
    }

    /// Returns the times at which the policy was fetched, and at which DNS last answered about a
    /// newer one.
    pub(in crate::cache) const fn dates(&self) -> (Timestamp, Timestamp) {
        (self.fetched_at, self.record_check.armed_at())
    }

    /// Returns the id of the record, if the last lookup found a valid one.
    pub(super) fn record_id(&self) -> Option<PolicyId> {
        self.known_id().filter(|_| self.record == Record::Found)
    }

    pub(super) fn no_policy(&self) -> NoPolicy {
        let why = match self.record {
            Record::Unknown => NoPolicy::Overloaded,
            Record::Missing => NoPolicy::NoRecord,
            Record::Invalid => NoPolicy::InvalidRecord(self.text()),
            Record::Failed => NoPolicy::DnsFailed(self.text()),
            Record::Found => {
                match self.failures.as_ref().and_then(|failures| failures.last_failure.clone()) {
                    Some(failure) => NoPolicy::FetchFailed(failure),
                    None if self.held().is_some() => NoPolicy::HeldBack,
                    // The fetch could not be sent.
                    None => NoPolicy::Overloaded,
                }
            }
        };
        self.since_expiry(why)
    }

    /// Returns the reason, with the last policy if that has expired. A policy of mode `none` is
    /// left out, because it may expire silently (RFC 8461 §8.3).
    pub(super) fn since_expiry(&self, why: NoPolicy) -> NoPolicy {
        let ended = self.held().filter(|held| held.mode != Mode::None);
        match ended {
            Some(held) if why.is_temporary() => NoPolicy::Expired {
                mode: held.mode,
                ended_at: held.ends_at().to_utc(),
                cause: Arc::new(why),
            },
            _ => why,
        }
    }

    pub(super) fn text(&self) -> Arc<str> {
        let text = self.failures.as_ref().and_then(|failures| failures.record_error.clone());
        text.unwrap_or_else(|| "the reason was lost".into())
    }

    pub(in crate::cache) fn failures_mut(&mut self) -> &mut FailureState {
        self.failures.get_or_insert_default()
    }

    /// Treats a stored policy that is dated in the future as fetched now, until the clock has
    /// reached its date.
    pub(in crate::cache) fn doubt_future(&mut self, now: Timestamp) {
        let Some(held) = self.fetched().filter(|held| now < held.fetched_at) else { return };
        let end = now.plus(held.max_age());
        let believed = held.trusted_until.map_or(end, |before| before.min(end));
        self.failures_mut().trusted_until = Some(believed);
    }

    /// Accepts the date of a policy that was dated in the future once the clock has reached it,
    /// unless the policy was found to have expired before.
    fn settle_future(&mut self, now: Timestamp) {
        let is_reached = self.held().is_some_and(|held| held.fetched_at <= now);
        if is_reached
            && !self.expired
            && let Some(trouble) = &mut self.failures
        {
            trouble.trusted_until = None;
        }
    }

    /// Rearms deadlines that are farther away than they can be, because the clock was set back. A
    /// policy that is dated in the future is refreshed, and one that had expired may apply again.
    pub(in crate::cache) fn rearm(&mut self, now: Timestamp) {
        self.new_id_budget.rearm(self.last_armed(), now);
        self.settle_future(now);
        self.rearm_use(now);
        if self.expired && self.live(now).is_some() {
            self.expired = false;
            if let Some(trouble) = &mut self.failures {
                trouble.last_alert = trouble.last_alert.min(Some(AlertKind::RefreshFailed));
            }
        }
        // Another thread may have read the clock a moment before.
        let later = now.plus(rule::CLOCK_SLACK);
        let from_future = self.held().is_some_and(|held| later < held.fetched_at);
        if from_future && now < self.refresh.armed_at() {
            self.refresh = Deadline::new(now, Span::ZERO);
        }
        self.record_check.rearm(now);
        self.refresh.rearm(now);
        if let Some(trouble) = &mut self.failures {
            trouble.attempts.rearm(now);
            trouble.absent_since = trouble.absent_since.map(|since| since.min(now));
        }
    }

    /// Returns the time at which a deadline was armed last: every fetch arms one when it ends.
    pub(in crate::cache) fn last_armed(&self) -> Timestamp {
        let failed = self.failures.as_ref().and_then(|failures| failures.attempts.last());
        let armed = self.record_check.armed_at().max(self.refresh.armed_at());
        failed.map_or(armed, |failed| armed.max(failed))
    }

    /// Returns whether the domain has no record, and never had a policy.
    pub(in crate::cache) fn is_absent(&self) -> bool {
        self.record == Record::Missing && self.policy.is_none()
    }

    /// Drops a failure state that is empty. That of a domain without a record and a policy becomes empty
    /// once it holds back no fetch.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        if self.is_absent() {
            self.drop_past_failures(now);
        }
        self.failures =
            self.failures.take().filter(|failures| **failures != FailureState::default());
    }

    fn drop_past_failures(&mut self, now: Timestamp) {
        self.new_id_budget.drop_past(now);
        // The time of a retry that was held back, as there is no policy to refresh.
        self.refresh = Deadline::PAST;
        let Some(trouble) = &mut self.failures else { return };
        trouble.attempts.drop_past(now);
        let holds_back =
            self.new_id_budget != Budget::FULL || trouble.attempts != Attempts::default();
        trouble.last_failure = trouble.last_failure.take().filter(|_| holds_back);
    }

    /// Limits deadlines that were read from a snapshot to those that a step could have set.
    pub(in crate::cache) fn limit(&mut self, config: &Config) {
        self.record_check.limit(rule::CHECK.1);
        self.refresh.limit(config.refresh_span());
        if let Some(trouble) = &mut self.failures {
            trouble.attempts.limit();
            trouble.confirming_fetches = trouble.confirming_fetches.min(2);
        }
    }
}
