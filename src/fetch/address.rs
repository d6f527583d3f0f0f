//! The addresses to which a fetch may connect.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::{
    nat64::{Nat64Prefix, is_for_local_use},
    network::Network,
};
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
    /// The NAT64 prefixes that the operator has set.
    nat64: Vec<Nat64Prefix>,
    /// The NAT64 prefixes that the network has announced.
    discovered: Vec<Nat64Prefix>,
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
    /// An address for NAT64 within a network: `64:ff9b:1::/48` ([RFC 8215]), of which no prefix
    /// is [set](AddressFilter::with_nat64_prefix), so that the embedded IPv4 address is unknown.
    ///
    /// [RFC 8215]: https://www.rfc-editor.org/rfc/rfc8215
    #[error("the policy host has an address of 64:ff9b:1::/48, and no NAT64 prefix of it is set")]
    Nat64,
}

impl AddressFilter {
    /// Allows the addresses of this network too.
    ///
    /// An IPv4 address that is embedded in an IPv6 one (mapped, NAT64, 6to4) is checked as an IPv4
    /// address: exempt its IPv4 network. `::/0` allows all other IPv6 addresses, and `0.0.0.0/0`
    /// all IPv4 addresses, embedded or not. An address of `64:ff9b:1::/48` embeds an IPv4 address
    /// ([RFC 8215]), also if it is not known where: no IPv6 network allows it, but
    /// [`with_nat64_prefix`](Self::with_nat64_prefix) does.
    ///
    /// [RFC 8215]: https://www.rfc-editor.org/rfc/rfc8215
    #[must_use]
    pub fn exempt_network(mut self, network: Network) -> Self {
        self.networks.push(network);
        self
    }

    /// Adds a prefix of a NAT64 of this network. Default: only the well-known `64:ff9b::/96`.
    ///
    /// An address of the prefix is checked as the IPv4 address that it embeds, wherever the prefix
    /// is. One whose bits 64 to 71 are not zero is refused. If several prefixes contain an address,
    /// each of the IPv4 addresses must be allowed.
    #[must_use]
    pub fn with_nat64_prefix(mut self, prefix: Nat64Prefix) -> Self {
        self.nat64.push(prefix);
        self
    }

    /// Sets the NAT64 prefixes that were discovered by [`Nat64Prefix::from_ipv4only`] ([RFC 7050]).
    /// They replace those of an earlier call. Default: none.
    ///
    /// Without DNSSEC, they are as trustworthy as the nameserver. For that reason, an address of
    /// such a prefix must be allowed both as the IPv4 address that it embeds and as an IPv6 address,
    /// except within `64:ff9b:1::/48`, where all addresses embed one ([RFC 8215]). A false prefix
    /// elsewhere can only refuse more.
    ///
    /// [RFC 7050]: https://www.rfc-editor.org/rfc/rfc7050
    /// [RFC 8215]: https://www.rfc-editor.org/rfc/rfc8215
    #[must_use]
    pub fn with_discovered_nat64_prefixes(
        self,
        prefixes: impl IntoIterator<Item = Nat64Prefix>,
    ) -> Self {
        Self { discovered: prefixes.into_iter().collect(), ..self }
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
        if self.domains.contains(domain) {
            return Ok(());
        }
        match address {
            IpAddr::V4(address) => self.check_v4(address),
            IpAddr::V6(address) => self.check_v6(address),
        }
    }

    fn check_v4(&self, address: Ipv4Addr) -> Result<(), AddressError> {
        v4(address).filter(|_| !self.is_exempt(address.into())).map_or(Ok(()), Err)
    }

    /// Checks an IPv6 address, and all IPv4 addresses that it may embed.
    ///
    /// An attacker who forges the answer for `ipv4only.arpa` chooses the discovered prefixes, and may
    /// choose the addresses of a Policy Host, too. If such a prefix could allow an address, one of
    /// `fd12:3456::/32` would allow the private host `fd12:3456:808:808::1`, because that embeds
    /// 8.8.8.8. So a discovered prefix only adds a condition. The exception has to be made where
    /// the prefix would be of no use otherwise, in `64:ff9b:1::/48`: no host has an address there.
    fn check_v6(&self, address: Ipv6Addr) -> Result<(), AddressError> {
        let mut is_translated = false;
        if let Some(inner) = embedded(address) {
            self.check_v4(inner)?;
            is_translated = true;
        }
        for prefix in self.nat64.iter().filter(|prefix| prefix.contains(address)) {
            self.check_v4(prefix.extract(address).ok_or(AddressError::Reserved)?)?;
            is_translated = true;
        }
        for prefix in self.discovered.iter().filter(|prefix| prefix.contains(address)) {
            self.check_v4(prefix.extract(address).ok_or(AddressError::Reserved)?)?;
            is_translated |= prefix.is_for_local_use();
        }
        let is_exempt = !is_for_local_use(address) && self.is_exempt(address.into());
        v6(address).filter(|_| !is_translated && !is_exempt).map_or(Ok(()), Err)
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// Returns the IPv4 address that is embedded in an IPv6 one: mapped (RFC 4291 §2.5.5.2), by NAT64
/// with the well-known prefix (RFC 6052 §2.1), or by 6to4 (RFC 3056 §2).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let inner = match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => [high, low],
        _ => return None,
    };
    let [[a, b], [c, d]] = inner.map(u16::to_be_bytes);
    Some(Ipv4Addr::new(a, b, c, d))
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
        [0x64, 0xff9b, 1, ..] => AddressError::Nat64,
        _ => AddressError::Reserved,
    })
}
