//! Bytes between sockets and the exchanges.

use alloc::{string::ToString, sync::Arc, vec};
use core::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream, UdpSocket},
};

use super::connect::{connect, send};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{Found, Moment, Setup, Time, found, random, share},
    dns::{self, DnsError, Outcome, Question, Transport},
    domain::Domain,
    fetch::{self, FetchError},
    instant::Instant,
    policy::Policy,
};

/// How long a thread waits for bytes before it looks whether it should stop.
const LOOK_UP: Duration = Duration::from_millis(250);

/// Looks up TXT records. Bring your own if you have a resolver that validates.
pub trait Resolver: Send + Sync {
    /// What there is at [`Domain::txt_name`].
    fn txt(&self, domain: &Domain) -> TxtAnswer;
}

/// Fetches policies.
pub trait Fetcher: Send + Sync {
    /// What there is at [`Domain::policy_url`].
    fn fetch(&self, domain: &Domain) -> PolicyAnswer;
}

/// Both, over sockets of its own.
#[derive(Debug)]
pub struct Sockets {
    setup: Setup,
    time: Arc<Time>,
    stop: Arc<AtomicBool>,
}

impl Resolver for Sockets {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        self.txt_with(domain, &Control::new(&self.stop))
    }
}

impl Fetcher for Sockets {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        self.fetch_with(domain, None, &Control::new(&self.stop))
    }
}

/// Whether what is under way should end.
#[derive(Debug)]
pub(super) struct Control {
    stop: Arc<AtomicBool>,
    early: Arc<AtomicBool>,
}

impl Control {
    /// Ends with a client.
    pub(super) fn new(stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop), early: Arc::default() }
    }

    /// What breaks it off.
    pub(super) fn early(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.early)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.early.load(Ordering::Relaxed)
    }
}

impl Sockets {
    pub(super) fn txt_with(&self, domain: &Domain, control: &Control) -> TxtAnswer {
        self.ask(Question::txt(domain), control).to_txt_answer()
    }

    /// Fetches a policy, from these addresses if they are known already.
    pub(super) fn fetch_with(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
        control: &Control,
    ) -> PolicyAnswer {
        match self.policy(domain, addresses, control) {
            Ok(policy) => PolicyAnswer::Valid(policy),
            Err(error) => PolicyAnswer::Failed(error.to_failure(domain)),
        }
    }

    pub(super) fn new(setup: Setup, time: Arc<Time>, stop: Arc<AtomicBool>) -> Self {
        Self { setup, time, stop }
    }

    fn ask(&self, question: Question, control: &Control) -> Outcome {
        let mut asked = match self.begin(question) {
            Ok(asked) => asked,
            Err(error) => return Outcome::Failed(error),
        };
        loop {
            if let Some(outcome) = self.advance(&mut asked, control) {
                return outcome;
            }
        }
    }

    fn begin(&self, question: Question) -> Result<Asked, DnsError> {
        let Some(bits) = random(&self.setup.provider) else {
            let message = "there are no random numbers".into();
            return Err(DnsError::Connection { question, message });
        };
        let (servers, config) = (&self.setup.nameservers, self.setup.dns);
        let exchange = dns::Exchange::new(question, servers, config, bits, self.time.instant());
        Ok(Asked { exchange, link: None })
    }

    /// Does what is next. What came of it, if it is over.
    fn advance(&self, Asked { exchange, link }: &mut Asked, control: &Control) -> Option<Outcome> {
        match exchange.poll() {
            dns::Step::Send { server, transport, message } => {
                let until = self.time.after(self.setup.dns.attempt());
                match Link::open(server, transport, until, message, &self.time, control) {
                    Ok(opened) => *link = Some(opened),
                    Err(error) => exchange.handle_failure(&error.to_string(), self.time.instant()),
                }
            }
            dns::Step::Wait { .. } if control.is_stopped() => {
                return Some(Outcome::Failed(DnsError::Timeout(exchange.question().clone())));
            }
            dns::Step::Wait { until } => match link {
                Some(link) => link.receive(exchange, until, &self.time),
                None => exchange.handle_timeout(until),
            },
            dns::Step::Done(outcome) => return Some(outcome.clone()),
        }
        None
    }

    fn policy(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
        control: &Control,
    ) -> Result<Arc<Policy>, FetchError> {
        let (trust, config) = (&self.setup.trust, &self.setup.fetch);
        let Moment { date, at } = self.time.now();
        let mut exchange = fetch::Exchange::new(domain, trust, config, date, at);
        let until = at.saturating_add(config.deadline());
        let addresses = addresses.unwrap_or_else(|| self.addresses(domain, control))?;
        let mut stream = self.connect(domain, &addresses, until, control)?;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match exchange.poll() {
                fetch::Step::Send(bytes) => {
                    if let Err(error) = send(&mut stream, bytes, until, &self.time, control) {
                        exchange.handle_failure(&error.to_string(), self.time.instant());
                    }
                }
                fetch::Step::Wait { .. } if control.is_stopped() => {
                    return Err(FetchError::Deadline);
                }
                fetch::Step::Wait { until } => {
                    match receive(&mut stream, self.time.left(until), &mut buffer) {
                        Ok(Some(bytes)) => exchange.handle_received(bytes, self.time.instant()),
                        Ok(None) => exchange.handle_timeout(self.time.instant()),
                        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                            exchange.handle_end(self.time.instant());
                        }
                        Err(error) => {
                            exchange.handle_failure(&error.to_string(), self.time.instant());
                        }
                    }
                }
                fetch::Step::Done(outcome) => {
                    let _ = stream.shutdown(Shutdown::Both);
                    return outcome.clone();
                }
            }
        }
    }
}

