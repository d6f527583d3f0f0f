//! One query to one server.

use alloc::vec::Vec;

use crate::instant::Instant;

/// The transport of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A datagram, from a new socket with a new port: an attacker who forges an answer must guess
    /// the port too ([RFC 5452 §9.2]).
    ///
    /// [RFC 5452 §9.2]: https://www.rfc-editor.org/rfc/rfc5452#section-9.2
    Udp,
    /// A new TCP connection.
    Tcp,
}

/// A message to a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// The number of the server's turn, counted over all rounds.
    pub(super) turn: usize,
    pub(super) id: u16,
    pub(super) edns: bool,
    /// `true` if the query is for the target of an alias.
    pub(super) is_of_alias: bool,
    /// `true` if the server's turn ended without an answer, which may still come.
    pub(super) is_late: bool,
}

/// A query to one server, with the bytes received so far.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) sent: Sent,
    pub(super) transport: Transport,
    pub(super) message: Vec<u8>,
    pub(super) is_sent: bool,
    pub(super) until: Instant,
    /// The bytes received over TCP so far.
    received: Vec<u8>,
    /// `true` if the query was sent again from another port because of datagrams that are no
    /// answer.
    pub(super) is_moved: bool,
}

impl Attempt {
    pub(super) fn new(
        sent: Sent,
        transport: Transport,
        mut message: Vec<u8>,
        until: Instant,
    ) -> Self {
        if transport == Transport::Tcp {
            let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
            message.splice(0..0, len.to_be_bytes());
        }
        let received = Vec::new();
        Self { sent, transport, message, is_sent: false, until, received, is_moved: false }
    }

    pub(super) fn is_datagram_out(&self) -> bool {
        self.is_sent && self.transport == Transport::Udp
    }

    /// Adds bytes received over TCP. Returns the message once it is complete.
    pub(super) fn receive(&mut self, mut bytes: &[u8]) -> Option<&[u8]> {
        // Only one message is stored, whatever follows it.
        while let Some((&byte, rest)) = bytes.split_first() {
            if message(&self.received).is_some() {
                break;
            }
            self.received.push(byte);
            bytes = rest;
        }
        message(&self.received)
    }
}

/// Returns the message that was received over TCP, if it is complete.
fn message(received: &[u8]) -> Option<&[u8]> {
    let (len, message) = received.split_first_chunk()?;
    message.get(..usize::from(u16::from_be_bytes(*len)))
}

/// Returns the id of an attempt. It cannot be derived from the ids of other attempts
/// (`SplitMix64`).
pub(super) fn id(random: u64, attempt: u32) -> u16 {
    let mut bits = random.wrapping_add(u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let [a, b, ..] = bits.to_be_bytes();
    u16::from_be_bytes([a, b])
}
