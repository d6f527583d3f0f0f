//! MX hosts that speak SMTP, as much of it as a message needs.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    mem,
    net::{Shutdown, SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use rustls::{ServerConnection, Stream};

use crate::{
    Action, Certificate, Shared,
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
    /// Somebody on the way has written over the word STARTTLS. In clear text, messages are taken.
    StarttlsStripped,
    /// Closes the connection at once.
    Closes,
}

/// How a client speaks to an MX host.
#[derive(Clone, Copy)]
struct Channel<'a> {
    is_encrypted: bool,
    offer: &'a str,
    /// Whether replies have been injected before it.
    is_injected: bool,
}

/// A connection, in clear text or over TLS.
trait Talk: Read + Write {
    /// Whether the client says something within this time, or has done so already.
    fn is_heard_within(&mut self, span: Duration) -> bool;
}

impl Talk for Guest {
    fn is_heard_within(&mut self, span: Duration) -> bool {
        Self::is_heard_within(self, span)
    }
}

impl Talk for Stream<'_, ServerConnection, Guest> {
    fn is_heard_within(&mut self, span: Duration) -> bool {
        let state = self.conn.process_new_packets();
        state.is_ok_and(|state| state.plaintext_bytes_to_read() > 0)
            || self.sock.is_heard_within(span)
    }
}

/// How long a client may take to say something after EHLO without having waited for the reply.
const INJECTION_WAIT: Duration = Duration::from_millis(300);

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
    shared: Arc<Shared>,
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
            shared: Arc::clone(shared),
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
        self.record(|mx| Action::Connection { mx });
        match manner {
            Mx::Closes => return guest.shutdown(Shutdown::Both),
            Mx::Greets(greeting) => return write!(guest, "{greeting}\r\n"),
            _ => write!(guest, "220 {} ESMTP\r\n", self.name)?,
        }
        if let Mx::AnswersEhlo(answer) = manner {
            line(&mut guest)?;
            return write!(guest, "{answer}\r\n");
        }
        let channel =
            Channel { is_encrypted: false, offer: offer_in_clear(manner), is_injected: false };
        if !self.session(&mut guest, manner, channel)? {
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
        let mut stream = Stream::new(&mut tls, &mut guest);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(stream.sock)?;
        }
        let sni = stream.conn.server_name().unwrap_or_default().to_owned();
        self.record(|mx| Action::Starttls { mx, sni });
        let is_injected = matches!(manner, Mx::Injects(..));
        let channel = Channel { is_encrypted: true, offer, is_injected };
        self.session(&mut stream, Mx::ClearText, channel).map(drop)
    }

    fn record(&self, action: impl FnOnce(String) -> Action) {
        self.shared.log.record(|| action(self.name.clone()));
    }

    /// Whether it is to go on with TLS.
    fn session(
        &self,
        stream: &mut impl Talk,
        manner: Mx,
        channel: Channel<'_>,
    ) -> io::Result<bool> {
        let Channel { is_encrypted, offer, is_injected } = channel;
        let has_starttls = !matches!(manner, Mx::ClearText | Mx::StarttlsStripped);
        let mut recipients = Vec::new();
        loop {
            let line = line(stream)?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if verb == "EHLO" {
                let name = line.split_once(' ').map(|(_, name)| name.to_owned());
                lock(&self.greeted).extend(name);
            }
            match verb.as_str() {
                // Whoever says more before it has the reply has taken another one for it.
                "EHLO" if is_injected && stream.is_heard_within(INJECTION_WAIT) => {
                    self.record(|mx| Action::ActedOnInjection { mx });
                }
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
                    self.record(|mx| Action::Mail { mx, is_encrypted });
                    write!(stream, "250 ok\r\n")?;
                }
                "RCPT" => match self.answer_to(line.split(['<', '>']).nth(1).unwrap_or_default()) {
                    "" => return Ok(false),
                    answer => {
                        recipients.extend(answer.starts_with('2').then_some(line));
                        write!(stream, "{answer}\r\n")?;
                    }
                },
                "DATA" => {
                    write!(stream, "354 go ahead\r\n")?;
                    stream.flush()?;
                    let message = message(stream)?;
                    let answer = self.answer_to(".");
                    if answer.starts_with('2') {
                        lock(&self.messages).push(message);
                        let recipients = mem::take(&mut recipients);
                        self.record(|mx| Action::Message { mx, is_encrypted, recipients });
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
    match manner {
        Mx::ClearText => "PIPELINING",
        Mx::StarttlsStripped => "XXXXXXXX",
        _ => "STARTTLS",
    }
}
