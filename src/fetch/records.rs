//! Limits on the records of a TLS connection.

use super::FetchError;

/// A splitter of received bytes into records (RFC 8446 §5.1), which counts records without data.
///
/// rustls limits renegotiations, key updates and empty records only if they follow each other: a
/// byte of data between two of them resets its counts. It does not count session tickets at all.
#[derive(Debug, Default)]
pub(super) struct Records {
    header: [u8; HEADER],
    /// The length of the header received so far.
    len: usize,
    /// The number of bytes of the payload that have not been received yet.
    left: usize,
    /// The number of records without data.
    idle: usize,
    /// The total length of the records without data.
    idle_len: usize,
    first: Option<[u8; HEADER]>,
}

/// A piece of a record.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// The header of the record, once it is complete, if it came in several pieces: an error must not
    /// depend on these.
    pub(super) header: Option<[u8; HEADER]>,
    /// The payload, with the header before it if that came as a whole.
    pub(super) payload: &'a [u8],
    /// `true` if this is the end of the record.
    pub(super) is_end: bool,
    /// The bytes of the next record.
    pub(super) rest: &'a [u8],
}

const HEADER: usize = 5;

impl Records {
    /// The maximum number of records without data after the handshake. A server sends a few session
    /// tickets, and may update its key.
    pub(super) const MAX_IDLE: usize = 64;

    /// The maximum number of bytes in such records: one can contain hundreds of small tickets.
    pub(super) const MAX_IDLE_LEN: usize = 64 * 1024;

    /// Splits off the bytes that belong to the current record.
    pub(super) fn cut<'a>(&mut self, bytes: &'a [u8]) -> Piece<'a> {
        let missing = self.header.get_mut(self.len..).unwrap_or_default();
        let taken = missing.iter_mut().zip(bytes).map(|(to, from)| *to = *from).count();
        let rest = bytes.get(taken..).unwrap_or_default();
        self.len = self.len.saturating_add(taken);
        if self.len < HEADER {
            return Piece { header: None, payload: &[], is_end: false, rest };
        }
        let is_new = taken > 0;
        if is_new {
            let [.., high, low] = self.header;
            self.left = u16::from_be_bytes([high, low]).into();
            self.first.get_or_insert(self.header);
        }
        let len = self.left.min(rest.len());
        self.left = self.left.saturating_sub(len);
        let is_end = self.left == 0;
        if is_end {
            self.len = 0;
        }
        if taken == HEADER {
            let len = len.saturating_add(HEADER);
            let (payload, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
            return Piece { header: None, payload, is_end, rest };
        }
        let (payload, rest) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        Piece { header: is_new.then_some(self.header), payload, is_end, rest }
    }

    /// Counts the record that has just ended as one without data. Returns an error if there are too
    /// many of them.
    pub(super) fn note_idle(&mut self) -> Result<(), FetchError> {
        let [.., high, low] = self.header;
        self.idle = self.idle.saturating_add(1);
        self.idle_len = self.idle_len.saturating_add(u16::from_be_bytes([high, low]).into());
        if self.idle > Self::MAX_IDLE || self.idle_len > Self::MAX_IDLE_LEN {
            return Err(FetchError::Endless);
        }
        Ok(())
    }

    /// Returns the first bytes that the host sent, once there are enough to recognise a protocol.
    pub(super) fn first(&self) -> &[u8] {
        self.first.as_ref().map_or(&[], |first| first)
    }
}
