//! Questions to a policy daemon for Postfix.

use std::{
    io::{self, BufRead as _, BufReader, ErrorKind, Read, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use super::{
    answer::Answer,
    signals::{LOOK, Signals},
};

/// A daemon, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Daemon {
    pub(crate) protocol: Protocol,
    /// A host and a port.
    pub(crate) address: String,
    /// How long it may take to answer.
    pub(crate) timeout: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `socketmap_table(5)`, with this name of the map.
    Socketmap(String),
    /// `tcp_table(5)`.
    Tcp,
}

/// The longest time to connect to a daemon that may not be there yet: then it is tried again.
const CONNECT: Duration = Duration::from_secs(1);

/// The longest answer, as in Postfix.
const MAX_LEN: usize = 100_000;

impl Daemon {
    /// Asks for a domain.
    pub(crate) fn ask(&self, domain: &str) -> Answer {
        self.exchange(domain).unwrap_or_else(|error| Answer::Other(error.to_string()))
    }

    /// Waits until the daemon accepts connections: it may be started when the world stands.
    ///
    /// # Errors
    ///
    /// Returns an error if it does not within the time for an answer, or up to a SIGINT.
    pub(crate) fn wait(&self, signals: &Signals) -> io::Result<()> {
        let start = Instant::now();
        loop {
            match self.connect(self.timeout.min(CONNECT)) {
                Ok(_) => return Ok(()),
                Err(error) if signals.is_interrupted() || start.elapsed() >= self.timeout => {
                    return Err(error);
                }
                Err(_) => signals.sleep(LOOK),
            }
        }
    }

    fn exchange(&self, domain: &str) -> io::Result<Answer> {
        let mut stream = self.connect(self.timeout)?;
        match &self.protocol {
            Protocol::Socketmap(map) => {
                let question = format!("{map} {domain}");
                write!(stream, "{}:{question},", question.len())?;
                Ok(Answer::from_socketmap(&read_netstring(&stream)?))
            }
            Protocol::Tcp => {
                writeln!(stream, "get {domain}")?;
                let mut line = String::new();
                BufReader::new(stream.take(MAX_LEN as u64)).read_line(&mut line)?;
                Ok(Answer::from_tcp(line.trim_end()))
            }
        }
    }

    fn connect(&self, timeout: Duration) -> io::Result<TcpStream> {
        let mut addresses = self.address.to_socket_addrs()?;
        let address = addresses.next().ok_or(ErrorKind::NotFound)?;
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        Ok(stream)
    }
}

fn read_netstring(stream: impl Read) -> io::Result<String> {
    let invalid = || io::Error::new(ErrorKind::InvalidData, "the answer is not a netstring");
    let mut reader = BufReader::new(stream.take(MAX_LEN as u64));
    let mut len = Vec::new();
    reader.read_until(b':', &mut len)?;
    let len = len.strip_suffix(b":").and_then(|digits| str::from_utf8(digits).ok());
    let len = len.and_then(|digits| digits.parse::<usize>().ok()).filter(|len| *len < MAX_LEN);
    let mut text = vec![0; len.ok_or_else(invalid)?];
    reader.read_exact(&mut text)?;
    let mut end = [0];
    reader.read_exact(&mut end)?;
    if end != *b"," {
        return Err(invalid());
    }
    String::from_utf8(text).map_err(|_| invalid())
}
