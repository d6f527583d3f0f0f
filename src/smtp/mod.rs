//! Delivers a message over the SMTP implementation of a mail server, for tokio, other executors and
//! threads.
//!
//! The mail server implements [`Transport`] (or [`BlockingTransport`]): addresses, connections,
//! `STARTTLS`, and the transaction. The walk over the MX hosts, the decision what may be sent over
//! which connection, the check of certificates, the recheck before a permanent failure and the
//! reports come from here: `deliver` of [`tokio::Client`](crate::tokio::Client) and
//! [`blocking::Client`](crate::blocking::Client).
//!
//! A mail server that has its own loop over a [`Delivery`](crate::delivery::Delivery) can use
//! [`Handshake`] alone: it provides the settings of rustls for an attempt, and converts what came of
//! the handshake to a [`SessionOutcome`](crate::delivery::SessionOutcome).

mod capabilities;
mod handshake;
mod message;
mod outcome;
mod ready;
mod transport;
mod walk;

#[cfg(feature = "blocking")]
pub(crate) use self::ready::{Ready, block_on_ready};
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) use self::walk::{FoundPolicy, PolicyCheck, walk};
pub use self::{
    capabilities::Capabilities,
    handshake::Handshake,
    message::Message,
    outcome::{Outcome, RecipientOutcome},
    transport::{BlockingTransport, ConnectError, StarttlsError, Transport},
};
