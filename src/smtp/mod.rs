//! Delivers a message over the SMTP implementation of a mail server, for tokio, other executors and
//! threads.
//!
//! The mail server implements `Transport` (or `BlockingTransport`): addresses, connections,
//! `STARTTLS`, and the transaction. The walk over the MX hosts, the decision what may be sent over
//! which connection, the check of certificates, the recheck before a permanent failure and the
//! reports come from here: `deliver` of `tokio::Client` and `blocking::Client`.
//!
//! A mail server that has its own loop over a [`Delivery`](crate::delivery::Delivery) can use
//! [`Handshake`] alone: it provides the settings of rustls for an attempt, and converts what came of
//! the handshake to a [`SessionOutcome`](crate::delivery::SessionOutcome).

#[cfg(feature = "blocking")]
mod blocking_transport;
mod capabilities;
mod handshake;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod message;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod outcome;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod transport;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod walk;

#[cfg(feature = "blocking")]
pub use self::blocking_transport::BlockingTransport;
#[cfg(feature = "blocking")]
pub(crate) use self::blocking_transport::{Ready, block_on_ready};
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) use self::walk::{FoundPolicy, PolicyCheck, walk};
pub use self::{capabilities::Capabilities, handshake::Handshake};
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub use self::{
    message::Message,
    outcome::{Outcome, RecipientOutcome},
    transport::{ConnectError, StarttlsError, Transport},
};
