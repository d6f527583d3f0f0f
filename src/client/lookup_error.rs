//! The error of a lookup.

use alloc::string::ToString;

use thiserror::Error;

use crate::delivery::Recheck;

/// An error of a lookup. It is the reason why a client has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The caller's time budget was over before there was an answer. Discovery continues.
    #[error("policy lookup timed out")]
    TimedOut,
    /// The client is shut down.
    #[error("the client is shut down")]
    ShutDown,
}

impl From<LookupError> for Recheck {
    fn from(error: LookupError) -> Self {
        Self::Unknown(error.to_string().into())
    }
}
