use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

use thiserror::Error;

use super::question::Question;
use crate::{cache::TxtAnswer, excerpt::Printable};

/// What came of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// There are such records.
    Found(Found),
    /// The name exists, but has no such records, for so long as `ttl` says (RFC 2308 §5).
    NoData {
        /// How long that may be believed; `None` if the answer does not say.
        ttl: Option<Duration>,
        /// Whether the nameserver vouches for it by DNSSEC (the AD bit). That is worth as much as
        /// the way to the nameserver is safe.
        authentic: bool,
    },
    /// There is no such name, for so long as `ttl` says.
    NoSuchName {
        /// How long that may be believed; `None` if the answer does not say.
        ttl: Option<Duration>,
        /// As above.
        authentic: bool,
    },
    /// No server gave an answer. This says nothing about the name.
    Failed(DnsError),
}

/// The records that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub(super) texts: Vec<Box<[u8]>>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) ttl: Duration,
    pub(super) authentic: bool,
}

impl Found {
    /// The texts of TXT records, one for each record, which "MUST be treated as if \[its\] strings are
    /// concatenated without adding spaces" (§3.1).
    #[must_use]
    pub fn texts(&self) -> &[Box<[u8]>] {
        &self.texts
    }

    /// The addresses of A or AAAA records.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// How long they may be believed: the least of the TTLs on the way to them.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Whether the nameserver vouches for them by DNSSEC (the AD bit). That is worth as much as the
    /// way to the nameserver is safe.
    #[must_use]
    pub fn is_authentic(&self) -> bool {
        self.authentic
    }
}

/// How asking failed: what the last server that was asked did.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DnsError {
    /// There is no server to ask.
    #[error("there is no nameserver to ask for {0}")]
    NoServer(Question),
    /// It did not answer in time.
    #[error("no nameserver answered in time for {0}")]
    Timeout(Question),
    /// It could not be reached, or it closed the connection.
    #[error("asking for {question}: {}", Printable(message))]
    Connection {
        /// What was asked.
        question: Question,
        /// What went wrong, as told by whoever owns the socket.
        message: Box<str>,
    },
    /// It answered with an error.
    #[error("the nameserver answered {code} to {question}")]
    Refused {
        /// What was asked.
        question: Question,
        /// The response code, in words.
        code: Box<str>,
    },
    /// It answered something that cannot be an answer.
    #[error("the nameserver's answer to {question} is malformed: {}", Printable(why))]
    Malformed {
        /// What was asked.
        question: Question,
        /// What is wrong with it.
        why: Box<str>,
    },
}

impl Outcome {
    /// What the cache is to be told of a question for TXT records.
    ///
    /// Of two failures the cache makes no difference, and of absence none between a name that does
    /// not exist and one without records.
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
