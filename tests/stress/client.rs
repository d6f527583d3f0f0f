//! Both clients, as one.

use std::{sync::Arc, time::Duration};

use mta_sts::{
    Domain, NoPolicy, Policy, blocking,
    cache::{Answer, Config, RecheckResult},
    client::{Health, LookupError, Settings},
    dns, fetch, tokio as async_,
};
use rustls::{RootCertStore, crypto::ring};

use crate::executor::block_on;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blocking,
    Tokio,
}

#[derive(Debug)]
pub(crate) enum Client {
    Blocking(blocking::Client),
    Tokio(async_::Client),
}

pub(crate) const TXT: Duration = Duration::from_secs(2);
pub(crate) const FETCH: Duration = Duration::from_secs(2);
pub(crate) const PERSIST: Duration = Duration::from_secs(1);

/// How long a lookup takes at the most: the query and the fetch wait for a slot, are made, and what
/// comes of them is saved.
pub(crate) fn longest() -> Duration {
    TXT.mul_f32(0.9) + TXT + FETCH / 2 + FETCH + PERSIST
}

/// Settings with which no connection is made.
pub(crate) fn settings(seed: u64, slots: usize) -> Settings {
    let authority = rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.cert.der().clone()).unwrap();
    let cache = Config::new(seed).with_persist_timeout(PERSIST);
    Settings::default()
        .with_nameservers([([127, 0, 0, 1], 9).into()])
        .with_crypto_provider(ring::default_provider())
        .with_root_certificates(roots)
        .with_cache_config(cache)
        .with_dns_config(dns::Config::default().with_timeout(TXT))
        .with_fetch_config(fetch::Config::default().with_timeout(FETCH))
        .with_max_concurrent_discoveries(slots)
        .with_max_concurrent_refreshes(slots)
}

impl Client {
    pub(crate) fn policy(&self, domain: &Domain, budget: Duration) -> Result<Answer, LookupError> {
        match self {
            Self::Blocking(client) => client.policy_within(domain, budget),
            Self::Tokio(client) => block_on(client.policy_within(domain, budget)),
        }
    }

    pub(crate) fn recheck(
        &self,
        domain: &Domain,
        is_forced: bool,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
        match (self, is_forced) {
            (Self::Blocking(client), false) => client.recheck_within(domain, budget),
            (Self::Blocking(client), true) => client.force_refresh_within(domain, budget),
            (Self::Tokio(client), false) => block_on(client.recheck_within(domain, budget)),
            (Self::Tokio(client), true) => block_on(client.force_refresh_within(domain, budget)),
        }
    }

    pub(crate) fn cached(&self, domain: &Domain) -> Option<Result<Arc<Policy>, NoPolicy>> {
        match self {
            Self::Blocking(client) => client.cached(domain),
            Self::Tokio(client) => client.cached(domain),
        }
    }

    /// The policy in the cache.
    pub(crate) fn held(&self, domain: &Domain) -> Option<Arc<Policy>> {
        let entry = match self {
            Self::Blocking(client) => client.cache().entry(domain),
            Self::Tokio(client) => client.cache().entry(domain),
        };
        entry?.answer.policy().cloned()
    }

    pub(crate) fn health(&self) -> Health {
        match self {
            Self::Blocking(client) => client.health(),
            Self::Tokio(client) => client.health(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Blocking(client) => client.cache().len(),
            Self::Tokio(client) => client.cache().len(),
        }
    }

    pub(crate) fn shutdown(&self) {
        match self {
            Self::Blocking(client) => client.shutdown(),
            Self::Tokio(client) => block_on(client.shutdown()),
        }
    }
}
