//! The records of a TLS connection, as far as what they cost is concerned.

use super::FetchError;

/// Cuts what is received where records end (RFC 8446 §5.1), and counts those that bring nothing.
///
/// rustls bounds what a host may ask of a client (renegotiation, key updates, empty records) only one
/// after the other: a byte of data between two of them sets its counts back. Session tickets it does
/// not count at all.
#[derive(Debug, Default)]
pub(super) struct Records {
    header: [u8; HEADER],
    /// The length of the header so far.
    len: usize,
    /// The number of bytes of the payload that are to come.
    left: usize,
    /// The number of records without data.
    idle: usize,
    /// The length of these records.
    idle_len: usize,
    first: Option<[u8; HEADER]>,
}

/// A piece of a record.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// Its header, once all of it has come: what an error says must not depend on how it was cut.
    pub(super) header: Option<[u8; HEADER]>,
    pub(super) payload: &'a [u8],
    /// Whether this is the end of the record.
    pub(super) is_end: bool,
    /// The bytes of the next record.
    pub(super) rest: &'a [u8],
}

const HEADER: usize = 5;

impl Records {
    /// The most records without data that may come after the handshake. A server sends a few session
    /// tickets, and may update its key.
    pub(super) const MAX_IDLE: usize = 64;

    /// The most bytes in such records: one holds hundreds of small tickets.
    pub(super) const MAX_IDLE_LEN: usize = 64 * 1024;

    /// Cuts off what belongs to the record that comes.
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
        let (payload, rest) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        Piece { header: is_new.then_some(self.header), payload, is_end, rest }
    }

    /// Counts the record that has just ended, which has brought nothing. Returns an error if there
    /// are too many of them.
    pub(super) fn note_idle(&mut self) -> Result<(), FetchError> {
        let [.., high, low] = self.header;
        self.idle = self.idle.saturating_add(1);
        self.idle_len = self.idle_len.saturating_add(u16::from_be_bytes([high, low]).into());
        if self.idle > Self::MAX_IDLE || self.idle_len > Self::MAX_IDLE_LEN {
            return Err(FetchError::Endless);
        }
        Ok(())
    }

    /// Returns the protocol that the host speaks in the place of TLS, by its first bytes.
    pub(super) fn plain_protocol(&self) -> Option<&'static str> {
        match &self.first? {
            b"HTTP/" | b"<html" | b"<HTML" | b"<!DOC" | b"<!doc" => Some("HTTP"),
            // A reply (RFC 5321 §4.2): the greeting, or a refusal.
            [b'2' | b'4' | b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', _] => Some("SMTP"),
            b"SSH-1" | b"SSH-2" => Some("SSH"),
            _ => None,
        }
    }
}
