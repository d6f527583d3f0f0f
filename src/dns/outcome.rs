//! The outcome of an exchange.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

use thiserror::Error;

use super::question::Question;
use crate::{cache::TxtAnswer, excerpt::Printable};

/// The outcome of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupOutcome {
    /// There are records of the type.
    Found(Records),
    /// The name exists, but has no records of the type ([RFC 2308 §5]).
    ///
    /// [RFC 2308 §5]: https://www.rfc-editor.org/rfc/rfc2308#section-5
    NoData {
        /// The time for which the absence may be cached, or `None` if the answer gives none.
        ttl: Option<Duration>,
        /// `true` if the nameserver has validated the answer by DNSSEC (the AD bit). This is only
        /// as trustworthy as the network path to the nameserver.
        authentic: bool,
    },
    /// The name does not exist ([RFC 2308 §5]).
    ///
    /// [RFC 2308 §5]: https://www.rfc-editor.org/rfc/rfc2308#section-5
    NoSuchName {
        /// The time for which the absence may be cached, or `None` if the answer gives none.
        ttl: Option<Duration>,
        /// `true` if the nameserver has validated the answer by DNSSEC (the AD bit). This is only
        /// as trustworthy as the network path to the nameserver.
        authentic: bool,
    },
    /// No server gave an answer. It is unknown whether there are records.
    Failed(DnsError),
}

/// The records that answer a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    pub(super) texts: Vec<Box<[u8]>>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) ttl: Duration,
    pub(super) authentic: bool,
}

impl Records {
    /// Returns the texts of TXT records, one for each record, which "MUST be treated as if \[its\]
    /// strings are concatenated without adding spaces" ([RFC 8461 §3.1]).
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    #[must_use]
    pub fn texts(&self) -> &[Box<[u8]>] {
        &self.texts
    }

    /// Returns the addresses of A or AAAA records.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Returns the time for which the records may be cached: the least of their TTLs and of those
    /// of the aliases to them.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Returns whether the nameserver has validated the records by DNSSEC (the AD bit). This is
    /// only as trustworthy as the network path to the nameserver.
    #[must_use]
    pub fn is_authentic(&self) -> bool {
        self.authentic
    }
}

/// The error of an exchange: the failure of the last server that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DnsError {
    /// The list of servers is empty.
    #[error("there is no nameserver to ask for {0}")]
    NoServer(Question),
    /// The server did not answer in time.
    #[error("no nameserver answered in time for {0}")]
    Timeout(Question),
    /// The server could not be reached, or closed the connection.
    #[error("asking for {question}: {}", Printable(message))]
    Connection {
        /// The question.
        question: Question,
        /// The error message from the owner of the socket.
        message: Box<str>,
    },
    /// The server answered with an error.
    #[error("the nameserver answered {code} to {question}")]
    Refused {
        /// The question.
        question: Question,
        /// The name of the response code.
        code: Box<str>,
    },
    /// The server answered with a malformed message.
    #[error("the nameserver's answer to {question} is malformed: {}", Printable(why))]
    Malformed {
        /// The question.
        question: Question,
        /// The reason why the message is malformed.
        why: Box<str>,
    },
}

impl LookupOutcome {
    /// Converts the outcome of a question for TXT records to the cache's input.
    ///
    /// The cache does not distinguish kinds of failures, nor a name that does not exist from one
    /// without records.
    #[must_use]
    pub fn to_txt_answer(&self) -> TxtAnswer {
        match self {
            Self::Found(found) => TxtAnswer::from_records(&found.texts, found.ttl),
            Self::NoData { ttl, .. } | Self::NoSuchName { ttl, .. } => {
                TxtAnswer::NoRecord { ttl: *ttl }
            }
            Self::Failed(error) => TxtAnswer::Failed(error.to_string().into()),
        }
    }
}
