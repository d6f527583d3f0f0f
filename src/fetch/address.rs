use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

use crate::domain::Domain;

/// Which addresses a Policy Host may have: public ones, unless more is said.
///
/// Whoever owns a domain says what its Policy Host's address is. Without a filter they could have a
/// sender connect to hosts that only the sender can reach, behind its firewall or on the machine
/// itself. The address to judge is the one that is connected to, each time, since names can change
/// their addresses from one moment to the next.
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
/// // A Policy Host of one's own.
/// let filter = filter.exempt_network("10.1.0.0/16".parse()?);
/// assert!(filter.check(&domain, "10.1.2.3".parse()?).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressFilter {
    networks: Vec<IpNet>,
    domains: Vec<Domain>,
}

/// What is not public about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RefusedAddress {
    /// `0.0.0.0/8`, `::`.
    #[error("the policy host has no address")]
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    #[error("the policy host has a loopback address")]
    Loopback,
    /// RFC 1918, RFC 6598 (carriers), RFC 4193 (unique local), `fec0::/10`.
    #[error("the policy host has an address for private use")]
    Private,
    /// `169.254.0.0/16`, `fe80::/10`.
    #[error("the policy host has a link-local address")]
    LinkLocal,
    /// `224.0.0.0/4`, `ff00::/8`.
    #[error("the policy host has a multicast address")]
    Multicast,
    /// Kept for documentation, benchmarks, protocols or the future (RFC 6890).
    #[error("the policy host has a reserved address")]
    Reserved,
}

impl AddressFilter {
    /// Lets addresses of this network pass, too. `0.0.0.0/0` and `::/0` let all pass.
    #[must_use]
    pub fn exempt_network(mut self, network: IpNet) -> Self {
        self.networks.push(network);
        self
    }

    /// Lets the Policy Host of this domain have any address.
    #[must_use]
    pub fn exempt_domain(mut self, domain: Domain) -> Self {
        self.domains.push(domain);
        self
    }

    /// Judges an address of a domain's Policy Host.
    ///
    /// # Errors
    ///
    /// If it is not public, what it is. The sentence does not name it, so that it can be told to
    /// strangers.
    pub fn check(&self, domain: &Domain, address: IpAddr) -> Result<(), RefusedAddress> {
        let address = embedded(address);
        let is_exempt = self.networks.iter().any(|network| network.contains(&address))
            || self.domains.contains(domain);
        let kind = match address {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        };
        kind.filter(|_| !is_exempt).map_or(Ok(()), Err)
    }
}

/// The IPv4 address within an IPv6 one that leads to it: mapped (RFC 4291 §2.5.5.2), by NAT64
/// (RFC 6052 §2.1), by 6to4 (RFC 3056 §2).
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

fn v4(address: Ipv4Addr) -> Option<RefusedAddress> {
    Some(match address.octets() {
        [0, ..] => RefusedAddress::Unspecified,
        [127, ..] => RefusedAddress::Loopback,
        [10, ..] | [172, 16..32, ..] | [192, 168, ..] | [100, 64..128, ..] => {
            RefusedAddress::Private
        }
        [169, 254, ..] => RefusedAddress::LinkLocal,
        [224..240, ..] => RefusedAddress::Multicast,
        [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..20, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [240..=255, ..] => RefusedAddress::Reserved,
        _ => return None,
    })
}

/// Of IPv6, `2000::/3` is public (RFC 4291 §2.4) but for what is kept for other ends.
fn v6(address: Ipv6Addr) -> Option<RefusedAddress> {
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => RefusedAddress::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => RefusedAddress::Loopback,
        [0xfc00..0xfe00 | 0xfec0..0xff00, ..] => RefusedAddress::Private,
        [0xfe80..0xfec0, ..] => RefusedAddress::LinkLocal,
        [0xff00..=0xffff, ..] => RefusedAddress::Multicast,
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x3fff, 0..0x1000, ..] => RefusedAddress::Reserved,
        [0x2000..0x4000, ..] => return None,
        _ => RefusedAddress::Reserved,
    })
}
