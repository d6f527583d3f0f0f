//! Questions, and the query messages that contain them.

use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{DNSClass, Name, RecordType},
};

use crate::domain::Domain;

/// A question for nameservers: a name and a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    name: String,
    kind: QueryType,
}

/// The record type of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryType {
    /// TXT records.
    Txt,
    /// A records: IPv4 addresses.
    A,
    /// AAAA records: IPv6 addresses.
    Aaaa,
}

/// The maximum size of an answer over UDP in bytes, small enough to avoid fragmentation.
const PAYLOAD: u16 = 1232;

impl Question {
    /// Creates a question for the TXT records at [`Domain::txt_name`] ([RFC 8461 §3.1]).
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    #[must_use]
    pub fn txt(domain: &Domain) -> Self {
        Self { name: domain.txt_name(), kind: QueryType::Txt }
    }

    /// Creates a question for the IPv4 addresses of [`Domain::policy_host`].
    #[must_use]
    pub fn a(domain: &Domain) -> Self {
        Self { name: domain.policy_host(), kind: QueryType::A }
    }

    /// Creates a question for the IPv6 addresses of [`Domain::policy_host`].
    #[must_use]
    pub fn aaaa(domain: &Domain) -> Self {
        Self { name: domain.policy_host(), kind: QueryType::Aaaa }
    }

    /// Creates questions for the IPv6 and IPv4 addresses of a host itself, and not of a Policy Host.
    #[must_use]
    pub fn host_addresses(host: &Domain) -> [Self; 2] {
        [QueryType::Aaaa, QueryType::A].map(|kind| Self { name: host.as_str().into(), kind })
    }

    /// Creates a question for the IPv6 addresses of `ipv4only.arpa`, which contain the NAT64
    /// prefixes of a network ([RFC 7050 §3]).
    ///
    /// [RFC 7050 §3]: https://www.rfc-editor.org/rfc/rfc7050#section-3
    #[must_use]
    pub fn ipv4only() -> Self {
        Self { name: "ipv4only.arpa".into(), kind: QueryType::Aaaa }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the record type.
    #[must_use]
    pub fn query_type(&self) -> QueryType {
        self.kind
    }
}

/// The name and type in a query: those of the question, or the target of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: Name,
    pub(super) kind: QueryType,
    /// The number of aliases that have led to this name.
    pub(super) aliases: usize,
    /// The least TTL of these aliases.
    pub(super) ttl: Duration,
    /// `true` if a nameserver has validated these aliases.
    pub(super) is_authentic: bool,
}

impl From<&Question> for Asked {
    fn from(question: &Question) -> Self {
        // The names of a `Domain` always fit into DNS.
        let mut name = Name::from_ascii(&question.name).unwrap_or_default();
        name.set_fqdn(true);
        Self::new(name, question.kind)
    }
}

impl Asked {
    pub(super) fn new(name: Name, kind: QueryType) -> Self {
        Self { name, kind, aliases: 0, ttl: Duration::MAX, is_authentic: true }
    }

    /// Creates the query message.
    pub(super) fn message(&self, id: u16, edns: bool) -> Vec<u8> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        // Requests that the server sets the AD bit if it has validated the answer (RFC 6840 §5.7).
        message.metadata.authentic_data = true;
        message.add_query(Query::query(self.name.clone(), self.kind.into()));
        if edns {
            let mut options = Edns::new();
            options.set_max_payload(PAYLOAD);
            message.set_edns(options);
        }
        message.to_vec().unwrap_or_default()
    }

    /// Returns whether the question section of a response consists of this question.
    pub(super) fn is_only_one_of(&self, queries: &[Query]) -> bool {
        let [query] = queries else { return false };
        query.name() == &self.name
            && query.query_type() == self.kind.into()
            && query.query_class() == DNSClass::IN
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, RecordType::from(self.kind))
    }
}

impl From<QueryType> for RecordType {
    fn from(kind: QueryType) -> Self {
        match kind {
            QueryType::Txt => Self::TXT,
            QueryType::A => Self::A,
            QueryType::Aaaa => Self::AAAA,
        }
    }
}
