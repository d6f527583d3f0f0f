//! A fair, bounded queue for DNS queries and policy fetches, for whoever drives a
//! [`Cache`](crate::cache::Cache) over a network.
//!
//! A sender can have only so many requests out at a time, and strangers decide how long each takes:
//! a host that accepts a connection and says nothing holds its slot until the deadline. [`Lanes`]
//! decides which request begins, which is refused, and which is broken off, so that hosts that hang
//! delay nobody else. It has no socket, no clock and no thread: requests go in by
//! [`submit`](Lanes::submit), what to do comes out of [`poll`](Lanes::poll), and time is passed in as
//! the [`Instant`](crate::Instant) of a clock that cannot be set.
//! Both clients are driven by it.
//!
//! # Rules
//!
//! There are four lanes, each with its own slots: queries and fetches, for first contacts and for
//! domains whose policy is known.
//!
//! | rule | why |
//! | --- | --- |
//! | First contacts take turns by registrable domain. | Thousands of names of one domain count as one. |
//! | For known domains, the policy that ends soonest goes first. | A refresh that comes late loses a policy. |
//! | Those who stall go behind: a domain whose last attempt failed, a registrable domain or an address (IPv4 /24, IPv6 /48) at which an attempt lately took longer than a second. They leave a quarter of the slots free. | Hosts that hang cannot fill a lane twice. |
//! | If all slots are taken and a request waits, the one that is slow is broken off: of the registrable domain or address with the most slots, the oldest; after 0.5 s if it went behind, else after 1 s to 2 s (four times what good answers take). Half of the slots are spared for up to 8 s, so that slow hosts still get through when everything is slow. | Patience shrinks as a lane fills. |
//! | A request that has waited too long is refused, and so is, in a queue that is full, the one that would be served last. It is *not sent*: no failure of its domain. | Nobody is served late instead of somebody being refused at once. |
//!
//! # What is promised
//!
//! With `n` slots and stalling hosts at one address, or of one registrable domain, the others find
//! at least a quarter of the slots free from the first stall on, however many names there are. With
//! stalling hosts at many addresses of many registrable domains, which cannot be told from honest
//! ones before they stall, a host that answers within a second is served as long as fewer than
//! `n / 2` new ones a second arrive; above that, first contacts are refused in turn, and each
//! registrable domain has the same chance. A known domain whose servers answer is refreshed after
//! at most one second of a slot for each stalling name that never stalled before.

mod config;
mod group;
mod lane;
mod memory;
mod queue;
mod schedule;

pub use self::{
    config::Config,
    lane::Load,
    schedule::{Action, Counters, Job, Lane, Lanes, RunId},
};
