use core::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;
use thiserror::Error;

/// A network of IP addresses in CIDR notation ([RFC 4632 §3.1]), such as `10.1.0.0/16` or
/// `2001:db8::/32`. A single address is a network of one address.
///
/// ```
/// use mta_sts::fetch::Network;
///
/// let network: Network = "10.1.2.3/16".parse()?;
/// assert_eq!(network.to_string(), "10.1.0.0/16");
/// assert!(network.contains("10.1.255.255".parse()?));
/// assert!("10.1.0.0/33".parse::<Network>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 4632 §3.1]: https://www.rfc-editor.org/rfc/rfc4632#section-3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

/// The error for a text that is not a network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a network: write an IP address and a prefix length, such as 10.0.0.0/8 or fd00::/8")]
pub struct ParseNetworkError(());

impl Network {
    /// Returns whether an address belongs to the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Creates the network of an address, with a prefix of this length.
    pub(super) fn new(address: IpAddr, len: u8) -> Option<Self> {
        IpNet::new(address, len).ok().map(|network| Self(network.trunc()))
    }

    /// Returns the address and the prefix length of an IPv6 network.
    pub(super) fn ipv6(&self) -> Option<(Ipv6Addr, u8)> {
        match self.0 {
            IpNet::V4(_) => None,
            IpNet::V6(network) => Some((network.network(), network.prefix_len())),
        }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(address.into())
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse().map(|network: IpNet| Self(network.trunc()));
        let network = network.or_else(|_| text.parse().map(|address: IpAddr| address.into()));
        network.map_err(|_| ParseNetworkError(()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
