//! Questions to nameservers over sockets.

use alloc::{boxed::Box, string::ToString, vec, vec::Vec};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use std::{
    io::{self, Write as _},
    net::{TcpStream, UdpSocket},
    thread,
};

use super::{
    connect::Connecting,
    sockets::{Control, LOOK_UP, Sockets, a_while, is_late, receive},
};
use crate::{
    client::{Found, GRACE, Time, found, is_enough},
    dns::{self, DnsError, Exchange, Outcome, Question, Step, Transport},
    domain::Domain,
    fetch::FetchError,
    instant::Instant,
};

/// The time to wait for one of several sockets before the others are read.
const SLICE: Duration = Duration::from_millis(10);

/// The largest datagram, and the longest message over TCP.
const LONGEST: usize = 65_535;

impl Sockets {
    pub(super) fn ask(&self, question: Question, control: &Control) -> Outcome {
        self.ask_with(question, self.setup.dns, control)
    }

    pub(super) fn ask_until(
        &self,
        question: Question,
        until: Instant,
        control: &Control,
    ) -> Outcome {
        self.ask_with(question, self.config_until(until), control)
    }

    fn config_until(&self, until: Instant) -> dns::Config {
        let config = self.setup.dns;
        config.with_deadline(config.deadline().min(self.time.left(until)))
    }

    fn ask_with(&self, question: Question, config: dns::Config, control: &Control) -> Outcome {
        let mut asked = match self.begin(question, config, control) {
            Ok(asked) => asked,
            Err(error) => return Outcome::Failed(error),
        };
        let mut buffer = vec![0; LONGEST];
        loop {
            if let Some(outcome) = asked.advance(LOOK_UP, &mut buffer) {
                return outcome;
            }
        }
    }

    /// All addresses, of both families. The questions take turns: what comes for one while the other
    /// is waited for is kept by its socket. Once there are addresses of one family, the other one is
    /// not waited for much longer.
    pub(super) fn addresses(&self, domain: &Domain, until: Instant, control: &Control) -> Found {
        let config = self.config_until(until);
        let begin = |question| {
            let begun = self.begin(question, config, control);
            begun.map_err(|error| FetchError::NoAddress(error.to_string().into()))
        };
        let v6 = begin(Question::aaaa(domain))?;
        let mut asked = [(v6, None), (begin(Question::a(domain))?, None)];
        let (mut buffer, mut enough_at) = (vec![0; LONGEST], None);
        loop {
            let waiting = asked.iter().filter(|(_, outcome)| outcome.is_none()).count();
            let left = enough_at.map_or(LOOK_UP, |at| self.time.left(at));
            if waiting == 0 || left.is_zero() {
                break;
            }
            for (asked, outcome) in &mut asked {
                if outcome.is_none() {
                    *outcome = asked.advance(if waiting > 1 { SLICE } else { left }, &mut buffer);
                }
            }
            if enough_at.is_none() && asked.iter().any(|(_, outcome)| is_enough(outcome.as_ref())) {
                enough_at = Some(self.time.after(GRACE));
            }
        }
        let [(_, v6), (_, v4)] = &asked;
        found([v6.as_ref(), v4.as_ref()], self.time.left(until))
    }

    fn begin<'a>(
        &'a self,
        question: Question,
        config: dns::Config,
        control: &'a Control,
    ) -> Result<Asked<'a>, DnsError> {
        let now = self.time.instant();
        let exchange = self.nameservers.ask(question, config, &self.setup.provider, now)?;
        Ok(Asked { sockets: self, control, exchange, links: Links::default() })
    }
}

/// A question to nameservers, and what it went over.
struct Asked<'a> {
    sockets: &'a Sockets,
    control: &'a Control,
    exchange: Exchange,
    links: Links,
}

impl Asked<'_> {
    /// Takes the next step, waiting for at most so long. Returns the outcome, if it is over.
    fn advance(&mut self, patience: Duration, buffer: &mut [u8]) -> Option<Outcome> {
        let time = &self.sockets.time;
        match self.exchange.poll() {
            Step::Send { server, transport, message } => {
                if let Err(error) = self.links.send(server, transport, message) {
                    self.exchange.handle_failure(&error.to_string(), time.instant());
                }
                self.links.keep(self.exchange.outstanding());
            }
            Step::Wait { .. } if self.control.is_stopped() => {
                return Some(Outcome::Failed(DnsError::Timeout(self.exchange.question().clone())));
            }
            Step::Wait { until } => {
                let left = time.left(until).min(patience);
                self.links.receive(&mut self.exchange, left, time, buffer);
            }
            Step::Done(outcome) => return Some(outcome.clone()),
        }
        None
    }
}

