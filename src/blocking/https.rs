//! Fetches over sockets.

use alloc::{string::ToString, sync::Arc, vec, vec::Vec};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use std::{
    io::ErrorKind,
    net::{Shutdown, TcpStream},
};

use super::{
    connect::{connect, receive, send},
    control::{Control, is_late},
    resolver_part::ResolverPart,
};
use crate::{
    cache::PolicyAnswer,
    client::{
        Attempts, FetchRoute, Found, HttpsSetup, Moment, Roots, Time, connection_error,
        is_of_address, proxy_addresses, time_share,
    },
    domain::Domain,
    fetch::{self, FetchError, HttpsProxy, ProxyError, ProxyErrorKind, ProxyHost, Tunnel},
    instant::Instant,
    policy::Policy,
};

/// A connection to a Policy Host, or to a proxy that has made one.
struct Connected {
    stream: TcpStream,
    /// The first bytes from the Policy Host, if they came together with the answer of the proxy.
    early: Vec<u8>,
}

/// Fetches policies over sockets of the standard library.
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
    /// not waited for. If `control` ends the fetch, the step that it interrupts has timed out.
    pub(super) fn fetch(
        &self,
        domain: &Domain,
        addresses: Found,
        left: Duration,
        resolver: &ResolverPart,
        control: &Control,
    ) -> PolicyAnswer {
        match self.policy(domain, addresses, left, resolver, control) {
            Ok(policy) => PolicyAnswer::Valid(policy),
            Err(error) => PolicyAnswer::Failed(error.to_failure(domain)),
        }
    }

    fn policy(
        &self,
        domain: &Domain,
        addresses: Found,
        left: Duration,
        resolver: &ResolverPart,
        control: &Control,
    ) -> Result<Arc<Policy>, FetchError> {
        if left.is_zero() {
            return Err(FetchError::Deadline);
        }
        let until = self.time.deadline_after(left);
        let addresses = addresses?;
        let route = self.route(until, resolver, control)?;
        let mut attempts = Attempts::new(domain, &route.filter, &addresses);
        loop {
            if attempts.needs_rest() && !self.is_over(until, control) {
                let rest = resolver.rest_of(&addresses, domain, until, control);
                attempts.add_rest(domain, &route.filter, &rest);
            }
            let Some((address, shares)) = attempts.next() else {
                return Err(attempts.into_error());
            };
            if self.is_over(until, control) {
                return Err(attempts.into_late_error());
            }
            let share = self.end_of_share(until, shares);
            match self.fetch_from(domain, address, &route, share, until, control) {
                Err(error @ FetchError::Proxy(_)) if control.is_stopped() => return Err(error),
                Err(error) if is_of_address(&error) => {
                    let is_cut = shares > 1 && self.time.time_until(share).is_zero();
                    attempts.fail(address, error, is_cut);
                }
                fetched => return fetched,
            }
        }
    }

    /// Finds the NAT64 prefixes of the network and the addresses of the proxy.
    fn route(
        &self,
        until: Instant,
        resolver: &ResolverPart,
        control: &Control,
    ) -> Result<FetchRoute, FetchError> {
        let nat64 = &self.setup.nat64;
        if nat64.is_due(self.time.instant()) {
            let until = nat64.deadline(self.time.instant(), until);
            nat64.handle_answer(&resolver.ipv4only(until, control), self.time.instant());
        }
        let proxy_addresses = match &self.setup.proxy {
            None => Vec::new(),
            Some(proxy) => match proxy.host() {
                ProxyHost::Address(address) => vec![(*address, proxy.port()).into()],
                ProxyHost::Name(name) => {
                    let left = self.time.time_until(until);
                    proxy_addresses(proxy, resolver.host_addresses(name, left, control))?
                }
            },
        };
        Ok(FetchRoute { filter: nat64.filter(&self.setup.filter), proxy_addresses })
    }

    /// Fetches from an address. The connection and the TLS handshake may take until the end of its
    /// `share` of the time.
    fn fetch_from(
        &self,
        domain: &Domain,
        address: IpAddr,
        route: &FetchRoute,
        share: Instant,
        until: Instant,
        control: &Control,
    ) -> Result<Arc<Policy>, FetchError> {
        let connected = self.connect(address, route, share, control)?;
        self.fetch_over(connected, domain, share, until, control)
    }

    /// Returns whether the time is over, or `control` ends the fetch.
    fn is_over(&self, until: Instant, control: &Control) -> bool {
        self.time.time_until(until).is_zero() || control.is_stopped()
    }

    /// Returns the end of the time that the first of the remaining addresses has.
    fn end_of_share(&self, until: Instant, left: usize) -> Instant {
        self.time.deadline_after(time_share(self.time.time_until(until), left))
    }

    /// Connects to an address, through the proxy if there is one.
    fn connect(
        &self,
        address: IpAddr,
        route: &FetchRoute,
        until: Instant,
        control: &Control,
    ) -> Result<Connected, FetchError> {
        let target = (address.to_canonical(), self.setup.port).into();
        let Some(proxy) = &self.setup.proxy else {
            let stream = self.open(target, until, control)?;
            return Ok(Connected { stream, early: Vec::new() });
        };
        let stream = self.open_any(&route.proxy_addresses, until, control);
        let stream = stream.map_err(|error| error.of_proxy(proxy))?;
        self.tunnel(stream, proxy, target, until, control).map_err(FetchError::Proxy)
    }

    /// Connects to the first address that can be reached, of those of a proxy.
    fn open_any(
        &self,
        addresses: &[SocketAddr],
        until: Instant,
        control: &Control,
    ) -> Result<TcpStream, FetchError> {
        let mut failed = FetchError::NoAddress("it has none".into());
        for (tried, &address) in addresses.iter().enumerate() {
            let left = addresses.len().saturating_sub(tried);
            match self.open(address, self.end_of_share(until, left), control) {
                Err(error) => failed = error,
                opened => return opened,
            }
        }
        Err(failed)
    }

    fn open(
        &self,
        address: SocketAddr,
        until: Instant,
        control: &Control,
    ) -> Result<TcpStream, FetchError> {
        let connected = connect(address, self.setup.sources, until, &self.time, control);
        let stream = match connected {
            Err(error) if is_late(&error) && control.is_stopped() => {
                return Err(FetchError::Deadline);
            }
            connected => connected.map_err(|error| connection_error(&error))?,
        };
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Asks a proxy for a connection.
    fn tunnel(
        &self,
        mut stream: TcpStream,
        proxy: &HttpsProxy,
        target: SocketAddr,
        until: Instant,
        control: &Control,
    ) -> Result<Connected, ProxyError> {
        let mut tunnel = Tunnel::new(proxy, target);
        if let Err(error) = send(&mut stream, tunnel.request(), until, &self.time, control) {
            tunnel.fail(ProxyErrorKind::Connection(error.to_string().into()));
        }
        let mut buffer = vec![0; 4096];
        loop {
            if let Some(outcome) = tunnel.outcome() {
                return outcome.clone().map(|early| Connected { stream, early });
            }
            if self.is_over(until, control) {
                tunnel.fail(ProxyErrorKind::Timeout);
                continue;
            }
            match receive(&mut stream, self.time.time_until(until), &mut buffer) {
                Ok(Some(bytes)) => tunnel.handle_received(bytes),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => tunnel.handle_end(),
                Err(error) => tunnel.fail(ProxyErrorKind::Connection(error.to_string().into())),
            }
        }
    }

    fn fetch_over(
        &self,
        Connected { mut stream, early }: Connected,
        domain: &Domain,
        session_until: Instant,
        until: Instant,
        control: &Control,
    ) -> Result<Arc<Policy>, FetchError> {
        let config = self.setup.config.clone().with_timeout(self.time.time_until(until));
        let Moment { date, at } = self.time.now();
        let mut exchange =
            fetch::Exchange::new(domain, &self.setup.roots.trust(at), &config, date, at)
                .with_handshake_deadline(session_until);
        exchange.handle_received(&early, at);
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match exchange.poll() {
                fetch::Step::Send(bytes) => {
                    if let Err(error) = send(&mut stream, bytes, until, &self.time, control) {
                        if is_late(&error) && control.is_stopped() {
                            // The outcome counts even if its `close_notify` could not be sent.
                            let outcome = exchange.outcome().cloned();
                            return outcome.unwrap_or(Err(FetchError::Deadline));
                        }
                        exchange.handle_failure(&error.to_string(), self.time.instant());
                    }
                }
                fetch::Step::Wait { .. } if control.is_stopped() => {
                    return Err(FetchError::Deadline);
                }
                fetch::Step::Wait { until } => {
                    match receive(&mut stream, self.time.time_until(until), &mut buffer) {
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
