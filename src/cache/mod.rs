//! What applies to a domain now: the policy cache as a state machine.
mod answer;
mod bounds;
mod clock;
mod config;
mod deadlines;
mod drive;
mod entry;
mod event;
mod operator;
mod order;
mod policies;
mod request;
mod restart;
mod snapshot;
mod table;
mod view;
mod waiting;

use alloc::{collections::VecDeque, sync::Arc};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use time::UtcDateTime;

pub use self::{
    answer::{Answer, Applied, Source},
    config::Config,
    entry::{Ask, At, Change, Entry, Input, Outputs},
    event::{Alert, AlertKind, Doubt, Event, EventKind, Outcome, Rechecked, Waiter},
    operator::{CacheFull, StaticOutcome},
    request::{FetchRequestId, PersistRequestId, PolicyAnswer, Request, TxtAnswer, TxtRequestId},
    restart::Restored,
    snapshot::{Damage, DamageKind, Snapshot},
    view::{Counters, View},
};
use self::{
    bounds::Override, clock::Timestamp, drive::Queued, policies::Policies, table::Table,
    waiting::Waiting,
};
use crate::{domain::Domain, no_policy::NoPolicy, policy::Policy};

/// Many domains' machines, with their deadlines, bounds and waiters.
#[derive(Debug)]
pub struct Cache {
    config: Config,
    table: Table,
    policies: Policies,
    overrides: HashMap<u32, Override, FixedState>,
    waiting: HashMap<u32, Waiting, FixedState>,
    queue: VecDeque<Queued>,
    events: VecDeque<Event>,
    /// The number given last, to a request or a waiter.
    number: u64,
    /// The latest `now` that was seen.
    latest: Timestamp,
    /// What the entries take, without the policies.
    bytes: usize,
    counters: Counters,
}

/// The answer to a lookup, or whom it will be given to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an answer that has to be waited for comes as an event"]
pub enum Lookup<'a> {
    /// This applies.
    Answer(Answer<&'a Arc<Policy>>),
    /// It has to be found out: the answer comes as [`EventKind::Answered`].
    Waiting(Waiter),
}

/// What there is to know.
impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            table: Table::new(config.seed()),
            policies: Policies::new(config.seed()),
            overrides: HashMap::default(),
            waiting: HashMap::default(),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            number: 0,
            latest: Timestamp::MIN,
            bytes: 0,
            counters: Counters::default(),
        }
    }

    /// What applies, if that is known and a [`lookup`](Self::lookup) would do nothing but say so.
    ///
    /// `None` does not mean that there is no policy: it means that a lookup has something to do, be it
    /// only to note that the domain is still in use, which happens once an hour. Many threads may
    /// call this at once. It allocates nothing for a domain with a policy or without a record.
    #[must_use]
    #[inline]
    pub fn get(&self, domain: &Domain, now: UtcDateTime) -> Option<Answer<&Arc<Policy>>> {
        let slot = self.calm(domain, Timestamp::of(now))?;
        Some(self.calm_answer(slot, domain))
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many domains it knows of, those without a policy included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether it knows of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it takes, about: entries, names, policies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.saturating_add(self.policies.bytes())
    }

    /// How many different policies it holds: those that are equal in content are kept once.
    #[must_use]
    pub fn policies(&self) -> usize {
        self.policies.len()
    }

    /// What has been counted since it was made.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The slot of a domain about which there is nothing to be done.
    #[inline]
    fn calm(&self, domain: &Domain, now: Timestamp) -> Option<u32> {
        let slot = self.table.find(domain)?;
        let calm_until = self.table.get(slot)?.calm_until;
        (now <= calm_until && !self.is_before_latest(now)).then_some(slot)
    }

    #[inline]
    fn calm_answer(&self, slot: u32, domain: &Domain) -> Answer<&Arc<Policy>> {
        match self.table.get(slot) {
            Some(slot) => slot.entry.state.calm_answer(domain),
            None => Answer::NoPolicy(NoPolicy::Overloaded),
        }
    }

    fn answer(&self, slot: u32, domain: &Domain, now: UtcDateTime) -> Answer<&Arc<Policy>> {
        if let Some(found) = self.overrides.get(&slot) {
            return found.answer();
        }
        match self.table.get(slot) {
            Some(slot) => slot.entry.state.answer(domain, Timestamp::of(now)),
            None => Answer::NoPolicy(NoPolicy::Overloaded),
        }
    }
}
