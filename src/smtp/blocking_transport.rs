//! The interface of a blocking SMTP implementation. It becomes an asynchronous one, so that there is
//! one walk for both.

use alloc::vec::Vec;
use core::{
    future::{Future, ready},
    net::IpAddr,
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::{
    capabilities::Capabilities,
    envelope::Envelope,
    handshake::Handshake,
    transport::{ConnectError, StarttlsError, Transport},
};
use crate::delivery::{SmtpReply, TlsaStatus};

/// The SMTP implementation of a mail server with threads. Its methods are those of [`Transport`], and
/// block.
pub trait BlockingTransport {
    /// An SMTP session. Dropping it closes the connection.
    type Session: Send;

    /// Looks up the addresses of an MX host: see [`Transport::addresses`].
    fn addresses(&mut self, host: &str) -> Vec<IpAddr>;

    /// Connects to an address of an MX host: see [`Transport::connect`].
    ///
    /// # Errors
    ///
    /// Returns an error if there is no session.
    fn connect(
        &mut self,
        host: &str,
        address: IpAddr,
    ) -> Result<(Self::Session, Capabilities), ConnectError>;

    /// Makes the handshake: see [`Transport::starttls`].
    ///
    /// # Errors
    ///
    /// Returns an error if the session is not encrypted.
    fn starttls(
        &mut self,
        session: Self::Session,
        handshake: &Handshake,
    ) -> Result<(Self::Session, Capabilities), StarttlsError<Self::Session>>;

    /// Sends the message: see [`Transport::send`].
    fn send(&mut self, session: Self::Session, envelope: Envelope<'_>) -> Vec<SmtpReply>;

    /// Looks up the TLSA records of an MX host: see [`Transport::tlsa`].
    fn tlsa(&mut self, _host: &str) -> TlsaStatus {
        TlsaStatus::Insecure
    }
}

/// A blocking transport whose futures are ready at once.
pub(crate) struct Ready<'a, T>(pub(crate) &'a mut T);

impl<T: BlockingTransport> Transport for Ready<'_, T> {
    type Session = T::Session;

    fn addresses(&mut self, host: &str) -> impl Future<Output = Vec<IpAddr>> + Send {
        ready(self.0.addresses(host))
    }

    fn connect(
        &mut self,
        host: &str,
        address: IpAddr,
    ) -> impl Future<Output = Result<(Self::Session, Capabilities), ConnectError>> + Send {
        ready(self.0.connect(host, address))
    }

    fn starttls(
        &mut self,
        session: Self::Session,
        handshake: &Handshake,
    ) -> impl Future<Output = Result<(Self::Session, Capabilities), StarttlsError<Self::Session>>> + Send
    {
        ready(self.0.starttls(session, handshake))
    }

    fn send(
        &mut self,
        session: Self::Session,
        envelope: Envelope<'_>,
    ) -> impl Future<Output = Vec<SmtpReply>> + Send {
        ready(self.0.send(session, envelope))
    }

    fn tlsa(&mut self, host: &str) -> impl Future<Output = TlsaStatus> + Send {
        ready(self.0.tlsa(host))
    }
}

/// Runs a future that only waits for ready ones.
pub(crate) fn block_on_ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
