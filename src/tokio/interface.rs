//! The interfaces of a resolver and of a fetcher.

use alloc::{boxed::Box, sync::Arc};
use core::pin::Pin;

use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{AddressAnswer, Nat64Answer},
    domain::Domain,
};

/// A boxed future, as returned by a [`Resolver`] and a [`Fetcher`].
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Looks up DNS records for a client. Implement it to use a resolver that validates DNSSEC. Nothing
/// else of the client queries DNS then.
///
/// A future that takes longer than
/// [`dns::Config::with_timeout`](crate::dns::Config::with_timeout) is dropped, and counts as failed.
///
/// With the feature `hickory-resolver`, it is implemented for a resolver of that crate, so that DNSSEC
/// validation, DNS over TLS and split DNS are a line: `with_resolver(TokioResolver::builder_tokio()?
/// .build()?)`; for the blocking client, see [`OnRuntime`](super::OnRuntime). Switch off its cache
/// (`ResolverOpts::cache_size` of zero): the client caches answers itself, and a recheck ([RFC 8461
/// §5.1]) needs the current answer of DNS.
///
/// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
pub trait Resolver: Send + Sync {
    /// Looks up the MTA-STS record at [`Domain::txt_name`].
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer>;

    /// Looks up the addresses of the Policy Host, at [`Domain::policy_host`]. It is not called if
    /// the client has a fetcher of your own.
    fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer>;

    /// Looks up the addresses (A and AAAA) of another host than a Policy Host: of the proxy of
    /// [`Settings::with_https_proxy`](crate::client::Settings::with_https_proxy), if it has a name.
    /// By default it fails, and the proxy must be given by its address.
    fn host_addresses<'a>(&'a self, host: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        let _ = host;
        Box::pin(async { AddressAnswer::Failed(NO_OTHERS.into()) })
    }

    /// Looks up the AAAA records of `ipv4only.arpa` ([RFC 7050 §3]). It is called if
    /// [`Settings::with_nat64_discovery`](crate::client::Settings::with_nat64_discovery) is set, but
    /// not if the client has a fetcher of your own. By default it fails, and no prefix is found.
    ///
    /// [RFC 7050 §3]: https://www.rfc-editor.org/rfc/rfc7050#section-3
    fn ipv4only(&self) -> BoxFuture<'_, Nat64Answer> {
        Box::pin(async { Nat64Answer::Failed(NOT_ASKED.into()) })
    }
}

/// The failures of a resolver without those methods.
const NO_OTHERS: &str = "the resolver looks up no other hosts";
const NOT_ASKED: &str = "the resolver does not look up `ipv4only.arpa`";

/// Fetches policies for a client.
pub trait Fetcher: Send + Sync {
    /// Fetches the policy at [`Domain::policy_url`].
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer>;
}

/// Implements both traits for a pointer to a value that implements them.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Resolver + ?Sized> Resolver for $pointer {
            fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
                (**self).txt(domain)
            }

            fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
                (**self).addresses(domain)
            }

            fn host_addresses<'a>(&'a self, host: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
                (**self).host_addresses(host)
            }

            fn ipv4only(&self) -> BoxFuture<'_, Nat64Answer> {
                (**self).ipv4only()
            }
        }

        impl<T: Fetcher + ?Sized> Fetcher for $pointer {
            fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer> {
                (**self).fetch(domain)
            }
        }
    )*};
}

forward!(&T, Arc<T>, Box<T>);
