//! The interfaces of a mail server's SMTP implementation.

use alloc::vec::Vec;
use core::{
    future::{Future, ready},
    net::IpAddr,
};
use std::io;

use pki_types::InvalidDnsNameError;

use super::{capabilities::Capabilities, envelope::Envelope, handshake::Handshake};
use crate::delivery::{SmtpReply, TlsaStatus};

/// The SMTP implementation of an asynchronous mail server.
///
/// All time-outs are up to it: a session that hangs is [`ConnectError::ConnectionLost`], or
/// [`SmtpReply::ConnectionLost`]. An implementation may write its methods as `async fn`.
pub trait Transport {
    /// An SMTP session. Dropping it closes the connection.
    type Session: Send;

    /// Looks up the addresses of an MX host, in the order in which to try them. Returns none if
    /// there is none, or if the lookup failed. The first 16 are tried.
    fn addresses(&mut self, host: &str) -> impl Future<Output = Vec<IpAddr>> + Send;

    /// Connects to an address of an MX host, reads the greeting, and sends `EHLO`.
    fn connect(
        &mut self,
        host: &str,
        address: IpAddr,
    ) -> impl Future<Output = Result<(Self::Session, Capabilities), ConnectError>> + Send;

    /// Sends `STARTTLS`, makes the handshake with
    /// [`client_config`](Handshake::client_config) and [`server_name`](Handshake::server_name), and
    /// sends `EHLO` again ([RFC 3207 §4.2]). Bytes that the host sent in clear text after its reply
    /// to `STARTTLS` must not count as sent after the handshake: return an error if there are any.
    ///
    /// [RFC 3207 §4.2]: https://www.rfc-editor.org/rfc/rfc3207#section-4.2
    fn starttls(
        &mut self,
        session: Self::Session,
        handshake: &Handshake,
    ) -> impl Future<Output = Result<(Self::Session, Capabilities), StarttlsError<Self::Session>>> + Send;

    /// Sends the message over the session to the [recipients](Envelope::recipients) of the envelope,
    /// with its [parameters of `MAIL`](Envelope::mail_parameters). Returns a reply for each recipient,
    /// in this order: to its `RCPT`, or else to the message. A reply to `MAIL` is one for all of them.
    /// Recipients without a reply count as refused temporarily, and surplus replies are ignored.
    ///
    /// To quote the reply of a host in a bounce, keep it here.
    fn send(
        &mut self,
        session: Self::Session,
        envelope: Envelope<'_>,
    ) -> impl Future<Output = Vec<SmtpReply>> + Send;

    /// Looks up the TLSA records of an MX host. Default: [`TlsaStatus::Insecure`], for a sender
    /// without DANE.
    ///
    /// Certificates are not checked against usable records here: after
    /// [`TlsaStatus::Usable`], supply the result by
    /// [`Handshake::set_dane_result`] in [`starttls`](Self::starttls). Without it, no message is sent to
    /// the host.
    fn tlsa(&mut self, _host: &str) -> impl Future<Output = TlsaStatus> + Send {
        ready(TlsaStatus::Insecure)
    }
}

/// The reason why there is no session with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// There is no connection.
    Unreachable,
    /// The greeting, or the reply to `EHLO`, was an error, such as 554 or 421.
    GreetingRefused,
    /// The connection was lost, timed out, or did not speak SMTP.
    ConnectionLost,
}

/// The reason why a session is not encrypted.
#[derive(Debug)]
pub enum StarttlsError<S> {
    /// The host replied to `STARTTLS` with an error, and the session can still be used in clear text.
    /// If it closed the connection (421), use [`Ended`](Self::Ended).
    Refused {
        /// The session.
        session: S,
        /// `true` for a temporary error (4yz).
        is_temporary: bool,
    },
    /// The handshake failed. The error of rustls is described if it is, or is within, this one. An
    /// error before the handshake is [`Ended`](Self::Ended).
    Handshake(io::Error),
    /// The session ended before the handshake, or after it at `EHLO`.
    Ended(ConnectError),
}

impl<S> From<InvalidDnsNameError> for StarttlsError<S> {
    fn from(error: InvalidDnsNameError) -> Self {
        Self::Handshake(io::Error::other(error))
    }
}

impl<S> From<io::Error> for StarttlsError<S> {
    fn from(error: io::Error) -> Self {
        Self::Handshake(error)
    }
}
