//! Questions to nameservers, without sockets (§3.1).
//!
//! An [`Exchange`] puts one [`Question`] to a list of recursive nameservers until one of them answers:
//! it says what to send and where, is told what arrives, and ends in an [`Outcome`]. What is not an
//! answer to this question changes nothing; a truncated answer is asked for again over TCP; a server
//! that fails or is silent gives way to the next.
//!
//! ```
//! use core::net::SocketAddr;
//!
//! use mta_sts::{Domain, Instant, cache::TxtAnswer, dns::{Config, Exchange, Question, Step, Transport}};
//!
//! let question = Question::txt(&Domain::parse("example.com")?);
//! let servers: [SocketAddr; 2] = ["192.0.2.1:53".parse()?, "192.0.2.2:53".parse()?];
//! let now = Instant::START; // by a clock that cannot be set
//! let mut exchange = Exchange::new(question, &servers, Config::default(), 42, now); // random bits
//!
//! // Send this from a fresh socket, and give `handle_datagram` what arrives there.
//! let Step::Send { server, transport, .. } = exchange.poll() else { panic!() };
//! assert_eq!((server, transport), (servers[0], Transport::Udp));
//! let Step::Wait { until } = exchange.poll() else { panic!() };
//!
//! // Nothing arrives: the next server is asked. At the end, it is for the cache.
//! exchange.handle_timeout(until);
//! assert!(matches!(exchange.poll(), Step::Send { server, .. } if server == servers[1]));
//! while let Step::Send { .. } | Step::Wait { .. } = exchange.poll() {
//!     exchange.handle_timeout(now.saturating_add(Config::default().deadline()));
//! }
//! let Step::Done(outcome) = exchange.poll() else { panic!() };
//! assert!(matches!(outcome.to_txt_answer(), TxtAnswer::Failed(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod attempt;
mod config;
mod exchange;
mod message;
mod nameservers;
mod outcome;
mod question;
mod resolv_conf;
mod turns;

// Its records are in this interface.
pub use hickory_proto;

#[cfg(feature = "hickory-resolver")]
pub(crate) use self::answer::txt_answer_at;
pub use self::{
    answer::txt_answer,
    attempt::Transport,
    config::Config,
    exchange::{Exchange, Step},
    nameservers::Nameservers,
    outcome::{DnsError, Found, Outcome},
    question::{Kind, Question},
    resolv_conf::{Ignored, ResolvConf},
};
