//! Queries to nameservers over sockets.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
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
    connect::{Connecting, receive},
    control::{Control, STOP_POLL_INTERVAL, a_while, is_late},
};
use crate::{
    cache::TxtAnswer,
    client::{
        DnsSetup, Found, GRACE, MessageBuffer, Nameservers, Nat64Answer, SourceAddresses, Time,
        is_enough, not_bound, policy_host_addresses,
    },
    dns::{self, DnsError, Exchange, LookupOutcome, Question, Step, Transport},
    domain::Domain,
    fetch::FetchError,
    instant::Instant,
};

/// The time to wait for one of several sockets before reading the others.
const SLICE: Duration = Duration::from_millis(10);

/// Looks up records at nameservers, over sockets of the standard library.
#[derive(Debug)]
pub(super) struct DnsSockets {
    nameservers: Nameservers,
    sources: SourceAddresses,
    time: Arc<Time>,
}

impl DnsSockets {
    pub(super) fn new(setup: DnsSetup, time: Arc<Time>) -> Self {
        Self { sources: setup.sources, nameservers: Nameservers::new(setup), time }
    }

    pub(super) fn nameservers(&self) -> &Nameservers {
        &self.nameservers
    }

    pub(super) fn txt(&self, domain: &Domain, control: &Control) -> TxtAnswer {
        self.ask(Question::txt(domain), self.nameservers.config(self.time.instant()), control)
            .to_txt_answer()
    }

    /// Looks up the addresses of one family.
    pub(super) fn addresses_of(
        &self,
        question: Question,
        until: Instant,
        control: &Control,
    ) -> Vec<IpAddr> {
        match self.ask(question, self.config_until(until), control) {
            LookupOutcome::Found(found) => found.addresses().to_vec(),
            _ => Vec::new(),
        }
    }

    /// Looks up the addresses of `ipv4only.arpa`.
    pub(super) fn ipv4only(&self, until: Instant, control: &Control) -> Nat64Answer {
        (&self.ask(Question::ipv4only(), self.config_until(until), control)).into()
    }

    fn config_until(&self, until: Instant) -> dns::Config {
        let config = self.nameservers.config(self.time.instant());
        config.with_timeout(config.timeout().min(self.time.time_until(until)))
    }

    fn ask(&self, question: Question, config: dns::Config, control: &Control) -> LookupOutcome {
        let mut asked = match self.begin(question, config, control) {
            Ok(asked) => asked,
            Err(error) => return LookupOutcome::Failed(error),
        };
        let mut buffer = MessageBuffer::take();
        loop {
            if let Some(outcome) = asked.advance(STOP_POLL_INTERVAL, &mut buffer) {
                return outcome;
            }
        }
    }

    /// Looks up the addresses of both families. The two queries take turns: a socket buffers an
    /// answer that comes while the other is read. After there are addresses of one family, the wait
    /// for the other is short.
    pub(super) fn addresses(
        &self,
        [v6, v4]: [Question; 2],
        left: Duration,
        control: &Control,
    ) -> Found {
        let until = self.time.deadline_after(left);
        let config = self.config_until(until);
        let begin = |question| {
            let begun = self.begin(question, config, control);
            begun.map_err(|error| FetchError::NoAddress(error.to_string().into()))
        };
        let mut asked = [(begin(v6)?, None), (begin(v4)?, None)];
        let (mut buffer, mut enough_at) = (MessageBuffer::take(), None);
        loop {
            let waiting = asked.iter().filter(|(_, outcome)| outcome.is_none()).count();
            let left = enough_at.map_or(STOP_POLL_INTERVAL, |at| self.time.time_until(at));
            if waiting == 0 || left.is_zero() {
                break;
            }
            for (asked, outcome) in &mut asked {
                if outcome.is_none() {
                    *outcome = asked.advance(if waiting > 1 { SLICE } else { left }, &mut buffer);
                }
            }
            if enough_at.is_none() && asked.iter().any(|(_, outcome)| is_enough(outcome.as_ref())) {
                enough_at = Some(self.time.deadline_after(GRACE));
            }
        }
        let [(_, v6), (_, v4)] = &asked;
        let left = self.time.time_until(until);
        // A query that `control` has ended is not answered: the time was over for it.
        let is_ended = control.is_stopped() && [v6, v4].into_iter().flatten().any(is_timeout);
        let left = if is_ended { Duration::ZERO } else { left };
        policy_host_addresses([v6.as_ref(), v4.as_ref()], left)
    }

