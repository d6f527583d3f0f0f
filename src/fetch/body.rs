//! The body of a response, with any kind of framing (RFC 9112 §6.3).

use ureq_proto::BodyMode;

use super::{FetchError, chunked::Chunked, content::Content};

/// The rest of a body that has not been received yet.
#[derive(Debug)]
pub(super) enum Body {
    /// This many bytes.
    Sized(u64),
    Chunked(Chunked),
    /// All bytes until the end of the connection.
    Open,
}

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

    /// Returns whether the body is complete.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Sized(left) => *left == 0,
            Self::Chunked(chunked) => chunked.is_over(),
            Self::Open => false,
        }
    }

    /// Returns whether the body ends with the connection.
    pub(super) fn is_open_ended(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Reads the bytes up to the end of the body; further bytes are ignored.
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
