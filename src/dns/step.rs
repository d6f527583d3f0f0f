//! The next step of an exchange.

use core::net::SocketAddr;

use super::{attempt::Transport, outcome::LookupOutcome};
use crate::instant::Instant;

/// The next step of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send this message. Keep the sockets of the last
    /// [`Exchange::outstanding`](super::Exchange::outstanding) datagrams open, and pass the
    /// datagrams that arrive there to
    /// [`Exchange::handle_datagram`](super::Exchange::handle_datagram).
    Send {
        /// The address of the server.
        server: SocketAddr,
        /// The transport to use.
        transport: Transport,
        /// The bytes to send. For TCP they begin with the length of the message.
        message: &'a [u8],
    },
    /// Wait for bytes from the server until this time; then call
    /// [`Exchange::handle_timeout`](super::Exchange::handle_timeout).
    Wait {
        /// The end of the server's turn.
        until: Instant,
    },
    /// The exchange is complete, with this outcome.
    Done(&'a LookupOutcome),
}
