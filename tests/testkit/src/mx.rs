//! MX hosts that speak SMTP, as much of it as a message needs.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use rustls::{ServerConnection, Stream};

use crate::{
    Certificate, Shared,
    listen::{Guest, bind, listen},
    lock,
    pki::Pki,
};

/// How an MX host treats its guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mx {
    /// STARTTLS, with this certificate.
    Starttls(Certificate),
    /// No STARTTLS.
    ClearText,
}

/// An MX host.
pub struct MxHost {
    address: SocketAddr,
    inside: Arc<Inside>,
}

struct Inside {
    name: String,
    manner: Mutex<Mx>,
    messages: Mutex<Vec<String>>,
    pki: Arc<Pki>,
}

impl MxHost {
    pub(crate) fn start(
        name: &str,
        manner: Mx,
        pki: &Arc<Pki>,
        shared: &Arc<Shared>,
    ) -> (Self, JoinHandle<()>) {
        let (listener, address) = bind();
        let inside = Arc::new(Inside {
            name: name.to_owned(),
            manner: Mutex::new(manner),
            messages: Mutex::default(),
            pki: Arc::clone(pki),
        });
        let thread = listen(listener, shared, {
            let inside = Arc::clone(&inside);
            move |guest| inside.receive(guest, *lock(&inside.manner))
        });
        (Self { address, inside }, thread)
    }

    /// Takes guests in its place, with this certificate; their messages get to it all the same.
    pub(crate) fn poser(&self) -> impl Fn(Guest, Certificate) -> io::Result<()> + use<> {
        let inside = Arc::clone(&self.inside);
        move |guest, certificate| inside.receive(guest, Mx::Starttls(certificate))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inside.name
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it does this.
    pub fn set(&self, manner: Mx) {
        *lock(&self.inside.manner) = manner;
    }

    /// The messages that it has taken.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        lock(&self.inside.messages).clone()
    }
}

impl Inside {
    fn receive(&self, mut guest: Guest, manner: Mx) -> io::Result<()> {
        write!(guest, "220 {} ESMTP\r\n", self.name)?;
        let Mx::Starttls(kind) = manner else { return self.session(&mut guest, false).map(drop) };
        if !self.session(&mut guest, true)? {
            return Ok(());
        }
        let config = self.pki.server(&self.name, kind);
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        self.session(&mut Stream::new(&mut tls, &mut guest), false).map(drop)
    }

    /// Whether it is to go on with TLS.
    fn session(&self, stream: &mut (impl Read + Write), has_starttls: bool) -> io::Result<bool> {
        loop {
            let line = line(stream)?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" if has_starttls => write!(stream, "250-{}\r\n250 STARTTLS\r\n", self.name)?,
                "EHLO" => write!(stream, "250 {}\r\n", self.name)?,
                "STARTTLS" if has_starttls => {
                    write!(stream, "220 go ahead\r\n")?;
                    return Ok(true);
                }
                "MAIL" | "RCPT" => write!(stream, "250 ok\r\n")?,
                "DATA" => {
                    write!(stream, "354 go ahead\r\n")?;
                    stream.flush()?;
                    let message = message(stream)?;
                    lock(&self.messages).push(message);
                    write!(stream, "250 taken\r\n")?;
                }
                "QUIT" => {
                    write!(stream, "221 bye\r\n")?;
                    stream.flush()?;
                    return Ok(false);
                }
                _ => write!(stream, "500 what?\r\n")?,
            }
            stream.flush()?;
        }
    }
}

fn message(stream: &mut impl Read) -> io::Result<String> {
    let mut message = String::new();
    loop {
        match line(stream)?.as_str() {
            "." => return Ok(message),
            line => message += &format!("{line}\n"),
        }
    }
}

/// A line without its end.
fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).map_err(io::Error::other)
}
