//! What the clients are made of beside sockets, threads and tasks: settings, the caches that are asked,
//! and in which order addresses are tried.

mod addresses;
mod clock;
mod hub;
mod settings;

use thiserror::Error;

pub use self::settings::{Settings, SettingsError};
pub(crate) use self::{
    addresses::{found, share},
    clock::{after, left, now},
    hub::{Done, Hub, Job, Outputs, Ticket, Work},
    settings::{Setup, random},
};

/// The time was over before the answer was there, or the client was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("what the domain publishes was not found out in time")]
pub struct NotInTime;

/// How long what keeps time sleeps at the most: the clock may be set meanwhile.
pub(crate) const NAP: core::time::Duration = core::time::Duration::from_secs(60);
