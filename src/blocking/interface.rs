//! The interfaces of a resolver and of a fetcher.

use alloc::{boxed::Box, sync::Arc};

use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{AddressAnswer, Nat64Answer},
    domain::Domain,
};

/// Looks up DNS records for a client. Implement it to use a resolver that validates DNSSEC. Nothing
/// else of the client queries DNS then.
///
/// The client calls it in a thread of its own for each query. A call that takes longer than
/// [`dns::Config::with_timeout`](crate::dns::Config::with_timeout) counts as failed, but occupies its
/// thread until it returns.
pub trait Resolver: Send + Sync {
    /// Looks up the MTA-STS record at [`Domain::txt_name`].
    fn txt(&self, domain: &Domain) -> TxtAnswer;

    /// Looks up the addresses of the Policy Host, at [`Domain::policy_host`]. It is not called if
    /// the client has a fetcher of your own.
    fn addresses(&self, domain: &Domain) -> AddressAnswer;

    /// Looks up the addresses (A and AAAA) of another host than a Policy Host: of the proxy of
    /// [`Settings::with_https_proxy`](crate::client::Settings::with_https_proxy), if it has a name.
    /// By default it fails, and the proxy must be given by its address.
    fn host_addresses(&self, host: &Domain) -> AddressAnswer {
        let _ = host;
        AddressAnswer::Failed(NO_OTHERS.into())
    }

    /// Looks up the AAAA records of `ipv4only.arpa` ([RFC 7050 §3]). It is called if
    /// [`Settings::with_nat64_discovery`](crate::client::Settings::with_nat64_discovery) is set, but
    /// not if the client has a fetcher of your own. By default it fails, and no prefix is found.
    ///
    /// [RFC 7050 §3]: https://www.rfc-editor.org/rfc/rfc7050#section-3
    fn ipv4only(&self) -> Nat64Answer {
        Nat64Answer::Failed(NOT_ASKED.into())
    }
}

/// The failures of a resolver without those methods.
const NO_OTHERS: &str = "the resolver looks up no other hosts";
const NOT_ASKED: &str = "the resolver does not look up `ipv4only.arpa`";

/// Fetches policies for a client.
pub trait Fetcher: Send + Sync {
    /// Fetches the policy at [`Domain::policy_url`].
    fn fetch(&self, domain: &Domain) -> PolicyAnswer;
}

/// Implements both traits for a pointer to a value that implements them.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Resolver + ?Sized> Resolver for $pointer {
            fn txt(&self, domain: &Domain) -> TxtAnswer {
                (**self).txt(domain)
            }

            fn addresses(&self, domain: &Domain) -> AddressAnswer {
                (**self).addresses(domain)
            }

            fn host_addresses(&self, host: &Domain) -> AddressAnswer {
                (**self).host_addresses(host)
            }

            fn ipv4only(&self) -> Nat64Answer {
                (**self).ipv4only()
            }
        }

        impl<T: Fetcher + ?Sized> Fetcher for $pointer {
            fn fetch(&self, domain: &Domain) -> PolicyAnswer {
                (**self).fetch(domain)
            }
        }
    )*};
}

forward!(&T, Arc<T>, Box<T>);
