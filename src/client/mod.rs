//! The common parts of the clients, without sockets, threads and tasks: settings, caches, events,
//! and the order of addresses.

mod address_answer;
mod addresses;
mod attempts;
mod builder;
mod cache_control;
mod cached_entry;
mod clock;
mod delivery;
mod event;
mod event_queue;
mod fetch_route;
mod guard;
mod guarded_clock;
mod health;
mod hub;
mod job;
mod job_result;
mod jobs;
mod loaded_store;
mod log;
mod lookup_error;
mod message_buffer;
mod nameservers;
mod nat64;
mod nat64_answer;
mod outputs;
mod restore_report;
mod roots;
mod save_queue;
mod settings;
#[cfg(feature = "serde")]
mod settings_file;
mod setup;
mod shard;
mod source;
mod start_error;
mod store_writer;
mod system;
mod threads;
mod time_outs;
mod tls_rules;
mod trace;

#[cfg(feature = "tokio")]
pub(crate) use self::addresses::graver;
#[cfg(feature = "tokio")]
pub(crate) use self::clock::{std_now, utc_now};
#[cfg(feature = "tokio")]
pub(crate) use self::event::OnEvent;
#[cfg(feature = "tokio")]
pub(crate) use self::guard::{guard, guarded};
#[cfg(all(test, feature = "blocking"))]
pub(crate) use self::settings::settings_for_tests;
#[cfg(feature = "tokio")]
pub(crate) use self::shard::PORTION;
#[cfg(any(feature = "tokio", all(test, feature = "blocking")))]
pub(crate) use self::threads::spawn_apart;
pub use self::{
    address_answer::AddressAnswer,
    builder::{Builder, Kind},
    cache_control::CacheControl,
    cached_entry::{CachedEntry, EntryCursor, EntryPage},
    clock::Clock,
    event::{Event, EventKind, Part},
    health::{Health, HealthState, Panics},
    lookup_error::LookupError,
    nat64_answer::Nat64Answer,
    restore_report::RestoreReport,
    settings::{Settings, SettingsError},
    start_error::StartError,
};
pub(crate) use self::{
    address_answer::NOT_IN_TIME,
    addresses::{Addresses, GRACE, is_enough, is_of_address, policy_host_addresses, time_share},
    attempts::Attempts,
    builder::sealed::Sealed,
    cache_control::RunningClient,
    clock::{Moment, SystemClock, Time},
    delivery::{delivery, found_policy, rechecked},
    event_queue::EventQueue,
    fetch_route::{FetchRoute, proxy_addresses},
    guarded_clock::GuardedClock,
    hub::{ShardedCache, Ticket},
    job::{Found, Job, JobKind},
    job_result::JobResult,
    jobs::{Jobs, Next},
    loaded_store::LoadedStore,
    message_buffer::MessageBuffer,
    nameservers::Nameservers,
    outputs::{Outputs, Replies},
    roots::{ClientRoots, Roots},
    setup::{CacheSetup, DnsSetup, HttpsSetup},
    source::{SourceAddresses, connection_error, not_bound},
    store_writer::StoreWriter,
    threads::Threads,
    time_outs::{MAX_SLEEP, SHUTDOWN_TIMEOUT},
    tls_rules::CurrentTlsRules,
    trace::Trace,
};
