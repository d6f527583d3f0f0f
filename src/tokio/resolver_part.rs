//! The resolver of a client: its own over sockets, or that of the user.

use alloc::{sync::Arc, vec::Vec};
use core::{fmt, net::IpAddr, time::Duration};

use ::tokio::time::timeout;

use super::{
    dns::DnsSockets,
    interface::{BoxFuture, Resolver},
};
use crate::{
    cache::TxtAnswer,
    client::{
        AddressAnswer, Addresses, Found, NOT_IN_TIME, Nameservers, Nat64Answer, Settings,
        SettingsError, Time,
    },
    dns::Question,
    domain::Domain,
    instant::Instant,
};

/// The resolver of a client.
#[derive(Clone)]
pub(super) enum ResolverPart {
    Sockets(Arc<DnsSockets>),
    Users(UsersResolver),
}

/// The resolver of a user, with the time-out of a query.
#[derive(Clone)]
pub(super) struct UsersResolver {
    resolver: Arc<dyn Resolver>,
    timeout: Duration,
}

impl ResolverPart {
    /// Takes the user's resolver, or else makes one of these settings.
    pub(super) fn new(
        users: Option<Arc<dyn Resolver>>,
        settings: &Settings,
        time: &Arc<Time>,
    ) -> Result<Self, SettingsError> {
        Ok(match users {
            Some(resolver) => {
                Self::Users(UsersResolver { resolver, timeout: settings.query_timeout() })
            }
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
            Self::Users(users) => users.resolver.txt(domain).await,
        }
    }

    /// Looks up the addresses of the Policy Host, within this time.
    pub(super) async fn addresses(&self, domain: &Domain, left: Duration) -> Found {
        match self {
            Self::Sockets(sockets) => {
                sockets.addresses([Question::aaaa(domain), Question::a(domain)], left).await
            }
            Self::Users(users) => users.in_time(users.resolver.addresses(domain)).await,
        }
    }

    /// Looks up the addresses of another host, within this time.
    pub(super) async fn host_addresses(&self, host: &Domain, left: Duration) -> Found {
        match self {
            Self::Sockets(sockets) => sockets.addresses(Question::host_addresses(host), left).await,
            Self::Users(users) => users.in_time(users.resolver.host_addresses(host)).await,
        }
    }

    /// Looks up the addresses of `ipv4only.arpa`.
    pub(super) async fn ipv4only(&self, until: Instant) -> Nat64Answer {
        match self {
            Self::Sockets(sockets) => sockets.ipv4only(until).await,
            Self::Users(users) => users.resolver.ipv4only().await,
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

impl UsersResolver {
    /// Waits for addresses, for at most the time-out of a query.
    async fn in_time(&self, answer: BoxFuture<'_, AddressAnswer>) -> Found {
        let answer = timeout(self.timeout, answer).await;
        answer.unwrap_or_else(|_| AddressAnswer::Failed(NOT_IN_TIME.into())).into_found()
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
