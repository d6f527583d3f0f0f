//! The SMTP of the mail server: `mail-send`, for `tokio::Client::deliver`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use mail_send::{
    Error, SmtpClient,
    smtp::{AssertReply as _, message::Parameters},
};
use mta_sts::{
    delivery::SmtpReply,
    smtp::{Capabilities, ConnectError, Envelope, Handshake, StarttlsError, Transport},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// The time-out of a step. RFC 5321 §4.5.3.2 has minutes.
const WAIT: Duration = Duration::from_secs(10);

/// The hosts of the world, and their addresses. In a mail server, DNS has them, and the port is 25.
pub(crate) type Hosts = Arc<Mutex<Vec<(String, SocketAddr)>>>;

/// A message, and how hosts are reached.
pub(crate) struct Smtp {
    pub(crate) hosts: Hosts,
    pub(crate) recipients: Vec<String>,
    pub(crate) text: String,
}

/// A session, in clear text at first.
pub(crate) type Session = SmtpClient<Box<dyn Stream>>;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Smtp {
    fn sockets(&self, host: &str) -> Vec<SocketAddr> {
        let hosts = self.hosts.lock().unwrap();
        hosts.iter().filter(|(name, _)| name == host).map(|(_, socket)| *socket).collect()
    }
}

impl Transport for Smtp {
    type Session = Session;

    async fn addresses(&mut self, host: &str) -> Vec<IpAddr> {
        self.sockets(host).iter().map(SocketAddr::ip).collect()
    }

    async fn connect(
        &mut self,
        host: &str,
        address: IpAddr,
    ) -> Result<(Session, Capabilities), ConnectError> {
        let socket = self.sockets(host).into_iter().find(|socket| socket.ip() == address);
        let connecting = SmtpClient::connect(socket.ok_or(ConnectError::Unreachable)?, WAIT);
        let connected = connecting.await.map_err(|_| ConnectError::Unreachable)?;
        let mut session = SmtpClient { stream: Box::new(connected.stream) as _, timeout: WAIT };
        // An empty command: it waits for the greeting.
        say(&mut session, "").await.map_err(|error| to_connect_error(&error))?;
        let found = hello(&mut session).await.map_err(|error| to_connect_error(&error))?;
        Ok((session, found))
    }

    async fn starttls(
        &mut self,
        mut session: Session,
        handshake: &Handshake,
    ) -> Result<(Session, Capabilities), StarttlsError<Session>> {
        match say(&mut session, "STARTTLS\r\n").await {
            Ok(_) => {}
            // It "MUST" close the connection after a 421 (RFC 5321 §4.2.3).
            Err(Error::UnexpectedReply(reply)) if reply.code() != 421 => {
                return Err(StarttlsError::Refused { session, is_temporary: reply.code() < 500 });
            }
            Err(_) => return Err(StarttlsError::Ended(ConnectError::ConnectionLost)),
        }
        // `mail-send` keeps no bytes: what followed the reply in clear text is gone (CVE-2011-0411).
        let (name, config) = (handshake.server_name()?, handshake.client_config());
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, session.stream);
        let stream = timeout(WAIT, connecting).await.map_err(std::io::Error::from)??;
        let mut session = SmtpClient { stream: Box::new(stream) as _, timeout: WAIT };
        let found = hello(&mut session).await;
        let found = found.map_err(|error| StarttlsError::Ended(to_connect_error(&error)))?;
        Ok((session, found))
    }

    async fn send(&mut self, mut session: Session, envelope: Envelope<'_>) -> Vec<SmtpReply> {
        let mail = format!("MAIL FROM:<alice@sender.example>{}\r\n", envelope.mail_parameters());
        if let Err(error) = say(&mut session, &mail).await {
            return vec![to_reply(&error); envelope.recipients().len()];
        }
        let mut replies = Vec::new();
        for &number in envelope.recipients() {
            let said = session.rcpt_to(&self.recipients[number], &Parameters::new()).await;
            replies.push(said.map_or_else(|error| to_reply(&error), |()| SmtpReply::Accepted));
        }
        if replies.contains(&SmtpReply::Accepted)
            && let Err(error) = session.data(&self.text).await
        {
            let taken = replies.iter_mut().filter(|reply| **reply == SmtpReply::Accepted);
            taken.for_each(|reply| *reply = to_reply(&error));
        }
        // The message is theirs by now, whatever they say to this.
        let _ = session.quit().await;
        replies
    }
}

/// Sends `EHLO`, at the beginning and once more after a handshake (RFC 3207 §4.2).
async fn hello(session: &mut Session) -> mail_send::Result<Capabilities> {
    let reply = say(session, "EHLO sender.example\r\n").await?;
    Ok(Capabilities::parse(&reply))
}

/// Sends a command. Returns the text of the reply, if that is a good one.
async fn say(session: &mut Session, command: &str) -> mail_send::Result<String> {
    Ok(session.cmd(command).await?.into_positive_completion()?.message)
}

fn to_connect_error(error: &Error) -> ConnectError {
    match error {
        Error::UnexpectedReply(_) => ConnectError::GreetingRefused,
        _ => ConnectError::ConnectionLost,
    }
}

fn to_reply(error: &Error) -> SmtpReply {
    match error {
        Error::UnexpectedReply(reply) if reply.code() < 500 => SmtpReply::Transient,
        Error::UnexpectedReply(_) => SmtpReply::Permanent,
        _ => SmtpReply::ConnectionLost,
    }
}
