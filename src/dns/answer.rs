//! Whether a message answers a question, and what it says.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::{net::IpAddr, time::Duration};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{DNSClass, Name, RData, Record},
};

use super::{
    outcome::{Found, Outcome},
    question::{Kind, Question},
};
use crate::cache::TxtAnswer;

/// What a message is to whoever has asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// No answer to this question: perhaps a late one to another, perhaps a forgery.
    Foreign,
    /// The answer does not fit.
    Truncated,
    /// The server does not understand what is asked, or does not want to, or cannot say.
    Refused(ResponseCode),
    Malformed(Box<str>),
    Answered(Outcome),
}

/// How many aliases are followed: no honest name has as many.
const MAX_ALIASES: usize = 8;

/// Reads what came from the server that was asked.
pub(super) fn read(question: &Question, id: u16, bytes: &[u8]) -> Reading {
    let message = match Message::from_vec(bytes) {
        Ok(message) => message,
        Err(error) if is_response_to(id, bytes) => {
            return Reading::Malformed(error.to_string().into());
        }
        Err(_) => return Reading::Foreign,
    };
    let head = &message.metadata;
    let is_answer = head.id == id
        && head.message_type == MessageType::Response
        && head.op_code == OpCode::Query;
    if !is_answer {
        return Reading::Foreign;
    }
    match head.response_code {
        // Who does not understand a message need not repeat its question.
        code @ (ResponseCode::FormErr | ResponseCode::NotImp) if message.queries.is_empty() => {
            Reading::Refused(code)
        }
        _ if !question.is_only_one_of(&message.queries) => Reading::Foreign,
        _ if head.truncation => Reading::Truncated,
        ResponseCode::NoError | ResponseCode::NXDomain => content(question, &message),
        code => Reading::Refused(code),
    }
}

/// What the records say that a resolver of hickory's found for [`Domain::txt_name`]: those of its
/// answer, aliases among them. An empty answer is [`TxtAnswer::NoRecord`].
///
/// If the resolver says that there is none, and for how long, use [`TxtAnswer::NoRecord`] with that
/// time; if it failed, [`TxtAnswer::Failed`]: the two are not the same (§3.1).
///
/// ```
/// use mta_sts::{
///     cache::TxtAnswer,
///     dns::{hickory_proto::rr::{Name, RData, Record, rdata::TXT}, txt_answer},
/// };
///
/// let name = Name::from_ascii("_mta-sts.example.com.")?;
/// let strings = vec!["v=STSv1;".into(), " id=7;".into()];
/// let records = [Record::from_rdata(name, 300, RData::TXT(TXT::new(strings)))];
/// assert!(matches!(txt_answer(&records), TxtAnswer::Found { id, .. } if id.as_str() == "7"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Domain::txt_name`]: crate::Domain::txt_name
pub fn txt_answer<'a>(records: impl IntoIterator<Item = &'a Record>) -> TxtAnswer {
    let (mut texts, mut least) = (Vec::new(), Duration::MAX);
    for record in records {
        least = least.min(ttl(record));
        if let RData::TXT(text) = &record.data {
            texts.push(text.txt_data.concat());
        }
    }
    if texts.is_empty() {
        return TxtAnswer::NoRecord { ttl: None };
    }
    TxtAnswer::from_records(&texts, least)
}

/// Whether the first bytes of a message, which cannot be read as a whole, are those of a response to
/// this id.
fn is_response_to(id: u16, bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, flags, ..] if u16::from_be_bytes([*a, *b]) == id && flags & 0x80 != 0)
}

fn content(question: &Question, message: &Message) -> Reading {
    let Some((name, alias_ttl)) = follow(question.wire_name(), &message.answers) else {
        return Reading::Malformed("its aliases lead nowhere".into());
    };
    let authentic = message.metadata.authentic_data;
    let mut found = Found { texts: Vec::new(), addresses: Vec::new(), ttl: alias_ttl, authentic };
    for record in message.answers.iter().filter(|record| is_at(record, &name)) {
        take(question, record, &mut found);
    }
    if !found.texts.is_empty() || !found.addresses.is_empty() {
        return Reading::Answered(Outcome::Found(found));
    }
    if is_referral(message, name != question.wire_name()) {
        return Reading::Malformed("it sends on to other nameservers".into());
    }
    let ttl = negative_ttl(message).map(|ttl| ttl.min(alias_ttl));
    Reading::Answered(if message.metadata.response_code == ResponseCode::NXDomain {
        Outcome::NoSuchName { ttl, authentic }
    } else {
        Outcome::NoData { ttl, authentic }
    })
}

/// Where the aliases (CNAME) of a name lead, and the least of their TTLs; `None` if they lead round in
/// a circle, or on and on.
fn follow(mut name: Name, answers: &[Record]) -> Option<(Name, Duration)> {
    let mut least = Duration::MAX;
    for _ in 0..=MAX_ALIASES {
        let alias = answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if is_at(record, &name) => Some((&target.0, ttl(record))),
            _ => None,
        });
        let Some((target, ttl)) = alias else { return Some((name, least)) };
        least = least.min(ttl);
        name = target.clone();
    }
    None
}

fn is_at(record: &Record, name: &Name) -> bool {
    record.dns_class == DNSClass::IN && record.name == *name
}

/// Takes a record, if it is of the kind asked for.
fn take(question: &Question, record: &Record, found: &mut Found) {
    match (question.kind(), &record.data) {
        (Kind::Txt, RData::TXT(text)) => found.texts.push(text.txt_data.concat().into()),
        (Kind::A, RData::A(address)) => found.addresses.push(IpAddr::V4(address.0)),
        (Kind::Aaaa, RData::AAAA(address)) => found.addresses.push(IpAddr::V6(address.0)),
        _ => return,
    }
    found.ttl = found.ttl.min(ttl(record));
}

/// Whether a server that does not ask others itself sends on to them: it names those that might know,
/// or an alias leads to where it knows nothing. That says nothing.
fn is_referral(message: &Message, is_alias: bool) -> bool {
    let has = |is: fn(&RData) -> bool| message.authorities.iter().any(|it| is(&it.data));
    let head = &message.metadata;
    let names_others = !head.authoritative && has(|data| matches!(data, RData::NS(_)));
    let leads_away = is_alias && head.response_code == ResponseCode::NoError;
    !head.recursion_available
        && (names_others || leads_away)
        && !has(|data| matches!(data, RData::SOA(_)))
}

/// How long absence may be believed: the lesser of the SOA's TTL and its last field (RFC 2308 §5).
fn negative_ttl(message: &Message) -> Option<Duration> {
    message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(ttl(record).min(Duration::from_secs(soa.minimum.into()))),
        _ => None,
    })
}

/// Of a TTL with its most significant bit set, nothing is left (RFC 2181 §8).
fn ttl(record: &Record) -> Duration {
    Duration::from_secs(u64::try_from(record.ttl.cast_signed()).unwrap_or(0))
}
