//! The nameserver.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};

use crate::{Action, Addresses, Shared, Site, dns, lock};

/// What it does when asked for a domain's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dns {
    /// Answers.
    Answers,
    /// Answers after so long.
    Slow(Duration),
    /// Says nothing.
    Silent,
    /// Says that it failed.
    ServFail,
    /// Fails so many times, then answers.
    ServFailThenAnswers(usize),
    /// Answers over TCP only.
    Truncated,
    /// Says over UDP that the answer is too long, and closes connections over TCP.
    TruncatedOnly,
    /// Says that there is no such name.
    NoSuchName,
    /// Refuses to answer.
    Refused,
    /// Answers with these records, each of these strings.
    Records(&'static [&'static [&'static [u8]]]),
    /// Sends three forgeries, with ids that were not asked for, before the answer.
    ForgeriesFirst,
    /// Sends a forgery to another question, with the right id, before the answer.
    ForgedQuestion,
    /// Sends bytes that are no message.
    Garbage,
}

/// What there is at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// These TXT records, and nothing else.
    Texts(Vec<String>),
    /// These addresses, and nothing else.
    Addresses(Vec<IpAddr>),
    /// An alias for another name.
    Alias(String),
}

/// The TTL of everything unless the world has another one: a minute, the least that senders heed.
pub(crate) const TTL: u32 = 60;

/// The longest answer that is sent over UDP.
const MAX_UDP: usize = 1232;

/// The longest chain of aliases that is followed.
const MAX_ALIASES: usize = 8;

pub(crate) fn start(
    shared: &Arc<Shared>,
    address: SocketAddr,
) -> io::Result<(SocketAddr, [JoinHandle<()>; 2])> {
    dns::serve(shared, address, {
        let shared = Arc::clone(shared);
        move |query, is_udp| {
            let Ok(query) = Message::from_vec(query) else { return Vec::new() };
            record_query(&query, is_udp, &shared);
            if let Some(message) = named(&query, &shared, MAX_ALIASES) {
                let answer = bytes(&with_ttl(message, &shared));
                return vec![if is_udp && answer.len() > MAX_UDP {
                    truncated(&query)
                } else {
                    answer
                }];
            }
            let asked = Asked::of(&query, &shared);
            asked.map_or_else(Vec::new, |asked| asked.answers(&query, is_udp, &shared))
        }
    })
}

fn record_query(query: &Message, is_udp: bool, shared: &Shared) {
    if let Some(question) = query.queries.first() {
        shared.log.record(|| Action::Query {
            name: question.name().to_ascii().to_ascii_lowercase().trim_end_matches('.').to_owned(),
            record_type: question.query_type().to_string(),
            is_udp,
        });
    }
}

fn with_ttl(mut message: Message, shared: &Shared) -> Message {
    let ttl = shared.ttl.load(Ordering::SeqCst);
    for record in message.answers.iter_mut().chain(&mut message.authorities) {
        record.ttl = ttl;
    }
    message
}

/// The answer to a question for a name that was given something of its own.
fn named(query: &Message, shared: &Shared, max_aliases: usize) -> Option<Message> {
    let question = query.queries.first()?;
    let (name, kind) = (question.name().clone(), question.query_type());
    let text = name.to_ascii().to_ascii_lowercase();
    let found = lock(&shared.names).get(text.trim_end_matches('.')).cloned()?;
    let mut message = reply(query);
    match found {
        Named::Texts(texts) if kind == RecordType::TXT => {
            message.add_answers(texts.iter().map(|text| txt(&name, text)));
        }
        Named::Texts(_) => {}
        Named::Addresses(addresses) => {
            let data = addresses.into_iter().map(|address| match address {
                IpAddr::V4(v4) => RData::A(rdata::A(v4)),
                IpAddr::V6(v6) => RData::AAAA(rdata::AAAA(v6)),
            });
            let of_kind = data.filter(|data| data.record_type() == kind);
            message.add_answers(of_kind.map(|data| Record::from_rdata(name.clone(), TTL, data)));
        }
        Named::Alias(_) if max_aliases == 0 => {
            message.metadata.response_code = ResponseCode::ServFail;
        }
        Named::Alias(target) => {
            let target = Name::from_ascii(target + ".").expect("a name");
            let mut further = query.clone();
            further.queries = vec![Query::query(target.clone(), kind)];
            let found = named(&further, shared, max_aliases - 1);
            let found = found.unwrap_or_else(|| {
                Asked::of(&further, shared)
                    .map_or_else(|| reply(&further), |asked| asked.answer(&further))
            });
            let alias = RData::CNAME(rdata::CNAME(target));
            message.metadata.response_code = found.metadata.response_code;
            message.add_answer(Record::from_rdata(name, TTL, alias));
            message.add_answers(found.answers);
            message.add_authorities(found.authorities);
        }
    }
    Some(message)
}

