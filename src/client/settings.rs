//! The settings of a client.

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

/// The settings of a client. All have defaults, except for the crypto provider in a process that has
/// installed none.
///
/// ```
/// use mta_sts::client::Settings;
///
/// let settings = Settings::default()
///     .with_nameservers(["127.0.0.53:53".parse()?])
///     .with_max_concurrent_discoveries(128);
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

/// The error of settings that no client can work with.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The list of nameservers is empty.
    #[error("no nameservers: {0}")]
    NoNameservers(Box<str>),
    /// There is no crypto provider in the settings, and the process has no default.
    #[error(
        "no provider of cryptography: give one to `Settings::with_crypto_provider`, or install a \
         default with `CryptoProvider::install_default`"
    )]
    NoProvider,
    /// There are no root certificates in the settings, and the platform has none.
    #[error("no root certificates: {0}")]
    NoRoots(Box<str>),
    /// The crypto provider is not usable.
    #[error(transparent)]
    Trust(TrustStoreError),
    /// The crypto provider has no random numbers.
    #[error("no random numbers")]
    NoRandomness,
}

/// The settings with all defaults filled in.
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
    /// Sets the recursive nameservers. Default: those in `/etc/resolv.conf`, with the options that
    /// [`dns::ResolvConf`] supports; ignored parts of that file are reported by
    /// [`EventKind::ResolvConf`](super::EventKind::ResolvConf). Use servers on this
    /// host or in a trusted network: answers are not authenticated, and an attacker on the network
    /// path can forge them.
    #[must_use]
    pub fn with_nameservers(self, servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self { nameservers: Some(servers.into_iter().collect()), ..self }
    }

    /// Sets the rustls crypto provider. Default: the process default; without either, the client
    /// does not start.
    #[must_use]
    pub fn with_crypto_provider(self, provider: impl Into<Arc<CryptoProvider>>) -> Self {
        Self { provider: Some(provider.into()), ..self }
    }

    /// Sets the trusted root certificates. Default: the platform's.
    #[must_use]
    pub fn with_root_certificates(self, roots: impl Into<Arc<RootCertStore>>) -> Self {
        Self { roots: Some(roots.into()), ..self }
    }

    /// Sets the settings of the cache. Default: those of [`cache::Config`] with a random seed.
    /// Changes are persisted if the client has a store.
    #[must_use]
    pub fn with_cache_config(self, config: cache::Config) -> Self {
        Self { cache: Some(config), ..self }
    }

    /// Sets the time-outs of queries to nameservers. Default: those of [`dns::Config`], with the
    /// options `timeout` and `attempts` of `/etc/resolv.conf` if its nameservers are used.
    #[must_use]
    pub fn with_dns_config(self, config: dns::Config) -> Self {
        Self { dns: Some(config), ..self }
    }

    /// Sets the time-out, the media types and the user agent of fetches.
    #[must_use]
    pub fn with_fetch_config(self, config: fetch::Config) -> Self {
        Self { fetch: config, ..self }
    }

    /// Sets the filter of addresses that Policy Hosts may have. Default: public addresses.
    #[must_use]
    pub fn with_address_filter(self, filter: AddressFilter) -> Self {
        Self { filter, ..self }
    }

    /// Sets the maximum number of TXT lookups, and also of fetches, in flight for domains without a
    /// policy that applies. Default: 64. At least 1, at most 1,048,576.
    ///
    /// A fetch begins with two address lookups (A and AAAA). With `n`, up to `n` TXT lookups, and
    /// up to `n` fetches or `2n` address lookups, are in flight at a time.
    #[must_use]
    pub fn with_max_concurrent_discoveries(self, most: usize) -> Self {
        Self { discoveries: most, ..self }
    }

    /// Sets the maximum number of TXT lookups, and also of fetches, in flight for domains with a
    /// policy that applies, counted in the same way and in addition to the others. Default: 16. At
    /// least 1, at most 1,048,576.
    #[must_use]
    pub fn with_max_concurrent_refreshes(self, most: usize) -> Self {
        Self { refreshes: most, ..self }
    }

    /// Sets the port of Policy Hosts, for tests. Default: 443, by the URL of [RFC 8461 §3.2].
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    #[must_use]
    pub fn with_https_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Returns the maximum number of TXT lookups, and also of fetches, in flight for domains
    /// without a policy that applies.
    #[must_use]
    pub fn max_concurrent_discoveries(&self) -> usize {
        self.discoveries
    }

    /// Returns the maximum number of TXT lookups, and also of fetches, in flight for domains with a
    /// policy that applies.
    #[must_use]
    pub fn max_concurrent_refreshes(&self) -> usize {
        self.refreshes
    }

    /// Returns the port of Policy Hosts.
    #[must_use]
    pub fn https_port(&self) -> u16 {
        self.port
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

/// Returns random bits from the crypto provider.
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

/// Creates settings with which a client starts, and makes no connection.
#[cfg(all(test, feature = "blocking"))]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
pub(crate) fn settings_for_tests() -> Settings {
    let authority = rcgen::generate_simple_self_signed(["example.com".to_string()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.cert.der().clone()).unwrap();
    Settings::default()
        .with_nameservers([SocketAddr::from(([127, 0, 0, 1], 9))])
        .with_crypto_provider(rustls::crypto::ring::default_provider())
        .with_root_certificates(roots)
}
