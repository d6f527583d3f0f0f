//! As much of SMTP as a message needs.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mta_sts::{delivery::SmtpReply, smtp::Capabilities};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
        BufReader,
    },
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// The time-out of a step.
const WAIT: Duration = Duration::from_secs(10);

/// The maximum length of a reply in bytes.
const MAX_REPLY: u64 = 16 * 1024;

/// A session, in clear text at first.
pub(crate) struct Connection {
    stream: Option<BufReader<Box<dyn Stream>>>,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An error in a step of a session.
pub(crate) enum Error {
    /// The host answered this.
    Reply(String),
    /// The connection was lost or went silent, or what came over it is no SMTP.
    Lost,
}

impl Connection {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut session = Self { stream: None };
        session.take_over(timeout(WAIT, TcpStream::connect(address)).await??);
        Ok(session)
    }

    /// Waits for the greeting and says `EHLO`.
    pub(crate) async fn greet(&mut self) -> Result<Capabilities, Error> {
        self.expect("220").await?;
        self.hello().await
    }

    /// Says `EHLO`, at the beginning and once more after a handshake (RFC 3207 §4.2).
    pub(crate) async fn hello(&mut self) -> Result<Capabilities, Error> {
        let reply = self.say("EHLO sender.example", "250").await?;
        Ok(Capabilities::parse(&reply))
    }

    /// Says `STARTTLS`. If the host refuses it, the connection is still good in clear text.
    pub(crate) async fn ask_for_tls(&mut self) -> Result<(), Error> {
        self.say("STARTTLS", "220").await.map(drop)
    }

    /// Makes the TLS handshake. Whether the certificate is valid is for the verifier in the configuration
    /// to say.
    pub(crate) async fn handshake(
        &mut self,
        name: ServerName<'static>,
        config: ClientConfig,
    ) -> io::Result<()> {
        let stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        // What was said before the handshake would count as said after it (CVE-2011-0411).
        if !stream.buffer().is_empty() {
            return Err(io::Error::other("there is more in clear text after STARTTLS"));
        }
        let connector = TlsConnector::from(Arc::new(config));
        self.take_over(timeout(WAIT, connector.connect(name, stream.into_inner())).await??);
        Ok(())
    }

    fn take_over(&mut self, stream: impl Stream + 'static) {
        self.stream = Some(BufReader::new(Box::new(stream)));
    }

    fn stream(&mut self) -> io::Result<&mut BufReader<Box<dyn Stream>>> {
        self.stream.as_mut().ok_or(io::ErrorKind::NotConnected.into())
    }

    /// Sends a message. Returns the reply for each recipient.
    pub(crate) async fn send(
        &mut self,
        mail_parameters: &str,
        recipients: &[&str],
        text: &str,
    ) -> Vec<SmtpReply> {
        let mail = format!("MAIL FROM:<alice@sender.example>{mail_parameters}");
        if let Err(error) = self.say(&mail, "250").await {
            return vec![error.reply(); recipients.len()];
        }
        let mut replies = Vec::new();
        for recipient in recipients {
            let said = self.say(&format!("RCPT TO:<{recipient}>"), "25").await;
            replies.push(said.map_or_else(|error| error.reply(), |_| SmtpReply::Accepted));
        }
        let is_wanted = replies.contains(&SmtpReply::Accepted);
        let sent = if is_wanted { self.data(text).await } else { Ok(()) };
        if let Err(error) = sent {
            let taken = replies.iter_mut().filter(|reply| **reply == SmtpReply::Accepted);
            taken.for_each(|reply| *reply = error.reply());
        }
        // The message is theirs by now, whatever they say to this.
        let _ = self.say("QUIT", "221").await;
        replies
    }

    async fn data(&mut self, text: &str) -> Result<(), Error> {
        self.say("DATA", "354").await?;
        // A line that is a dot would end the text (RFC 5321 §4.5.2).
        let lines = text.lines().map(|line| match line.strip_prefix('.') {
            Some(_) => format!(".{line}\r\n"),
            None => format!("{line}\r\n"),
        });
        self.say(&format!("{}.", lines.collect::<String>()), "250").await.map(drop)
    }

    async fn say(&mut self, line: &str, expected: &str) -> Result<String, Error> {
        let stream = self.stream()?;
        let written = async {
            stream.write_all(format!("{line}\r\n").as_bytes()).await?;
            stream.flush().await
        };
        timeout(WAIT, written).await.map_err(io::Error::from)??;
        self.expect(expected).await
    }

    /// Reads a reply, all its lines.
    async fn expect(&mut self, code: &str) -> Result<String, Error> {
        let reply = timeout(WAIT, self.reply()).await.map_err(io::Error::from)??;
        match reply.as_bytes() {
            _ if reply.starts_with(code) => Ok(reply),
            [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', ..] => Err(Error::Reply(reply)),
            _ => Err(Error::Lost),
        }
    }

    async fn reply(&mut self) -> io::Result<String> {
        let mut reply = String::new();
        let mut stream = self.stream()?.take(MAX_REPLY);
        let is_whole = |reply: &String| {
            let last = reply.lines().last().map(str::as_bytes);
            matches!(last, Some([_, _, _] | [_, _, _, b' ', ..]))
        };
        while !is_whole(&reply) {
            if stream.read_line(&mut reply).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(reply)
    }
}

impl Error {
    /// Returns the reply to a recipient or a message that this is.
    fn reply(&self) -> SmtpReply {
        match self {
            Self::Reply(reply) if reply.starts_with('5') => SmtpReply::Permanent,
            Self::Reply(_) => SmtpReply::Transient,
            Self::Lost => SmtpReply::ConnectionLost,
        }
    }
}

impl From<io::Error> for Error {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}
