//! A resolver for tokio as that of a blocking client.

use core::time::Duration;
use std::io;

use ::tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::interface::Resolver;
use crate::{
    blocking,
    cache::TxtAnswer,
    client::{AddressAnswer, NOT_IN_TIME, Nat64Answer},
    dns,
    domain::Domain,
};

/// A [`Resolver`] for tokio as the resolver of a [blocking client](blocking::Client), on a runtime of
/// its own. With the feature `hickory-resolver`, that is how the blocking client uses the resolver of
/// that crate, with its DNSSEC validation or encrypted transports.
///
/// The queries run in the threads in which the client calls the resolver; each has a thread already. A
/// query that takes longer than the [time-out](Self::with_timeout) is dropped, and counts as failed.
///
/// ```no_run
/// # #[cfg(feature = "ring")]
/// # fn example(resolver: impl mta_sts::tokio::Resolver + 'static) -> Result<(), Box<dyn std::error::Error>> {
/// use mta_sts::{blocking::Client, tokio::OnRuntime};
///
/// // Such as `TokioResolver::builder_tokio()?.build()?`.
/// let client = Client::builder().with_resolver(OnRuntime::new(resolver)?).build()?;
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OnRuntime<R> {
    resolver: R,
    timeout: Duration,
    /// `None` only in `drop`.
    runtime: Option<Runtime>,
}

impl<R> OnRuntime<R> {
    /// Creates the runtime of the resolver.
    ///
    /// # Errors
    ///
    /// Returns an error if the system refuses the runtime its event queue.
    pub fn new(resolver: R) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let timeout = dns::Config::default().timeout();
        Ok(Self { resolver, timeout, runtime: Some(runtime) })
    }

    /// Sets the time-out of a query. Default: that of [`dns::Config`]. Set it to that of the client's
    /// settings if they have another one.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs a query, or returns the reason why there is no answer.
    fn run<T>(&self, query: impl Future<Output = T>) -> Result<T, &'static str> {
        let Some(runtime) = &self.runtime else { return Err("the runtime has ended") };
        let answer = runtime.block_on(async { timeout(self.timeout, query).await });
        answer.map_err(|_| NOT_IN_TIME)
    }
}

impl<R: Resolver> blocking::Resolver for OnRuntime<R> {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        self.run(async { self.resolver.txt(domain).await })
            .unwrap_or_else(|why| TxtAnswer::Failed(why.into()))
    }

    fn addresses(&self, domain: &Domain) -> AddressAnswer {
        let answer = self.run(async { self.resolver.addresses(domain).await });
        answer.unwrap_or_else(|why| AddressAnswer::Failed(why.into()))
    }

    fn host_addresses(&self, host: &Domain) -> AddressAnswer {
        let answer = self.run(async { self.resolver.host_addresses(host).await });
        answer.unwrap_or_else(|why| AddressAnswer::Failed(why.into()))
    }

    fn ipv4only(&self) -> Nat64Answer {
        let answer = self.run(async { self.resolver.ipv4only().await });
        answer.unwrap_or_else(|why| Nat64Answer::Failed(why.into()))
    }
}

/// Ends the runtime without waiting, because the last handle of a client may be dropped within another
/// runtime.
impl<R> Drop for OnRuntime<R> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
