//! As much of SMTP as a message needs.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mta_sts::{
    Domain,
    delivery::{SessionOutcome, SmtpReply},
    fetch::FetchError,
};
use rustls::ClientConfig;
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
pub(crate) struct Session {
    stream: Option<BufReader<Box<dyn Stream>>>,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// An error in a step of a session.
pub(crate) enum Error {
    /// The host answered this.
    Reply(String),
    /// The connection was lost or went silent, or what came over it is no SMTP.
    Lost,
}

impl Session {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut session = Self { stream: None };
        session.take_over(timeout(WAIT, TcpStream::connect(address)).await??);
        Ok(session)
    }

    /// Waits for the greeting and says `EHLO`. Returns whether the host offers `STARTTLS`.
    pub(crate) async fn greet(&mut self) -> Result<bool, Error> {
        self.expect("220").await?;
        let reply = self.hello().await?;
        let mut keywords = reply.lines().filter_map(|line| line.get(4..));
        Ok(keywords.any(|keyword| keyword.eq_ignore_ascii_case("STARTTLS")))
    }

    /// Says `EHLO`, at the beginning and once more after a handshake (RFC 3207 §4.2).
    pub(crate) async fn hello(&mut self) -> Result<String, Error> {
        self.say("EHLO sender.example", "250").await
    }

    /// Says `STARTTLS`. If the host refuses it, the connection is still good in clear text.
    pub(crate) async fn ask_for_tls(&mut self) -> Result<(), Error> {
        self.say("STARTTLS", "220").await.map(drop)
    }

    /// Makes the TLS handshake. Whether the certificate is valid is for the verifier in the configuration
    /// to say.
    pub(crate) async fn handshake(&mut self, host: &str, config: ClientConfig) -> io::Result<()> {
        let stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        // What was said before the handshake would count as said after it (CVE-2011-0411).
        if !stream.buffer().is_empty() {
            return Err(io::Error::other("there is more in clear text after STARTTLS"));
        }
        let name = host.to_owned().try_into().map_err(io::Error::other)?;
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

    /// Sends a message. Returns what the host said to it.
    pub(crate) async fn send(&mut self, to: &Domain) -> SmtpReply {
        match self.try_to_send(to).await {
            Ok(()) => SmtpReply::Accepted,
            Err(Error::Reply(reply)) if reply.starts_with('5') => SmtpReply::Permanent,
            Err(Error::Reply(_)) => SmtpReply::Transient,
            Err(Error::Lost) => SmtpReply::ConnectionLost,
        }
    }

    async fn try_to_send(&mut self, to: &Domain) -> Result<(), Error> {
        self.say("MAIL FROM:<alice@sender.example>", "250").await?;
        self.say(&format!("RCPT TO:<bob@{to}>"), "250").await?;
        self.say("DATA", "354").await?;
        self.say("Subject: hello\r\n\r\nHello Bob.\r\n.", "250").await?;
        // The message is theirs by now, whatever they say to this.
        let _ = self.say("QUIT", "221").await;
        Ok(())
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
    /// Returns the outcome of a session that ended in its greeting or at `EHLO`.
    pub(crate) fn of_greeting(&self) -> SessionOutcome {
        match self {
            Self::Reply(_) => SessionOutcome::GreetingRefused,
            Self::Lost => SessionOutcome::ConnectionLost,
        }
    }

    /// Returns the outcome of a session that ended at `STARTTLS`.
    pub(crate) fn of_starttls(&self) -> SessionOutcome {
        match self {
            // It "MUST" close the connection after this (RFC 5321 §4.2.3).
            Self::Reply(reply) if reply.starts_with("421") => SessionOutcome::ConnectionLost,
            Self::Reply(reply) => {
                SessionOutcome::StarttlsRefused { is_temporary: reply.starts_with('4') }
            }
            Self::Lost => SessionOutcome::ConnectionLost,
        }
    }
}

/// Describes a failed handshake in the words of the library.
pub(crate) fn in_words(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    inner.map_or_else(|| error.to_string(), |tls| FetchError::from_tls_error(tls).to_string())
}

impl From<io::Error> for Error {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}
