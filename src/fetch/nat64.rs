//! The prefixes of NAT64 (RFC 6052), and how they are found (RFC 7050).

use alloc::vec::Vec;
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use thiserror::Error;

use super::network::Network;

/// A prefix of IPv6 addresses in which a NAT64 of the network embeds IPv4 addresses ([RFC 6052
/// §2.2]), such as `64:ff9b:1::/96`.
///
/// ```
/// use mta_sts::fetch::Nat64Prefix;
///
/// let prefix: Nat64Prefix = "64:ff9b:1:a::/64".parse()?;
/// let address = prefix.embed("198.51.100.7".parse()?);
/// assert_eq!(address.to_string(), "64:ff9b:1:a:c6:3364:700:0");
/// assert_eq!(prefix.extract(address), Some("198.51.100.7".parse()?));
/// assert!("64:ff9b:1::/80".parse::<Nat64Prefix>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 6052 §2.2]: https://www.rfc-editor.org/rfc/rfc6052#section-2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nat64Prefix {
    network: Network,
    format: Format,
}

/// The positions of the octets of an IPv4 address within an IPv6 address.
type Format = [usize; 4];

/// Each prefix length with its format. Octet 8, the octet "u", is skipped (RFC 6052 §2.2).
const FORMATS: [(u8, Format); 6] = [
    (32, [4, 5, 6, 7]),
    (40, [5, 6, 7, 9]),
    (48, [6, 7, 9, 10]),
    (56, [7, 9, 10, 11]),
    (64, [9, 10, 11, 12]),
    (96, [12, 13, 14, 15]),
];

/// The position of the octet "u".
const U: usize = 8;

/// The addresses of `ipv4only.arpa` (RFC 7050 §2.2).
const WELL_KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];

/// The maximum number of prefixes that are found.
const MAX_FOUND: usize = 8;

/// The error for a network that is not a NAT64 prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "not a NAT64 prefix: write an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits, of which bits 64 \
     to 71 are zero, such as 64:ff9b:1::/96"
)]
pub struct Nat64PrefixError(());

impl Nat64Prefix {
    /// Returns the IPv6 address of an IPv4 address.
    #[must_use]
    pub fn embed(&self, address: Ipv4Addr) -> Ipv6Addr {
        let mut octets = self.network.ipv6().map_or([0; 16], |(network, _)| network.octets());
        for (at, octet) in self.format.into_iter().zip(address.octets()) {
            if let Some(to) = octets.get_mut(at) {
                *to = octet;
            }
        }
        octets.into()
    }

    /// Returns the IPv4 address that is embedded in an IPv6 address. Returns `None` for an address
    /// outside the prefix, or if bits 64 to 71 of it are not zero. The bits after the IPv4 address
    /// are ignored.
    #[must_use]
    pub fn extract(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        let is_one = self.contains(address) && has_zero_u(address);
        is_one.then(|| read(address, self.format))
    }

    /// Returns the prefixes in the AAAA records of `ipv4only.arpa` ([RFC 7050 §3]), up to eight.
    /// An address in which a well-known IPv4 address occurs more than once is ambiguous, and
    /// ignored.
    ///
    /// [RFC 7050 §3]: https://www.rfc-editor.org/rfc/rfc7050#section-3
    #[must_use]
    pub fn from_ipv4only(addresses: impl IntoIterator<Item = Ipv6Addr>) -> Vec<Self> {
        let mut found = Vec::new();
        for prefix in addresses.into_iter().filter_map(prefix_of) {
            if found.len() < MAX_FOUND && !found.contains(&prefix) {
                found.push(prefix);
            }
        }
        found
    }

    pub(super) fn contains(&self, address: Ipv6Addr) -> bool {
        self.network.contains(address.into())
    }

    /// Returns whether the prefix is one for local use: within `64:ff9b:1::/48` (RFC 8215).
    pub(super) fn is_for_local_use(&self) -> bool {
        self.network.ipv6().is_some_and(|(network, len)| len >= 48 && is_for_local_use(network))
    }
}

/// Returns whether an address is one for local NAT64: within `64:ff9b:1::/48` (RFC 8215).
pub(super) fn is_for_local_use(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0x64, 0xff9b, 1, ..])
}

/// Returns the prefix of an address of `ipv4only.arpa`. A well-known address must occur only once
/// (RFC 7050 §3), at any octet and not only where a prefix can end.
fn prefix_of(address: Ipv6Addr) -> Option<Nat64Prefix> {
    let octets = address.octets();
    let is_well_known = |four: &Ipv4Addr| WELL_KNOWN.contains(four);
    let mut formats =
        FORMATS.into_iter().filter(|&(_, format)| is_well_known(&read(address, format)));
    let (len, format) = formats.next()?;
    let is_contiguous = format.windows(2).all(|pair| matches!(pair, [a, b] if a.abs_diff(*b) == 1));
    let contiguous = octets
        .windows(4)
        .filter(|four| WELL_KNOWN.iter().any(|well_known| *four == well_known.octets()));
    if formats.next().is_some() || contiguous.count() != usize::from(is_contiguous) {
        return None;
    }
    Network::new(address.into(), len)?.try_into().ok()
}

fn has_zero_u(address: Ipv6Addr) -> bool {
    address.octets().get(U) == Some(&0)
}

fn read(address: Ipv6Addr, format: Format) -> Ipv4Addr {
    let octets = address.octets();
    format.map(|at| octets.get(at).copied().unwrap_or_default()).into()
}

impl TryFrom<Network> for Nat64Prefix {
    type Error = Nat64PrefixError;

    fn try_from(network: Network) -> Result<Self, Self::Error> {
        let (address, len) = network.ipv6().ok_or(Nat64PrefixError(()))?;
        let format = FORMATS.into_iter().find(|&(format_len, _)| format_len == len);
        match format.filter(|_| has_zero_u(address)) {
            Some((_, format)) => Ok(Self { network, format }),
            None => Err(Nat64PrefixError(())),
        }
    }
}

impl FromStr for Nat64Prefix {
    type Err = Nat64PrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Network>().map_err(|_| Nat64PrefixError(()))?.try_into()
    }
}

impl fmt::Display for Nat64Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.network.fmt(f)
    }
}
