//! A resolver for tokio as that of a blocking client.

use std::io;

use ::tokio::runtime::{Builder, Runtime};

use super::interface::Resolver;
use crate::{
    blocking,
    cache::TxtAnswer,
    client::{AddressAnswer, Nat64Answer},
    domain::Domain,
};

/// A [`Resolver`] for tokio as the resolver of a [blocking client](blocking::Client), on a runtime of
/// its own. With the feature `hickory-resolver`, that is how the blocking client uses the resolver of
/// that crate, with its DNSSEC validation or encrypted transports.
///
/// The queries run in the threads in which the client calls the resolver; each has a thread already.
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
        Ok(Self { resolver, runtime: Some(runtime) })
    }
}

impl<R: Resolver> blocking::Resolver for OnRuntime<R> {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        match &self.runtime {
            Some(runtime) => runtime.block_on(async { self.resolver.txt(domain).await }),
            None => TxtAnswer::NotSent,
        }
    }

    fn addresses(&self, domain: &Domain) -> AddressAnswer {
        match &self.runtime {
            Some(runtime) => runtime.block_on(async { self.resolver.addresses(domain).await }),
            None => AddressAnswer::Failed(ENDED.into()),
        }
    }

    fn host_addresses(&self, host: &Domain) -> AddressAnswer {
        match &self.runtime {
            Some(runtime) => runtime.block_on(async { self.resolver.host_addresses(host).await }),
            None => AddressAnswer::Failed(ENDED.into()),
        }
    }

    fn ipv4only(&self) -> Nat64Answer {
        match &self.runtime {
            Some(runtime) => runtime.block_on(async { self.resolver.ipv4only().await }),
            None => Nat64Answer::Failed(ENDED.into()),
        }
    }
}

/// The failure of a resolver that is being dropped.
const ENDED: &str = "the runtime has ended";

/// Ends the runtime without waiting, because the last handle of a client may be dropped within another
/// runtime.
impl<R> Drop for OnRuntime<R> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
