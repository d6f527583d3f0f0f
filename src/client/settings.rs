//! The settings of a client.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use rustls::{RootCertStore, crypto::CryptoProvider};
use thiserror::Error;

use super::source::SourceAddresses;
use crate::{
    cache, dns,
    fetch::{self, AddressFilter, HttpsProxy},
    verify::TrustStoreError,
};

/// The settings of a client. All have defaults. Nameservers, a crypto provider and root certificates
/// are needed only where the client's own resolver or fetcher uses them.
///
/// ```
/// use mta_sts::client::Settings;
///
/// let settings = Settings::default()
///     .with_nameservers(["127.0.0.53:53".parse()?])
///     .with_max_concurrent_discoveries(128);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
///
/// # From a file
///
/// With the feature `serde`, settings are read from a file. All keys are optional; an unknown one is
/// an error with its name. Durations have a unit: `"500ms"`, `"10s"`, `"1m 30s"`, `"1d"`.
///
/// An error of these settings does not show the password of a proxy. That of a format may quote the line
/// of the file, as TOML's does: do not log it where the file has a password, or set the proxy by
/// [`with_https_proxy`](Self::with_https_proxy).
///
/// | key | setting |
/// | --- | --- |
/// | `nameservers` | [`with_nameservers`](Self::with_nameservers); the port is 53 unless one is given |
/// | `source_ipv4`, `source_ipv6` | [`with_source_ipv4`](Self::with_source_ipv4), [`with_source_ipv6`](Self::with_source_ipv6) |
/// | `lookup_timeout` | [`with_lookup_timeout`](Self::with_lookup_timeout) |
/// | `max_concurrent_discoveries`, `max_concurrent_refreshes`, `https_port` | as the methods |
/// | `cache.` `max_entries`, `max_bytes`, `persist_timeout`, `refresh_interval`, `idle_time` | as the methods of [`cache::Config`] |
/// | `dns.` `attempt_timeout`, `timeout`, `attempts` | as the methods of [`dns::Config`] |
/// | `fetch.` `timeout`, `user_agent` | as the methods of [`fetch::Config`] |
/// | `fetch.any_media_type` | `true` for [`AcceptedMediaType::Any`](fetch::AcceptedMediaType::Any) |
/// | `fetch.https_proxy` | [`with_https_proxy`](Self::with_https_proxy), such as `"http://user:password@proxy.example.com:3128"` or `"192.0.2.9:3128"` |
/// | `fetch.` `exempt_networks`, `exempt_domains`, `nat64_prefixes` | lists for [`with_address_filter`](Self::with_address_filter) |
/// | `fetch.nat64_discovery` | [`with_nat64_discovery`](Self::with_nat64_discovery): `true` or `false` |
///
/// ```
/// # #[cfg(feature = "serde")]
/// # fn main() -> Result<(), serde_json::Error> {
/// use mta_sts::client::Settings;
///
/// let settings: Settings = serde_json::from_str(
///     r#"{
///         "nameservers": ["192.0.2.53"],
///         "dns": { "timeout": "5s" },
///         "fetch": { "exempt_networks": ["10.1.0.0/16"] }
///     }"#,
/// )?;
/// let error = serde_json::from_str::<Settings>(r#"{ "dns": { "time_out": "5s" } }"#);
/// assert!(error.is_err_and(|error| error.to_string().starts_with("unknown field `time_out`")));
/// # drop(settings);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "serde"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) nameservers: Option<Vec<SocketAddr>>,
    pub(super) provider: Option<Arc<CryptoProvider>>,
    pub(super) roots: Option<Arc<RootCertStore>>,
    pub(super) cache: Option<cache::Config>,
    pub(super) dns: Option<dns::Config>,
    pub(super) fetch: fetch::Config,
    pub(super) filter: AddressFilter,
    pub(super) nat64_discovery: bool,
    pub(super) sources: SourceAddresses,
    pub(super) proxy: Option<HttpsProxy>,
    pub(super) discoveries: usize,
    pub(super) refreshes: usize,
    pub(super) port: u16,
    pub(super) lookup_timeout: Option<Duration>,
}

/// The error of settings that no client can work with.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The list of nameservers is empty.
    #[error("no nameservers: {0}")]
    NoNameservers(Box<str>),
    /// There is no crypto provider: none in the settings, no default of the process, and neither of
    /// the features `ring` and `aws-lc-rs`.
    #[error(
        "no provider of cryptography: give one to `Settings::with_crypto_provider`, install a \
         default with `CryptoProvider::install_default`, or enable the feature `ring` or `aws-lc-rs`"
    )]
    NoProvider,
    /// There are no root certificates in the settings, and the platform has none.
    #[error("no root certificates: {0}")]
    NoRoots(Box<str>),
    /// Root certificates of the platform could not be read again, such as during an update of them. It
    /// does not occur at the start of a client.
    #[error("root certificates that could not be read: {0}")]
    UnreadableRoots(Box<str>),
    /// A source address cannot be used: this machine does not have it, or no host can have it.
    #[error("the source address {address} cannot be used: {error}")]
    SourceAddress {
        /// The source address.
        address: IpAddr,
        /// The error of the system.
        error: Box<str>,
    },
    /// The crypto provider is not usable.
    #[error(transparent)]
    Trust(TrustStoreError),
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
            nat64_discovery: false,
            sources: SourceAddresses::default(),
            proxy: None,
            discoveries: 64,
            refreshes: 16,
            port: 443,
            lookup_timeout: None,
        }
    }
}

