//! A client for tokio.
//!
//! ```no_run
//! # #[cfg(feature = "ring")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mta_sts::{Domain, tokio::Client};
//!
//! let client = Client::builder().build().await?;
//! let domain = Domain::parse("example.com")?;
//! let answer = client.policy(&domain).await?;
//! match answer.into_policy() {
//!     Ok(policy) => println!("{}", policy.as_text()),
//!     Err(why) => println!("{why}"),
//! }
//! client.shutdown().await;
//! # Ok(())
//! # }
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
//! # Time
//!
//! Timers and dates use the clock of the runtime. If a test pauses that clock
//! (`tokio::time::pause`), policies age as it is advanced. It advances by itself whenever the
//! runtime is idle, to the next time at which something is due, which may be a refresh hours ahead.
//!
//! [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2

mod builder;
mod client;
mod clock;
mod connect;
mod dns;
mod driver;
mod fetcher_part;
#[cfg(feature = "hickory-resolver")]
mod hickory;
mod https;
mod inner;
mod interface;
#[cfg(feature = "blocking")]
mod on_runtime;
mod progress;
mod resolver_part;
mod sockets;
mod work;

#[cfg(feature = "blocking")]
pub use self::on_runtime::OnRuntime;
pub use self::{
    client::Client,
    interface::{BoxFuture, Fetcher, Resolver},
    sockets::Sockets,
};
