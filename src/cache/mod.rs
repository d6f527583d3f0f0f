//! What applies to a domain now: the policy cache (RFC 8461 §§3.3, 5.1, 8, 10.2) as a state machine.
//!
//! A [`Cache`] knows many domains. It is asked with [`lookup`](Cache::lookup), says what it needs done
//! through [`poll_request`](Cache::poll_request), is told what came of it, and tells what happened
//! through [`poll_event`](Cache::poll_event). It has no socket, no clock and no thread; whoever
//! drives it has.
//!
//! ```
//! use core::time::Duration;
//!
//! use mta_sts::{
//!     Domain,
//!     cache::{Cache, Config, EventKind, Lookup, PolicyAnswer, Request, TxtAnswer},
//! };
//! use time::macros::utc_datetime;
//!
//! # fn query_txt(_name: &str) -> TxtAnswer {
//! #     TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300))
//! # }
//! # fn https_get(_url: &str) -> &'static [u8] {
//! #     b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n"
//! # }
//! let now = utc_datetime!(2026-01-01 0:00); // from the clock
//! let mut cache = Cache::new(Config::new(7)); // from the system's random numbers
//! let domain = Domain::parse("example.com")?;
//!
//! let waiter = match cache.lookup(&domain, now) {
//!     Lookup::Waiting(waiter) => waiter,
//!     Lookup::Answer(answer) => unreachable!("nothing is known yet: {answer:?}"),
//! };
//!
//! // After every input: do what is asked, hear what happened, until there is no more; then sleep
//! // until `poll_timeout`, and call `handle_timeout`.
//! let mut policy = None;
//! loop {
//!     if let Some(request) = cache.poll_request() {
//!         match request {
//!             Request::Txt { id, domain } => {
//!                 cache.handle_txt(id, query_txt(&domain.txt_name()), now);
//!             }
//!             Request::Fetch { id, domain } => {
//!                 let body = https_get(&domain.policy_url());
//!                 cache.handle_policy(id, PolicyAnswer::from_body(&domain, body), now);
//!             }
//!             other => unreachable!("not without persistence: {other:?}"),
//!         }
//!     } else if let Some(event) = cache.poll_event() {
//!         match event.kind {
//!             EventKind::Answered { waiter: who, answer } if who == waiter => {
//!                 policy = answer.into_policy().ok();
//!             }
//!             other => println!("{}: {other:?}", event.domain), // to the log
//!         }
//!     } else {
//!         break;
//!     }
//! }
//! assert!(policy.unwrap().matches("mx.example.com"));
//! // From now on the answer is at hand. The policy is fetched again within the day.
//! assert!(matches!(cache.lookup(&domain, now), Lookup::Answer(_)));
//! assert!(cache.poll_timeout().unwrap() < now + Duration::from_secs(86_400));
//! # Ok::<(), mta_sts::DomainError>(())
//! ```
//!
//! # The machine
//!
//! Each domain has a machine of its own, an [`Entry`], which can also be used alone. The policy stands
//! *beside* the state of discovery: whatever happens to discovery, the policy applies until its
//! `max_age` is over or another is fetched.
//!
//! ```text
//!                    lookup: no policy applies, and none is known to be absent
//!                    lookup: the record's TTL has passed
//!                    timer:  a refresh is due           recheck, refresh
//!              ┌──────┐ ────────────────────────────────────────────────▶ ┌──────────┐
//!              │      │                                                   │ Querying │ TXT, 10 s
//!              │      │ ◀──────────────────────────────────────────────── │          │
//!              │ Idle │   the id is the one held · no record ·            └──────────┘
//!              │      │   DNS failed · it is too early to fetch                │ another id, no policy,
//!              │      │                                                        │ or a refresh is due
//!              │      │   a valid policy: it replaces the one held             ▼
//!              │      │ ◀──────────────────────────────────────────────── ┌──────────┐
//!              └──────┘   anything else: back-off is noted                │ Fetching │ HTTPS, 60 s
//!                                                                         └──────────┘
//! ```
//!
//! | what | rule | from |
//! | --- | --- | --- |
//! | a policy applies | for its `max_age` after it was fetched; an unchanged id in DNS does not prolong that | §3.2, §5.1 |
//! | the record is asked for | at the next lookup after its TTL, 1 min to 1 day; a policy that applies is given out meanwhile | §8.1 |
//! | a new id | leads to a fetch at once, three times, then once in 5 min | §3.3 |
//! | the policy is fetched again | daily, earlier by up to a quarter and by half of its life (a life of 2 h to 2 h 30 min: after 60 to 75 min); whatever the record says; no more after 180 days without a lookup | §3.3, §10.2 |
//! | an old body behind a new id | is fetched again after 5 min, and after another 55; once for each body | §8.1 |
//! | a fetch fails | the next for the same id waits 5 min, doubling to an hour while a policy applies | §3.3 |
//! | there is no valid record | that is believed for the negative TTL, 1 min to 1 h, 5 min if there is none | RFC 2308 |
//! | DNS fails | it is asked again after 30 s, doubling to 5 min | RFC 2308 §7 |
//! | [`recheck`](Cache::recheck) | asks DNS and the Policy Host, whatever is known; a body fetched since, or within 5 min before, settles it whatever the id | §5, §5.1 |
//! | the clock is set back | lives grow by as much, nothing is lost, no deadline stalls; with [`clock_set`](Cache::clock_set), what is out keeps the time it had left | |
//!
//! # What can be relied on
//!
//! While the policy fetched last has not ended, and has not been evicted as
//! [`Config::with_max_entries`] says, no failure of DNS or HTTPS, no false record, no late answer, no
//! step of the clock and no restart from snapshots makes a lookup answer that there is none. A policy
//! that has ended is not applied. Every lookup is answered.

