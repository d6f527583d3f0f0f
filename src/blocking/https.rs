//! Fetches over sockets.

use alloc::{string::ToString, sync::Arc, vec};
use core::{net::IpAddr, time::Duration};
use std::{
    io::ErrorKind,
    net::{Shutdown, TcpStream},
};

use super::{
    connect::{connect, receive, send},
    control::Control,
    resolver_part::ResolverPart,
};
use crate::{
    cache::PolicyAnswer,
    client::{Found, HttpsSetup, Moment, Roots, Time, connect_timeout, graver, is_of_address},
    domain::Domain,
    fetch::{self, FetchError},
    instant::Instant,
    policy::Policy,
};

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
        let more = addresses.unknown.is_some();
        let error = match self.fetch_from_any(domain, &addresses.list, more, until, control) {
            Err(error) if is_of_address(&error) && !self.time.time_until(until).is_zero() => error,
            fetched => return fetched,
        };
        let rest = resolver.rest_of(&addresses, domain, until, control);
        if rest.is_empty() {
            return Err(error);
        }
        let fetched = self.fetch_from_any(domain, &rest, false, until, control);
        fetched.map_err(|other| graver(error, other))
    }

    /// Fetches from the first address that answers. Each address has its share of the time for
    /// connecting, and so have `more` addresses that are not known yet.
    fn fetch_from_any(
        &self,
        domain: &Domain,
        addresses: &[IpAddr],
        more: bool,
        until: Instant,
        control: &Control,
    ) -> Result<Arc<Policy>, FetchError> {
        let mut failed = FetchError::NoAddress("it has none".into());
        for (tried, &address) in addresses.iter().enumerate() {
            if self.time.time_until(until).is_zero() {
                return Err(FetchError::Deadline);
            }
            let left = addresses.len().saturating_sub(tried).saturating_add(more.into());
            let stream = self.connect(domain, address, left, until, control);
            match stream.and_then(|stream| self.fetch_over(stream, domain, until, control)) {
                Err(error) if is_of_address(&error) => failed = graver(failed, error),
                fetched => return fetched,
            }
        }
        Err(failed)
    }

    /// Connects to the first of the remaining addresses.
    fn connect(
        &self,
        domain: &Domain,
        address: IpAddr,
        left: usize,
        until: Instant,
        control: &Control,
    ) -> Result<TcpStream, FetchError> {
        self.setup.filter.check(domain, address).map_err(FetchError::Refused)?;
        let share = connect_timeout(self.time.time_until(until), left);
        let address = (address, self.setup.port).into();
        let stream = connect(address, self.time.deadline_after(share), &self.time, control)
            .map_err(|why| FetchError::Connection(why.to_string().into()))?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    fn fetch_over(
        &self,
        mut stream: TcpStream,
        domain: &Domain,
        until: Instant,
        control: &Control,
    ) -> Result<Arc<Policy>, FetchError> {
        let config = self.setup.config.clone().with_timeout(self.time.time_until(until));
        let Moment { date, at } = self.time.now();
        let mut exchange =
            fetch::Exchange::new(domain, &self.setup.roots.trust(at), &config, date, at);
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
