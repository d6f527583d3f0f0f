//! The way to Policy Hosts for one fetch.

use alloc::{string::ToString, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use super::job::Found;
use crate::fetch::{AddressFilter, FetchError, HttpsProxy, ProxyError, ProxyErrorKind};

/// The way to Policy Hosts for one fetch: what is not known before it begins.
#[derive(Debug)]
pub(crate) struct FetchRoute {
    /// The filter, with the NAT64 prefixes of the network.
    pub(crate) filter: AddressFilter,
    /// The addresses of the proxy. There are none without a proxy.
    pub(crate) proxy_addresses: Vec<SocketAddr>,
}

/// Returns the addresses of a proxy whose name was looked up.
pub(crate) fn proxy_addresses(
    proxy: &HttpsProxy,
    found: Found,
) -> Result<Vec<SocketAddr>, FetchError> {
    let with_port = |&address: &IpAddr| SocketAddr::new(address, proxy.port());
    match found {
        Ok(addresses) => Ok(addresses.list.iter().map(with_port).collect()),
        Err(error) => {
            let why = match error {
                FetchError::NoAddress(why) => why,
                other => other.to_string().into(),
            };
            Err(FetchError::Proxy(ProxyError::new(proxy, ProxyErrorKind::NoAddress(why))))
        }
    }
}
