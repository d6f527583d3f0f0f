//! Which nameserver is asked first.

use alloc::{boxed::Box, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use super::{config::Config, exchange::Exchange, question::Question};
use crate::instant::Instant;

/// A list of nameservers, and what is known of each.
///
/// A server that did not answer is asked last until it answers again, or for 5 minutes (RFC 2308
/// §7.2), after which one query tries it. A server that answers only queries without EDNS is asked
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
/// let mut exchange = servers.ask(question.clone(), Config::default(), 42, Instant::START);
/// let Step::Send { server, .. } = exchange.poll() else { panic!() };
/// assert_eq!(server, addresses[0]);
///
/// // It is silent. Once that is known, the other one is asked first.
/// let Step::Wait { until } = exchange.poll() else { panic!() };
/// exchange.handle_timeout(until);
/// servers.learn(&exchange, until);
/// let mut exchange = servers.ask(question, Config::default(), 43, until);
/// assert!(matches!(exchange.poll(), Step::Send { server, .. } if server == addresses[1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Nameservers {
    servers: Box<[Nameserver]>,
    rotates: bool,
}

#[derive(Clone, Debug)]
struct Nameserver {
    address: SocketAddr,
    /// Until when it is asked last.
    last_until: Option<Instant>,
    /// Until when it is asked without EDNS.
    plain_until: Option<Instant>,
}

/// The observations of a server in one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Whether it has answered anything; `None` as long as it still may.
    pub(super) answers: Option<bool>,
    /// It has left a query with EDNS unanswered, or refused it as such.
    pub(super) dislikes_edns: bool,
    /// It has answered without EDNS only.
    pub(super) is_plain: bool,
}

impl Seen {
    /// Notes that it has left a query unanswered.
    pub(super) fn is_silent(&mut self) {
        self.answers.get_or_insert(false);
    }
}

/// "Servers ... MUST NOT be deemed dead for longer than 5 minutes" without a new query (RFC 2308
/// §7.2).
const LAST: Duration = Duration::from_secs(5 * 60);

/// The time for which a server is asked without EDNS, once it was found to answer nothing else.
const PLAIN: Duration = Duration::from_secs(15 * 60);

impl Nameservers {
    /// Creates a list of which nothing is known. The servers are asked in this order; one that is
    /// named twice counts once.
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

    /// Sets whether each exchange starts with another server, chosen at random, rather than with the
    /// first one. Default: no.
    #[must_use]
    pub fn with_rotation(self, rotates: bool) -> Self {
        Self { rotates, ..self }
    }

    /// Returns the addresses, in the order in which they were given.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.servers.iter().map(|server| server.address)
    }

    /// Puts a question to these servers.
    ///
    /// `random` is 64 bits that nobody can guess, new for every exchange: the ids of the messages are
    /// made of it.
    #[must_use]
    pub fn ask(
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
        order.sort_by_key(|&place| self.servers.get(place).is_some_and(|it| it.is_last(now)));
        // Its time is over: this query tries it, and those that come meanwhile do not wait for that.
        if let Some(first) = order.first().and_then(|&place| self.servers.get_mut(place))
            && first.last_until.is_some_and(|end| end <= now)
        {
            first.last_until = Some(now.saturating_add(config.attempt()));
        }
        let servers = order.into_iter().filter_map(|place| self.servers.get(place));
        let servers = servers.map(|server| (server.address, !server.is_plain(now)));
        Exchange::with_servers(question, servers, config, random, now)
    }

    /// Learns what an exchange has seen of its servers. It need not be over.
    pub fn learn(&mut self, exchange: &Exchange, now: Instant) {
        for (address, seen) in exchange.seen() {
            let Some(server) = self.servers.iter_mut().find(|it| it.address == address) else {
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
