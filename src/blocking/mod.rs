//! A blocking client over sockets and threads of the standard library.
//!
//! ```no_run
//! # #[cfg(feature = "ring")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mta_sts::{Domain, blocking::Client};
//!
//! let client = Client::builder().build()?;
//! let domain = Domain::parse("example.com")?;
//! let answer = client.policy(&domain)?;
//! match answer.into_policy() {
//!     Ok(policy) => println!("{}", policy.as_text()),
//!     Err(why) => println!("{why}"),
//! }
//! client.shutdown();
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "ring"))]
//! # fn main() {}
//! ```
//!
//! A Policy Host may have several addresses, of which up to eight are tried in turn, within one
//! deadline. The next one is tried if there was no connection, no TLS session or no valid
//! certificate; any answer over HTTP is the answer of the Policy Host, even if it is not a policy.
//! So a policy is accepted only from a host with a valid certificate. Each address but the last has
//! an equal share of the time that is left, at most 5 s, for the connection and the TLS handshake.
//! If all the others fail, one that has used up its share is tried again with the time that is left.
//!
//! Without a [`store`](crate::store), the cache starts empty after a restart, and each domain is a
//! first contact again, at which an attacker can suppress the policy ([RFC 8461 §10.2]).
//!
//! [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2

#![allow(clippy::disallowed_methods, reason = "here are the sockets and the threads")]

mod builder;
mod client;
mod connect;
mod control;
mod dns;
mod driver;
mod fetcher_part;
mod https;
mod inner;
mod interface;
mod pool;
mod resolver_part;
mod sockets;
/// The synchronisation primitives of the pool.
mod sync {
    pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
}

pub use self::{
    client::Client,
    interface::{Fetcher, Resolver},
    sockets::Sockets,
};

#[cfg(test)]
mod tests;
