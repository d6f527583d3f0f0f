//! The settings of a client with the defaults filled in, for each of its parts.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    hash::{BuildHasher as _, Hasher as _},
    time::Duration,
};
use std::hash::RandomState;

use rustls::crypto::CryptoProvider;

use super::{
    nat64::Nat64,
    roots::Roots,
    settings::{Settings, SettingsError},
    source::{SourceAddresses, SourceError},
    system::{self, FileVersion, SystemServers},
};
use crate::{
    cache,
    dns::{self, Nameservers},
    fetch::{self, AddressFilter, HttpsProxy},
};

/// The settings of the caches and of the jobs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheSetup {
    pub(crate) config: cache::Config,
    pub(crate) fetch_timeout: Duration,
    pub(crate) lookup_timeout: Duration,
    pub(crate) discoveries: usize,
    pub(crate) refreshes: usize,
}

/// The settings of queries over sockets.
#[derive(Debug)]
pub(crate) struct DnsSetup {
    pub(crate) nameservers: Nameservers,
    pub(crate) config: dns::Config,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) sources: SourceAddresses,
    /// The file from which the nameservers come, if they are the system's.
    pub(super) source: Option<ServerSource>,
}

/// The file from which nameservers are read, again when it has changed.
#[derive(Debug)]
pub(super) struct ServerSource {
    pub(super) path: &'static str,
    pub(super) version: Option<FileVersion>,
    /// The parts of the file that are ignored, in a sentence each.
    pub(super) ignored: Vec<Box<str>>,
    /// `true` if the time-outs come from the file, too.
    pub(super) sets_config: bool,
}

/// The settings of fetches over sockets.
#[derive(Debug)]
pub(crate) struct HttpsSetup {
    pub(crate) roots: Roots,
    pub(crate) config: fetch::Config,
    pub(crate) filter: AddressFilter,
    pub(crate) nat64: Nat64,
    pub(crate) port: u16,
    pub(crate) sources: SourceAddresses,
    pub(crate) proxy: Option<HttpsProxy>,
}

impl Settings {
    /// Returns the settings of the caches. The time-out of a query is that of the nameservers, if the
    /// client asks them itself.
    pub(crate) fn cache_setup(&self, query_timeout: Option<Duration>) -> CacheSetup {
        let query_timeout = query_timeout.unwrap_or(self.query_timeout());
        let fetch_timeout = self.fetch.timeout();
        // The cache gives up after the exchanges, whose errors say more.
        let later = |timeout: Duration| timeout.saturating_add(Duration::from_secs(1));
        let config = self
            .cache
            .unwrap_or_else(|| cache::Config::new(random_seed()))
            .with_txt_timeout(later(query_timeout))
            .with_fetch_timeout(later(fetch_timeout));
        let parts = [config.txt_timeout(), config.fetch_timeout(), config.persist_timeout()];
        let whole = parts.into_iter().fold(Duration::ZERO, Duration::saturating_add);
        CacheSetup {
            config,
            fetch_timeout,
            lookup_timeout: self.lookup_timeout.unwrap_or_else(|| later(whole)),
            discoveries: self.discoveries,
            refreshes: self.refreshes,
        }
    }

    /// Returns the time-out of a query, for a resolver of a user.
    pub(crate) fn query_timeout(&self) -> Duration {
        self.dns.unwrap_or_default().timeout()
    }

    pub(crate) fn dns_setup(&self) -> Result<DnsSetup, SettingsError> {
        let (provider, sources) = (self.crypto_provider()?, self.sources()?);
        match &self.nameservers {
            Some(list) if list.is_empty() => {
                Err(SettingsError::NoNameservers("the list is empty".into()))
            }
            Some(list) => Ok(DnsSetup {
                nameservers: Nameservers::new(list.iter().copied()),
                config: self.dns.unwrap_or_default(),
                provider,
                sources,
                source: None,
            }),
            None => {
                let path = system::RESOLV_CONF;
                let found = system::nameservers(path);
                let SystemServers { nameservers, config, ignored, version } = found;
                let sets_config = self.dns.is_none();
                let source = ServerSource { path, version, ignored, sets_config };
                let config = self.dns.unwrap_or(config);
                Ok(DnsSetup { nameservers, config, provider, sources, source: Some(source) })
            }
        }
    }

    pub(crate) fn https_setup(&self) -> Result<HttpsSetup, SettingsError> {
        let (provider, sources) = (self.crypto_provider()?, self.sources()?);
        Ok(HttpsSetup {
            roots: Roots::new(self.roots.clone(), provider)?,
            config: self.fetch.clone(),
            filter: self.filter.clone(),
            nat64: Nat64::new(self.nat64_discovery, self.query_timeout()),
            port: self.port,
            sources,
            proxy: self.proxy.clone(),
        })
    }

    /// Returns the source addresses, after checking that this machine has them.
    fn sources(&self) -> Result<SourceAddresses, SettingsError> {
        let checked = self.sources.check();
        checked.map_err(|SourceError { address, message }| SettingsError::SourceAddress {
            address,
            error: message,
        })?;
        Ok(self.sources)
    }

    fn crypto_provider(&self) -> Result<Arc<CryptoProvider>, SettingsError> {
        let set = self.provider.as_ref().or_else(|| CryptoProvider::get_default());
        set.cloned().or_else(provider_of_features).ok_or(SettingsError::NoProvider)
    }
}

#[cfg(feature = "aws-lc-rs")]
#[allow(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn provider_of_features() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
#[allow(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn provider_of_features() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
fn provider_of_features() -> Option<Arc<CryptoProvider>> {
    None
}

/// Returns random bits from the keys of the standard library's hash maps, which come from the
/// operating system.
pub(super) fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_gives_up_after_the_exchanges_and_before_the_lookup() {
        let second = Duration::from_secs(1);
        for span in [second, Duration::from_millis(1500), 90 * second, 86_400 * second] {
            let settings = Settings::default()
                .with_dns_config(dns::Config::default().with_timeout(span))
                .with_fetch_config(fetch::Config::default().with_timeout(2 * span));
            let CacheSetup { config, fetch_timeout, lookup_timeout, .. } =
                settings.cache_setup(None);
            let most = 86_400 * second;
            assert!(config.txt_timeout() > span || config.txt_timeout() == most, "{span:?}");
            assert!(config.fetch_timeout() > fetch_timeout || fetch_timeout == most, "{span:?}");
            let whole = config.txt_timeout() + config.fetch_timeout() + config.persist_timeout();
            assert!(lookup_timeout > whole, "{span:?}: {lookup_timeout:?}");
        }
        let given = Settings::default().with_lookup_timeout(7 * second).cache_setup(None);
        assert_eq!(given.lookup_timeout, 7 * second);
    }
}