/// Has the client learn of its nameservers, however the question ended.
impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.sockets.nameservers.learn(&self.exchange, self.sockets.time.instant());
    }
}

/// The sockets of a question to nameservers.
#[derive(Default)]
struct Links {
    /// The last one is the one in use, unless that is over TCP; the others are for late answers.
    udp: Vec<(UdpSocket, SocketAddr)>,
    tcp: Option<Tcp>,
}

/// A connection to a nameserver.
enum Tcp {
    /// It is being made, for this query. Meanwhile an answer may come to an earlier datagram.
    Connecting(Connecting, Box<[u8]>),
    Open(TcpStream),
}

impl Links {
    /// Sends a message over a new socket, with a port that the system chooses at random (RFC 5452
    /// §9.2).
    fn send(&mut self, server: SocketAddr, transport: Transport, message: &[u8]) -> io::Result<()> {
        self.tcp = None;
        match transport {
            Transport::Udp => {
                let any: IpAddr = if server.is_ipv6() { [0; 16].into() } else { [0; 4].into() };
                let socket = UdpSocket::bind((any, 0))?;
                // What others send does not even arrive.
                socket.connect(server)?;
                socket.send(message)?;
                self.udp.push((socket, server));
            }
            Transport::Tcp => {
                let connecting = Connecting::begin(server, Duration::from_millis(1))?;
                self.tcp = Some(Tcp::Connecting(connecting, message.into()));
            }
        }
        Ok(())
    }

    /// Closes all but the last so many sockets.
    fn keep(&mut self, outstanding: usize) {
        self.udp.drain(..self.udp.len().saturating_sub(outstanding));
    }

    /// Waits for what comes, for so long at most.
    fn receive(&mut self, exchange: &mut Exchange, left: Duration, time: &Time, buffer: &mut [u8]) {
        let several = self.udp.len().saturating_add(self.tcp.is_some().into()) > 1;
        let left = if several { left.min(SLICE) } else { left };
        if let Some(tcp) = &mut self.tcp {
            match tcp.receive(left, buffer) {
                Ok(Some(bytes)) => exchange.handle_stream(bytes, time.instant()),
                Ok(None) => exchange.handle_timeout(time.instant()),
                Err(error) => {
                    self.tcp = None;
                    exchange.handle_failure(&error.to_string(), time.instant());
                }
            }
        } else if let Some((socket, server)) = self.udp.last() {
            let set = socket.set_read_timeout(Some(a_while(left)));
            match set.and_then(|()| socket.recv(buffer)) {
                Ok(len) => datagram(exchange, *server, buffer, len, time),
                Err(error) if is_late(&error) => exchange.handle_timeout(time.instant()),
                Err(error) => {
                    self.udp.pop();
                    exchange.handle_failure(&error.to_string(), time.instant());
                }
            }
        } else if let Some(until) = exchange.poll_timeout() {
            exchange.handle_timeout(until);
        }
        self.look_at_others(exchange, time, buffer);
    }

    /// Looks whether an answer has come to an earlier datagram.
    fn look_at_others(&mut self, exchange: &mut Exchange, time: &Time, buffer: &mut [u8]) {
        let others = self.udp.len().saturating_sub(usize::from(self.tcp.is_none()));
        let mut place = 0usize;
        self.udp.retain(|(socket, server)| {
            place = place.saturating_add(1);
            if place > others {
                return true;
            }
            let received = socket.set_nonblocking(true).and_then(|()| socket.recv(buffer));
            match received {
                Ok(len) => datagram(exchange, *server, buffer, len, time),
                Err(error) if is_late(&error) => {}
                Err(_) => return false,
            }
            socket.set_nonblocking(false).is_ok()
        });
        self.keep(exchange.outstanding());
    }
}

impl Tcp {
    /// Waits for bytes, or for the connection, for a while. `None` if none have come.
    fn receive<'a>(
        &mut self,
        left: Duration,
        buffer: &'a mut [u8],
    ) -> io::Result<Option<&'a [u8]>> {
        let (connecting, message) = match self {
            Self::Open(stream) => return receive(stream, left, buffer),
            Self::Connecting(connecting, message) => (connecting, message),
        };
        let Some(mut opened) = connecting.look()? else {
            thread::sleep(left.min(SLICE));
            return Ok(None);
        };
        // So little goes out at once.
        opened.set_write_timeout(Some(LOOK_UP))?;
        opened.write_all(message)?;
        *self = Self::Open(opened);
        Ok(None)
    }
}

fn datagram(exchange: &mut Exchange, from: SocketAddr, buffer: &[u8], len: usize, time: &Time) {
    exchange.handle_datagram(from, buffer.get(..len).unwrap_or_default(), time.instant());
}
