//! The SMTP of the examples, for `blocking::Client::deliver`.

use std::net::{IpAddr, SocketAddr};

use mta_sts::{
    delivery::SmtpReply,
    smtp::{BlockingTransport, Capabilities, ConnectError, Envelope, Handshake, StarttlsError},
};

use super::{Connection, Error};

/// A message, and how the hosts of the world are reached: in a mail server, by DNS and on port 25.
pub(crate) struct Smtp {
    pub(crate) hosts: Vec<(String, SocketAddr)>,
    pub(crate) recipients: Vec<String>,
    pub(crate) text: String,
}

impl Smtp {
    fn sockets(&self, host: &str) -> impl Iterator<Item = SocketAddr> {
        self.hosts.iter().filter(move |(name, _)| name == host).map(|(_, socket)| *socket)
    }
}

impl BlockingTransport for Smtp {
    type Session = Connection;

    fn addresses(&mut self, host: &str) -> Vec<IpAddr> {
        self.sockets(host).map(|socket| socket.ip()).collect()
    }

    fn connect(
        &mut self,
        host: &str,
        address: IpAddr,
    ) -> Result<(Connection, Capabilities), ConnectError> {
        let socket = self.sockets(host).find(|socket| socket.ip() == address);
        let connected = Connection::connect(socket.ok_or(ConnectError::Unreachable)?, None);
        let mut session = connected.map_err(|_| ConnectError::Unreachable)?;
        let found = session.greet().map_err(|error| ConnectError::from(&error))?;
        Ok((session, found))
    }

    fn starttls(
        &mut self,
        mut session: Connection,
        handshake: &Handshake,
    ) -> Result<(Connection, Capabilities), StarttlsError<Connection>> {
        match session.ask_for_tls() {
            Ok(()) => {}
            // It "MUST" close the connection after a 421 (RFC 5321 §4.2.3).
            Err(Error::Reply(reply)) if !reply.starts_with("421") => {
                let is_temporary = reply.starts_with('4');
                return Err(StarttlsError::Refused { session, is_temporary });
            }
            Err(_) => return Err(StarttlsError::Ended(ConnectError::ConnectionLost)),
        }
        session
            .handshake(handshake.server_name()?, handshake.client_config())
            .map_err(StarttlsError::Handshake)?;
        let found = session.hello().map_err(|error| StarttlsError::Ended((&error).into()))?;
        Ok((session, found))
    }

    fn send(&mut self, mut session: Connection, envelope: Envelope<'_>) -> Vec<SmtpReply> {
        let numbers = envelope.recipients().iter();
        let recipients: Vec<&str> = numbers.map(|&n| &*self.recipients[n]).collect();
        session.send(envelope.mail_parameters(), &recipients, &self.text)
    }
}

impl From<&Error> for ConnectError {
    fn from(error: &Error) -> Self {
        match error {
            Error::Reply(_) => Self::GreetingRefused,
            Error::Lost(_) => Self::ConnectionLost,
        }
    }
}
