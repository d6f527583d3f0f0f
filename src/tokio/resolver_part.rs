//! The resolver of a client: its own over sockets, or that of the user.

use alloc::{sync::Arc, vec::Vec};
use core::{fmt, net::IpAddr, time::Duration};

use super::{dns::DnsSockets, interface::Resolver};
use crate::{
    cache::TxtAnswer,
    client::{Addresses, Found, Nameservers, Nat64Answer, Settings, SettingsError, Time},
    dns::Question,
    domain::Domain,
    instant::Instant,
};

/// The resolver of a client.
#[derive(Clone)]
pub(super) enum ResolverPart {
    Sockets(Arc<DnsSockets>),
    Users(Arc<dyn Resolver>),
}

impl ResolverPart {
    /// Takes the user's resolver, or else makes one of these settings.
    pub(super) fn new(
        users: Option<Arc<dyn Resolver>>,
        settings: &Settings,
        time: &Arc<Time>,
    ) -> Result<Self, SettingsError> {
        Ok(match users {
            Some(resolver) => Self::Users(resolver),
            None => {
                Self::Sockets(Arc::new(DnsSockets::new(settings.dns_setup()?, Arc::clone(time))))
            }
        })
    }

    /// Returns the nameservers that the client asks itself.
    pub(super) fn nameservers(&self) -> Option<&Nameservers> {
        match self {
            Self::Sockets(sockets) => Some(sockets.nameservers()),
            Self::Users(_) => None,
        }
    }

    pub(super) async fn txt(&self, domain: &Domain) -> TxtAnswer {
        match self {
            Self::Sockets(sockets) => sockets.txt(domain).await,
            Self::Users(resolver) => resolver.txt(domain).await,
        }
    }

    /// Looks up the addresses of the Policy Host, within this time.
    pub(super) async fn addresses(&self, domain: &Domain, left: Duration) -> Found {
        match self {
            Self::Sockets(sockets) => {
                sockets.addresses([Question::aaaa(domain), Question::a(domain)], left).await
            }
            Self::Users(resolver) => resolver.addresses(domain).await.into_found(),
        }
    }

    /// Looks up the addresses of another host, within this time.
    pub(super) async fn host_addresses(&self, host: &Domain, left: Duration) -> Found {
        match self {
            Self::Sockets(sockets) => sockets.addresses(Question::host_addresses(host), left).await,
            Self::Users(resolver) => resolver.host_addresses(host).await.into_found(),
        }
    }

    /// Looks up the addresses of `ipv4only.arpa`.
    pub(super) async fn ipv4only(&self, until: Instant) -> Nat64Answer {
        match self {
            Self::Sockets(sockets) => sockets.ipv4only(until).await,
            Self::Users(resolver) => resolver.ipv4only().await,
        }
    }

    /// Looks up the addresses of the family that was not waited for.
    pub(super) async fn rest_of(
        &self,
        known: &Addresses,
        domain: &Domain,
        until: Instant,
    ) -> Vec<IpAddr> {
        match (self, known.question(domain)) {
            (Self::Sockets(sockets), Some(question)) => sockets.addresses_of(question, until).await,
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for ResolverPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sockets(sockets) => sockets.fmt(f),
            Self::Users(_) => f.write_str("Users"),
        }
    }
}
