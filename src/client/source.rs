//! The source addresses of a client's own sockets.

use alloc::{boxed::Box, string::ToString};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::{io, net::UdpSocket};

use thiserror::Error;

use crate::fetch::FetchError;

/// The source addresses of sockets, one for each family. `None` leaves the choice to the system.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SourceAddresses {
    pub(super) v4: Option<Ipv4Addr>,
    pub(super) v6: Option<Ipv6Addr>,
}

/// The error of binding a socket to a source address.
#[derive(Debug, Error)]
#[error("the source address {address} cannot be used: {message}")]
pub(super) struct SourceError {
    pub(super) address: IpAddr,
    pub(super) message: Box<str>,
}

impl SourceAddresses {
    /// Returns the source address for sockets that connect to this peer, if one is set.
    ///
    /// From another address than a loopback one, the system reaches no loopback peer, such as the
    /// nameserver of this machine at 127.0.0.53. These are reached from the system's choice.
    pub(crate) fn for_peer(self, peer: SocketAddr) -> Option<IpAddr> {
        let source = match peer.ip() {
            IpAddr::V4(_) => self.v4.map(IpAddr::from),
            IpAddr::V6(_) => self.v6.map(IpAddr::from),
        };
        source.filter(|source| source.is_loopback() || !peer.ip().is_loopback())
    }

    /// Returns the local address to which a socket for this peer is bound, with a port that the
    /// system chooses.
    pub(crate) fn local_for(self, peer: SocketAddr) -> SocketAddr {
        let any: IpAddr = if peer.is_ipv6() { [0; 16].into() } else { [0; 4].into() };
        (self.for_peer(peer).unwrap_or(any), 0).into()
    }

    /// Checks that this machine has the addresses. Nothing is sent.
    #[expect(clippy::disallowed_methods, reason = "the socket is closed at once")]
    pub(super) fn check(self) -> Result<(), SourceError> {
        let set = [self.v4.map(IpAddr::from), self.v6.map(IpAddr::from)];
        set.into_iter().flatten().try_for_each(|address| {
            // A mapped address stands for an IPv4 address.
            let is_other = match address {
                IpAddr::V4(address) => address.is_broadcast(),
                IpAddr::V6(address) => address.to_ipv4_mapped().is_some(),
            };
            let is_usable = !is_other && !address.is_unspecified() && !address.is_multicast();
            let message = match UdpSocket::bind((address, 0)) {
                Ok(_) if is_usable => return Ok(()),
                Ok(_) => "it is not the address of a host".into(),
                Err(error) => error.to_string().into(),
            };
            Err(SourceError { address, message })
        })
    }
}

/// Names the local address in the error of binding a socket to it.
pub(crate) fn not_bound(local: SocketAddr, error: &io::Error) -> io::Error {
    let (address, message) = (local.ip(), error.to_string().into());
    io::Error::new(error.kind(), SourceError { address, message })
}

/// Converts the error of a connection to a Policy Host.
pub(crate) fn connection_error(error: &io::Error) -> FetchError {
    let of_source = error.get_ref().and_then(|error| error.downcast_ref::<SourceError>());
    match of_source {
        Some(SourceError { address, message }) => {
            FetchError::SourceAddress { address: *address, message: message.clone() }
        }
        None => FetchError::Connection(error.to_string().into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
mod tests {
    use super::*;

    fn sources(v4: &str, v6: &str) -> SourceAddresses {
        SourceAddresses { v4: v4.parse().ok(), v6: v6.parse().ok() }
    }

    #[test]
    fn which_peers_are_reached_from_a_source_address() {
        let (public, loopback) = (sources("192.0.2.7", "2001:db8::7"), sources("127.0.0.2", "::1"));
        for (sources, peer, expected) in [
            (public, "198.51.100.1:53", "192.0.2.7:0"),
            (public, "[2001:db8:1::1]:443", "[2001:db8::7]:0"),
            (public, "127.0.0.53:53", "0.0.0.0:0"),
            (public, "[::1]:53", "[::]:0"),
            (loopback, "127.0.0.53:53", "127.0.0.2:0"),
            (loopback, "[::1]:53", "[::1]:0"),
            (loopback, "198.51.100.1:53", "127.0.0.2:0"),
            (sources("192.0.2.7", ""), "[2001:db8:1::1]:443", "[::]:0"),
            (sources("", "2001:db8::7"), "198.51.100.1:443", "0.0.0.0:0"),
        ] {
            let local = sources.local_for(peer.parse().unwrap());
            assert_eq!(local, expected.parse().unwrap(), "{peer}");
        }
    }

    #[test]
    fn an_address_that_no_host_can_have_is_refused() {
        for (v4, v6) in [
            ("0.0.0.0", ""),
            ("255.255.255.255", ""),
            ("224.0.0.1", ""),
            ("", "::"),
            ("", "ff02::1"),
            ("", "::ffff:127.0.0.1"),
        ] {
            let error = sources(v4, v6).check().unwrap_err();
            assert_eq!(error.address, [v4, v6].concat().parse::<IpAddr>().unwrap());
        }
        assert!(sources("127.0.0.1", "").check().is_ok());
    }

    #[test]
    fn an_address_that_is_gone_is_named() {
        let refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let error = not_bound("192.0.2.7:0".parse().unwrap(), &refused);
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
        let sentence = "the source address 192.0.2.7 cannot be used: address not available";
        assert_eq!(error.to_string(), sentence);
        let error = connection_error(&error);
        assert_eq!((error.to_string().as_str(), error.reason_code()), (sentence, "source-address"));
        assert!(matches!(connection_error(&refused), FetchError::Connection(_)));
    }
}
