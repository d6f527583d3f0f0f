use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{DNSClass, Name, RecordType},
};

use crate::domain::Domain;

/// What is asked of nameservers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    name: String,
    kind: Kind,
}

/// The kind of record that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Text.
    Txt,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// The largest answer that is asked for over UDP: what passes without being cut to pieces on the way.
const PAYLOAD: u16 = 1232;

impl Question {
    /// For the TXT records at [`Domain::txt_name`] (§3.1).
    #[must_use]
    pub fn txt(domain: &Domain) -> Self {
        Self { name: domain.txt_name(), kind: Kind::Txt }
    }

    /// For the IPv4 addresses of [`Domain::policy_host`].
    #[must_use]
    pub fn a(domain: &Domain) -> Self {
        Self { name: domain.policy_host(), kind: Kind::A }
    }

    /// For the IPv6 addresses of [`Domain::policy_host`].
    #[must_use]
    pub fn aaaa(domain: &Domain) -> Self {
        Self { name: domain.policy_host(), kind: Kind::Aaaa }
    }

    /// The name asked about.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of record asked for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// The name and kind that a nameserver is asked for: the question's, or where an alias leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: Name,
    pub(super) kind: Kind,
    /// The number of aliases that have led here.
    pub(super) aliases: usize,
    /// The least of their TTLs.
    pub(super) ttl: Duration,
    /// Whether a nameserver vouches for them.
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
    pub(super) fn new(name: Name, kind: Kind) -> Self {
        Self { name, kind, aliases: 0, ttl: Duration::MAX, is_authentic: true }
    }

    /// The message that asks it.
    pub(super) fn message(&self, id: u16, edns: bool) -> Vec<u8> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        // So that the server says whether it vouches for the answer (RFC 6840 §5.7).
        message.metadata.authentic_data = true;
        message.add_query(Query::query(self.name.clone(), self.kind.into()));
        if edns {
            let mut options = Edns::new();
            options.set_max_payload(PAYLOAD);
            message.set_edns(options);
        }
        message.to_vec().unwrap_or_default()
    }

    /// Whether a response repeats this question, and no other.
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

impl From<Kind> for RecordType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Txt => Self::TXT,
            Kind::A => Self::A,
            Kind::Aaaa => Self::AAAA,
        }
    }
}
