//! A second account of the cache machine: what its rules say must come of a history of inputs.
//!
//! [`World`] drives one [`Entry`](mta_sts::cache::Entry) through [`Op`]s, and holds every step
//! against [`Model`], which says what applies, who is told what, and what may be asked; after every
//! step, [`invariants`] hold as well. [`Town`] does the like for a whole
//! [`Cache`](mta_sts::cache::Cache), from outside. All of it is slow and plain, and shares nothing
//! with the crate.

#![allow(
    missing_docs,
    unnameable_types,
    unreachable_pub,
    clippy::must_use_candidate,
    clippy::similar_names,
    reason = "a field or a variant that needs more than its name has it; nobody else uses this"
)]

mod alphabet;
pub mod invariants;
mod model;
mod predict;
mod residents;
mod town;
mod trace;
mod usage;
mod world;

pub use self::{
    alphabet::{Busy, Fetched, File, Id, Jump, Op, Ttl, Txt},
    model::Model,
    town::{Deed, Plan, Town},
    trace::Trace,
    world::World,
};

/// A moment or a length of time, in microseconds.
pub type Micros = i64;

/// One second.
pub const SECOND: Micros = 1_000_000;
/// One minute.
pub const MINUTE: Micros = 60 * SECOND;
/// One hour.
pub const HOUR: Micros = 60 * MINUTE;
/// One day.
pub const DAY: Micros = 24 * HOUR;
