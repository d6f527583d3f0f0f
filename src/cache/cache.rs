//! The cache, and lookups that do not change it.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::fmt;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use time::UtcDateTime;

use super::{
    answer::Answer,
    clock::{Tick, Timestamp},
    config::Config,
    counters::Counters,
    entries::Found,
    entry::{AppliedPolicyRef, Overdue},
    event::{Event, LookupId},
    failures::Failures,
    history::History,
    index::Key,
    overrides::Override,
    place::{Form, Place},
    policies::Policies,
    queue::Queued,
    room::RoomShare,
    sweep::Sweep,
    table::Table,
    unsaved::Unsaved,
    waiting::{PendingAnswers, Waiters},
};
#[cfg(any(feature = "blocking", feature = "tokio"))]
use super::{room::SharedRoom, unsaved::StoreHealth};
use crate::{domain::Domain, no_policy::NoPolicy};

/// A bounded cache of policies: one state machine for each domain, with deadlines and pending
/// lookups.
pub struct Cache {
    pub(super) config: Config,
    pub(super) table: Table,
    pub(super) policies: Policies,
    pub(super) overrides: HashMap<u32, Override, FixedState>,
    pub(super) waiting: BTreeMap<u32, Waiters>,
    /// The slots with a request in flight, or with answers that wait for a save.
    pub(super) in_flight: BTreeSet<u32>,
    /// The last fetch of each entry that timed out, if nothing was fetched since.
    pub(super) overdue: BTreeMap<u32, Overdue>,
    pub(super) failures: Failures,
    pub(super) unsaved: Unsaved,
    pub(super) sweep: Sweep,
    pub(super) share: RoomShare,
    pub(super) queue: VecDeque<Queued>,
    pub(super) events: VecDeque<Event>,
    /// Answers to emit after the events.
    pub(super) answers: VecDeque<(Domain, PendingAnswers)>,
    /// The number that was last assigned to a request or a waiter.
    pub(super) number: u64,
    /// The latest `now` of any call.
    pub(super) latest: Timestamp,
    /// The tick below which a `now` means that the clock was set back. Within it a `now` may mean
    /// that.
    pub(super) earliest: Tick,
    /// The times before the clock was set ahead and after it was set ahead last, if it may be wrong.
    pub(super) jump: Option<(Timestamp, Timestamp)>,
    /// The times that earlier processes have noted.
    pub(super) history: History,
    /// The first place whose deadlines and class have not yet been set again after the clock was set
    /// back, or has proven right.
    pub(super) unarmed: Option<u32>,
    /// The number of expired policies that eviction may rearm before more is rearmed.
    pub(super) rearms_left: usize,
    /// The bytes of the entries, without the policies.
    pub(super) bytes: usize,
    pub(super) counters: Counters,
    /// Keeps all entries in slots, for comparison.
    #[cfg(test)]
    pub(super) never_folds: bool,
}

