//! The client's own resolver and fetcher, for use in those of a user.

use alloc::sync::Arc;
use core::sync::atomic::AtomicBool;

use super::{
    control::Control,
    dns::DnsSockets,
    https::HttpsSockets,
    interface::{Fetcher, Resolver},
    resolver_part::ResolverPart,
};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{AddressAnswer, Nat64Answer, Settings, SettingsError, SystemClock, Time},
    domain::Domain,
};

/// The default [`Resolver`] and [`Fetcher`], over sockets of the standard library.
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
///     blocking::{Client, Resolver, Sockets},
///     cache::TxtAnswer,
///     client::{AddressAnswer, Settings},
/// };
///
/// struct Logged(Sockets);
///
/// impl Resolver for Logged {
///     fn txt(&self, domain: &Domain) -> TxtAnswer {
///         println!("query for {}", domain.txt_name());
///         self.0.txt(domain)
///     }
///
///     fn addresses(&self, domain: &Domain) -> AddressAnswer {
///         self.0.addresses(domain)
///     }
/// }
///
/// let settings = Settings::default();
/// let logged = Logged(Sockets::new(&settings)?);
/// let client = Client::builder().with_settings(settings).with_resolver(logged).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A client that is shut down ends its own requests early. Those of sockets that you have created
/// end by their time-outs.
#[derive(Debug)]
pub struct Sockets {
    resolver: ResolverPart,
    https: HttpsSockets,
    control: Control,
}

impl Sockets {
    /// Creates a resolver and a fetcher with these settings. No socket is opened before the first
    /// request.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting has no system default.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let time = Arc::new(Time::new(None, SystemClock::start()));
        let dns = DnsSockets::new(settings.dns_setup()?, Arc::clone(&time));
        let https = HttpsSockets::new(settings.https_setup()?, time);
        let control = Control::new(&Arc::new(AtomicBool::new(false)));
        Ok(Self { resolver: ResolverPart::Sockets(dns), https, control })
    }
}

impl Resolver for Sockets {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        self.resolver.txt(domain, &self.control)
    }

    fn addresses(&self, domain: &Domain) -> AddressAnswer {
        let found = self.resolver.addresses(domain, self.https.deadline(), &self.control);
        AddressAnswer::from_found(found)
    }

    fn host_addresses(&self, host: &Domain) -> AddressAnswer {
        let found = self.resolver.host_addresses(host, self.https.deadline(), &self.control);
        AddressAnswer::from_found(found)
    }

    fn ipv4only(&self) -> Nat64Answer {
        self.resolver.ipv4only(self.https.end(), &self.control)
    }
}

impl Fetcher for Sockets {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        let (start, deadline) = (self.https.now(), self.https.deadline());
        let addresses = self.resolver.addresses(domain, deadline, &self.control);
        let left = deadline.saturating_sub(self.https.now().saturating_duration_since(start));
        self.https.fetch(domain, addresses, left, &self.resolver, &self.control)
    }
}
