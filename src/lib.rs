//! The MTA-STS engine (RFC 8461).
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod domain;
mod excerpt;
mod failure;
pub mod lint;
mod mode;
mod mx;
mod parse;
mod policy;
mod record;
mod tolerances;

pub use self::{
    domain::{Domain, DomainError},
    failure::{Failure, ParseResultTypeError, ResultType},
    mode::{Mode, ParseModeError},
    mx::{MxPattern, MxPatternError},
    policy::{Policy, PolicyBuildError, PolicyBuilder, PolicyError, PolicyErrorKind},
    record::{
        PolicyId, PolicyIdError, RecordBuildError, RecordBuilder, RecordError, RecordErrorKind,
        SelectError, StsRecord,
    },
    tolerances::Tolerances,
};
