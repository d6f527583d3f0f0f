//! What is known about a domain: everything but the request that is out.

use alloc::{boxed::Box, sync::Arc};

use super::backoff::{Attempts, Budget};
use crate::{
    cache::{
        answer::Source,
        clock::{Deadline, Hour, Span, Timestamp},
        config::{Config, rule},
        event::AlertKind,
    },
    failure::Failure,
    mode::Mode,
    no_policy::NoPolicy,
    policy::Policy,
    record::PolicyId,
};

/// The policy stands beside the state of discovery, so that nothing that happens to discovery can
/// lose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cache) struct State {
    /// The last policy that was fetched, or that the operator's list gives.
    policy: Option<Arc<Policy>>,
    /// When the last successful fetch ended (§3.2: `max_age` counts from "the last policy fetch").
    fetched_at: Timestamp,
    /// When the record must be looked up again.
    pub(in crate::cache) check: Deadline,
    mode: Mode,
    source: Source,
    /// Whether it is known that the policy does not apply any more.
    pub(in crate::cache) lapsed: bool,
    /// Whether lookups were on more than one day.
    pub(in crate::cache) regular: bool,
    pub(in crate::cache) record: Record,
    /// The id known when the last successful fetch was asked for.
    id: Option<PolicyId>,
    /// When the policy must be fetched again, whatever the record says.
    pub(in crate::cache) refresh: Deadline,
    pub(in crate::cache) budget: Budget,
    /// When the domain was last looked up.
    pub(in crate::cache) used: Option<Hour>,
    /// So many days later it was looked up by a clock that stood wrong, unless it stands wrong now.
    pub(in crate::cache) ahead: u16,
    pub(in crate::cache) trouble: Option<Box<Trouble>>,
}

/// The policy of a [`State`], with what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache) struct Held<'a> {
    pub(in crate::cache) policy: &'a Arc<Policy>,
    pub(in crate::cache) fetched_at: Timestamp,
    pub(in crate::cache) id: Option<PolicyId>,
    pub(in crate::cache) source: Source,
    pub(in crate::cache) mode: Mode,
    /// Until when it is believed, if it is dated in the future.
    pub(in crate::cache) believed: Option<Timestamp>,
}

/// What is known of the domain's record.
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

/// What most domains never have: their state is small without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cache) struct Trouble {
    pub(in crate::cache) attempts: Attempts,
    /// The id in DNS, if its policy has not been had yet.
    pub(in crate::cache) known: Option<PolicyId>,
    /// What is wrong with the record, or with DNS.
    pub(in crate::cache) text: Option<Arc<str>>,
    /// How fetching failed last.
    pub(in crate::cache) failure: Option<Arc<Failure>>,
    pub(in crate::cache) dns_failures: u32,
    /// How many fetches are to come that look for the body behind a new id.
    pub(in crate::cache) confirm: u8,
    /// Whether such fetches were armed for the body that is held: another id does not arm them again,
    /// or whoever changes the id with every answer keeps them coming for ever.
    pub(in crate::cache) confirm_armed: bool,
    pub(in crate::cache) absent_since: Option<Timestamp>,
    pub(in crate::cache) absence_told: bool,
    /// What the operator was told last.
    pub(in crate::cache) told: Option<AlertKind>,
    /// Until when a stored policy that is dated in the future is believed.
    pub(in crate::cache) believed: Option<Timestamp>,
}