    fn begin<'a>(
        &'a self,
        question: Question,
        config: dns::Config,
        control: &'a Control,
    ) -> Result<Asked<'a>, DnsError> {
        let now = self.time.instant();
        let exchange = self.nameservers.ask(question, config, now)?;
        Ok(Asked { sockets: self, control, exchange, links: Connections::default() })
    }
}

/// Returns whether there was no answer to a query.
fn is_timeout(outcome: &LookupOutcome) -> bool {
    matches!(outcome, LookupOutcome::Failed(DnsError::Timeout(_)))
}

/// A query to nameservers, with its connections.
struct Asked<'a> {
    sockets: &'a DnsSockets,
    control: &'a Control,
    exchange: Exchange,
    links: Connections,
}

impl Asked<'_> {
    /// Takes the next step, and waits for at most `patience`. Returns the outcome if the query is
    /// complete.
    fn advance(&mut self, patience: Duration, buffer: &mut [u8]) -> Option<LookupOutcome> {
        let time = &self.sockets.time;
        match self.exchange.poll() {
            Step::Send { server, transport, message } => {
                if let Err(error) =
                    self.links.send(server, self.sockets.sources, transport, message)
                {
                    self.exchange.handle_failure(&error.to_string(), time.instant());
                }
                self.links.keep(self.exchange.outstanding());
            }
            Step::Wait { .. } if self.control.is_stopped() => {
                return Some(LookupOutcome::Failed(DnsError::Timeout(
                    self.exchange.question().clone(),
                )));
            }
            Step::Wait { until } => {
                let left = time.time_until(until).min(patience);
                self.links.receive(&mut self.exchange, left, time, buffer);
            }
            Step::Done(outcome) => return Some(outcome.clone()),
        }
        None
    }
}

/// Updates the state of the nameservers, however the query ended.
impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.sockets.nameservers.learn(&self.exchange, self.sockets.time.instant());
    }
}

/// The sockets of a query to nameservers.
#[derive(Default)]
struct Connections {
    /// The UDP sockets. The last one is in use, unless TCP is; the others are for late answers.
    udp: Vec<(UdpSocket, SocketAddr)>,
    tcp: Option<Tcp>,
}

/// A connection to a nameserver.
enum Tcp {
    /// The connection for this query is in progress. Meanwhile an answer may come to an earlier
    /// datagram.
    Connecting(Connecting, Box<[u8]>),
    Open(TcpStream),
}

impl Connections {
    /// Sends a message over a new socket, with a port that the system chooses at random (RFC 5452
    /// §9.2).
    fn send(
        &mut self,
        server: SocketAddr,
        sources: SourceAddresses,
        transport: Transport,
        message: &[u8],
    ) -> io::Result<()> {
        self.tcp = None;
        match transport {
            Transport::Udp => {
                let local = sources.local_for(server);
                let bound = UdpSocket::bind(local);
                let socket = bound.map_err(|error| not_bound(local, &error))?;
                // Datagrams from other senders are not received.
                socket.connect(server)?;
                socket.send(message)?;
                self.udp.push((socket, server));
            }
            Transport::Tcp => {
                let connecting = Connecting::begin(server, sources, Duration::from_millis(1))?;
                self.tcp = Some(Tcp::Connecting(connecting, message.into()));
            }
        }
        Ok(())
    }

    /// Closes all but the last `outstanding` sockets.
    fn keep(&mut self, outstanding: usize) {
        self.udp.drain(..self.udp.len().saturating_sub(outstanding));
    }

    /// Waits for an answer, for at most `left`.
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

    /// Checks whether an answer has come to an earlier datagram.
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
    /// Waits for bytes, or for the connection, for at most [`STOP_POLL_INTERVAL`]. Returns `None`
    /// if none came.
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
        // A query is small enough to be sent at once.
        opened.set_write_timeout(Some(STOP_POLL_INTERVAL))?;
        opened.write_all(message)?;
        *self = Self::Open(opened);
        Ok(None)
    }
}

fn datagram(exchange: &mut Exchange, from: SocketAddr, buffer: &[u8], len: usize, time: &Time) {
    exchange.handle_datagram(from, buffer.get(..len).unwrap_or_default(), time.instant());
}
