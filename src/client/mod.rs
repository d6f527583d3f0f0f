//! What the clients are made of beside sockets, clocks and threads: settings, the caches that are
//! asked, and in which order addresses are tried.

mod addresses;
mod hub;
mod settings;

pub use self::settings::{Settings, SettingsError};
pub(crate) use self::{
    addresses::{in_turn, share},
    hub::{Done, Hub, Job, Outputs, Ticket, Work},
    settings::{Setup, random},
};
