//! The `_mta-sts` TXT record ([RFC 8461 §3.1]).
//!
//! [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1

mod builder;
mod error;
mod id;
mod select;
mod sts_record;

pub use self::{
    builder::{RecordBuildError, RecordBuilder},
    error::RecordError,
    id::{PolicyId, PolicyIdError},
    select::SelectError,
    sts_record::StsRecord,
};
pub use crate::parse::record::RecordErrorKind;