/// What is asked for, and of whom.
struct Asked {
    kind: RecordType,
    name: Name,
    domain: String,
    is_mx: bool,
    site: Option<Site>,
}

impl Asked {
    fn of(query: &Message, shared: &Shared) -> Option<Self> {
        let question = query.queries.first()?;
        let (name, kind) = (question.name().clone(), question.query_type());
        let text = name.to_ascii().to_ascii_lowercase();
        let text = text.trim_end_matches('.');
        let policy_domain = text.strip_prefix("mta-sts.");
        let mx_domain = shared.domain_of_mx(text);
        let is_mx = policy_domain.is_none() && mx_domain.is_some();
        let domain = match kind {
            RecordType::TXT => text.strip_prefix("_mta-sts.").map(str::to_owned),
            RecordType::MX => None,
            _ => policy_domain.map(str::to_owned).or(mx_domain),
        };
        let domain = domain.unwrap_or_else(|| text.to_owned());
        if kind == RecordType::TXT {
            shared.count(&domain, |counts| counts.queries += 1);
        }
        let site = shared.site(&domain);
        Some(Self { kind, name, domain, is_mx, site })
    }

    /// What to send, one message after the other.
    fn answers(&self, query: &Message, is_udp: bool, shared: &Shared) -> Vec<Vec<u8>> {
        let good = || bytes(&with_ttl(self.answer(query), shared));
        let Some(site) = &self.site else { return vec![good()] };
        let failure = || vec![refusal(query, ResponseCode::ServFail)];
        if self.kind != RecordType::TXT {
            return vec![good()];
        }
        match site.dns {
            Dns::Answers => vec![good()],
            Dns::Slow(span) => {
                shared.wait(Some(span)).map_or_else(|_| Vec::new(), |()| vec![good()])
            }
            Dns::Silent => Vec::new(),
            Dns::ServFail => failure(),
            Dns::ServFailThenAnswers(times) => {
                let so_far =
                    lock(&shared.counts).get(&self.domain).map_or(0, |count| count.queries);
                if so_far <= times { failure() } else { vec![good()] }
            }
            Dns::Truncated if is_udp => {
                vec![truncated(query)]
            }
            Dns::Truncated => vec![good()],
            Dns::TruncatedOnly if is_udp => vec![truncated(query)],
            Dns::TruncatedOnly => Vec::new(),
            Dns::NoSuchName => {
                let mut message = reply(query);
                message.metadata.response_code = ResponseCode::NXDomain;
                message.add_authority(self.start_of_authority());
                vec![bytes(&with_ttl(message, shared))]
            }
            Dns::Refused => vec![refusal(query, ResponseCode::Refused)],
            Dns::Records(records) => {
                let mut message = reply(query);
                message.add_answers(records.iter().map(|strings| self.record(strings)));
                let answer = bytes(&with_ttl(message, shared));
                let is_short = !is_udp || answer.len() <= MAX_UDP;
                vec![if is_short { answer } else { truncated(query) }]
            }
            Dns::ForgedQuestion => {
                let mut message = reply(query);
                let other = Name::from_ascii("_mta-sts.forged.example.").expect("a name");
                message.queries = vec![Query::query(other.clone(), self.kind)];
                message.add_answer(txt(&other, "forged"));
                vec![bytes(&message), good()]
            }
            Dns::ForgeriesFirst => {
                let forged = (1..=3).map(|n| {
                    let mut message = reply(query);
                    message.metadata.id = query.metadata.id.wrapping_add(n);
                    message.add_answer(txt(&self.name, "forged"));
                    bytes(&message)
                });
                forged.chain([good()]).collect()
            }
            Dns::Garbage => {
                let id = query.metadata.id.to_be_bytes();
                vec![[&id[..], b"\x81\x80\0\x01\xff\xff garbage"].concat()]
            }
        }
    }

