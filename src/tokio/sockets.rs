//! Bytes between sockets and the exchanges.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec};
use core::{net::IpAddr, pin::Pin, time::Duration};

use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{Addresses, Found, Moment, Nameservers, Setup, Time, share},
    dns::{Outcome, Question},
    domain::Domain,
    fetch::{self, FetchError},
    instant::Instant,
    policy::Policy,
};
use ::tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
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
    pub(super) setup: Setup,
    pub(super) nameservers: Nameservers,
    pub(super) time: Arc<Time>,
}

impl Resolver for Sockets {
    fn txt<'a>(&'a self, domain: &'a Domain) -> Later<'a, TxtAnswer> {
        let asked = self.ask(Question::txt(domain), self.setup.dns);
        Box::pin(async { asked.await.to_txt_answer() })
    }
}

impl Fetcher for Sockets {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> Later<'a, PolicyAnswer> {
        Box::pin(self.fetch_from(domain, None, self.deadline()))
    }
}

impl Sockets {
    /// Returns the time-out of a fetch, which covers the search for the addresses.
    pub(super) fn deadline(&self) -> Duration {
        self.setup.fetch.deadline()
    }

    /// Fetches a policy within this time, from these addresses if they are known already.
    pub(super) async fn fetch_from(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
        left: Duration,
    ) -> PolicyAnswer {
        match self.policy(domain, addresses, left).await {
            Ok(policy) => PolicyAnswer::Valid(policy),
            Err(error) => PolicyAnswer::Failed(error.to_failure(domain)),
        }
    }

    pub(super) fn new(setup: Setup, time: Arc<Time>) -> Self {
        let nameservers = Nameservers::new(setup.nameservers.clone());
        Self { setup, nameservers, time }
    }

    async fn policy(
        &self,
        domain: &Domain,
        addresses: Option<Found>,
        left: Duration,
    ) -> Result<Arc<Policy>, FetchError> {
        if left.is_zero() {
            return Err(FetchError::Deadline);
        }
        let config = self.setup.fetch.clone().with_deadline(left);
        let Moment { date, at } = self.time.now();
        let mut exchange = fetch::Exchange::new(domain, &self.setup.trust, &config, date, at);
        let until = at.saturating_add(left);
        let addresses = match addresses {
            Some(found) => found?,
            None => self.addresses(domain, until).await?,
        };
        let mut stream = self.reach(domain, &addresses, until).await?;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match exchange.poll() {
                fetch::Step::Send(bytes) => {
                    match timeout(self.time.left(until), stream.write_all(bytes)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => {
                            exchange.handle_failure(&error.to_string(), self.time.instant());
                        }
                        Err(_) => exchange.handle_timeout(self.time.instant()),
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

    /// A connection to an address that is known, or to one of the family that was not waited for.
    async fn reach(
        &self,
        domain: &Domain,
        known: &Addresses,
        until: Instant,
    ) -> Result<TcpStream, FetchError> {
        let more = known.unknown.is_some();
        let error = match self.connect(domain, &known.list, more, until).await {
            Err(error) if !self.time.left(until).is_zero() => error,
            connected => return connected,
        };
        let Some(question) = known.question(domain) else { return Err(error) };
        match self.ask_until(question, until).await {
            Outcome::Found(found) => self.connect(domain, found.addresses(), false, until).await,
            _ => Err(error),
        }
    }

    /// A connection to the first address that answers; each has its share of the time, as have those
    /// of which there may be `more`.
    async fn connect(
        &self,
        domain: &Domain,
        addresses: &[IpAddr],
        more: bool,
        until: Instant,
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
            let time = share(self.time.left(until), left);
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
}