impl Held<'_> {
    pub(in crate::cache) fn ends_at(self) -> Timestamp {
        match self.source {
            Source::Fetched => {
                let end = self.fetched_at.plus(self.max_age());
                self.believed.map_or(end, |believed| believed.min(end))
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
        check: Deadline::PAST,
        refresh: Deadline::PAST,
        budget: Budget::FULL,
        used: None,
        ahead: 0,
        regular: false,
        record: Record::Unknown,
        lapsed: false,
        trouble: None,
    };

    /// The last policy, whether it still applies or not.
    #[inline]
    pub(in crate::cache) fn held(&self) -> Option<Held<'_>> {
        let policy = self.policy.as_ref()?;
        let &Self { fetched_at, id, source, mode, .. } = self;
        let believed = self.trouble.as_ref().and_then(|it| it.believed);
        Some(Held { policy, fetched_at, id, source, mode, believed })
    }

    /// Whether nothing has been found out yet.
    pub(in crate::cache) fn is_new(&self) -> bool {
        self.record == Record::Unknown && self.policy.is_none()
    }

    /// The last policy, if it is the domain's own.
    pub(in crate::cache) fn fetched(&self) -> Option<Held<'_>> {
        self.held().filter(|held| held.source == Source::Fetched)
    }

    /// Holds a policy in the place of the one before, which is given back.
    pub(in crate::cache) fn hold(
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
        if let Some(trouble) = &mut self.trouble {
            trouble.believed = None;
        }
        self.lapsed = source == Source::Fetched && policy.max_age().is_zero();
        self.policy.replace(policy)
    }

    /// Holds an equal policy in the place of the one held.
    pub(in crate::cache) fn set_policy(&mut self, policy: Arc<Policy>) {
        self.policy = Some(policy);
    }

    /// The policy that applies: "time-since-fetch has not exceeded its `max_age`" (§5.1). One of
    /// `max_age` 0 serves only those who waited for it. A policy from the future, which is what a
    /// clock set back makes of it, applies.
    pub(in crate::cache) fn live(&self, now: Timestamp) -> Option<Held<'_>> {
        self.held().filter(|held| {
            held.source != Source::Fetched || (now <= held.ends_at() && held.max_age() > Span::ZERO)
        })
    }

    /// The live policy, if it was fetched and the operator wants to hear of it (§10.2: not of mode
    /// `none`).
    pub(super) fn watched(&self, now: Timestamp) -> Option<Held<'_>> {
        let held = self.live(now)?;
        let fetched = held.source == Source::Fetched;
        (fetched && held.mode != Mode::None).then_some(held)
    }

    pub(super) fn id(&self) -> Option<PolicyId> {
        self.held().and_then(|held| held.id)
    }

    /// Whether the live policy must be fetched again now.
    pub(super) fn refresh_is_due(&self, now: Timestamp) -> bool {
        self.live(now).is_some_and(|held| held.source == Source::Fetched)
            && self.refresh.is_due(now)
    }

    /// When the live policy is fetched again without being asked: policies of a short life are not,
    /// nor are those that nobody has looked up for long.
    pub(super) fn refresh_timer(&self, config: &Config) -> Option<Timestamp> {
        let held = self.fetched()?;
        if self.lapsed || held.max_age() < rule::SHORT_LIFE {
            return None;
        }
        let due = self.refresh.due();
        self.in_use(due, config).then_some(due)
    }

    /// Until when no fetch may be made for this id.
    pub(super) fn held_back(&self, id: Option<PolicyId>, now: Timestamp) -> Option<Timestamp> {
        let backoff = self.trouble.as_ref().and_then(|it| it.attempts.held_until(id, now));
        let rate =
            if self.is_new_id(id) { self.budget.empty_until(now) } else { self.refetch_at(now) };
        backoff.max(rate)
    }

    /// Whether this is an id, and not the one whose policy is held. Ids have no order: "differs" is
    /// all there is to know (§3.1).
    pub(super) fn is_new_id(&self, id: Option<PolicyId>) -> bool {
        id.is_some() && id != self.id()
    }

    /// When a policy that has ended may be fetched again under the same id.
    fn refetch_at(&self, now: Timestamp) -> Option<Timestamp> {
        let held = self.held().filter(|_| self.live(now).is_none())?;
        let next = held.fetched_at.plus(rule::least_gap(held.max_age()));
        (held.fetched_at <= now && now < next).then_some(next)
    }

    /// When the last fetch ended, well or not.
    pub(super) fn last_fetch(&self) -> Option<Timestamp> {
        let failed = self.trouble.as_ref().and_then(|it| it.attempts.last());
        self.fetched().map(|held| held.fetched_at).max(failed)
    }

    /// Whether the absence of a policy need not be looked into now.
    pub(super) fn knows_absence(&self, now: Timestamp) -> bool {
        if self.check.is_due(now) {
            return false;
        }
        match self.record {
            Record::Unknown => false,
            Record::Failed => true,
            Record::Missing | Record::Invalid => self.is_withdrawn(),
            Record::Found => self.held_back(self.known_id(), now).is_some(),
        }
    }

    /// Returns whether DNS has said since the end of the last policy that there is no record. Such an
    /// answer from before that end does not count.
    pub(super) fn is_withdrawn(&self) -> bool {
        let is_absent = matches!(self.record, Record::Missing | Record::Invalid);
        is_absent && self.held().is_none_or(|held| self.check.armed_at() > held.ends_at())
    }

    pub(super) fn known_id(&self) -> Option<PolicyId> {
        self.trouble.as_ref().and_then(|it| it.known).or_else(|| self.id())
    }

    /// Where the policy comes from.
    pub(in crate::cache) const fn source(&self) -> Source {
        self.source
    }

    /// When the policy was fetched, and when DNS was last asked for a newer one.
    pub(in crate::cache) const fn dates(&self) -> (Timestamp, Timestamp) {
        (self.fetched_at, self.check.armed_at())
    }

    pub(super) fn no_policy(&self) -> NoPolicy {
        let why = match self.record {
            Record::Unknown => NoPolicy::Overloaded,
            Record::Missing => NoPolicy::NoRecord,
            Record::Invalid => NoPolicy::InvalidRecord(self.text()),
            Record::Failed => NoPolicy::DnsFailed(self.text()),
            Record::Found => match self.trouble.as_ref().and_then(|it| it.failure.clone()) {
                Some(failure) => NoPolicy::FetchFailed(failure),
                None if self.held().is_some() => NoPolicy::HeldBack,
                // The fetch could not be sent.
                None => NoPolicy::Overloaded,
            },
        };
        self.since_expiry(why)
    }

    /// The reason, with the policy that has ended if that is to be regretted: the silent end of a
    /// policy of mode `none` is not (§8.3).
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

    fn text(&self) -> Arc<str> {
        let text = self.trouble.as_ref().and_then(|it| it.text.clone());
        text.unwrap_or_else(|| "the reason was lost".into())
    }

    pub(in crate::cache) fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    /// Takes a stored policy that is dated in the future for one that was fetched now, as long as the
    /// clock has not reached its date.
    pub(in crate::cache) fn doubt_future(&mut self, now: Timestamp) {
        let Some(held) = self.fetched().filter(|held| now < held.fetched_at) else { return };
        let end = now.plus(held.max_age());
        let believed = held.believed.map_or(end, |before| before.min(end));
        self.trouble().believed = Some(believed);
    }

    /// Believes a policy dated in the future once the clock has reached its date, unless it was seen
    /// to have ended before.
    fn settle_future(&mut self, now: Timestamp) {
        let is_reached = self.held().is_some_and(|held| held.fetched_at <= now);
        if is_reached
            && !self.lapsed
            && let Some(trouble) = &mut self.trouble
        {
            trouble.believed = None;
        }
    }

    /// Arms anew what lies farther away than it can: the clock was set back. A policy from the
    /// future is to be refreshed, and one that had ended may apply again.
    pub(in crate::cache) fn rearm(&mut self, now: Timestamp) {
        self.settle_future(now);
        self.rearm_use(now);
        if self.lapsed && self.live(now).is_some() {
            self.lapsed = false;
            if let Some(trouble) = &mut self.trouble {
                trouble.told = trouble.told.min(Some(AlertKind::RefreshFailed));
            }
        }
        let from_future = self.held().is_some_and(|held| now < held.fetched_at);
        if from_future && now < self.refresh.armed_at() {
            self.refresh = Deadline::new(now, Span::ZERO);
        }
        self.check.rearm(now);
        self.refresh.rearm(now);
        self.budget.rearm(now);
        if let Some(trouble) = &mut self.trouble {
            trouble.attempts.rearm(now);
            trouble.absent_since = trouble.absent_since.map(|since| since.min(now));
        }
    }

    /// Drops what tells nothing.
    pub(super) fn tidy(&mut self) {
        self.trouble = self.trouble.take().filter(|it| **it != Trouble::default());
    }

    /// Bounds what was read from a snapshot, so that nothing in it lies beyond what this machine
    /// would ever wait for.
    pub(in crate::cache) fn limit(&mut self, config: &Config) {
        self.check.limit(rule::CHECK.1);
        self.refresh.limit(config.refresh);
        if let Some(trouble) = &mut self.trouble {
            trouble.attempts.limit();
            trouble.confirm = trouble.confirm.min(2);
        }
    }
}
