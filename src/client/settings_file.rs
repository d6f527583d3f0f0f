//! Settings from a file, by serde.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{fmt, net::SocketAddr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

use super::settings::Settings;
use crate::{
    cache, dns,
    domain::Domain,
    fetch::{self, AcceptedMediaType, AddressFilter, IpNetwork},
};

/// The settings in a file. All are optional, and an unknown key is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    nameservers: Option<Vec<Nameserver>>,
    lookup_timeout: Option<Span>,
    max_concurrent_discoveries: Option<usize>,
    max_concurrent_refreshes: Option<usize>,
    https_port: Option<u16>,
    #[serde(default)]
    cache: CacheTable,
    #[serde(default)]
    dns: DnsTable,
    #[serde(default)]
    fetch: FetchTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheTable {
    max_entries: Option<usize>,
    max_bytes: Option<usize>,
    persist_timeout: Option<Span>,
    refresh_interval: Option<Span>,
    idle_time: Option<Span>,
}

#[derive(Default, Deserialize)]
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
    any_media_type: Option<bool>,
    #[serde(default)]
    exempt_networks: Vec<Network>,
    #[serde(default)]
    exempt_domains: Vec<Domain>,
}

/// A duration with a unit, such as `10s` or `1m 30s`.
struct Span(Duration);

/// A nameserver: an address, with port 53 unless another is given.
struct Nameserver(SocketAddr);

/// A network in CIDR notation.
struct Network(IpNetwork);

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

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = SettingsFile::deserialize(deserializer)?;
        let mut settings = Self::default();
        settings.nameservers =
            file.nameservers.map(|list| list.into_iter().map(|Nameserver(at)| at).collect());
        settings.lookup_timeout = file.lookup_timeout.map(|Span(timeout)| timeout);
        settings.discoveries = file.max_concurrent_discoveries.unwrap_or(settings.discoveries);
        settings.refreshes = file.max_concurrent_refreshes.unwrap_or(settings.refreshes);
        settings.port = file.https_port.unwrap_or(settings.port);
        settings.cache = file.cache;
        settings.dns = file.dns;
        settings.fetch = file.fetch.config().map_err(D::Error::custom)?;
        settings.filter = file.fetch.filter();
        Ok(settings)
    }
}
