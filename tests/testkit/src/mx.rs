//! MX hosts that speak SMTP, as much of it as a message needs.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener},
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
    /// STARTTLS, with this certificate, and then REQUIRETLS.
    Requiretls(Certificate),
    /// STARTTLS, with this certificate; what follows its reply in clear text is this.
    Injects(&'static str, Certificate),
    /// No STARTTLS.
    ClearText,
    /// This greeting, and then an end.
    Greets(&'static str),
    /// This answer to EHLO, and then an end.
    AnswersEhlo(&'static str),
    /// STARTTLS is offered, and answered with this. In clear text, messages are taken.
    AnswersStarttls(&'static str),
    /// STARTTLS is offered and granted; what comes then is this, and no TLS.
    SpeaksAfterStarttls(&'static str),
    /// Closes the connection at once.
    Closes,
}

/// An MX host.
pub struct MxHost {
    address: SocketAddr,
    inside: Arc<Inside>,
}

struct Inside {
    name: String,
    manner: Mutex<Mx>,
    answers: Mutex<HashMap<String, &'static str>>,
    messages: Mutex<Vec<String>>,
    greeted: Mutex<Vec<String>>,
    senders: Mutex<Vec<String>>,
    pki: Arc<Pki>,
}

impl MxHost {
    pub(crate) fn start(
        name: &str,
        manner: Mx,
        pki: &Arc<Pki>,
        shared: &Arc<Shared>,
    ) -> (Self, JoinHandle<()>) {
        Self::start_at(bind(), name, manner, pki, shared)
    }

    pub(crate) fn start_at(
        (listener, address): (TcpListener, SocketAddr),
        name: &str,
        manner: Mx,
        pki: &Arc<Pki>,
        shared: &Arc<Shared>,
    ) -> (Self, JoinHandle<()>) {
        let inside = Arc::new(Inside {
            name: name.to_owned(),
            manner: Mutex::new(manner),
            answers: Mutex::default(),
            messages: Mutex::default(),
            greeted: Mutex::default(),
            senders: Mutex::default(),
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

    /// From now on it answers RCPT for this address with this, or the message, for `.`. It closes the
    /// connection if it is nothing.
    pub fn answer(&self, to: &str, answer: &'static str) {
        lock(&self.inside.answers).insert(to.to_owned(), answer);
    }

    /// The names that guests have called themselves in EHLO.
    #[must_use]
    pub fn greeted(&self) -> Vec<String> {
        lock(&self.inside.greeted).clone()
    }

    /// The MAIL commands that it has got.
    #[must_use]
    pub fn senders(&self) -> Vec<String> {
        lock(&self.inside.senders).clone()
    }

    /// The messages that it has taken.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        lock(&self.inside.messages).clone()
    }
}

impl Inside {
    fn receive(&self, mut guest: Guest, manner: Mx) -> io::Result<()> {
        match manner {
            Mx::Closes => return guest.shutdown(Shutdown::Both),
            Mx::Greets(greeting) => return write!(guest, "{greeting}\r\n"),
            _ => write!(guest, "220 {} ESMTP\r\n", self.name)?,
        }
        if let Mx::AnswersEhlo(answer) = manner {
            line(&mut guest)?;
            return write!(guest, "{answer}\r\n");
        }
        if !self.session(&mut guest, manner, offer_in_clear(manner))? {
            return Ok(());
        }
        let kind = match manner {
            Mx::Starttls(kind) | Mx::Requiretls(kind) | Mx::Injects(_, kind) => kind,
            Mx::SpeaksAfterStarttls(text) => {
                let mut hello = [0; 1];
                guest.read_exact(&mut hello)?;
                return guest.write_all(text.as_bytes());
            }
            _ => return Ok(()),
        };
        let config = self.pki.server(&self.name, kind);
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        let offer = if let Mx::Requiretls(_) = manner { "REQUIRETLS" } else { "PIPELINING" };
        self.session(&mut Stream::new(&mut tls, &mut guest), Mx::ClearText, offer).map(drop)
    }

    /// Whether it is to go on with TLS.
    fn session(
        &self,
        stream: &mut (impl Read + Write),
        manner: Mx,
        offer: &str,
    ) -> io::Result<bool> {
        let has_starttls = manner != Mx::ClearText;
        loop {
            let line = line(stream)?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if verb == "EHLO" {
                let name = line.split_once(' ').map(|(_, name)| name.to_owned());
                lock(&self.greeted).extend(name);
            }
            match verb.as_str() {
                "EHLO" => write!(stream, "250-{}\r\n250 {offer}\r\n", self.name)?,
                "STARTTLS" if has_starttls => match manner {
                    Mx::AnswersStarttls(answer) => write!(stream, "{answer}\r\n")?,
                    _ => {
                        let more = if let Mx::Injects(more, _) = manner { more } else { "" };
                        // In one packet.
                        stream.write_all(format!("220 go ahead\r\n{more}").as_bytes())?;
                        return Ok(true);
                    }
                },
                "MAIL" => {
                    lock(&self.senders).push(line);
                    write!(stream, "250 ok\r\n")?;
                }
                "RCPT" => match self.answer_to(line.split(['<', '>']).nth(1).unwrap_or_default()) {
                    "" => return Ok(false),
                    answer => write!(stream, "{answer}\r\n")?,
                },
                "DATA" => {
                    write!(stream, "354 go ahead\r\n")?;
                    stream.flush()?;
                    let message = message(stream)?;
                    let answer = self.answer_to(".");
                    if answer.starts_with('2') {
                        lock(&self.messages).push(message);
                    }
                    if answer.is_empty() {
                        return Ok(false);
                    }
                    write!(stream, "{answer}\r\n")?;
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

    fn answer_to(&self, what: &str) -> &'static str {
        lock(&self.answers).get(what).copied().unwrap_or("250 ok")
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

/// What it offers before there is TLS.
fn offer_in_clear(manner: Mx) -> &'static str {
    if manner == Mx::ClearText { "PIPELINING" } else { "STARTTLS" }
}
