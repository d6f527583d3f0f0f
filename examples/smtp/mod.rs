//! As much of SMTP as a message needs.

#![allow(dead_code, reason = "each example takes what it needs")]

pub(crate) mod timed;
pub(crate) mod transport;

use std::{
    fmt,
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mta_sts::{delivery::SmtpReply, fetch::FetchError, smtp::Capabilities};
use rustls::{
    ClientConfig, ClientConnection, StreamOwned,
    pki_types::{CertificateDer, ServerName},
};

use self::timed::Timed;

/// How long a host may take to be connected to, and in all.
const WAIT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);

/// How long a reply may be.
const MAX_REPLY: usize = 16 * 1024;

/// A session with a host, in clear text at first.
pub(crate) struct Connection {
    stream: Option<Stream>,
    /// The name in `EHLO`.
    own_name: String,
}

enum Stream {
    Clear(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// An error in a step of a session.
#[derive(Debug)]
pub(crate) enum Error {
    /// The host answered this.
    Reply(Box<str>),
    /// The connection was lost or went silent, or what came over it is no SMTP.
    Lost(io::Error),
}

impl Connection {
    /// Connects to an address. The name in `EHLO` is the own address unless it is given: a name would
    /// have to be one that leads to it (RFC 5321 §4.1.4).
    pub(crate) fn connect(address: SocketAddr, own_name: Option<&str>) -> io::Result<Self> {
        let stream = Timed::connect(address, WAIT, WHOLE)?;
        let own_name = match (own_name, stream.own_address()?) {
            (Some(name), _) => name.to_owned(),
            (None, IpAddr::V4(own)) => format!("[{own}]"),
            (None, IpAddr::V6(own)) => format!("[IPv6:{own}]"),
        };
        Ok(Self { stream: Some(Stream::Clear(stream)), own_name })
    }

    /// Waits for the greeting and says `EHLO`.
    pub(crate) fn greet(&mut self) -> Result<Capabilities, Error> {
        self.expect("220")?;
        match self.hello() {
            // A host that does not know `EHLO` may know `HELO` (RFC 5321 §3.2).
            Err(Error::Reply(reply)) if reply.starts_with("500") || reply.starts_with("502") => {
                self.say(&format!("HELO {}", self.own_name), "250")?;
                Ok(Capabilities::default())
            }
            found => found,
        }
    }

    /// Says `EHLO`, at the beginning and once more after a handshake (RFC 3207 §4.2).
    pub(crate) fn hello(&mut self) -> Result<Capabilities, Error> {
        let reply = self.say(&format!("EHLO {}", self.own_name), "250")?;
        Ok(Capabilities::parse(&reply))
    }

    /// Says `STARTTLS`. If the host refuses it, the connection is still good in clear text.
    pub(crate) fn ask_for_tls(&mut self) -> Result<(), Error> {
        self.say("STARTTLS", "220").map(drop)
    }

    /// Makes the TLS handshake. Whether the certificate is valid is for the verifier in the configuration
    /// to say.
    pub(crate) fn handshake(
        &mut self,
        name: ServerName<'static>,
        config: ClientConfig,
    ) -> io::Result<()> {
        let Some(Stream::Clear(stream)) = self.stream.take() else {
            return Err(io::Error::other("TLS within TLS"));
        };
        let tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(tls, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Some(Stream::Tls(Box::new(stream)));
        Ok(())
    }

    /// What the host has presented in the handshake.
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        match &self.stream {
            Some(Stream::Tls(stream)) => stream.conn.peer_certificates().unwrap_or_default(),
            _ => &[],
        }
    }

    /// Sends a message. Returns the reply for each recipient.
    pub(crate) fn send(
        &mut self,
        mail_parameters: &str,
        recipients: &[&str],
        text: &str,
    ) -> Vec<SmtpReply> {
        let mail = format!("MAIL FROM:<alice@sender.example>{mail_parameters}");
        if let Err(error) = self.say(&mail, "250") {
            return vec![error.reply(); recipients.len()];
        }
        let mut replies = Vec::new();
        for recipient in recipients {
            let said = self.say(&format!("RCPT TO:<{recipient}>"), "25");
            replies.push(said.map_or_else(|error| error.reply(), |_| SmtpReply::Accepted));
        }
        let is_wanted = replies.contains(&SmtpReply::Accepted);
        let sent = if is_wanted { self.data(text) } else { Ok(()) };
        if let Err(error) = sent {
            let taken = replies.iter_mut().filter(|reply| **reply == SmtpReply::Accepted);
            taken.for_each(|reply| *reply = error.reply());
        }
        // The message is theirs by now, whatever they say to this.
        let _ = self.quit();
        replies
    }

    fn data(&mut self, text: &str) -> Result<(), Error> {
        self.say("DATA", "354")?;
        // A line that is a dot would end the text (RFC 5321 §4.5.2).
        let lines = text.lines().map(|line| match line.strip_prefix('.') {
            Some(_) => format!(".{line}\r\n"),
            None => format!("{line}\r\n"),
        });
        self.say(&format!("{}.", lines.collect::<String>()), "250").map(drop)
    }

    pub(crate) fn quit(&mut self) -> Result<(), Error> {
        self.say("QUIT", "221").map(drop)
    }

    fn say(&mut self, line: &str, expected: &str) -> Result<String, Error> {
        let stream = self.stream()?;
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()?;
        self.expect(expected)
    }

    /// Reads a reply, all its lines.
    fn expect(&mut self, code: &str) -> Result<String, Error> {
        let mut reply = Vec::new();
        while !is_whole(&reply) {
            if reply.len() == MAX_REPLY {
                return Err(Error::Lost(io::Error::other("its reply has no end")));
            }
            let mut byte = [0];
            self.stream()?.read_exact(&mut byte)?;
            reply.push(byte[0]);
        }
        let reply = String::from_utf8_lossy(&reply).trim_end().to_owned();
        match reply.as_bytes() {
            _ if reply.starts_with(code) => Ok(reply),
            [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', ..] => Err(Error::Reply(reply.into())),
            _ => Err(Error::Lost(io::Error::other("what answered does not speak SMTP"))),
        }
    }

    fn stream(&mut self) -> io::Result<&mut dyn ReadWrite> {
        match &mut self.stream {
            Some(Stream::Clear(stream)) => Ok(stream),
            Some(Stream::Tls(stream)) => Ok(&mut **stream),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Error {
    /// Returns the reply to a recipient or a message that this is.
    fn reply(&self) -> SmtpReply {
        match self {
            Self::Reply(reply) if reply.starts_with('5') => SmtpReply::Permanent,
            Self::Reply(_) => SmtpReply::Transient,
            Self::Lost(_) => SmtpReply::ConnectionLost,
        }
    }
}

/// Describes a failed handshake in the words of the library.
pub(crate) fn tls_error(error: &io::Error) -> FetchError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    inner.map_or_else(
        || FetchError::Tls {
            alert: None,
            message: format!("the connection was lost: {error}").into(),
        },
        FetchError::from_tls_error,
    )
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(reply) => f.write_str(reply),
            Self::Lost(error) => write!(f, "{error}"),
        }
    }
}

/// Whether the last line of the reply is there: a space follows its code.
fn is_whole(reply: &[u8]) -> bool {
    let lines = reply.strip_suffix(b"\r\n");
    let last = lines.and_then(|lines| lines.rsplit(|&byte| byte == b'\n').next());
    matches!(last, Some([_, _, _] | [_, _, _, b' ', ..]))
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}
