//! The order in which nameservers are asked.

use alloc::{boxed::Box, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use super::{config::Config, exchange::Exchange, question::Question};
use crate::instant::Instant;

/// A list of nameservers, with the results of earlier exchanges for each.
///
/// A server that did not answer is asked last until it answers again, or for 5 minutes ([RFC 2308
/// §7.2]), after which one query tries it. A server that answers only queries without EDNS is asked
/// without it for 15 minutes.
///
/// ```
/// use core::net::SocketAddr;
///
/// use mta_sts::{Domain, Instant, dns::{Config, Nameservers, Question, Step}};
///
/// let addresses: [SocketAddr; 2] = ["192.0.2.1:53".parse()?, "192.0.2.2:53".parse()?];
/// let mut servers = Nameservers::new(addresses);
/// let question = Question::txt(&Domain::parse("example.com")?);
/// let mut exchange = servers.start_query(question.clone(), Config::default(), 42, Instant::START);
/// let Step::Send { server, .. } = exchange.poll() else { panic!() };
/// assert_eq!(server, addresses[0]);
///
/// // It does not answer. Once that is recorded, the other one is asked first.
/// let Step::Wait { until } = exchange.poll() else { panic!() };
/// exchange.handle_timeout(until);
/// servers.record_outcome(&exchange, until);
/// let mut exchange = servers.start_query(question, Config::default(), 43, until);
/// assert!(matches!(exchange.poll(), Step::Send { server, .. } if server == addresses[1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 2308 §7.2]: https://www.rfc-editor.org/rfc/rfc2308#section-7.2
#[derive(Clone, Debug)]
pub struct Nameservers {
    servers: Box<[Nameserver]>,
    rotates: bool,
}

#[derive(Clone, Debug)]
struct Nameserver {
    address: SocketAddr,
    /// The time until which the server is asked last.
    last_until: Option<Instant>,
    /// The time until which the server is asked without EDNS.
    plain_until: Option<Instant>,
}

/// The time for which a server that did not answer is asked last. "Servers ... MUST NOT be deemed
/// dead for longer than 5 minutes" without a new query (RFC 2308 §7.2).
const LAST: Duration = Duration::from_secs(5 * 60);

/// The time for which a server is asked without EDNS, once it was found to answer only such
/// queries.
const PLAIN: Duration = Duration::from_secs(15 * 60);

impl Nameservers {
    /// Creates a list of nameservers. They are asked in this order; duplicates count once.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        let new = |address| Nameserver { address, last_until: None, plain_until: None };
        let mut servers: Vec<Nameserver> = Vec::new();
        for address in addresses {
            if !servers.iter().any(|known| known.address == address) {
                servers.push(new(address));
            }
        }
        Self { servers: servers.into(), rotates: false }
    }

    /// Sets whether each exchange starts with a server chosen at random rather than with the first
    /// one. Default: false.
    #[must_use]
    pub fn with_rotation(self, rotates: bool) -> Self {
        Self { rotates, ..self }
    }

    /// Returns the addresses, in the order in which they were given.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.servers.iter().map(|server| server.address)
    }

    /// Starts an exchange with these servers.
    ///
    /// `random` is 64 unpredictable bits, new for every exchange. The ids of the messages are
    /// derived from it.
    #[must_use]
    pub fn start_query(
        &mut self,
        question: Question,
        config: Config,
        random: u64,
        now: Instant,
    ) -> Exchange {
        let mut order: Vec<usize> = (0..self.servers.len()).collect();
        if self.rotates && !order.is_empty() {
            let [.., a, b] = random.to_be_bytes();
            let start = usize::from(u16::from_be_bytes([a, b])).checked_rem(order.len());
            order.rotate_left(start.unwrap_or(0));
        }
        order.sort_by_key(|&place| {
            self.servers.get(place).is_some_and(|server| server.is_last(now))
        });
        // Its time is over: this query tries it, and other queries do not wait for the result.
        if let Some(first) = order.first().and_then(|&place| self.servers.get_mut(place))
            && first.last_until.is_some_and(|end| end <= now)
        {
            first.last_until = Some(now.saturating_add(config.attempt_timeout()));
        }
        let servers = order.into_iter().filter_map(|place| self.servers.get(place));
        let servers = servers.map(|server| (server.address, !server.is_plain(now)));
        Exchange::with_servers(question, servers, config, random, now)
    }

    /// Notes how the servers have behaved in an exchange, which may still be in progress.
    pub fn record_outcome(&mut self, exchange: &Exchange, now: Instant) {
        for (address, seen) in exchange.seen() {
            let Some(server) = self.servers.iter_mut().find(|server| server.address == address)
            else {
                continue;
            };
            match seen.answers {
                Some(true) => server.last_until = None,
                Some(false) => server.last_until = Some(now.saturating_add(LAST)),
                None => {}
            }
            if seen.is_plain {
                server.plain_until = Some(now.saturating_add(PLAIN));
            }
        }
    }
}

impl Nameserver {
    fn is_last(&self, now: Instant) -> bool {
        self.last_until.is_some_and(|end| now < end)
    }

    fn is_plain(&self, now: Instant) -> bool {
        self.plain_until.is_some_and(|end| now < end)
    }
}
