//! The addresses to which a fetch may connect.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::network::Network;
use crate::domain::Domain;

/// A filter for the addresses of Policy Hosts. By default only public addresses pass.
///
/// The owner of a domain chooses the address of its Policy Host. Without a filter, an attacker
/// could make a sender connect to hosts that only the sender can reach, behind its firewall or on
/// the machine itself. Check the address of each connection, because the addresses of a name can
/// change at any time.
///
/// ```
/// use mta_sts::{Domain, fetch::AddressFilter};
///
/// let domain = Domain::parse("example.com")?;
/// let filter = AddressFilter::default();
/// assert!(filter.check(&domain, "8.8.8.8".parse()?).is_ok());
/// let refused = filter.check(&domain, "::ffff:10.1.2.3".parse()?).unwrap_err();
/// assert_eq!(refused.to_string(), "the policy host has an address for private use");
///
/// // A Policy Host in a private network.
/// let filter = filter.exempt_network("10.1.0.0/16".parse()?);
/// assert!(filter.check(&domain, "10.1.2.3".parse()?).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressFilter {
    networks: Vec<Network>,
    domains: Vec<Domain>,
}

/// The reason why an address is not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// An unspecified address: `0.0.0.0/8`, `::`.
    #[error("the policy host has no address")]
    Unspecified,
    /// A loopback address: `127.0.0.0/8`, `::1`.
    #[error("the policy host has a loopback address")]
    Loopback,
    /// An address for private use: RFC 1918, RFC 6598 (carriers), RFC 4193 (unique local),
    /// `fec0::/10`.
    #[error("the policy host has an address for private use")]
    Private,
    /// A link-local address: `169.254.0.0/16`, `fe80::/10`.
    #[error("the policy host has a link-local address")]
    LinkLocal,
    /// A multicast address: `224.0.0.0/4`, `ff00::/8`.
    #[error("the policy host has a multicast address")]
    Multicast,
    /// An address that is reserved for documentation, benchmarks, protocols or the future (RFC
    /// 6890).
    #[error("the policy host has a reserved address")]
    Reserved,
}

impl AddressFilter {
    /// Allows the addresses of this network too.
    ///
    /// An IPv4 address that is embedded in an IPv6 one (mapped, NAT64, 6to4) is checked as an IPv4
    /// address: exempt its IPv4 network. `::/0` allows all other IPv6 addresses, and `0.0.0.0/0`
    /// all IPv4 addresses, embedded or not.
    #[must_use]
    pub fn exempt_network(mut self, network: Network) -> Self {
        self.networks.push(network);
        self
    }

    /// Allows any address for the Policy Host of this domain.
    #[must_use]
    pub fn exempt_domain(mut self, domain: Domain) -> Self {
        self.domains.push(domain);
        self
    }

    /// Checks an address of a domain's Policy Host.
    ///
    /// # Errors
    ///
    /// Returns the kind of the address if it is not allowed. The message does not contain the
    /// address, so that it may be shown to strangers.
    pub fn check(&self, domain: &Domain, address: IpAddr) -> Result<(), AddressError> {
        let address = embedded(address);
        let is_exempt = self.networks.iter().any(|network| network.contains(address))
            || self.domains.contains(domain);
        let kind = match address {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        };
        kind.filter(|_| !is_exempt).map_or(Ok(()), Err)
    }
}

/// Returns the IPv4 address that is embedded in an IPv6 one: mapped (RFC 4291 §2.5.5.2), by NAT64
/// (RFC 6052 §2.1), or by 6to4 (RFC 3056 §2).
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let inner = match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => [high, low],
        _ => return address,
    };
    let [[a, b], [c, d]] = inner.map(u16::to_be_bytes);
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

fn v4(address: Ipv4Addr) -> Option<AddressError> {
    Some(match address.octets() {
        [0, ..] => AddressError::Unspecified,
        [127, ..] => AddressError::Loopback,
        [10, ..] | [172, 16..32, ..] | [192, 168, ..] | [100, 64..128, ..] => AddressError::Private,
        [169, 254, ..] => AddressError::LinkLocal,
        [224..240, ..] => AddressError::Multicast,
        [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..20, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [240..=255, ..] => AddressError::Reserved,
        _ => return None,
    })
}

/// Returns the reason why an IPv6 address is not public. `2000::/3` is public (RFC 4291 §2.4),
/// except for the parts with other purposes.
fn v6(address: Ipv6Addr) -> Option<AddressError> {
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressError::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressError::Loopback,
        [0xfc00..0xfe00 | 0xfec0..0xff00, ..] => AddressError::Private,
        [0xfe80..0xfec0, ..] => AddressError::LinkLocal,
        [0xff00..=0xffff, ..] => AddressError::Multicast,
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x3fff, 0..0x1000, ..] => AddressError::Reserved,
        [0x2000..0x4000, ..] => return None,
        _ => AddressError::Reserved,
    })
}
