//! The nameserver.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};

use crate::{Shared, Site, dns, lock};

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
    /// Sends three forgeries, with ids that were not asked for, before the answer.
    ForgeriesFirst,
    /// Sends bytes that are no message.
    Garbage,
}

/// The TTL of everything: a minute, the least that senders heed.
const TTL: u32 = 60;

pub(crate) fn start(shared: &Arc<Shared>) -> (SocketAddr, [JoinHandle<()>; 2]) {
    dns::serve(shared, {
        let shared = Arc::clone(shared);
        move |query, is_udp| {
            let Ok(query) = Message::from_vec(query) else { return Vec::new() };
            let asked = Asked::of(&query, &shared);
            asked.map_or_else(Vec::new, |asked| asked.answers(&query, is_udp, &shared))
        }
    })
}

/// What is asked for, and of whom.
struct Asked {
    kind: RecordType,
    name: Name,
    domain: String,
    site: Option<Site>,
}

impl Asked {
    fn of(query: &Message, shared: &Shared) -> Option<Self> {
        let question = query.queries.first()?;
        let (name, kind) = (question.name().clone(), question.query_type());
        let text = name.to_ascii().to_ascii_lowercase();
        let text = text.trim_end_matches('.');
        let domain = match kind {
            RecordType::TXT => text.strip_prefix("_mta-sts.").map(str::to_owned),
            RecordType::MX => None,
            _ => text
                .strip_prefix("mta-sts.")
                .map(str::to_owned)
                .or_else(|| shared.domain_of_mx(text)),
        };
        let domain = domain.unwrap_or_else(|| text.to_owned());
        if kind == RecordType::TXT {
            shared.count(&domain, |counts| counts.queries += 1);
        }
        let site = shared.site(&domain);
        Some(Self { kind, name, domain, site })
    }

    /// What to send, one message after the other.
    fn answers(&self, query: &Message, is_udp: bool, shared: &Shared) -> Vec<Vec<u8>> {
        let good = || bytes(&self.answer(query));
        let Some(site) = &self.site else {
            let mut message = reply(query);
            message.metadata.response_code = ResponseCode::NXDomain;
            message.add_authority(self.start_of_authority());
            return vec![bytes(&message)];
        };
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
                let so_far = lock(&shared.counts).get(&self.domain).map_or(0, |it| it.queries);
                if so_far <= times { failure() } else { vec![good()] }
            }
            Dns::Truncated if is_udp => {
                let mut message = reply(query);
                message.metadata.truncation = true;
                vec![bytes(&message)]
            }
            Dns::Truncated => vec![good()],
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
        let Some(site) = &self.site else { return message };
        match self.kind {
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
                message.add_answers(site.addresses.all().iter().map(|&it| self.address(it)));
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

    fn address(&self, address: Ipv4Addr) -> Record {
        Record::from_rdata(self.name.clone(), TTL, RData::A(rdata::A(address)))
    }
}

pub(crate) fn txt(name: &Name, text: &str) -> Record {
    let txt = rdata::TXT::new(vec![text.to_owned()]);
    Record::from_rdata(name.clone(), TTL, RData::TXT(txt))
}

pub(crate) fn refusal(query: &Message, code: ResponseCode) -> Vec<u8> {
    let mut message = reply(query);
    message.metadata.response_code = code;
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