mod answer;
mod bounds;
mod clock;
mod clock_set;
mod config;
mod deadlines;
mod drive;
mod entry;
mod event;
mod failures;
mod hash;
mod index;
mod late;
mod operator;
mod order;
mod outputs;
mod policies;
mod request;
mod restart;
mod room;
mod snapshot;
mod spread;
mod sweep;
mod table;
mod unsaved;
mod view;
mod waiting;
mod weight;

use alloc::collections::VecDeque;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use time::UtcDateTime;

#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) use self::restart::most_valuable;
pub use self::{
    answer::{Answer, Applied, Source},
    config::Config,
    entry::{Ask, At, Change, Entry, Input, Lent, Outputs},
    event::{Alert, AlertKind, Doubt, Event, EventKind, Outcome, Rechecked, Waiter},
    operator::{CacheFull, StaticOutcome},
    request::{FetchRequestId, PersistRequestId, PolicyAnswer, Request, TxtAnswer, TxtRequestId},
    restart::{Refused, Restored},
    snapshot::{Damage, DamageKind, Snapshot},
    view::{Counters, View},
};
use self::{
    bounds::Override,
    clock::{Tick, Timestamp},
    entry::Overdue,
    failures::Failures,
    index::Row,
    outputs::Queued,
    policies::Policies,
    room::Share,
    sweep::Sweep,
    table::Table,
    unsaved::Unsaved,
    waiting::{Answers, Waiting},
};
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) use self::{hash::TextHash, room::Room, unsaved::StoreHealth};
use crate::{domain::Domain, no_policy::NoPolicy};

/// Many domains' machines, with their deadlines, bounds and waiters.
#[derive(Debug)]
pub struct Cache {
    config: Config,
    table: Table,
    policies: Policies,
    overrides: HashMap<u32, Override, FixedState>,
    waiting: HashMap<u32, Waiting, FixedState>,
    /// The last fetch of an entry that was given up, if nothing was fetched since.
    overdue: HashMap<u32, Overdue, FixedState>,
    failures: Failures,
    unsaved: Unsaved,
    sweep: Sweep,
    share: Share,
    queue: VecDeque<Queued>,
    events: VecDeque<Event>,
    /// Answers that are to be given out, after the events.
    answers: VecDeque<(Domain, Answers)>,
    /// The number given last, to a request or a waiter.
    number: u64,
    /// The latest `now` that was seen.
    latest: Timestamp,
    /// What is before this second is a clock that was set back; it itself may be in part.
    earliest: Tick,
    /// The clock before and after it was set ahead, if that was lately.
    jump: Option<(Timestamp, Timestamp)>,
    /// The first slot whose deadlines are still to be armed again after the clock was set back.
    unarmed: Option<u32>,
    /// What the entries take, without the policies.
    bytes: usize,
    counters: Counters,
}

/// The answer to a lookup, or whom it will be given to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an answer that has to be waited for comes as an event"]
pub enum Lookup<'a> {
    /// This applies.
    Answer(Answer<Lent<'a>>),
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
            overdue: HashMap::default(),
            failures: Failures::default(),
            unsaved: Unsaved::default(),
            sweep: Sweep::default(),
            share: Share::default(),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            answers: VecDeque::new(),
            number: 0,
            latest: Timestamp::MIN,
            earliest: Tick::FIRST,
            jump: None,
            unarmed: None,
            bytes: 0,
            counters: Counters::default(),
        }
    }

    /// Creates a cache whose bounds hold for all that share this room, as do their store and its
    /// health.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn within(config: Config, room: Room, store: StoreHealth) -> Self {
        Self { share: Share::of(room), unsaved: Unsaved::of(store), ..Self::new(config) }
    }

    /// What applies, if that is known and a [`lookup`](Self::lookup) would do nothing but say so.
    ///
    /// `None` does not mean that there is no policy: it means that a lookup has something to do, be it
    /// only to note that the domain is still in use, which happens once an hour. Many threads may
    /// call this at once. It allocates nothing for a domain with a policy or without a record.
    #[must_use]
    #[inline]
    pub fn get(&self, domain: &Domain, now: UtcDateTime) -> Option<Answer<Lent<'_>>> {
        let row = self.table.index().find(domain)?;
        if !self.is_calm(row, now) {
            return None;
        }
        match self.lent(row) {
            Some(lent) => Some(Answer::Policy(lent)),
            None => Some(self.answer(row.slot(), now)),
        }
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

    /// Whether there is nothing to be done about a domain.
    #[inline]
    fn is_calm(&self, row: &Row, now: UtcDateTime) -> bool {
        let now = Tick::of(now);
        self.earliest < now && row.is_calm(now)
    }

    /// The policy that a lookup finds then, if that is what it finds.
    #[inline]
    fn lent<'a>(&'a self, row: &'a Row) -> Option<Lent<'a>> {
        let (policy, slot) = row.policy().zip(self.table.get(row.slot()))?;
        Some(Lent::new(policy, &slot.entry.state))
    }

    #[cold]
    fn answer(&self, slot: u32, now: UtcDateTime) -> Answer<Lent<'_>> {
        if let Some(found) = self.overrides.get(&slot) {
            return found.answer();
        }
        match self.table.get(slot) {
            Some(slot) => slot.entry.state.answer(Timestamp::of(now)),
            None => Answer::NoPolicy(NoPolicy::Overloaded),
        }
    }
}
