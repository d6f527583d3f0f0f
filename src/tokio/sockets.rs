//! The client's own resolver and fetcher, for use in those of a user.

use alloc::{boxed::Box, sync::Arc};

use ::tokio::runtime::Handle;

use super::{
    clock::RuntimeClock,
    dns::DnsSockets,
    https::HttpsSockets,
    interface::{BoxFuture, Fetcher, Resolver},
    progress::Progress,
    resolver_part::ResolverPart,
};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{AddressAnswer, Nat64Answer, Settings, StartError, Time},
    domain::Domain,
};

/// The default [`Resolver`] and [`Fetcher`], over tokio's sockets.
///
/// As a fetcher, it finds addresses by its own queries, and not by a resolver that wraps it: to have
/// these go through your resolver, leave the fetcher to the client.
///
/// A resolver that wraps it has to pass on `host_addresses` and `ipv4only`, too, if the settings need
/// them.
///
/// A client without a resolver or fetcher of your own has them already. Create them to wrap them,
/// for example to log requests, or to answer for one domain yourself:
///
/// ```no_run
/// use mta_sts::{
///     Domain,
///     cache::TxtAnswer,
///     client::{AddressAnswer, Settings},
///     tokio::{BoxFuture, Client, Resolver, Sockets},
/// };
///
/// struct Logged(Sockets);
///
/// impl Resolver for Logged {
///     fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
///         println!("query for {}", domain.txt_name());
///         self.0.txt(domain)
///     }
///
///     fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
///         self.0.addresses(domain)
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = Settings::default();
/// let logged = Logged(Sockets::new(&settings)?);
/// let client = Client::builder().with_settings(settings).with_resolver(logged).build().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sockets {
    resolver: ResolverPart,
    https: HttpsSockets,
}

impl Sockets {
    /// Creates a resolver and a fetcher with these settings, within a tokio runtime. No socket is
    /// opened before the first request.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting has no system default, or outside a tokio runtime.
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        let clock = RuntimeClock::start(&Handle::try_current()?);
        let system = clock.system();
        let time = Arc::new(Time::beside(None, clock, system));
        // Nobody notices here if a test pauses the clock later.
        time.distrust();
        let dns = DnsSockets::new(settings.dns_setup()?, Arc::clone(&time));
        let https = HttpsSockets::new(settings.https_setup()?, time);
        Ok(Self { resolver: ResolverPart::Sockets(Arc::new(dns)), https })
    }
}

impl Resolver for Sockets {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(self.resolver.txt(domain))
    }

    fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async {
            let found = self.resolver.addresses(domain, self.https.deadline()).await;
            AddressAnswer::from_found(found)
        })
    }

    fn host_addresses<'a>(&'a self, host: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async {
            let found = self.resolver.host_addresses(host, self.https.deadline()).await;
            AddressAnswer::from_found(found)
        })
    }

    fn ipv4only(&self) -> BoxFuture<'_, Nat64Answer> {
        Box::pin(self.resolver.ipv4only(self.https.end()))
    }
}

impl Fetcher for Sockets {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer> {
        Box::pin(async {
            let (start, deadline) = (self.https.now(), self.https.deadline());
            let addresses = self.resolver.addresses(domain, deadline).await;
            let left = deadline.saturating_sub(self.https.now().saturating_duration_since(start));
            let progress = Progress::default();
            self.https.fetch(domain, addresses, left, &self.resolver, &progress).await
        })
    }
}
