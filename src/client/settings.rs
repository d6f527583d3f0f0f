use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use core::net::SocketAddr;

use rustls::{RootCertStore, crypto::CryptoProvider};
use thiserror::Error;

use super::system;
use crate::{
    cache,
    dns::{self, Nameservers},
    fetch::{self, AddressFilter},
    verify::{TrustStore, TrustStoreError},
};

/// The settings of a client. All have defaults.
///
/// ```
/// use mta_sts::client::Settings;
///
/// let settings = Settings::default()
///     .with_nameservers(["127.0.0.53:53".parse()?])
///     .with_discoveries(128);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    nameservers: Option<Vec<SocketAddr>>,
    provider: Option<Arc<CryptoProvider>>,
    roots: Option<Arc<RootCertStore>>,
    cache: Option<cache::Config>,
    dns: Option<dns::Config>,
    fetch: fetch::Config,
    filter: AddressFilter,
    discoveries: usize,
    refreshes: usize,
    port: u16,
}

/// Settings that no client can work with.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// An empty list was given.
    #[error("no nameservers: {0}")]
    NoNameservers(Box<str>),
    /// None was given, and the process has no default.
    #[error(
        "no provider of cryptography: give one to `Settings::with_provider`, or install a default \
         with `CryptoProvider::install_default`"
    )]
    NoProvider,
    /// None were given, and the platform has none.
    #[error("no root certificates: {0}")]
    NoRoots(Box<str>),
    /// Nothing can be done with the provider.
    #[error(transparent)]
    Trust(TrustStoreError),
    /// The provider has no random numbers.
    #[error("no random numbers")]
    NoRandomness,
}

/// Settings with all defaults in their places.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) nameservers: Nameservers,
    /// The parts of the system's list of nameservers that are ignored, in a sentence each.
    pub(crate) ignored: Vec<Box<str>>,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) trust: TrustStore,
    pub(crate) cache: cache::Config,
    pub(crate) dns: dns::Config,
    pub(crate) fetch: fetch::Config,
    pub(crate) filter: AddressFilter,
    pub(crate) discoveries: usize,
    pub(crate) refreshes: usize,
    pub(crate) port: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nameservers: None,
            provider: None,
            roots: None,
            cache: None,
            dns: None,
            fetch: fetch::Config::default(),
            filter: AddressFilter::default(),
            discoveries: 64,
            refreshes: 16,
            port: 443,
        }
    }
}

impl Settings {
    /// Sets the nameservers. Default: those of `/etc/resolv.conf`, with the options that
    /// [`dns::ResolvConf`] obeys; what that file says beside them is an event,
    /// [`EventKind::ResolvConf`](super::EventKind::ResolvConf). They must resolve recursively; the way
    /// to them should be one that nobody can forge answers on.
    #[must_use]
    pub fn with_nameservers(self, servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self { nameservers: Some(servers.into_iter().collect()), ..self }
    }

    /// The cryptography: the process's default of rustls unless set. Nothing is guessed: without
    /// either there is no client.
    #[must_use]
    pub fn with_provider(self, provider: impl Into<Arc<CryptoProvider>>) -> Self {
        Self { provider: Some(provider.into()), ..self }
    }

    /// Whom to trust: the platform's roots unless set.
    #[must_use]
    pub fn with_roots(self, roots: impl Into<Arc<RootCertStore>>) -> Self {
        Self { roots: Some(roots.into()), ..self }
    }

    /// The cache: the defaults of [`cache::Config`] with a random seed unless set. Whether
    /// changes are persisted depends on whether the client has a store.
    #[must_use]
    pub fn with_cache(self, config: cache::Config) -> Self {
        Self { cache: Some(config), ..self }
    }

    /// Sets the time-outs of queries to nameservers. Default: those of [`dns::Config`], with the
    /// options `timeout` and `attempts` of `/etc/resolv.conf` if its nameservers are asked.
    #[must_use]
    pub fn with_dns(self, config: dns::Config) -> Self {
        Self { dns: Some(config), ..self }
    }

    /// Time-out, media type and user agent of fetches.
    #[must_use]
    pub fn with_fetch(self, config: fetch::Config) -> Self {
        Self { fetch: config, ..self }
    }

    /// Which addresses Policy Hosts may have: public ones unless set.
    #[must_use]
    pub fn with_filter(self, filter: AddressFilter) -> Self {
        Self { filter, ..self }
    }

    /// How many questions to DNS, and as many fetches, may be out at a time for domains of which
    /// nothing is known: 64 unless set. At least 1, at most 1,048,576.
    #[must_use]
    pub fn with_discoveries(self, most: usize) -> Self {
        Self { discoveries: most, ..self }
    }

    /// How many of each may be out at a time for domains whose policy is known, beside the others: 16
    /// unless set. At least 1, at most 1,048,576.
    #[must_use]
    pub fn with_refreshes(self, most: usize) -> Self {
        Self { refreshes: most, ..self }
    }

    /// The port of Policy Hosts: 443, by the URL that §3.2 has. Another one is for tests.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    pub(crate) fn complete(self) -> Result<Setup, SettingsError> {
        let provider = self.provider.or_else(|| CryptoProvider::get_default().cloned());
        let provider = provider.ok_or(SettingsError::NoProvider)?;
        let roots = self.roots.map_or_else(platform_roots, Ok)?;
        let mut ignored = Vec::new();
        let (nameservers, dns) = match self.nameservers {
            Some(list) if list.is_empty() => {
                return Err(SettingsError::NoNameservers("the list is empty".into()));
            }
            Some(list) => (Nameservers::new(list), dns::Config::default()),
            None => system::nameservers(&mut ignored),
        };
        let seed = random(&provider).ok_or(SettingsError::NoRandomness)?;
        let cache = self.cache.unwrap_or_else(|| cache::Config::new(seed));
        Ok(Setup {
            nameservers,
            ignored,
            trust: TrustStore::new(roots, Arc::clone(&provider)).map_err(SettingsError::Trust)?,
            provider,
            cache,
            dns: self.dns.unwrap_or(dns),
            fetch: self.fetch,
            filter: self.filter,
            discoveries: self.discoveries,
            refreshes: self.refreshes,
            port: self.port,
        })
    }
}

/// Bits that nobody can guess.
pub(crate) fn random(provider: &CryptoProvider) -> Option<u64> {
    let mut bytes = [0; 8];
    provider.secure_random.fill(&mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

fn platform_roots() -> Result<Arc<RootCertStore>, SettingsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or("the platform has none".into(), ToString::to_string);
        return Err(SettingsError::NoRoots(why.into()));
    }
    Ok(Arc::new(roots))
}

/// Settings with which a client starts, and makes no connection.
#[cfg(all(test, feature = "blocking"))]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
pub(crate) fn settings_for_tests() -> Settings {
    let authority = rcgen::generate_simple_self_signed(["example.com".to_string()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.cert.der().clone()).unwrap();
    Settings::default()
        .with_nameservers([SocketAddr::from(([127, 0, 0, 1], 9))])
        .with_provider(rustls::crypto::ring::default_provider())
        .with_roots(roots)
}
