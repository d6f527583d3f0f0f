//! The body of a response, however its length is told (RFC 9112 §6.3).

use alloc::vec::Vec;

use ureq_proto::BodyMode;

use super::{FetchError, chunked::Chunked};
use crate::policy::Policy;

/// The rest of a body that is still to come.
#[derive(Debug)]
pub(super) enum Body {
    /// So many bytes.
    Sized(u64),
    Chunked(Chunked),
    /// All that comes until the end of the connection.
    Open,
}

/// The bytes of a body so far: no more than a policy may have.
#[derive(Debug, Default)]
pub(super) struct Content(Vec<u8>);

impl Body {
    pub(super) fn new(mode: BodyMode) -> Result<Self, FetchError> {
        match mode {
            BodyMode::NoBody => Ok(Self::Sized(0)),
            BodyMode::LengthDelimited(len) => {
                Content::default().check_room(len)?;
                Ok(Self::Sized(len))
            }
            BodyMode::Chunked => Ok(Self::Chunked(Chunked::START)),
            BodyMode::CloseDelimited => Ok(Self::Open),
        }
    }

    /// Returns whether all of it has come.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Sized(left) => *left == 0,
            Self::Chunked(chunked) => chunked.is_over(),
            Self::Open => false,
        }
    }

    /// Returns whether it ends with the connection.
    pub(super) fn is_open_ended(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Reads the bytes up to its end; what comes after that is ignored.
    pub(super) fn read(&mut self, bytes: &[u8], content: &mut Content) -> Result<(), FetchError> {
        match self {
            Self::Sized(left) => {
                let len = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left = left.saturating_sub(len as u64);
                content.push(bytes.get(..len).unwrap_or_default())
            }
            Self::Chunked(chunked) => chunked.read(bytes, content),
            Self::Open => content.push(bytes),
        }
    }
}

impl Content {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns an error if so many bytes more are too many.
    pub(super) fn check_room(&self, more: u64) -> Result<(), FetchError> {
        if more > Policy::MAX_LEN.saturating_sub(self.0.len()) as u64 {
            return Err(FetchError::BodyTooLarge);
        }
        Ok(())
    }

    /// Adds these bytes, or as many as there is room for.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let checked = self.check_room(bytes.len() as u64);
        let room = Policy::MAX_LEN.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(room));
        checked
    }
}
