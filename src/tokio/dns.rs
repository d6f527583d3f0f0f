//! Queries to nameservers over sockets.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use core::{
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use std::io;

use ::tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UdpSocket},
    time::{sleep, timeout},
};

use super::{connect::connect, interface::BoxFuture};
use crate::{
    cache::TxtAnswer,
    client::{
        DnsSetup, Found, GRACE, MessageBuffer, Nameservers, Nat64Answer, SourceAddresses, Time,
        is_enough, not_bound, policy_host_addresses,
    },
    dns::{self, Exchange, LookupOutcome, Question, Step, Transport},
    domain::Domain,
    instant::Instant,
};

/// Looks up records at nameservers, over tokio's sockets.
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

    pub(super) async fn txt(&self, domain: &Domain) -> TxtAnswer {
        self.ask(Question::txt(domain), self.nameservers.config(self.time.instant()))
            .await
            .to_txt_answer()
    }

    /// Looks up the addresses of one family.
    pub(super) async fn addresses_of(&self, question: Question, until: Instant) -> Vec<IpAddr> {
        match self.ask_until(question, until).await {
            LookupOutcome::Found(found) => found.addresses().to_vec(),
            _ => Vec::new(),
        }
    }

    /// Looks up the addresses of `ipv4only.arpa`.
    pub(super) async fn ipv4only(&self, until: Instant) -> Nat64Answer {
        (&self.ask_until(Question::ipv4only(), until).await).into()
    }

    async fn ask(&self, question: Question, config: dns::Config) -> LookupOutcome {
        let now = self.time.instant();
        let exchange = match self.nameservers.ask(question, config, now) {
            Ok(exchange) => exchange,
            Err(error) => return LookupOutcome::Failed(error),
        };
        Asked { sockets: self, exchange, links: Connections::default() }.answer().await
    }

    async fn ask_until(&self, question: Question, until: Instant) -> LookupOutcome {
        let config = self.nameservers.config(self.time.instant());
        self.ask(question, config.with_timeout(config.timeout().min(self.time.time_until(until))))
            .await
    }

    /// Looks up the addresses of both families. After there are addresses of one family, the wait
    /// for the other is short.
    pub(super) async fn addresses(&self, [v6, v4]: [Question; 2], left: Duration) -> Found {
        let until = self.time.deadline_after(left);
        let ask = |question| self.ask_until(question, until);
        let (v6, v4) = (pin!(ask(v6)), pin!(ask(v4)));
        let mut asked: [(Asking<'_>, Option<LookupOutcome>); 2] = [(v6, None), (v4, None)];
        let mut grace = None;
        poll_fn(|context| {
            for (asking, outcome) in &mut asked {
                if outcome.is_none()
                    && let Poll::Ready(answer) = asking.as_mut().poll(context)
                {
                    *outcome = Some(answer);
                }
            }
            if asked.iter().all(|(_, outcome)| outcome.is_some()) {
                return Poll::Ready(());
            }
            if asked.iter().any(|(_, outcome)| is_enough(outcome.as_ref())) {
                return grace.get_or_insert_with(|| Box::pin(sleep(GRACE))).as_mut().poll(context);
            }
            Poll::Pending
        })
        .await;
        let [(_, v6), (_, v4)] = &asked;
        policy_host_addresses([v6.as_ref(), v4.as_ref()], self.time.time_until(until))
    }
}

type Asking<'a> = Pin<&'a mut (dyn Future<Output = LookupOutcome> + Send)>;

/// A query to nameservers, with its connections.
struct Asked<'a> {
    sockets: &'a DnsSockets,
    exchange: Exchange,
    links: Connections,
}

