//! Settings from a file, by serde.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer, de::Error};

use super::{settings::Settings, setup::random_seed, source::SourceAddresses};
use crate::{
    cache, dns,
    domain::Domain,
    fetch::{self, AcceptedMediaType, AddressFilter, HttpsProxy, Nat64Prefix},
};

/// The settings in a file. All are optional, and an unknown key is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    nameservers: Option<Vec<Nameserver>>,
    source_ipv4: Option<Parsed<Ipv4Addr>>,
    source_ipv6: Option<Parsed<Ipv6Addr>>,
    lookup_timeout: Option<Span>,
    max_concurrent_discoveries: Option<usize>,
    max_concurrent_refreshes: Option<usize>,
    https_port: Option<u16>,
    cache: Option<CacheTable>,
    dns: Option<DnsTable>,
    #[serde(default)]
    fetch: FetchTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheTable {
    max_entries: Option<usize>,
    max_bytes: Option<usize>,
    persist_timeout: Option<Span>,
    refresh_interval: Option<Span>,
    idle_time: Option<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DnsTable {
    attempt_timeout: Option<Span>,
    timeout: Option<Span>,
    attempts: Option<u8>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FetchTable {
    timeout: Option<Span>,
    user_agent: Option<String>,
    #[serde(default)]
    any_media_type: bool,
    #[serde(default)]
    exempt_networks: Vec<Network>,
    #[serde(default)]
    exempt_domains: Vec<Domain>,
    #[serde(default)]
    nat64_prefixes: Vec<Parsed<Nat64Prefix>>,
    #[serde(default)]
    nat64_discovery: bool,
    https_proxy: Option<Proxy>,
}

/// A duration with a unit, such as `10s` or `1m 30s`.
struct Span(Duration);

/// A nameserver: an address, with port 53 unless another is given.
struct Nameserver(SocketAddr);

/// A network in CIDR notation.
struct Network(fetch::Network);

/// A value whose error tells what is to be written.
struct Parsed<T>(T);

/// A proxy. Errors do not show the text, which may have a password.
struct Proxy(HttpsProxy);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        let why = |error: &dyn fmt::Display| {
            D::Error::custom(format!("{text:?} is no duration such as \"10s\": {error}"))
        };
        humantime::parse_duration(&text).map(Self).map_err(|error| why(&error))
    }
}

impl<'de> Deserialize<'de> for Nameserver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        let with_port = text.parse().or_else(|_| text.parse().map(|ip| SocketAddr::new(ip, 53)));
        with_port.map(Self).map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is no nameserver such as \"192.0.2.1\" or \"[2001:db8::1]:53\""
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            D::Error::custom(format!("{text:?} is no network such as \"192.0.2.0/24\""))
        })
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = SettingsFile::deserialize(deserializer)?;
        let default = Self::default();
        Ok(Self {
            nameservers: file
                .nameservers
                .map(|list| list.into_iter().map(|Nameserver(address)| address).collect()),
            sources: SourceAddresses {
                v4: file.source_ipv4.map(|Parsed(address)| address),
                v6: file.source_ipv6.map(|Parsed(address)| address),
            },
            lookup_timeout: file.lookup_timeout.map(|Span(timeout)| timeout),
            discoveries: file.max_concurrent_discoveries.unwrap_or(default.discoveries),
            refreshes: file.max_concurrent_refreshes.unwrap_or(default.refreshes),
            port: file.https_port.unwrap_or(default.port),
            cache: file.cache.map(CacheTable::config),
            dns: file.dns.map(DnsTable::config),
            filter: file.fetch.filter(),
            nat64_discovery: file.fetch.nat64_discovery,
            fetch: file.fetch.config().map_err(D::Error::custom)?,
            proxy: file.fetch.https_proxy.map(|Proxy(proxy)| proxy),
            ..default
        })
    }
}

impl CacheTable {
    fn config(self) -> cache::Config {
        let mut config = cache::Config::new(random_seed());
        if let Some(entries) = self.max_entries {
            config = config.with_max_entries(entries);
        }
        if let Some(bytes) = self.max_bytes {
            config = config.with_max_bytes(bytes);
        }
        if let Some(Span(timeout)) = self.persist_timeout {
            config = config.with_persist_timeout(timeout);
        }
        if let Some(Span(interval)) = self.refresh_interval {
            config = config.with_refresh_interval(interval);
        }
        if let Some(Span(time)) = self.idle_time {
            config = config.with_idle_time(time);
        }
        config
    }
}

impl DnsTable {
    fn config(self) -> dns::Config {
        let mut config = dns::Config::default();
        if let Some(Span(timeout)) = self.attempt_timeout {
            config = config.with_attempt_timeout(timeout);
        }
        if let Some(Span(timeout)) = self.timeout {
            config = config.with_timeout(timeout);
        }
        if let Some(attempts) = self.attempts {
            config = config.with_attempts(attempts);
        }
        config
    }
}

impl FetchTable {
    fn config(&self) -> Result<fetch::Config, fetch::UserAgentError> {
        let mut config = fetch::Config::default();
        if let Some(Span(timeout)) = self.timeout {
            config = config.with_timeout(timeout);
        }
        if self.any_media_type {
            config = config.with_media_type(AcceptedMediaType::Any);
        }
        match &self.user_agent {
            Some(user_agent) => config.with_user_agent(user_agent),
            None => Ok(config),
        }
    }

    fn filter(&self) -> AddressFilter {
        let filter = self
            .exempt_networks
            .iter()
            .fold(AddressFilter::default(), |filter, &Network(network)| {
                filter.exempt_network(network)
            });
        let prefixes = self.nat64_prefixes.iter().map(|&Parsed(prefix)| prefix);
        let filter = prefixes.fold(filter, AddressFilter::with_nat64_prefix);
        self.exempt_domains.iter().cloned().fold(filter, AddressFilter::exempt_domain)
    }
}
