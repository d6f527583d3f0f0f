//! Bytes between sockets and the exchanges.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec};
use core::{
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    task::Poll,
};
use std::io;

use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{Found, Moment, Setup, Time, found, random, share},
    dns::{self, DnsError, Outcome, Question, Transport},
    domain::Domain,
    fetch::{self, FetchError},
    instant::Instant,
    policy::Policy,
};
use ::tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// What will be there later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Looks up TXT records. Bring your own if you have a resolver that validates.
///
/// With the feature `hickory-resolver`, a resolver of that crate is one. Give it no cache
/// (`ResolverOpts::cache_size` of zero): the client keeps what it is told for as long as it may, and a
/// recheck (§5.1) has to see what DNS says now.
pub trait Resolver: Send + Sync {
    /// What there is at [`Domain::txt_name`].
    fn txt<'a>(&'a self, domain: &'a Domain) -> Later<'a, TxtAnswer>;
}

/// Fetches policies.
pub trait Fetcher: Send + Sync {
    /// What there is at [`Domain::policy_url`].
    fn fetch<'a>(&'a self, domain: &'a Domain) -> Later<'a, PolicyAnswer>;
}

/// Both, over sockets of its own.
#[derive(Debug)]
pub struct Sockets {
    setup: Setup,
    time: Arc<Time>,
}

impl Resolver for Sockets {
    fn txt<'a>(&'a self, domain: &'a Domain) -> Later<'a, TxtAnswer> {
        Box::pin(async { self.ask(Question::txt(domain)).await.to_txt_answer() })
    }
}

impl Fetcher for Sockets {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> Later<'a, PolicyAnswer> {
        Box::pin(self.fetch_from(domain, None))
    }
}

impl Sockets {
    /// Fetches a policy, from these addresses if they are known already.
    pub(super) async fn fetch_from(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
    ) -> PolicyAnswer {
        match self.policy(domain, addresses).await {
            Ok(policy) => PolicyAnswer::Valid(policy),
            Err(error) => PolicyAnswer::Failed(error.to_failure(domain)),
        }
    }

    pub(super) fn new(setup: Setup, time: Arc<Time>) -> Self {
        Self { setup, time }
    }

    async fn ask(&self, question: Question) -> Outcome {
        let Some(bits) = random(&self.setup.provider) else {
            let message = "there are no random numbers".into();
            return Outcome::Failed(DnsError::Connection { question, message });
        };
        let (servers, config) = (&self.setup.nameservers, self.setup.dns);
        let mut exchange = dns::Exchange::new(question, servers, config, bits, self.time.instant());
        let mut link = None;
        loop {
            match exchange.poll() {
                dns::Step::Send { server, transport, message } => {
                    let opened = timeout(config.attempt(), Link::open(server, transport, message));
                    match opened.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                        Ok(opened) => link = Some(opened),
                        Err(error) => {
                            exchange.handle_failure(&error.to_string(), self.time.instant());
                        }
                    }
                }
                dns::Step::Wait { until } => match &mut link {
                    Some(link) => link.receive(&mut exchange, until, &self.time).await,
                    None => exchange.handle_timeout(until),
                },
                dns::Step::Done(outcome) => return outcome.clone(),
            }
        }
    }

    async fn policy(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
    ) -> Result<Arc<Policy>, FetchError> {
        let (trust, config) = (&self.setup.trust, &self.setup.fetch);
        let Moment { date, at } = self.time.now();
        let mut exchange = fetch::Exchange::new(domain, trust, config, date, at);
        let until = at.saturating_add(config.deadline());
        let addresses = match addresses {
            Some(found) => found?,
            None => self.addresses(domain).await?,
        };
        let mut stream = self.connect(domain, &addresses, until).await?;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match exchange.poll() {
                fetch::Step::Send(bytes) => {
                    let sent = timeout(self.time.left(until), stream.write_all(bytes)).await;
                    if let Err(error) = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                    {
                        exchange.handle_failure(&error.to_string(), self.time.instant());
                    }
                }
                fetch::Step::Wait { until } => {
                    match timeout(self.time.left(until), stream.read(&mut buffer)).await {
                        Ok(Ok(0)) => exchange.handle_end(self.time.instant()),
                        Ok(Ok(len)) => {
                            exchange.handle_received(
                                buffer.get(..len).unwrap_or_default(),
                                self.time.instant(),
                            );
                        }
                        Ok(Err(error)) => {
                            exchange.handle_failure(&error.to_string(), self.time.instant());
                        }
                        Err(_) => exchange.handle_timeout(self.time.instant()),
                    }
                }
                fetch::Step::Done(outcome) => return outcome.clone(),
            }
        }
    }

    /// A connection to the first address that answers; each has its share of the time.
    async fn connect(
        &self,
        domain: &Domain,
        addresses: &[IpAddr],
        until: Instant,
    ) -> Result<TcpStream, FetchError> {
        let mut error = FetchError::NoAddress("it has none".into());
        for (tried, &address) in addresses.iter().enumerate() {
            if let Err(refused) = self.setup.filter.check(domain, address) {
                error = FetchError::Refused(refused);
                continue;
            }
            let time = share(self.time.left(until), addresses.len().saturating_sub(tried));
            match timeout(time, TcpStream::connect((address, self.setup.port))).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(why)) => error = FetchError::Connection(why.to_string().into()),
                Err(late) => error = FetchError::Connection(late.to_string().into()),
            }
        }
        Err(error)
    }

    /// All addresses, of both families.
    pub(super) async fn addresses(&self, domain: &Domain) -> Found {
        let (v6, v4) = both(self.ask(Question::aaaa(domain)), self.ask(Question::a(domain))).await;
        found(&v6, &v4)
    }
}

