//! The answer of a resolver about the NAT64 prefixes of the network.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::dns::LookupOutcome;

/// The answer of a resolver about the AAAA records of `ipv4only.arpa` ([RFC 7050 §3]).
///
/// [RFC 7050 §3]: https://www.rfc-editor.org/rfc/rfc7050#section-3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nat64Answer {
    /// There are AAAA records: the network has a NAT64.
    Found {
        /// The addresses.
        addresses: Vec<Ipv6Addr>,
        /// The time for which the records may be cached.
        ttl: Duration,
    },
    /// There is no AAAA record: the nameserver knows of no NAT64.
    NoAddress {
        /// The time for which the absence may be cached, or `None` if the answer gives none.
        ttl: Option<Duration>,
    },
    /// The records could not be looked up. The text describes the failure.
    Failed(Box<str>),
}

impl From<&LookupOutcome> for Nat64Answer {
    fn from(outcome: &LookupOutcome) -> Self {
        match outcome {
            LookupOutcome::Found(found) => {
                let v6 = |address: &IpAddr| match address {
                    IpAddr::V4(_) => None,
                    IpAddr::V6(address) => Some(*address),
                };
                let addresses = found.addresses().iter().filter_map(v6).collect();
                Self::Found { addresses, ttl: found.ttl() }
            }
            LookupOutcome::NoData { ttl, .. } | LookupOutcome::NoSuchName { ttl, .. } => {
                Self::NoAddress { ttl: *ttl }
            }
            LookupOutcome::Failed(error) => Self::Failed(error.to_string().into()),
        }
    }
}
