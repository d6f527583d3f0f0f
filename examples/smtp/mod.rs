//! As much of SMTP as a message needs.

#![allow(dead_code, reason = "each example takes what it needs")]

pub(crate) mod timed;

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mta_sts::Domain;
use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::CertificateDer};

use self::timed::Timed;

/// How long a host may take to be connected to, and in all.
const WAIT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);

/// How long a reply may be.
const MAX_REPLY: usize = 16 * 1024;

pub(crate) struct Connection {
    stream: Option<Stream>,
    /// Who we are: the address, since a name would have to be one that leads to it (RFC 5321 §4.1.4).
    hello: String,
}

enum Stream {
    Clear(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = Timed::connect(address, WAIT, WHOLE)?;
        let hello = match stream.own_address()? {
            IpAddr::V4(own) => format!("EHLO [{own}]"),
            IpAddr::V6(own) => format!("EHLO [IPv6:{own}]"),
        };
        let mut connection = Self { stream: Some(Stream::Clear(stream)), hello };
        connection.expect("220")?;
        Ok(connection)
    }

    pub(crate) fn has_starttls(&mut self) -> io::Result<bool> {
        let reply = self.say(&self.hello.clone(), "250")?;
        let mut keywords = reply.lines().filter_map(|line| line.get(4..));
        Ok(keywords.any(|keyword| keyword.eq_ignore_ascii_case("STARTTLS")))
    }

    /// Whether the certificate is valid is for the verifier in the configuration to say.
    pub(crate) fn starttls(&mut self, host: &str, config: ClientConfig) -> io::Result<()> {
        self.say("STARTTLS", "220")?;
        let Some(Stream::Clear(stream)) = self.stream.take() else {
            return Err(io::Error::other("TLS within TLS"));
        };
        let name = host.to_owned().try_into().map_err(io::Error::other)?;
        let tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(tls, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Some(Stream::Tls(Box::new(stream)));
        self.say(&self.hello.clone(), "250").map(drop)
    }

    /// What the host has presented in the handshake.
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        match &self.stream {
            Some(Stream::Tls(stream)) => stream.conn.peer_certificates().unwrap_or_default(),
            _ => &[],
        }
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, to: &Domain) -> io::Result<()> {
        self.say("MAIL FROM:<alice@sender.example>", "250")?;
        self.say(&format!("RCPT TO:<bob@{to}>"), "250")?;
        self.say("DATA", "354")?;
        self.say("Subject: hello\r\n\r\nHello Bob.\r\n.", "250")?;
        self.quit()
    }

    pub(crate) fn quit(&mut self) -> io::Result<()> {
        self.say("QUIT", "221").map(drop)
    }

    fn say(&mut self, line: &str, expected: &str) -> io::Result<String> {
        let stream = self.stream()?;
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()?;
        self.expect(expected)
    }

    /// Reads a reply, all its lines.
    fn expect(&mut self, code: &str) -> io::Result<String> {
        let mut reply = Vec::new();
        while !is_whole(&reply) {
            if reply.len() == MAX_REPLY {
                return Err(io::Error::other("its reply has no end"));
            }
            let mut byte = [0];
            self.stream()?.read_exact(&mut byte)?;
            reply.push(byte[0]);
        }
        let reply = String::from_utf8(reply).map_err(io::Error::other)?;
        if reply.starts_with(code) { Ok(reply) } else { Err(io::Error::other(reply.trim_end())) }
    }

    fn stream(&mut self) -> io::Result<&mut dyn ReadWrite> {
        match &mut self.stream {
            Some(Stream::Clear(stream)) => Ok(stream),
            Some(Stream::Tls(stream)) => Ok(&mut **stream),
            None => Err(io::ErrorKind::NotConnected.into()),
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
