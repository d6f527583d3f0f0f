//! The content of a response, of limited length.

use alloc::vec::Vec;

use super::FetchError;
use crate::policy::Policy;

/// The bytes of a body received so far, at most as many as a policy may have.
#[derive(Debug, Default)]
pub(super) struct Content(Vec<u8>);

impl Content {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns an error if there is no room for this many more bytes.
    pub(super) fn check_room(&self, more: u64) -> Result<(), FetchError> {
        if more > Policy::MAX_LEN.saturating_sub(self.0.len()) as u64 {
            return Err(FetchError::BodyTooLarge);
        }
        Ok(())
    }

    /// Adds these bytes, or as many of them as there is room for.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let checked = self.check_room(bytes.len() as u64);
        let room = Policy::MAX_LEN.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(room));
        checked
    }
}