    fn answer(&self, query: &Message) -> Message {
        let mut message = reply(query);
        let addresses = self.site.as_ref().map(|site| match site.mx_addresses {
            Some(addresses) if self.is_mx => addresses,
            _ => site.addresses,
        });
        let (Some(site), Some(addresses)) = (&self.site, addresses) else {
            message.metadata.response_code = ResponseCode::NXDomain;
            message.add_authority(self.start_of_authority());
            return message;
        };
        match self.kind {
            RecordType::A | RecordType::AAAA if addresses == Addresses::NoSuchName => {
                message.metadata.response_code = ResponseCode::NXDomain;
            }
            RecordType::TXT => {
                message.add_answers(site.txt.iter().map(|text| txt(&self.name, text)));
            }
            RecordType::MX => {
                message.add_answers(site.mx.iter().map(|(preference, host)| {
                    let host = Name::from_ascii(host).expect("a name");
                    let mx = rdata::MX::new(*preference, host);
                    Record::from_rdata(self.name.clone(), TTL, RData::MX(mx))
                }));
            }
            RecordType::A => {
                message.add_answers(addresses.all().iter().map(|&address| self.address(address)));
            }
            _ => {}
        }
        if message.answers.is_empty() {
            message.add_authority(self.start_of_authority());
        }
        message
    }

    /// How long absence may be believed (RFC 2308 §5): as long as all else.
    fn start_of_authority(&self) -> Record {
        let (zone, seconds) = (self.name.base_name(), TTL.cast_signed());
        let soa = rdata::SOA::new(zone.clone(), zone.clone(), 1, seconds, seconds, seconds, TTL);
        Record::from_rdata(zone, TTL, RData::SOA(soa))
    }

    fn record(&self, strings: &[&[u8]]) -> Record {
        let txt = rdata::TXT::from_bytes(strings.to_vec());
        Record::from_rdata(self.name.clone(), TTL, RData::TXT(txt))
    }

    fn address(&self, address: Ipv4Addr) -> Record {
        Record::from_rdata(self.name.clone(), TTL, RData::A(rdata::A(address)))
    }
}

pub(crate) fn txt(name: &Name, text: &str) -> Record {
    // A string of a record has 255 bytes at the most (RFC 1035 §3.3).
    let strings = text.as_bytes().chunks(255).map(|piece| String::from_utf8_lossy(piece).into());
    let txt = rdata::TXT::new(strings.collect());
    Record::from_rdata(name.clone(), TTL, RData::TXT(txt))
}

pub(crate) fn refusal(query: &Message, code: ResponseCode) -> Vec<u8> {
    let mut message = reply(query);
    message.metadata.response_code = code;
    bytes(&message)
}

fn truncated(query: &Message) -> Vec<u8> {
    let mut message = reply(query);
    message.metadata.truncation = true;
    bytes(&message)
}

pub(crate) fn reply(query: &Message) -> Message {
    let mut message = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    message.add_queries(query.queries.iter().cloned());
    message.metadata.recursion_available = true;
    message
}

pub(crate) fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().expect("a message")
}
