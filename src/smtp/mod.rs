//! Delivers a message over the SMTP implementation of a mail server, for tokio, other executors and
//! threads.
//!
//! The mail server implements `Transport` (or `BlockingTransport`): addresses, connections,
//! `STARTTLS`, and the transaction. The walk over the MX hosts, the decision what may be sent over
//! which connection, the check of certificates, the recheck before a permanent failure and the
//! reports come from here: `deliver` of `tokio::Client` and `blocking::Client`.
//!
//! ```
//! # #[cfg(feature = "blocking")]
//! # mod example {
//! use std::net::{IpAddr, TcpStream};
//!
//! use mta_sts::{
//!     blocking::Client,
//!     delivery::SmtpReply,
//!     smtp::{BlockingTransport, Capabilities, ConnectError, Envelope, Handshake, Message, RecipientOutcome, StarttlsError},
//! };
//!
//! /// The SMTP of the mail server, with a message to send.
//! struct Smtp;
//! # struct Session(TcpStream);
//!
//! impl BlockingTransport for Smtp {
//!     type Session = Session;
//!
//!     fn addresses(&mut self, host: &str) -> Vec<IpAddr> {
//! #       let _ = host;
//!         // A and AAAA records
//! #       Vec::new()
//!     }
//!
//!     fn connect(&mut self, host: &str, address: IpAddr) -> Result<(Session, Capabilities), ConnectError> {
//! #       let _ = (host, address);
//!         // connect, read the greeting, send `EHLO`; `Capabilities::parse` its reply
//! #       Err(ConnectError::Unreachable)
//!     }
//!
//!     fn starttls(
//!         &mut self,
//!         session: Session,
//!         handshake: &Handshake,
//!     ) -> Result<(Session, Capabilities), StarttlsError<Session>> {
//!         let (name, config) = (handshake.server_name()?, handshake.client_config());
//! #       let _ = (session, name, config);
//!         // send `STARTTLS`, make the handshake, send `EHLO` again
//! #       Err(StarttlsError::Ended(ConnectError::ConnectionLost))
//!     }
//!
//!     fn send(&mut self, session: Session, envelope: Envelope<'_>) -> Vec<SmtpReply> {
//! #       drop(session);
//!         // send `MAIL` with `envelope.mail_parameters()`, `RCPT` for each of
//!         // `envelope.recipients()`, and the message
//! #       vec![SmtpReply::Accepted; envelope.recipients().len()]
//!     }
//! }
//!
//! fn deliver(client: &Client, message: &Message) -> Result<(), mta_sts::LookupError> {
//!     for (number, outcome) in client.deliver(message, &mut Smtp)?.recipients.iter().enumerate() {
//!         match outcome {
//!             RecipientOutcome::Delivered => println!("{number}: delivered"),
//!             RecipientOutcome::Failed { status, text } => println!("{number}: bounce, {status} {text}"),
//!             RecipientOutcome::Deferred { status, text, .. } => println!("{number}: later, {status} {text}"),
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # SMTP libraries
//!
//! A library fits if it gives the stream back for the handshake, the text of the reply to `EHLO`, and
//! a reply for each recipient. The example `tokio` is built on `mail-send`; over `async-smtp` it passed
//! the same tests; `lettre` was read.
//!
//! | library | after `STARTTLS` | what to know |
//! | --- | --- | --- |
//! | `mail-send` 0.7 | fits: the field `stream` | Read the greeting with an empty `cmd`, as `read` has no time-out. Use `mail_from`, `rcpt_to` and `data`: `send` ends at the first refused recipient. Make the handshake with `tokio-rustls`: its own error hides that of rustls from `source`. |
//! | `async-smtp` 0.10 | fits: `into_inner`, twice | Send `STARTTLS` with `command`, as `starttls` drops the session if the host refuses, and check that the buffer of the stream is empty. Its capabilities are private: send `EHLO` again. Send the message with `command`, with dots doubled. It has no time-outs and no limit on the length of a reply, and takes no reply that is a code alone. |
//! | `lettre` 0.11 | does not fit | The stream cannot be taken back, and `starttls` takes settings of its own, without a `ClientConfig` or a verifier. |
//!
//! A mail server that has its own loop over a [`Delivery`](crate::delivery::Delivery) can use
//! [`Handshake`] alone: it provides the settings of rustls for an attempt, and converts the
//! result of the handshake to a [`SessionOutcome`](crate::delivery::SessionOutcome).

#[cfg(feature = "blocking")]
mod blocking_transport;
mod capabilities;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod envelope;
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
    envelope::Envelope,
    message::Message,
    outcome::{Outcome, RecipientOutcome},
    transport::{ConnectError, StarttlsError, Transport},
};
