//! The answer of a resolver about the addresses of a Policy Host.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::net::IpAddr;

use super::{
    addresses::{Addresses, is_without, no_address},
    job::Found,
};
use crate::fetch::FetchError;

/// The answer of a resolver about the addresses of a Policy Host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressAnswer {
    /// The A and AAAA records. Up to eight addresses are tried, of both families in turn.
    Found(Vec<IpAddr>),
    /// The host has no A and no AAAA record, or does not exist.
    NoAddress,
    /// The addresses could not be looked up. The text describes the failure.
    Failed(Box<str>),
}

/// The failure of a resolver that is late.
pub(crate) const NOT_IN_TIME: &str = "the resolver did not answer in time";

impl AddressAnswer {
    /// Converts to the addresses to try, or the reason why there are none.
    pub(crate) fn into_found(self) -> Found {
        match self {
            Self::Found(list) if !list.is_empty() => Ok(Addresses::known(&list)),
            Self::Found(_) | Self::NoAddress => Err(no_address()),
            Self::Failed(why) => Err(FetchError::NoAddress(why)),
        }
    }

    /// Creates the answer from what the client's own resolver has found.
    pub(crate) fn from_found(found: Found) -> Self {
        match found {
            Ok(addresses) => Self::Found(addresses.list),
            Err(error) if is_without(&error) => Self::NoAddress,
            Err(FetchError::NoAddress(why)) => Self::Failed(why),
            Err(error) => Self::Failed(error.to_string().into()),
        }
    }
}