/// Waits for both at the same time.
async fn both<T>(first: impl Future<Output = T>, second: impl Future<Output = T>) -> (T, T) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut ready = (None, None);
    poll_fn(|context| {
        for (future, ready) in [
            (first.as_mut() as Pin<&mut dyn Future<Output = T>>, &mut ready.0),
            (second.as_mut(), &mut ready.1),
        ] {
            if ready.is_none()
                && let Poll::Ready(output) = future.poll(context)
            {
                *ready = Some(output);
            }
        }
        match (ready.0.take(), ready.1.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            unready => {
                ready = unready;
                Poll::Pending
            }
        }
    })
    .await
}

/// What a question to a nameserver goes over.
enum Link {
    Udp(UdpSocket, SocketAddr),
    Tcp(TcpStream),
}

impl Link {
    /// A new socket, with a port that the system chooses at random (RFC 5452 §9.2).
    async fn open(server: SocketAddr, transport: Transport, message: &[u8]) -> io::Result<Self> {
        match transport {
            Transport::Udp => {
                let any: IpAddr = if server.is_ipv6() { [0; 16].into() } else { [0; 4].into() };
                let socket = UdpSocket::bind((any, 0)).await?;
                // What others send does not even arrive.
                socket.connect(server).await?;
                socket.send(message).await?;
                Ok(Self::Udp(socket, server))
            }
            Transport::Tcp => {
                let mut stream = TcpStream::connect(server).await?;
                stream.write_all(message).await?;
                Ok(Self::Tcp(stream))
            }
        }
    }

    async fn receive(&mut self, exchange: &mut dns::Exchange, until: Instant, time: &Time) {
        let (mut buffer, left) = (vec![0; 4096], time.left(until));
        let received = match self {
            Self::Udp(socket, _) => timeout(left, socket.recv(&mut buffer)).await,
            Self::Tcp(stream) => timeout(left, stream.read(&mut buffer)).await,
        };
        let now = time.instant();
        match (received, self) {
            (Err(_), _) => exchange.handle_timeout(now),
            (Ok(Err(error)), _) => exchange.handle_failure(&error.to_string(), now),
            (Ok(Ok(0)), Self::Tcp(_)) => exchange.handle_failure("it closed the connection", now),
            (Ok(Ok(len)), Self::Udp(_, server)) => {
                exchange.handle_datagram(*server, buffer.get(..len).unwrap_or_default(), now);
            }
            (Ok(Ok(len)), Self::Tcp(_)) => {
                exchange.handle_stream(buffer.get(..len).unwrap_or_default(), now);
            }
        }
    }
}