impl Sockets {
    /// A connection to the first address that answers; each has its share of the time.
    fn connect(
        &self,
        domain: &Domain,
        addresses: &[IpAddr],
        until: Instant,
        control: &Control,
    ) -> Result<TcpStream, FetchError> {
        let mut error = FetchError::NoAddress("it has none".into());
        for (tried, &address) in addresses.iter().enumerate() {
            if let Err(refused) = self.setup.filter.check(domain, address) {
                error = FetchError::Refused(refused);
                continue;
            }
            let share = share(self.time.left(until), addresses.len().saturating_sub(tried));
            let (address, until) = ((address, self.setup.port).into(), self.time.after(share));
            match connect(address, until, &self.time, control) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(why) => error = FetchError::Connection(why.to_string().into()),
            }
        }
        Err(error)
    }

    /// All addresses, of both families. The questions take turns: what comes for one while the other
    /// is waited for is kept by its socket.
    pub(super) fn addresses(&self, domain: &Domain, control: &Control) -> Found {
        let failed = |error: DnsError| FetchError::NoAddress(error.to_string().into());
        let mut v6 = self.begin(Question::aaaa(domain)).map_err(failed)?;
        let mut v4 = self.begin(Question::a(domain)).map_err(failed)?;
        loop {
            if let (Some(v6), Some(v4)) =
                (self.advance(&mut v6, control), self.advance(&mut v4, control))
            {
                return found(&v6, &v4);
            }
        }
    }
}

/// A question to a nameserver, and what it went over.
struct Asked {
    exchange: dns::Exchange,
    link: Option<Link>,
}

/// What a question to a nameserver goes over.
enum Link {
    Udp(UdpSocket, SocketAddr),
    Tcp(TcpStream),
}

impl Link {
    /// A new socket, with a port that the system chooses at random (RFC 5452 §9.2).
    fn open(
        server: SocketAddr,
        transport: Transport,
        until: Instant,
        message: &[u8],
        time: &Time,
        control: &Control,
    ) -> io::Result<Self> {
        match transport {
            Transport::Udp => {
                let any: IpAddr = if server.is_ipv6() { [0; 16].into() } else { [0; 4].into() };
                let socket = UdpSocket::bind((any, 0))?;
                // What others send does not even arrive.
                socket.connect(server)?;
                socket.send(message)?;
                Ok(Self::Udp(socket, server))
            }
            Transport::Tcp => {
                let mut stream = connect(server, until, time, control)?;
                stream.set_write_timeout(Some(at_least(time.left(until))))?;
                stream.write_all(message)?;
                Ok(Self::Tcp(stream))
            }
        }
    }

    /// Waits for what comes, for a while.
    fn receive(&mut self, exchange: &mut dns::Exchange, until: Instant, time: &Time) {
        let mut buffer = [0; 4096];
        let received = match self {
            Self::Udp(socket, _) => {
                let set = socket.set_read_timeout(Some(a_while(time.left(until))));
                set.and_then(|()| socket.recv(&mut buffer))
            }
            Self::Tcp(stream) => match receive(stream, time.left(until), &mut buffer) {
                Ok(bytes) => bytes.map_or(Err(ErrorKind::WouldBlock.into()), |it| Ok(it.len())),
                Err(error) => Err(error),
            },
        };
        let now = time.instant();
        match (received, self) {
            (Ok(len), Self::Udp(_, server)) => {
                exchange.handle_datagram(*server, buffer.get(..len).unwrap_or_default(), now);
            }
            (Ok(len), Self::Tcp(_)) => {
                exchange.handle_stream(buffer.get(..len).unwrap_or_default(), now);
            }
            (Err(error), _) if is_late(&error) => exchange.handle_timeout(now),
            (Err(error), _) => exchange.handle_failure(&error.to_string(), now),
        }
    }
}

/// Waits for bytes, for a while. `None` if none have come; an end is an error.
fn receive<'a>(
    stream: &mut TcpStream,
    left: Duration,
    buffer: &'a mut [u8],
) -> io::Result<Option<&'a [u8]>> {
    stream.set_read_timeout(Some(a_while(left)))?;
    match stream.read(buffer) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(len) => Ok(buffer.get(..len)),
        Err(error) if is_late(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How a time-out is called depends on the system.
pub(super) fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// So long, but no longer than a thread may be held.
pub(super) fn a_while(left: Duration) -> Duration {
    at_least(left).min(LOOK_UP)
}

/// Never no time at all, which sockets refuse.
fn at_least(left: Duration) -> Duration {
    left.max(Duration::from_millis(1))
}
