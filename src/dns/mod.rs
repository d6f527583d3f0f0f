//! Queries to nameservers, without sockets ([RFC 8461 §3.1]).
//!
//! An [`Exchange`] sends one [`Question`] to a list of recursive nameservers until one of them
//! answers. It returns the messages to send, takes those that arrive, and ends with a
//! [`LookupOutcome`]. Datagrams that do not answer the question have no effect, since anybody can
//! send them. After a truncated answer the query is repeated over TCP, where a message that does
//! not answer the question is a failure of the server. After a failure or time-out of a server the
//! next one is asked.
//!
//! ```
//! use core::net::SocketAddr;
//!
//! use mta_sts::{Domain, Instant, cache::TxtAnswer, dns::{Config, Exchange, Question, Step,
//! Transport}};
//!
//! let question = Question::txt(&Domain::parse("example.com")?);
//! let servers: [SocketAddr; 2] = ["192.0.2.1:53".parse()?, "192.0.2.2:53".parse()?];
//! let now = Instant::START; // of a monotonic clock
//! let mut exchange = Exchange::new(question, &servers, Config::default(), 42, now); // random bits
//!
//! // Send this from a new socket, and pass the datagrams that arrive there to `handle_datagram`.
//! let Step::Send { server, transport, .. } = exchange.poll() else { panic!() };
//! assert_eq!((server, transport), (servers[0], Transport::Udp));
//! let Step::Wait { until } = exchange.poll() else { panic!() };
//!
//! // Nothing arrives, so the next server is asked. At the end, pass the outcome to the cache.
//! exchange.handle_timeout(until);
//! assert!(matches!(exchange.poll(), Step::Send { server, .. } if server == servers[1]));
//! while let Step::Send { .. } | Step::Wait { .. } = exchange.poll() {
//!     exchange.handle_timeout(now.saturating_add(Config::default().timeout()));
//! }
//! let Step::Done(outcome) = exchange.poll() else { panic!() };
//! assert!(matches!(outcome.to_txt_answer(), TxtAnswer::Failed(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1

mod answer;
mod attempt;
mod config;
mod exchange;
mod message;
mod nameservers;
mod outcome;
mod question;
mod resolv_conf;
mod seen;
mod step;
mod turns;

// Its record types are in the public API.
pub use hickory_proto;

#[cfg(feature = "hickory-resolver")]
pub(crate) use self::answer::txt_answer_at;
pub use self::{
    answer::txt_answer,
    attempt::Transport,
    config::Config,
    exchange::Exchange,
    nameservers::Nameservers,
    outcome::{DnsError, LookupOutcome, Records},
    question::{QueryType, Question},
    resolv_conf::{IgnoredLine, ResolvConf},
    step::Step,
};
