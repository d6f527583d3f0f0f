//! A client for tokio.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use mta_sts::{Domain, client::Settings, tokio::Client};
//!
//! let client = Client::new(Settings::default())?;
//! let domain = Domain::parse("example.com")?;
//! let answer = client.policy(&domain, Duration::from_secs(20)).await?;
//! match answer.into_policy() {
//!     Ok(policy) => println!("{}", policy.as_text()),
//!     Err(why) => println!("{why}"),
//! }
//! client.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! What is known is lost when the process ends, unless there is a [`store`](crate::store): a client
//! without one meets every domain for the first time after a restart, when an attacker has one more
//! chance to keep it from the policy (§10.1).
//!
//! # Time
//!
//! Timers go by the clock of the runtime, and so do the dates: where a test pauses that clock
//! (`tokio::time::pause`), policies age as it is advanced. It advances by itself whenever the runtime
//! has nothing to do, then to the next thing that is due, which may be a refresh hours ahead.

mod builder;
mod client;
mod clock;
mod dns;
mod driver;
#[cfg(feature = "hickory-resolver")]
mod hickory;
mod sockets;

pub use self::{
    builder::{Builder, StartError},
    client::Client,
    sockets::{Fetcher, Later, Resolver, Sockets},
};