/// Shows counts and no contents: a cache may hold millions of domains.
impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("entries", &self.len())
            .field("policies", &self.policy_count())
            .field("bytes", &self.memory_usage())
            .field("pending", &self.waiting.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// The result of a lookup: the answer, or the id of a pending lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an answer that has to be waited for comes as an event"]
pub enum Lookup<'a> {
    /// The answer is known.
    Answer(Answer<AppliedPolicyRef<'a>>),
    /// Discovery is needed. The answer follows as
    /// [`EventKind::Answered`](super::EventKind::Answered) with this id.
    Waiting(LookupId),
}

/// Creation, and read-only access.
impl Cache {
    /// Creates an empty cache.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            table: Table::new(config.seed()),
            policies: Policies::new(config.seed()),
            overrides: HashMap::default(),
            waiting: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            overdue: BTreeMap::new(),
            failures: Failures::default(),
            unsaved: Unsaved::default(),
            sweep: Sweep::default(),
            share: RoomShare::default(),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            answers: VecDeque::new(),
            number: 0,
            latest: Timestamp::MIN,
            earliest: Tick::FIRST,
            jump: None,
            history: History::NONE,
            unarmed: None,
            rearms_left: 0,
            bytes: 0,
            counters: Counters::default(),
            #[cfg(test)]
            never_folds: false,
        }
    }

    /// Creates a cache that shares its bounds, and its store, with all caches of this room.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn within(config: Config, room: SharedRoom, store: StoreHealth) -> Self {
        Self { share: RoomShare::of(room), unsaved: Unsaved::of(store), ..Self::new(config) }
    }

    /// Returns the cached answer without changing the cache, or `None` if a
    /// [`lookup`](Self::lookup) would change it.
    ///
    /// `None` does not mean that there is no policy. It means that a lookup may have work to do, if
    /// only to note once an hour that the domain is in use; it is always `None` for domains that
    /// the operator has pinned or disabled, and for those whose fetch is held back. Many threads
    /// may call this at the same time. It allocates nothing for a domain with a policy or without a
    /// record.
    #[must_use]
    #[inline]
    pub fn get(&self, domain: &Domain, now: UtcDateTime) -> Option<Answer<AppliedPolicyRef<'_>>> {
        self.answer_by(self.table.key(domain), domain, Tick::of(now), || now)
    }

    /// Returns the cached answer as [`get`](Self::get) does, for a domain with this hash. The date
    /// is asked for only if the answer depends on more than the tick that it is in.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    #[inline]
    pub(crate) fn get_by(
        &self,
        hash: u64,
        domain: &Domain,
        tick: Tick,
        now: impl FnOnce() -> UtcDateTime,
    ) -> Option<Answer<AppliedPolicyRef<'_>>> {
        self.answer_by(Key::of(hash), domain, tick, now)
    }

    #[expect(clippy::inline_always, reason = "a call would cost a tenth of a lookup")]
    #[inline(always)]
    fn answer_by(
        &self,
        key: Key,
        domain: &Domain,
        tick: Tick,
        now: impl FnOnce() -> UtcDateTime,
    ) -> Option<Answer<AppliedPolicyRef<'_>>> {
        let found = self.find_calm(key, domain, tick)?;
        let answer = found.answer();
        if answer.is_some() { answer } else { self.calm_answer(found.place, now()) }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the caller returns it without a copy")]
    #[cold]
    fn calm_answer(&self, place: Place, now: UtcDateTime) -> Option<Answer<AppliedPolicyRef<'_>>> {
        Some(self.answer(place, now))
    }

    /// Returns the entry of a domain with this key, if a lookup has nothing to do.
    #[expect(clippy::inline_always, reason = "a call would cost a tenth of a lookup")]
    #[inline(always)]
    pub(super) fn find_calm(&self, key: Key, domain: &Domain, now: Tick) -> Option<Found<'_>> {
        let found = self.table.find_by(key, domain)?;
        if self.earliest < now && now < found.calm_before { Some(found) } else { None }
    }

    /// Returns the settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the number of domains, including those without a policy.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns whether the cache holds no domain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the estimated size of the cache in bytes: entries, names and policies. The memory of
    /// removed entries is not counted. It is not returned to the system but used for new entries of
    /// the same form, with or without a record, so that a cache which was full of one form and is
    /// full of the other now takes up to twice as much.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        self.bytes.saturating_add(self.policies.bytes())
    }

    /// Returns the number of distinct policies. Policies of equal content are stored once.
    #[must_use]
    pub fn policy_count(&self) -> usize {
        self.policies.len()
    }

    /// Returns the counters since the cache was created.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns the answer as far as it is known.
    pub(super) fn answer(&self, place: Place, now: UtcDateTime) -> Answer<AppliedPolicyRef<'_>> {
        match place.form() {
            Form::Slot(slot) => self.slot_answer(slot, now),
            Form::Row(_) => Answer::NoPolicy(NoPolicy::NoRecord),
        }
    }

    #[cold]
    pub(super) fn slot_answer(&self, slot: u32, now: UtcDateTime) -> Answer<AppliedPolicyRef<'_>> {
        if let Some(found) = self.overrides.get(&slot) {
            return found.answer();
        }
        match self.table.get(slot) {
            Some(slot) => slot.entry.state.answer(Timestamp::of(now)),
            None => Answer::NoPolicy(NoPolicy::Overloaded),
        }
    }
}