impl Settings {
    /// Sets the recursive nameservers. Default: those in `/etc/resolv.conf`, with the options that
    /// [`dns::ResolvConf`] supports. The file is read again within 5 s of a change. What is
    /// ignored of it is reported by [`EventKind::ResolvConf`](super::EventKind::ResolvConf). Use
    /// servers on this host or in a trusted network: answers are not authenticated, and an attacker
    /// on the network path can forge them.
    #[must_use]
    pub fn with_nameservers(self, servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self { nameservers: Some(servers.into_iter().collect()), ..self }
    }

    /// Sets the rustls crypto provider. Default: that of the process; without one, that of the
    /// feature `aws-lc-rs` or else `ring`.
    #[must_use]
    pub fn with_crypto_provider(self, provider: impl Into<Arc<CryptoProvider>>) -> Self {
        Self { provider: Some(provider.into()), ..self }
    }

    /// Sets the trusted root certificates. Default: the platform's, which are loaded again
    /// once a day while they are used.
    #[must_use]
    pub fn with_root_certificates(self, roots: impl Into<Arc<RootCertStore>>) -> Self {
        Self { roots: Some(roots.into()), ..self }
    }

    /// Sets the settings of the cache. Default: those of [`cache::Config`] with a random seed.
    /// Changes are persisted if the client has a store. Its time-outs of queries and fetches follow
    /// from [`with_dns_config`](Self::with_dns_config) and
    /// [`with_fetch_config`](Self::with_fetch_config); those set here have no effect.
    #[must_use]
    pub fn with_cache_config(self, config: cache::Config) -> Self {
        Self { cache: Some(config), ..self }
    }

    /// Sets the time-outs of queries to nameservers. Default: those of [`dns::Config`], with the
    /// options `timeout` and `attempts` of `/etc/resolv.conf` if its nameservers are used. The
    /// time-out of the whole lookup holds for a resolver of your own, too.
    #[must_use]
    pub fn with_dns_config(self, config: dns::Config) -> Self {
        Self { dns: Some(config), ..self }
    }

    /// Sets the time-out, the media types and the user agent of fetches. The time-out holds for a
    /// fetcher of your own, too.
    #[must_use]
    pub fn with_fetch_config(self, config: fetch::Config) -> Self {
        Self { fetch: config, ..self }
    }

    /// Sets the filter of addresses that Policy Hosts may have. Default: public addresses.
    #[must_use]
    pub fn with_address_filter(self, filter: AddressFilter) -> Self {
        Self { filter, ..self }
    }

    /// Sets whether the client discovers the NAT64 prefixes of the network ([RFC 7050]), for
    /// [`AddressFilter::with_discovered_nat64_prefixes`]. Default: `false`. If you know the prefix of
    /// your network, use [`AddressFilter::with_nat64_prefix`] instead.
    ///
    /// The client asks its resolver for the AAAA records of `ipv4only.arpa` before the first fetch,
    /// and before a later one when their TTL is over, at least a minute and at most a day later.
    /// After a failure the last prefixes stay, and it asks again after a minute. A discovery that has
    /// never succeeded finds nothing, without an event: an attacker who suppresses the query disables it.
    /// The time counts into the time-out of the fetch, up to that of a query. It has no effect with a
    /// fetcher of your own.
    ///
    /// [RFC 7050]: https://www.rfc-editor.org/rfc/rfc7050
    #[must_use]
    pub fn with_nat64_discovery(self, nat64_discovery: bool) -> Self {
        Self { nat64_discovery, ..self }
    }

    /// Sets the IPv4 source address of the client's own sockets: of queries over UDP and TCP, and of
    /// connections to Policy Hosts and to a proxy. Default: the system's choice.
    ///
    /// It is not used for peers at loopback addresses, which cannot be reached from another one,
    /// unless it is a loopback address itself. The client does not start if this machine does not
    /// have the address.
    #[must_use]
    pub fn with_source_ipv4(self, address: Ipv4Addr) -> Self {
        Self { sources: SourceAddresses { v4: Some(address), ..self.sources }, ..self }
    }

    /// Sets the IPv6 source address, as [`with_source_ipv4`](Self::with_source_ipv4) does that of
    /// IPv4. Default: the system's choice.
    #[must_use]
    pub fn with_source_ipv6(self, address: Ipv6Addr) -> Self {
        Self { sources: SourceAddresses { v6: Some(address), ..self.sources }, ..self }
    }

    /// Sets the HTTP proxy through which policies are fetched. Default: none.
    ///
    /// The client looks up and checks the addresses of Policy Hosts itself, and asks the proxy for a
    /// connection to such an address. Queries to nameservers do not go through it. Its own name is
    /// looked up for each fetch, within the time-out of the fetch, and the address filter does not
    /// apply to it. The environment variable `https_proxy` has no effect.
    #[must_use]
    pub fn with_https_proxy(self, proxy: HttpsProxy) -> Self {
        Self { proxy: Some(proxy), ..self }
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

    /// Sets the time that a lookup, a recheck or a forced refresh waits if the call names none.
    /// Default: the time-outs of a query, of a fetch and of saving, and 3 s: 83 s. With it, a lookup
    /// that a nameserver or Policy Host keeps hanging ends in an answer and not in
    /// [`LookupError::TimedOut`](super::LookupError::TimedOut); a recheck may take longer.
    #[must_use]
    pub fn with_lookup_timeout(self, timeout: Duration) -> Self {
        Self { lookup_timeout: Some(timeout), ..self }
    }
}

/// Creates settings with which a client starts, and makes no connection.
#[cfg(all(test, feature = "blocking"))]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
pub(crate) fn settings_for_tests() -> Settings {
    let authority = rcgen::generate_simple_self_signed(["example.com".into()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.cert.der().clone()).unwrap();
    Settings::default()
        .with_nameservers([SocketAddr::from(([127, 0, 0, 1], 9))])
        .with_crypto_provider(rustls::crypto::ring::default_provider())
        .with_root_certificates(roots)
}
