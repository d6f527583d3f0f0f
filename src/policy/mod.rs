//! The policy file, `mta-sts.txt` ([RFC 8461 §3.2]).
//!
//! [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2

mod builder;
mod error;
mod file;
mod reader;
mod span;

pub use self::{
    builder::{PolicyBuildError, PolicyBuilder},
    error::PolicyError,
    file::Policy,
};
pub use crate::parse::policy::PolicyErrorKind;
