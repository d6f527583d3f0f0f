//! The resolver and the fetcher over tokio's sockets.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    sync::Arc,
    vec,
};
use core::{net::IpAddr, pin::Pin, time::Duration};

use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{Found, Moment, Nameservers, Setup, Time, connect_timeout, graver, is_of_address},
    dns::{LookupOutcome, Question},
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

/// A boxed future, as returned by a [`Resolver`] and a [`Fetcher`].
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Looks up TXT records for a client. Implement it to use a resolver that validates DNSSEC.
///
/// With the feature `hickory-resolver`, it is implemented for a resolver of that crate. Switch off
/// its cache (`ResolverOpts::cache_size` of zero): the client caches answers itself, and a recheck
/// ([RFC 8461 §5.1]) needs the current answer of DNS.
///
/// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
pub trait Resolver: Send + Sync {
    /// Looks up the MTA-STS record at [`Domain::txt_name`].
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer>;
}

/// Fetches policies for a client.
pub trait Fetcher: Send + Sync {
    /// Fetches the policy at [`Domain::policy_url`].
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer>;
}

/// The default [`Resolver`] and [`Fetcher`], over tokio's sockets.
#[derive(Debug)]
pub struct Sockets {
    pub(super) setup: Setup,
    pub(super) nameservers: Nameservers,
    pub(super) time: Arc<Time>,
}

impl Resolver for Sockets {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        let asked = self.ask(Question::txt(domain), self.setup.dns);
        Box::pin(async { asked.await.to_txt_answer() })
    }
}

impl Fetcher for Sockets {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer> {
        Box::pin(self.fetch_from(domain, None, self.deadline()))
    }
}

impl Sockets {
    /// Returns the time-out of a fetch, which includes looking up the addresses.
    pub(super) fn deadline(&self) -> Duration {
        self.setup.fetch.timeout()
    }

    /// Fetches a policy within this time, from these addresses if they are already known.
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
        let until = self.time.deadline_after(left);
        let addresses = match addresses {
            Some(found) => found?,
            None => self.addresses(domain, until).await?,
        };
        let more = addresses.unknown.is_some();
        let error = match self.fetch_from_any(domain, &addresses.list, more, until).await {
            Err(error) if is_of_address(&error) && !self.time.time_until(until).is_zero() => error,
            fetched => return fetched,
        };
        let Some(question) = addresses.question(domain) else { return Err(error) };
        match self.ask_until(question, until).await {
            LookupOutcome::Found(found) => {
                let fetched = self.fetch_from_any(domain, found.addresses(), false, until).await;
                fetched.map_err(|other| graver(error, other))
            }
            _ => Err(error),
        }
    }

    /// Fetches from the first address that answers. Each address has its share of the time for
    /// connecting, and so have `more` addresses that are not known yet.
    async fn fetch_from_any(
        &self,
        domain: &Domain,
        addresses: &[IpAddr],
        more: bool,
        until: Instant,
    ) -> Result<Arc<Policy>, FetchError> {
        let mut failed = FetchError::NoAddress("it has none".into());
        for (tried, &address) in addresses.iter().enumerate() {
            if self.time.time_until(until).is_zero() {
                return Err(FetchError::Deadline);
            }
            let left = addresses.len().saturating_sub(tried).saturating_add(more.into());
            let fetched = match self.connect(domain, address, left, until).await {
                Ok(stream) => self.fetch_over(stream, domain, until).await,
                Err(error) => Err(error),
            };
            match fetched {
                Err(error) if is_of_address(&error) => failed = graver(failed, error),
                fetched => return fetched,
            }
        }
        Err(failed)
    }

    /// Connects to the first of the remaining addresses.
    async fn connect(
        &self,
        domain: &Domain,
        address: IpAddr,
        left: usize,
        until: Instant,
    ) -> Result<TcpStream, FetchError> {
        self.setup.filter.check(domain, address).map_err(FetchError::Refused)?;
        let time = connect_timeout(self.time.time_until(until), left);
        let failed = |why: String| FetchError::Connection(why.into());
        let connecting = timeout(time, TcpStream::connect((address, self.setup.port)));
        let connected = connecting.await.map_err(|late| failed(late.to_string()))?;
        let stream = connected.map_err(|why| failed(why.to_string()))?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    async fn fetch_over(
        &self,
        mut stream: TcpStream,
        domain: &Domain,
        until: Instant,
    ) -> Result<Arc<Policy>, FetchError> {
        let config = self.setup.fetch.clone().with_timeout(self.time.time_until(until));
        let Moment { date, at } = self.time.now();
        let mut exchange = fetch::Exchange::new(domain, &self.setup.trust, &config, date, at);
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match exchange.poll() {
                fetch::Step::Send(bytes) => {
                    match timeout(self.time.time_until(until), stream.write_all(bytes)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => {
                            exchange.handle_failure(&error.to_string(), self.time.instant());
                        }
                        Err(_) => exchange.handle_timeout(self.time.instant()),
                    }
                }
                fetch::Step::Wait { until } => {
                    match timeout(self.time.time_until(until), stream.read(&mut buffer)).await {
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
}
