//! The policy cache as a state machine: when a policy is fetched ([RFC 8461 §3.3]), applies ([RFC
//! 8461 §5.1]), and is refreshed ([RFC 8461 §10.2]).
//!
//! A [`Cache`] holds the policies of many domains. [`lookup`](Cache::lookup) returns the policy
//! that applies, or starts discovery. [`poll_request`](Cache::poll_request) returns the DNS
//! queries, fetches and saves to carry out; pass their outcomes to the `handle_*` methods.
//! [`poll_event`](Cache::poll_event) returns answers and other events. The cache has no sockets, no
//! clock and no threads: its caller provides them.
//!
//! ```
//! use core::time::Duration;
//!
//! use mta_sts::{
//!     Domain,
//!     cache::{Cache, Config, EventKind, Lookup, PolicyAnswer, Request, TxtAnswer},
//!     time::UtcDateTime,
//! };
//!
//! # fn query_txt(_name: &str) -> TxtAnswer {
//! #     TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300))
//! # }
//! # fn https_get(_url: &str) -> &'static [u8] {
//! #     b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n"
//! # }
//! let now = UtcDateTime::now();
//! let mut cache = Cache::new(Config::new(7)); // from the system's random numbers
//! let domain = Domain::parse("example.com")?;
//!
//! let waiting = match cache.lookup(&domain, now) {
//!     Lookup::Waiting(id) => id,
//!     Lookup::Answer(answer) => unreachable!("nothing is known yet: {answer:?}"),
//! };
//!
//! // After every input: carry out all requests and process all events; then sleep
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
//!             EventKind::Answered { id, answer } if id == waiting => {
//!                 policy = answer.into_policy().ok();
//!             }
//!             other => println!("{}: {other}", event.domain), // to the log
//!         }
//!     } else {
//!         break;
//!     }
//! }
//! assert!(policy.unwrap().matches("mx.example.com"));
//! // From now on the answer is cached. The policy is fetched again within the day.
//! assert!(matches!(cache.lookup(&domain, now), Lookup::Answer(_)));
//! assert!(cache.poll_timeout().unwrap() < now + Duration::from_secs(86_400));
//! # Ok::<(), mta_sts::error::DomainError>(())
//! ```
//!
//! # The state machine
//!
//! Each domain has its own state machine, an [`Entry`], which can also be used alone. The policy is
//! held *beside* the state of discovery: whatever happens to discovery, the policy applies until
//! its `max_age` has passed or another is fetched.
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
//! | subject | rule | source |
//! | --- | --- | --- |
//! | a policy applies | for its `max_age` after it was fetched; an unchanged id in DNS does not prolong that | [RFC 8461 §3.2], [RFC 8461 §5.1] |
//! | the record is looked up | at the next lookup after its TTL, 1 min to 1 day; a policy that applies is returned meanwhile | [RFC 8461 §8.1] |
//! | a new id | leads to a fetch at once, three times, then once in 5 min | [RFC 8461 §3.3] |
//! | the policy is fetched again | once a day, or at half of its lifetime if that is sooner; the moment is chosen at random in the last quarter of that time, at the earliest after 1 h (a lifetime of 2 h to 2 h 30 min: after 60 to 75 min). The record need not be there. It ends 180 days after the last lookup | [RFC 8461 §3.3], [RFC 8461 §10.2] |
//! | … and its lifetime is below 2 h | at the first lookup in the second half of the lifetime, not by timer, and without alerts | |
//! | an old body behind a new id | is fetched again after 5 min, and after another 55; once for each body | [RFC 8461 §8.1] |
//! | a fetch fails | the next for the same id waits 5 min, doubling to an hour while a policy applies, and up to a quarter more | [RFC 8461 §3.3] |
//! | there is no valid record | that is cached for the negative TTL, 1 min to 1 h, 5 min if there is none | RFC 2308 |
//! | DNS fails | the next query waits 30 s, doubling to 5 min | [RFC 2308 §7] |
//! | [`recheck`](Cache::recheck) | asks DNS whatever is cached, then the Policy Host unless a fetch under the same id ended within 5 min; a policy fetched since, or within 5 min before, decides it whatever the id | [RFC 8461 §5], [RFC 8461 §5.1] |
//! | the clock is set back | lifetimes grow by as much, nothing is lost, no deadline stalls; with [`clock_set`](Cache::clock_set), requests in flight keep the time they had left | |
//!
//! # Guarantees
//!
//! Until the last fetched policy expires, or is evicted as [`Config::with_max_entries`] describes,
//! a lookup does not answer that there is no policy: no failure of DNS or HTTPS, no false record,
//! no late answer, no clock step and no restart from snapshots changes this. An expired policy is
//! not applied. Every lookup is answered.
//!
//! [RFC 2308 §7]: https://www.rfc-editor.org/rfc/rfc2308#section-7
//! [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
//! [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
//! [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
//! [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
//! [RFC 8461 §8.1]: https://www.rfc-editor.org/rfc/rfc8461#section-8.1
//! [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2

mod answer;
mod bounds;
#[expect(clippy::module_inception, reason = "the file is named for the type in it")]
mod cache;
mod chunks;
mod clock;
mod clock_set;
mod config;
mod counters;
mod deadlines;
mod drive;
mod entries;
mod entry;
mod event;
mod event_text;
mod explain;
mod explanation;
mod explanation_text;
#[cfg(feature = "redb")]
mod facts;
mod failures;
mod forms;
mod hash;
mod history;
mod index;
mod inputs;
mod late;
mod name;
mod operator;
mod order;
mod outputs;
mod override_list;
mod overrides;
mod parts;
mod persistence;
mod place;
mod policies;
mod queue;
mod request;
mod restart;
mod restoration;
mod restored;
mod room;
mod rule;
mod slab;
mod snapshot;
mod spread;
mod sweep;
mod table;
mod unsaved;
mod view;
mod waiting;
mod weight;

#[cfg(feature = "redb")]
pub(crate) use self::facts::{Facts, SharedPolicy};
pub use self::{
    answer::{Answer, AppliedPolicy, Source},
    cache::{Cache, Lookup},
    config::Config,
    counters::Counters,
    entry::{AppliedPolicyRef, Context, Durability, Entry, EntryRequest, Input, Outputs},
    event::{
        Alert, AlertKind, Event, EventKind, LookupId, RecheckError, RecheckOutcome, RecheckResult,
    },
    explanation::{AnswerChange, CachedPolicy, CachedRecord, Explanation, Origin, RequestInFlight},
    inputs::{PolicyAnswer, TxtAnswer},
    operator::{CacheFull, StaticOutcome},
    override_list::{OverrideList, OverrideListError, OverrideListErrorKind},
    request::{FetchRequestId, PersistRequestId, Request, TxtRequestId},
    restored::{Refused, Restored},
    snapshot::{Snapshot, SnapshotError, SnapshotErrorKind},
    view::EntryView,
};
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) use self::{
    clock::Tick,
    hash::{HashPurpose, TextHash},
    restoration::Restoration,
    room::SharedRoom,
    unsaved::StoreHealth,
};