impl Asked<'_> {
    async fn answer(mut self) -> LookupOutcome {
        let time = &self.sockets.time;
        loop {
            match self.exchange.poll() {
                Step::Send { server, transport, message } => {
                    match self.links.send(server, self.sockets.sources, transport, message).await {
                        Ok(()) => self.links.keep(self.exchange.outstanding()),
                        Err(error) => {
                            self.exchange.handle_failure(&error.to_string(), time.instant());
                        }
                    }
                }
                Step::Wait { until } if self.links.is_empty() => {
                    self.exchange.handle_timeout(until);
                }
                Step::Wait { until } => {
                    let ready = poll_fn(|context| self.links.poll_ready(context));
                    match timeout(time.time_until(until), ready).await {
                        Ok(link) => self.links.receive(link, &mut self.exchange, time),
                        Err(_) => self.exchange.handle_timeout(time.instant()),
                    }
                }
                Step::Done(outcome) => return outcome.clone(),
            }
        }
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
    /// The connection is in progress, and the query will be sent over it.
    Connecting(BoxFuture<'static, io::Result<TcpStream>>),
    Open(TcpStream),
}

/// A socket or connection that is ready.
enum Link {
    /// The UDP socket at this index is readable.
    Udp(usize),
    /// The TCP connection is readable.
    Tcp,
    /// The TCP connection is established, or has failed.
    Connected(io::Result<TcpStream>),
}

impl Connections {
    fn is_empty(&self) -> bool {
        self.udp.is_empty() && self.tcp.is_none()
    }

    /// Sends a message over a new socket, with a port that the system chooses at random (RFC 5452
    /// §9.2).
    async fn send(
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
                let bound = UdpSocket::bind(local).await;
                let socket = bound.map_err(|error| not_bound(local, &error))?;
                // Datagrams from other senders are not received.
                socket.connect(server).await?;
                socket.send(message).await?;
                self.udp.push((socket, server));
            }
            Transport::Tcp => {
                let message = message.to_vec();
                // Meanwhile an answer may come to an earlier datagram.
                self.tcp = Some(Tcp::Connecting(Box::pin(async move {
                    let mut stream = connect(server, sources).await?;
                    stream.write_all(&message).await?;
                    Ok(stream)
                })));
            }
        }
        Ok(())
    }

    /// Closes all but the last `outstanding` sockets.
    fn keep(&mut self, outstanding: usize) {
        self.udp.drain(..self.udp.len().saturating_sub(outstanding));
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Link> {
        match &mut self.tcp {
            Some(Tcp::Connecting(connecting)) => {
                if let Poll::Ready(connected) = connecting.as_mut().poll(context) {
                    return Poll::Ready(Link::Connected(connected));
                }
            }
            Some(Tcp::Open(stream)) if stream.poll_read_ready(context).is_ready() => {
                return Poll::Ready(Link::Tcp);
            }
            _ => {}
        }
        for (place, (socket, _)) in self.udp.iter().enumerate() {
            if socket.poll_recv_ready(context).is_ready() {
                return Poll::Ready(Link::Udp(place));
            }
        }
        Poll::Pending
    }

    /// Reads the bytes that have arrived.
    fn receive(&mut self, link: Link, exchange: &mut Exchange, time: &Time) {
        let mut buffer = MessageBuffer::take();
        match link {
            Link::Connected(Ok(stream)) => self.tcp = Some(Tcp::Open(stream)),
            Link::Connected(Err(error)) => {
                self.tcp = None;
                exchange.handle_failure(&error.to_string(), time.instant());
            }
            Link::Tcp => {
                let Some(Tcp::Open(stream)) = &self.tcp else { return };
                let failure = match stream.try_read(&mut buffer) {
                    Ok(0) => "it closed the connection".to_string(),
                    Ok(len) => {
                        let bytes = buffer.get(..len).unwrap_or_default();
                        return exchange.handle_stream(bytes, time.instant());
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                    Err(error) => error.to_string(),
                };
                self.tcp = None;
                exchange.handle_failure(&failure, time.instant());
            }
            Link::Udp(place) => {
                let Some((socket, server)) = self.udp.get(place) else { return };
                match socket.try_recv(&mut buffer) {
                    Ok(len) => {
                        let bytes = buffer.get(..len).unwrap_or_default();
                        exchange.handle_datagram(*server, bytes, time.instant());
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => self.fail(place, &error, exchange, time),
                }
            }
        }
        self.keep(exchange.outstanding());
    }

    /// Closes a socket after an error.
    fn fail(&mut self, place: usize, error: &io::Error, exchange: &mut Exchange, time: &Time) {
        self.udp.remove(place);
        if self.tcp.is_none() && place == self.udp.len() {
            exchange.handle_failure(&error.to_string(), time.instant());
        }
    }
}
