//! The errors of the types at the root of the crate.
//!
//! Each is one sentence that is fit for a log, with what can be copied or compared in quotes.
//! Errors of a module are in the module: [`fetch::FetchError`](crate::fetch::FetchError),
//! `verify::CertificateError`, `store::StoreError` and so on. [`NoPolicy`](crate::NoPolicy) and
//! `LookupError`, which a sender meets with every message, are at the root.

pub use crate::{
    domain::DomainError,
    failure::ParseResultTypeError,
    mode::ParseModeError,
    mx::MxPatternError,
    policy::{PolicyBuildError, PolicyError, PolicyErrorKind},
    record::{PolicyIdError, RecordBuildError, RecordError, RecordErrorKind, SelectError},
    tolerances::ParseToleranceError,
};
