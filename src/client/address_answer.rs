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

impl From<AddressAnswer> for Found {
    fn from(answer: AddressAnswer) -> Self {
        match answer {
            AddressAnswer::Found(list) if !list.is_empty() => Ok(Addresses::known(&list)),
            AddressAnswer::Found(_) | AddressAnswer::NoAddress => Err(no_address()),
            AddressAnswer::Failed(why) => Err(FetchError::NoAddress(why)),
        }
    }
}

impl From<Found> for AddressAnswer {
    fn from(found: Found) -> Self {
        match found {
            Ok(addresses) => Self::Found(addresses.list),
            Err(error) if is_without(&error) => Self::NoAddress,
            Err(FetchError::NoAddress(why)) => Self::Failed(why),
            Err(error) => Self::Failed(error.to_string().into()),
        }
    }
}
