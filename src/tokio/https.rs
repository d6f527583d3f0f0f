//! Fetches over tokio's sockets.

use alloc::{string::ToString, sync::Arc, vec, vec::Vec};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use ::tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{connect::connect, progress::Progress, resolver_part::ResolverPart};
use crate::{
    cache::PolicyAnswer,
    client::{
        Attempts, FetchRoute, Found, HttpsSetup, Moment, Nat64Answer, Roots, Time,
        connection_error, is_of_address, proxy_addresses, time_share,
    },
    domain::Domain,
    fetch::{self, FetchError, HttpsProxy, ProxyError, ProxyErrorKind, ProxyHost, Tunnel},
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

    /// Returns the time at which a fetch that begins now times out.
    pub(super) fn end(&self) -> Instant {
        self.time.deadline_after(self.deadline())
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
    /// not waited for. If the future is dropped, `progress` has the error of the fetch.
    pub(super) async fn fetch(
        &self,
        domain: &Domain,
        addresses: Found,
        left: Duration,
        resolver: &ResolverPart,
        progress: &Progress,
    ) -> PolicyAnswer {
        match self.policy(domain, addresses, left, resolver, progress).await {
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
        progress: &Progress,
    ) -> Result<Arc<Policy>, FetchError> {
        if left.is_zero() {
            return Err(FetchError::Deadline);
        }
        let until = self.time.deadline_after(left);
        let addresses = addresses?;
        let route = self.route(until, resolver, progress).await?;
        let mut attempts = Attempts::new(domain, &route.filter, &addresses);
        loop {
            progress.note_failure(attempts.failed());
            if attempts.needs_rest() && !self.is_over(until) {
                progress.wait_for_rest(true);
                let rest = resolver.rest_of(&addresses, domain, until).await;
                progress.wait_for_rest(false);
                attempts.add_rest(domain, &route.filter, &rest);
            }
            let Some((address, shares)) = attempts.next() else {
                return Err(attempts.into_error());
            };
            if self.is_over(until) {
                return Err(attempts.into_late_error());
            }
            let share = self.end_of_share(until, shares);
            match self.fetch_from(domain, address, &route, share, until, progress).await {
                Err(error) if is_of_address(&error) => {
                    attempts.fail(address, error, shares > 1 && self.is_over(share));
                }
                fetched => return fetched,
            }
        }
    }

    /// Finds the NAT64 prefixes of the network and the addresses of the proxy.
    async fn route(
        &self,
        until: Instant,
        resolver: &ResolverPart,
        progress: &Progress,
    ) -> Result<FetchRoute, FetchError> {
        let nat64 = &self.setup.nat64;
        if nat64.is_due(self.time.instant()) {
            let until = nat64.deadline(self.time.instant(), until);
            let answer = timeout(self.time.time_until(until), resolver.ipv4only(until)).await;
            let answer = answer.unwrap_or_else(|late| Nat64Answer::Failed(late.to_string().into()));
            nat64.handle_answer(&answer, self.time.instant());
        }
        let proxy_addresses = match &self.setup.proxy {
            None => Vec::new(),
            Some(proxy) => match proxy.host() {
                ProxyHost::Address(address) => vec![(*address, proxy.port()).into()],
                ProxyHost::Name(name) => {
                    let left = self.time.time_until(until);
                    progress.enter_proxy(proxy);
                    let found = timeout(left, resolver.host_addresses(name, left)).await;
                    progress.leave_proxy();
                    proxy_addresses(proxy, found.unwrap_or(Err(FetchError::Deadline)))?
                }
            },
        };
        Ok(FetchRoute { filter: nat64.filter(&self.setup.filter), proxy_addresses })
    }

    /// Fetches from an address, through the proxy if there is one. The connection and the TLS
    /// handshake may take until the end of its `share` of the time.
    async fn fetch_from(
        &self,
        domain: &Domain,
        address: IpAddr,
        route: &FetchRoute,
        share: Instant,
        until: Instant,
        progress: &Progress,
    ) -> Result<Arc<Policy>, FetchError> {
        let target = (address.to_canonical(), self.setup.port).into();
        let connected = match &self.setup.proxy {
            None => self.open(target, share).await.map(|stream| (stream, Vec::new())),
            Some(proxy) => {
                progress.enter_proxy(proxy);
                let opened = self.open_through(proxy, &route.proxy_addresses, target, share).await;
                progress.leave_proxy();
                opened
            }
        };
        self.fetch_over(connected?, domain, share, until).await
    }

    /// Returns whether this time has come.
    fn is_over(&self, until: Instant) -> bool {
        self.time.time_until(until).is_zero()
    }

    /// Returns the end of the time that the first of the remaining addresses has.
    fn end_of_share(&self, until: Instant, left: usize) -> Instant {
        self.time.deadline_after(time_share(self.time.time_until(until), left))
    }

    async fn open(&self, address: SocketAddr, until: Instant) -> Result<TcpStream, FetchError> {
        let left = self.time.time_until(until);
        let connecting = timeout(left, connect(address, self.setup.sources)).await;
        let connected = connecting.unwrap_or_else(|late| Err(late.into()));
        let stream = connected.map_err(|error| connection_error(&error))?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Connects to the first address that can be reached, of those of a proxy.
    async fn open_any(
        &self,
        addresses: &[SocketAddr],
        until: Instant,
    ) -> Result<TcpStream, FetchError> {
        let mut failed = FetchError::NoAddress("it has none".into());
        for (tried, &address) in addresses.iter().enumerate() {
            let left = addresses.len().saturating_sub(tried);
            match self.open(address, self.end_of_share(until, left)).await {
                Err(error) => failed = error,
                opened => return opened,
            }
        }
        Err(failed)
    }

    /// Connects to a proxy, and asks it for a connection.
    async fn open_through(
        &self,
        proxy: &HttpsProxy,
        addresses: &[SocketAddr],
        target: SocketAddr,
        until: Instant,
    ) -> Result<(TcpStream, Vec<u8>), FetchError> {
        let stream = self.open_any(addresses, until).await;
        let stream = stream.map_err(|error| error.of_proxy(proxy))?;
        let tunnel = timeout(self.time.time_until(until), tunnel(stream, proxy, target)).await;
        let late = || Err(ProxyError::new(proxy, ProxyErrorKind::Timeout));
        tunnel.unwrap_or_else(|_| late()).map_err(FetchError::Proxy)
    }

    /// Fetches over a connection, from which these bytes have been received.
    async fn fetch_over(
        &self,
        (stream, early): (TcpStream, Vec<u8>),
        domain: &Domain,
        session_until: Instant,
        until: Instant,
    ) -> Result<Arc<Policy>, FetchError> {
        let config = self.setup.config.clone().with_timeout(self.time.time_until(until));
        let Moment { date, at } = self.time.now();
        let mut exchange =
            fetch::Exchange::new(domain, &self.setup.roots.trust(at), &config, date, at)
                .with_handshake_deadline(session_until);
        exchange.handle_received(&early, at);
        let carried_out = self.carry_out(&mut exchange, stream);
        // The outcome counts even if its `close_notify` could not be sent in time.
        let _ = timeout(self.time.time_until(until), carried_out).await;
        exchange.outcome().cloned().unwrap_or(Err(FetchError::Deadline))
    }

    async fn carry_out(&self, exchange: &mut fetch::Exchange, mut stream: TcpStream) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match exchange.poll() {
                fetch::Step::Send(bytes) => {
                    if let Err(error) = stream.write_all(bytes).await {
                        exchange.handle_failure(&error.to_string(), self.time.instant());
                    }
                }
                fetch::Step::Wait { until } => {
                    let received =
                        timeout(self.time.time_until(until), stream.read(&mut buffer)).await;
                    let now = self.time.instant();
                    match received {
                        Err(_) => exchange.handle_timeout(now),
                        Ok(Ok(0)) => exchange.handle_end(now),
                        Ok(Ok(len)) => {
                            exchange.handle_received(buffer.get(..len).unwrap_or_default(), now);
                        }
                        Ok(Err(error)) => exchange.handle_failure(&error.to_string(), now),
                    }
                }
                fetch::Step::Done(_) => return,
            }
        }
    }
}

/// Asks a proxy for a connection. Returns it with the first bytes from the Policy Host.
async fn tunnel(
    mut stream: TcpStream,
    proxy: &HttpsProxy,
    target: SocketAddr,
) -> Result<(TcpStream, Vec<u8>), ProxyError> {
    let mut tunnel = Tunnel::new(proxy, target);
    if let Err(error) = stream.write_all(tunnel.request()).await {
        tunnel.fail(ProxyErrorKind::Connection(error.to_string().into()));
    }
    let mut buffer = vec![0; 4096];
    loop {
        if let Some(outcome) = tunnel.outcome() {
            return outcome.clone().map(|early| (stream, early));
        }
        match stream.read(&mut buffer).await {
            Ok(0) => tunnel.handle_end(),
            Ok(len) => tunnel.handle_received(buffer.get(..len).unwrap_or_default()),
            Err(error) => tunnel.fail(ProxyErrorKind::Connection(error.to_string().into())),
        }
    }
}
