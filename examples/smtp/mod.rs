//! As much of SMTP as a message needs.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use mta_sts::Domain;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

pub(crate) struct Connection {
    stream: Option<Stream>,
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut connection = Self { stream: Some(Stream::Clear(stream)) };
        connection.expect("220")?;
        Ok(connection)
    }

    pub(crate) fn has_starttls(&mut self) -> io::Result<bool> {
        let reply = self.say("EHLO sender.example", "250")?;
        Ok(reply.lines().any(|line| line.get(4..).is_some_and(|it| it == "STARTTLS")))
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
        self.say("EHLO sender.example", "250").map(drop)
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, to: &Domain) -> io::Result<()> {
        self.say("MAIL FROM:<alice@sender.example>", "250")?;
        self.say(&format!("RCPT TO:<bob@{to}>"), "250")?;
        self.say("DATA", "354")?;
        self.say("Subject: hello\r\n\r\nHello Bob.\r\n.", "250")?;
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
        loop {
            let mut byte = [0];
            self.stream()?.read_exact(&mut byte)?;
            reply.push(byte[0]);
            let line = reply.strip_suffix(b"\r\n").map(|all| all.rsplit(|&it| it == b'\n').next());
            if let Some(Some([_, _, _, b' ', ..])) = line {
                break;
            }
        }
        let reply = String::from_utf8(reply).map_err(io::Error::other)?;
        if reply.starts_with(code) { Ok(reply) } else { Err(io::Error::other(reply)) }
    }

    fn stream(&mut self) -> io::Result<&mut dyn ReadWrite> {
        match &mut self.stream {
            Some(Stream::Clear(stream)) => Ok(stream),
            Some(Stream::Tls(stream)) => Ok(&mut **stream),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}
