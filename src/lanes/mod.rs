//! A fair, bounded queue for DNS queries and policy fetches, for programs that drive a
//! [`Cache`](crate::cache::Cache) over a network.
//!
//! A sender can have only a limited number of requests in flight, and strangers decide how long
//! each takes: a host that accepts a connection and sends nothing occupies a slot until the
//! deadline. [`Lanes`] decides which request starts, which is refused, and which is ended early, so
//! that hosts that hang do not delay others. It has no sockets, no clock and no threads:
//! [`submit`](Lanes::submit) adds a request, [`poll`](Lanes::poll) returns the next action, and
//! time is passed as an [`Instant`](crate::Instant). Both clients use it.
//!
//! # Rules
//!
//! There are four lanes, each with its own slots: queries and fetches, for first contacts and for
//! known domains, to which a policy applies. A first contact is any other: a domain that is not
//! cached, is known to have no policy, or whose policy has expired.
//!
//! | rule | reason |
//! | --- | --- |
//! | First contacts take turns by registrable domain. | Thousands of names of one domain count as one. |
//! | For known domains, the policy that ends soonest goes first. | A refresh that comes late loses a policy. |
//! | Requests that may stall go behind others: those of a domain whose last attempt failed, and those to a registrable domain or an address (IPv4 /24, IPv6 /48) at which an attempt took longer than a second within the last 10 minutes; quick answers, at most 16, end that sooner. They leave a quarter of the slots free; in a lane with 8 slots or more, an eighth of the slots and of the queue is for them. | Hosts that hang cannot fill a lane twice. |
//! | If all slots are occupied and a request waits, a slow one is ended early: of the registrable domain or address with the most slots, the oldest; after 0.5 s if it went behind others, else after 1 s to 2 s (four times the usual duration). Half of the slots are exempt for up to 8 s, so that slow hosts still succeed when everything is slow. | Time-outs become shorter as a lane fills. |
//! | A request that has waited too long is refused ([`Config::with_query_wait`], [`Config::with_fetch_wait`]), and so is the last one in a queue that is full: 256 for each slot, at least 1,024. It counts as *not sent*, which is no failure of its domain. | It is better to refuse one request at once than to serve all of them late. |
//!
//! # Guarantees
//!
//! With `n` slots and stalling hosts at one address, or of one registrable domain, at least a
//! quarter of the slots is free for others from the first stall on, however many names there are.
//! Stalling hosts at many addresses of many registrable domains cannot be distinguished from honest
//! ones before they stall. With them, a host that answers within a second is served as long as
//! fewer than `n / 2` new ones arrive per second; above that, first contacts are refused in turn,
//! and each registrable domain has the same chance. A known domain whose servers answer is
//! refreshed after at most one second of a slot for each stalling name that has never stalled
//! before.

mod config;
mod group;
mod lane;
mod memory;
mod queue;
mod running;
mod schedule;
mod sides;

pub use self::{
    config::Config,
    lane::{Lane, Load},
    schedule::{Action, Counters, Job, Lanes, RunId},
};
