//! As much of SMTP as a message needs.

use std::{io, net::SocketAddr, sync::Arc};

use mta_sts::Domain;
use rustls::ClientConfig;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// A session, in clear text at first.
pub(crate) struct Session {
    stream: Option<BufReader<Box<dyn Stream>>>,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

impl Session {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let mut session = Self { stream: None };
        session.take_over(TcpStream::connect(address).await?);
        session.expect("220").await?;
        Ok(session)
    }

    pub(crate) async fn has_starttls(&mut self) -> io::Result<bool> {
        let reply = self.say("EHLO sender.example", "250").await?;
        Ok(reply.lines().any(|line| line.get(4..).is_some_and(|it| it == "STARTTLS")))
    }

    /// Whether the certificate is valid is for the verifier in the configuration to say.
    pub(crate) async fn starttls(&mut self, host: &str, config: ClientConfig) -> io::Result<()> {
        self.say("STARTTLS", "220").await?;
        let stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        // What was said before the handshake would count as said after it (CVE-2011-0411).
        if !stream.buffer().is_empty() {
            return Err(io::Error::other("there is more in clear text after STARTTLS"));
        }
        let name = host.to_owned().try_into().map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::new(config));
        self.take_over(connector.connect(name, stream.into_inner()).await?);
        self.say("EHLO sender.example", "250").await.map(drop)
    }

    fn take_over(&mut self, stream: impl Stream + 'static) {
        self.stream = Some(BufReader::new(Box::new(stream)));
    }

    fn stream(&mut self) -> io::Result<&mut BufReader<Box<dyn Stream>>> {
        self.stream.as_mut().ok_or(io::ErrorKind::NotConnected.into())
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, to: &Domain) -> io::Result<()> {
        self.say("MAIL FROM:<alice@sender.example>", "250").await?;
        self.say(&format!("RCPT TO:<bob@{to}>"), "250").await?;
        self.say("DATA", "354").await?;
        self.say("Subject: hello\r\n\r\nHello Bob.\r\n.", "250").await?;
        self.say("QUIT", "221").await.map(drop)
    }

    async fn say(&mut self, line: &str, expected: &str) -> io::Result<String> {
        let stream = self.stream()?;
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        stream.flush().await?;
        self.expect(expected).await
    }

    /// Reads a reply, all its lines.
    async fn expect(&mut self, code: &str) -> io::Result<String> {
        let mut reply = String::new();
        let is_whole = |reply: &String| {
            reply.lines().last().is_some_and(|line| line.as_bytes().get(3) == Some(&b' '))
        };
        while !is_whole(&reply) {
            if self.stream()?.read_line(&mut reply).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if reply.starts_with(code) { Ok(reply) } else { Err(io::Error::other(reply)) }
    }
}
