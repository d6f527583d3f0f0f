//! The resolver of a client: its own over sockets, or that of the user.

use alloc::{sync::Arc, vec::Vec};
use core::{fmt, net::IpAddr, time::Duration};

use super::{control::Control, dns::DnsSockets, interface::Resolver};
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
pub(super) enum ResolverPart {
    Sockets(DnsSockets),
    Users(UsersResolver),
}

/// The resolver of a user, with the time-out of a query.
pub(super) struct UsersResolver {
    resolver: Arc<dyn Resolver>,
    timeout: Duration,
    time: Arc<Time>,
}

impl ResolverPart {
    /// Takes the user's resolver, or else makes one of these settings.
    pub(super) fn new(
        users: Option<Arc<dyn Resolver>>,
        settings: &Settings,
        time: &Arc<Time>,
    ) -> Result<Self, SettingsError> {
        Ok(match users {
            Some(resolver) => Self::Users(UsersResolver {
                resolver,
                timeout: settings.query_timeout(),
                time: Arc::clone(time),
            }),
            None => Self::Sockets(DnsSockets::new(settings.dns_setup()?, Arc::clone(time))),
        })
    }

    /// Returns the nameservers that the client asks itself.
    pub(super) fn nameservers(&self) -> Option<&Nameservers> {
        match self {
            Self::Sockets(sockets) => Some(sockets.nameservers()),
            Self::Users(_) => None,
        }
    }

    pub(super) fn txt(&self, domain: &Domain, control: &Control) -> TxtAnswer {
        match self {
            Self::Sockets(sockets) => sockets.txt(domain, control),
            Self::Users(users) => users.resolver.txt(domain),
        }
    }

    /// Looks up the addresses of the Policy Host, within this time.
    pub(super) fn addresses(&self, domain: &Domain, left: Duration, control: &Control) -> Found {
        match self {
            Self::Sockets(sockets) => {
                sockets.addresses([Question::aaaa(domain), Question::a(domain)], left, control)
            }
            Self::Users(users) => users.found(|resolver| resolver.addresses(domain)),
        }
    }

    /// Looks up the addresses of another host, within this time.
    pub(super) fn host_addresses(&self, host: &Domain, left: Duration, control: &Control) -> Found {
        match self {
            Self::Sockets(sockets) => {
                sockets.addresses(Question::host_addresses(host), left, control)
            }
            Self::Users(users) => users.found(|resolver| resolver.host_addresses(host)),
        }
    }

    /// Looks up the addresses of `ipv4only.arpa`.
    pub(super) fn ipv4only(&self, until: Instant, control: &Control) -> Nat64Answer {
        match self {
            Self::Sockets(sockets) => sockets.ipv4only(until, control),
            Self::Users(users) => {
                let answer = users.in_time(|resolver| resolver.ipv4only());
                answer.unwrap_or_else(|| Nat64Answer::Failed(NOT_IN_TIME.into()))
            }
        }
    }

    /// Looks up the addresses of the family that was not waited for.
    pub(super) fn rest_of(
        &self,
        known: &Addresses,
        domain: &Domain,
        until: Instant,
        control: &Control,
    ) -> Vec<IpAddr> {
        match (self, known.question(domain)) {
            (Self::Sockets(sockets), Some(question)) => {
                sockets.addresses_of(question, until, control)
            }
            _ => Vec::new(),
        }
    }
}

impl UsersResolver {
    /// Looks up addresses, within the time-out of a query.
    fn found(&self, look_up: impl FnOnce(&dyn Resolver) -> AddressAnswer) -> Found {
        let answer = self.in_time(look_up);
        answer.unwrap_or_else(|| AddressAnswer::Failed(NOT_IN_TIME.into())).into_found()
    }

    /// Calls the resolver. Returns `None` if the answer comes after the time-out of a query: the call
    /// itself cannot be ended.
    fn in_time<T>(&self, look_up: impl FnOnce(&dyn Resolver) -> T) -> Option<T> {
        let until = self.time.deadline_after(self.timeout);
        let answer = look_up(&*self.resolver);
        (!self.time.time_until(until).is_zero()).then_some(answer)
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
