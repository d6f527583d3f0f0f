//! Fetches over tokio's sockets.

use alloc::{
    string::{String, ToString},
    sync::Arc,
    vec,
};
use core::{net::IpAddr, time::Duration};

use ::tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::resolver_part::ResolverPart;
use crate::{
    cache::PolicyAnswer,
    client::{Found, HttpsSetup, Moment, Roots, Time, connect_timeout, graver, is_of_address},
    domain::Domain,
    fetch::{self, FetchError},
    instant::Instant,
    policy::Policy,
};

/// Fetches policies over tokio's sockets.
#[derive(Debug)]
pub(super) struct HttpsSockets {
    setup: HttpsSetup,
    time: Arc<Time>,
}

impl HttpsSockets {
    pub(super) fn new(setup: HttpsSetup, time: Arc<Time>) -> Self {
        Self { setup, time }
    }

    /// Returns the time-out of a fetch, which includes looking up the addresses.
    pub(super) fn deadline(&self) -> Duration {
        self.setup.config.timeout()
    }

    /// Returns the roots.
    pub(super) fn roots(&self) -> &Roots {
        &self.setup.roots
    }

    /// Returns the current time.
    pub(super) fn now(&self) -> Instant {
        self.time.instant()
    }

    /// Fetches a policy within this time, from these addresses. The resolver finds those that were
    /// not waited for.
    pub(super) async fn fetch(
        &self,
        domain: &Domain,
        addresses: Found,
        left: Duration,
        resolver: &ResolverPart,
    ) -> PolicyAnswer {
        match self.policy(domain, addresses, left, resolver).await {
            Ok(policy) => PolicyAnswer::Valid(policy),
            Err(error) => PolicyAnswer::Failed(error.to_failure(domain)),
        }
    }

    async fn policy(
        &self,
        domain: &Domain,
        addresses: Found,
        left: Duration,
        resolver: &ResolverPart,
    ) -> Result<Arc<Policy>, FetchError> {
        if left.is_zero() {
            return Err(FetchError::Deadline);
        }
        let until = self.time.deadline_after(left);
        let addresses = addresses?;
        let more = addresses.unknown.is_some();
        let error = match self.fetch_from_any(domain, &addresses.list, more, until).await {
            Err(error) if is_of_address(&error) && !self.time.time_until(until).is_zero() => error,
            fetched => return fetched,
        };
        let rest = resolver.rest_of(&addresses, domain, until).await;
        if rest.is_empty() {
            return Err(error);
        }
        let fetched = self.fetch_from_any(domain, &rest, false, until).await;
        fetched.map_err(|other| graver(error, other))
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
        let config = self.setup.config.clone().with_timeout(self.time.time_until(until));
        let Moment { date, at } = self.time.now();
        let mut exchange =
            fetch::Exchange::new(domain, &self.setup.roots.trust(at), &config, date, at);
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
