//! Bytes between sockets and the exchanges.

use alloc::{string::ToString, sync::Arc, vec};
use core::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    io::{self, ErrorKind, Read},
    net::{Shutdown, TcpStream},
};

use super::connect::{connect, send};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{Addresses, Found, Moment, Nameservers, Setup, Time, share},
    dns::{Outcome, Question},
    domain::Domain,
    fetch::{self, FetchError},
    instant::Instant,
    policy::Policy,
};

/// How long a thread waits for bytes before it looks whether it should stop.
pub(super) const LOOK_UP: Duration = Duration::from_millis(250);

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
    pub(super) setup: Setup,
    pub(super) nameservers: Nameservers,
    pub(super) time: Arc<Time>,
    stop: Arc<AtomicBool>,
}

impl Resolver for Sockets {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        self.txt_with(domain, &Control::new(&self.stop))
    }
}

impl Fetcher for Sockets {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        self.fetch_with(domain, None, self.deadline(), &Control::new(&self.stop))
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

    /// Returns the time-out of a fetch, which covers the search for the addresses.
    pub(super) fn deadline(&self) -> Duration {
        self.setup.fetch.deadline()
    }

    /// Fetches a policy within this time, from these addresses if they are known already.
    pub(super) fn fetch_with(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
        left: Duration,
        control: &Control,
    ) -> PolicyAnswer {
        match self.policy(domain, addresses, left, control) {
            Ok(policy) => PolicyAnswer::Valid(policy),
            Err(error) => PolicyAnswer::Failed(error.to_failure(domain)),
        }
    }

    pub(super) fn new(setup: Setup, time: Arc<Time>, stop: Arc<AtomicBool>) -> Self {
        let nameservers = Nameservers::new(setup.nameservers.clone());
        Self { setup, nameservers, time, stop }
    }

    fn policy(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
        left: Duration,
        control: &Control,
    ) -> Result<Arc<Policy>, FetchError> {
        if left.is_zero() {
            return Err(FetchError::Deadline);
        }
        let config = self.setup.fetch.clone().with_deadline(left);
        let Moment { date, at } = self.time.now();
        let mut exchange = fetch::Exchange::new(domain, &self.setup.trust, &config, date, at);
        let until = at.saturating_add(left);
        let addresses = addresses.unwrap_or_else(|| self.addresses(domain, until, control))?;
        let mut stream = self.reach(domain, &addresses, until, control)?;
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
    /// A connection to an address that is known, or to one of the family that was not waited for.
    fn reach(
        &self,
        domain: &Domain,
        known: &Addresses,
        until: Instant,
        control: &Control,
    ) -> Result<TcpStream, FetchError> {
        let more = known.unknown.is_some();
        let error = match self.connect(domain, &known.list, more, until, control) {
            Err(error) if !self.time.left(until).is_zero() => error,
            connected => return connected,
        };
        let Some(question) = known.question(domain) else { return Err(error) };
        match self.ask_until(question, until, control) {
            Outcome::Found(found) => self.connect(domain, found.addresses(), false, until, control),
            _ => Err(error),
        }
    }

    /// A connection to the first address that answers; each has its share of the time, as have those
    /// of which there may be `more`.
    fn connect(
        &self,
        domain: &Domain,
        addresses: &[IpAddr],
        more: bool,
        until: Instant,
        control: &Control,
    ) -> Result<TcpStream, FetchError> {
        let mut error = FetchError::NoAddress("it has none".into());
        for (tried, &address) in addresses.iter().enumerate() {
            if let Err(refused) = self.setup.filter.check(domain, address) {
                error = FetchError::Refused(refused);
                continue;
            }
            if self.time.left(until).is_zero() {
                return Err(FetchError::Deadline);
            }
            let left = addresses.len().saturating_sub(tried).saturating_add(more.into());
            let share = share(self.time.left(until), left);
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
}

/// Waits for bytes, for a while. `None` if none have come; an end is an error.
pub(super) fn receive<'a>(
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
pub(super) fn at_least(left: Duration) -> Duration {
    left.max(Duration::from_millis(1))
}
