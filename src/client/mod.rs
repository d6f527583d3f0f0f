//! What the clients are made of beside sockets, threads and tasks: settings, the caches that are asked,
//! and in which order addresses are tried.

mod addresses;
mod clock;
mod event;
mod guard;
mod health;
mod hub;
mod jobs;
mod keeper;
mod nameservers;
mod outputs;
mod settings;
mod shard;
mod system;
mod teller;
mod threads;
mod trace;

use alloc::{boxed::Box, string::ToString, vec::Vec};

use thiserror::Error;

#[cfg(feature = "blocking")]
pub(crate) use self::clock::SystemClock;
#[cfg(feature = "tokio")]
pub(crate) use self::clock::{std_now, utc_now};
#[cfg(feature = "tokio")]
pub(crate) use self::guard::{Panicked, discard, guard, guarded};
#[cfg(all(test, feature = "blocking"))]
pub(crate) use self::settings::settings_for_tests;
#[cfg(any(feature = "tokio", all(test, feature = "blocking")))]
pub(crate) use self::threads::spawn_apart;
pub(crate) use self::{
    addresses::{Addresses, GRACE, found, is_enough, share},
    clock::{Moment, Time},
    event::OnEvent,
    hub::{Hub, Ticket},
    jobs::{Done, Found, Job, Jobs, Next, Work},
    keeper::{Keeper, Opened},
    nameservers::Nameservers,
    outputs::{Outputs, Replies},
    settings::Setup,
    teller::Teller,
    threads::Threads,
    trace::Trace,
};
pub use self::{
    clock::Clock,
    event::{Event, EventKind, Part},
    health::{Health, Panics},
    settings::{Settings, SettingsError},
};

use crate::{
    cache::{Answer, Outcome, Rechecked, Restored, Source},
    delivery::{Delivery, Floor, Recheck, Route},
};

/// Why a client has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The caller's budget was used up before the answer was there. Discovery goes on.
    #[error("policy lookup timed out")]
    TimedOut,
    /// The client is shut down.
    #[error("the client is shut down")]
    ShutDown,
}

/// What a delivery is told of what a client has found.
impl From<Rechecked> for Recheck {
    fn from(Rechecked { outcome, answer }: Rechecked) -> Self {
        let answer = answer.into_policy();
        match outcome {
            Outcome::Changed | Outcome::Unchanged => Self::Current(answer),
            Outcome::Unknown(doubt) => Self::Unconfirmed { answer, why: doubt.to_string().into() },
        }
    }
}

/// The walk of a message under this answer.
pub(crate) fn delivery(route: Route, answer: Answer, floor: Floor) -> Delivery {
    let is_operators =
        matches!(&answer, Answer::Policy(applied) if applied.source() != Source::Fetched);
    Delivery::new(route, answer.into_policy(), floor).with_operators_policy(is_operators)
}

impl From<LookupError> for Recheck {
    fn from(error: LookupError) -> Self {
        Self::Unknown(error.to_string().into())
    }
}

/// The longest sleep of the timer: a clock that was set, or a machine that was suspended, is to be
/// noticed within a second.
pub(crate) const NAP: core::time::Duration = core::time::Duration::from_millis(500);

/// How long ending a client waits for what hangs.
pub(crate) const STOP: core::time::Duration = core::time::Duration::from_secs(5);

/// What was taken up from a store at the start.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// What became of the policies.
    pub policies: Restored,
    /// What could not be read, in a sentence each.
    pub damaged: Vec<Box<str>>,
}
