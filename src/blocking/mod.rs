//! A client that waits: sockets and threads of the standard library.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use mta_sts::{Domain, blocking::Client, client::Settings};
//!
//! let client = Client::new(Settings::default())?;
//! let domain = Domain::parse("example.com")?;
//! let answer = client.policy(&domain, Duration::from_secs(20))?;
//! match answer.into_policy() {
//!     Ok(policy) => println!("{}", policy.as_text()),
//!     Err(why) => println!("{why}"),
//! }
//! client.shutdown();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is known is lost when the process ends, unless there is a [`store`](crate::store): a client
//! without one meets every domain for the first time after a restart, when an attacker has one more
//! chance to keep it from the policy (§10.1).

#![allow(clippy::disallowed_methods, reason = "here are the sockets and the threads")]

mod builder;
mod client;
mod connect;
mod dns;
mod driver;
mod pool;
mod sockets;
/// Of what the pool is made.
mod sync {
    pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
}

pub use self::{
    builder::{Builder, StartError},
    client::Client,
    sockets::{Fetcher, Resolver, Sockets},
};

#[cfg(test)]
mod tests;
